"""Callbacks: objects whose methods fit, evaluate and predict call, under Keras's names."""

from typing import TYPE_CHECKING

from scratchnet.callbacks.backup_and_restore import BackupAndRestore
from scratchnet.callbacks.base import Callback
from scratchnet.callbacks.callback_list import CallbackList
from scratchnet.callbacks.csv_logger import CSVLogger
from scratchnet.callbacks.early_stopping import EarlyStopping
from scratchnet.callbacks.history import History
from scratchnet.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from scratchnet.callbacks.model_checkpoint import ModelCheckpoint
from scratchnet.callbacks.progress import ProgbarLogger
from scratchnet.callbacks.small import LambdaCallback, TerminateOnNaN
from scratchnet.callbacks.swap_ema_weights import SwapEMAWeights
from scratchnet.callbacks.tensorboard import TensorBoard
from scratchnet.missing import refusal

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
if not TYPE_CHECKING:
    __getattr__ = refusal(__name__)


def __dir__():
    return __all__

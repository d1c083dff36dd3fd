"""Callbacks: objects whose methods fit, evaluate and predict call, under Keras's names."""

from typing import TYPE_CHECKING

from scratchnet import registry
from scratchnet.callbacks.base import Callback
from scratchnet.callbacks.callback_list import CallbackList
from scratchnet.callbacks.history import History
from scratchnet.callbacks.progress import ProgbarLogger
from scratchnet.callbacks.small import LambdaCallback, TerminateOnNaN
from scratchnet.doors import door, opened
from scratchnet.missing import refusal

_PARTS = {
    "backup_and_restore": ("BackupAndRestore",),
    "csv_logger": ("CSVLogger",),
    "early_stopping": ("EarlyStopping",),
    "learning_rate": ("LearningRateScheduler", "ReduceLROnPlateau"),
    "model_checkpoint": ("ModelCheckpoint",),
    "swap_ema_weights": ("SwapEMAWeights",),
    "tensorboard": ("TensorBoard",),
}

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
registry.import_when_missed("callbacks", opened(__name__, _PARTS))
if TYPE_CHECKING:
    from scratchnet.callbacks.backup_and_restore import BackupAndRestore
    from scratchnet.callbacks.csv_logger import CSVLogger
    from scratchnet.callbacks.early_stopping import EarlyStopping
    from scratchnet.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
    from scratchnet.callbacks.model_checkpoint import ModelCheckpoint
    from scratchnet.callbacks.swap_ema_weights import SwapEMAWeights
    from scratchnet.callbacks.tensorboard import TensorBoard
else:
    __getattr__ = door(__name__, _PARTS, refusal(__name__))


def __dir__():
    return __all__

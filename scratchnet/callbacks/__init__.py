"""What fit calls at its milestones, under Keras's names."""

from scratchnet.callbacks.backup_and_restore import BackupAndRestore
from scratchnet.callbacks.base import Callback, CallbackList
from scratchnet.callbacks.csv_logger import CSVLogger
from scratchnet.callbacks.early_stopping import EarlyStopping
from scratchnet.callbacks.history import History
from scratchnet.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from scratchnet.callbacks.model_checkpoint import ModelCheckpoint
from scratchnet.callbacks.small import LambdaCallback, TerminateOnNaN

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
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]

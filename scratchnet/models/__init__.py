"""Models: `Sequential`, the functional `Model`, and how they are saved and loaded."""

from typing import TYPE_CHECKING

from scratchnet import registry
from scratchnet.doors import door, opened
from scratchnet.files.saving import load_model, save_model
from scratchnet.missing import refusal
from scratchnet.models.cloning import clone_model, model_from_json
from scratchnet.models.model import Model
from scratchnet.models.sequential import Sequential

_PARTS = {"feature_space": (), "scratchnet.files.onnx_reading": ("load_onnx",)}

__all__ = ["Model", "Sequential", "clone_model", "load_model", "load_onnx", "model_from_json", "save_model"]
registry.import_when_missed("layers", opened(__name__, ["feature_space"]))  # which files may hold
if TYPE_CHECKING:
    from scratchnet.files.onnx_reading import load_onnx
    from scratchnet.models import feature_space
else:
    __getattr__ = door(__name__, _PARTS, refusal(__name__))


def __dir__():
    return __all__

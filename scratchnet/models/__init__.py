"""Models: `Sequential`, the functional `Model`, and how they are saved and loaded."""

import scratchnet.models.feature_space  # noqa: F401 (which files may hold)
from scratchnet.files.onnx_reading import load_onnx
from scratchnet.files.saving import load_model, save_model
from scratchnet.models.cloning import clone_model, model_from_json
from scratchnet.models.model import Model
from scratchnet.models.sequential import Sequential

__all__ = ["Model", "Sequential", "clone_model", "load_model", "load_onnx", "model_from_json", "save_model"]


def __dir__():
    return __all__

"""The global settings of the library, under Keras's names.

`floatx` is the dtype that new parameters get: float32 to train, float64 to prove a gradient.
Everything else follows the parameters, so no other place names a dtype.
"""

import numpy as np

_FLOATS = ("float32", "float64")
_floatx = "float32"
_epsilon = 1e-7
_image_data_format = "channels_last"
_interactive_logging = True

__all__ = [
    "backend",
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "DTypePolicy",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_traceback_filtering_enabled",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]


def __dir__():
    return __all__


# ---- dtypes ----


def floatx():
    """The dtype, as a string, that layers give to their parameters by default."""
    return _floatx


def set_floatx(value):
    """Set the default dtype of new layers: ``"float32"`` or ``"float64"``.

    Raises ValueError for anything else: half precision is not implemented.
    """
    global _floatx
    _floatx = check_float_dtype(value)


class DTypePolicy(str):
    """What Keras calls the policy of dtypes: here the name of the one dtype that layers compute in.

    It can be given wherever a layer's `dtype` can. Raises ValueError for a mixed policy: half precision is not there.
    """

    def __new__(cls, name=None):
        return super().__new__(cls, _floatx if name is None else check_float_dtype(name))

    @property
    def name(self):
        """ "float32" or "float64": also `compute_dtype`, and `variable_dtype`, that of the weights."""
        return str(self)

    compute_dtype = variable_dtype = name

    def get_config(self):
        return {"name": self.name}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        return f'<DTypePolicy "{self.name}">'


def dtype_policy():
    """The `DTypePolicy` of new layers."""
    return DTypePolicy()


def set_dtype_policy(policy):
    """Set the default dtype of new layers. Raises ValueError for a mixed policy: half precision is not implemented."""
    set_floatx(getattr(policy, "name", policy))


def check_float_dtype(value):
    """Return `value` (a string, NumPy dtype or type) as ``"float32"`` or ``"float64"``, or raise ValueError."""
    if type(value) is str and value in _FLOATS:  # nearly always
        return value
    try:
        name = np.dtype(value).name
    except TypeError:
        name = str(value)
    if name not in _FLOATS:
        raise ValueError(f"dtype {name!r} is not supported: expected one of {', '.join(_FLOATS)}")
    return name


def check_dtype(value):
    """Return `value` as the name of a dtype of data: floats as in `check_float_dtype`, integers, bool or string.

    Raises ValueError for any other.
    """
    if value in ("string", str):
        return "string"
    try:
        kind = np.dtype(value).kind
    except TypeError:
        kind = None
    return np.dtype(value).name if kind is not None and kind in "iub" else check_float_dtype(value)


# ---- other settings ----


def epsilon():
    """The small number (1e-7) that keeps logarithms and quotients of probabilities finite."""
    return _epsilon


def set_epsilon(value):
    """Set that number. Raises ValueError unless it is positive."""
    global _epsilon
    if not isinstance(value, (int, float, np.integer, np.floating)) or not 0 < value < 1:
        raise ValueError(f"epsilon must be a number between 0 and 1, got {value!r}")
    _epsilon = float(value)


def image_data_format():
    """Where images have their channels unless it is said: "channels_last", (N, H, W, C), or "channels_first"."""
    return _image_data_format


def set_image_data_format(data_format):
    """Say where layers that are made from now on expect them. Raises ValueError for anything but the two."""
    global _image_data_format
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f'the data format must be "channels_last" or "channels_first", got {data_format!r}')
    _image_data_format = data_format


def backend():
    """What stands where Keras names its framework: "numpy"."""
    return "numpy"


def is_interactive_logging_enabled():
    """Whether fit, evaluate and predict print their progress by default."""
    return _interactive_logging


def enable_interactive_logging():
    """Let ``verbose="auto"`` print a progress bar."""
    global _interactive_logging
    _interactive_logging = True


def disable_interactive_logging():
    """Let ``verbose="auto"`` print a line for each epoch and nothing else."""
    global _interactive_logging
    _interactive_logging = False


def is_flash_attention_enabled():
    """False: attention is computed as its equations say."""
    return False


def enable_flash_attention():
    """Changes nothing: it would be another way to compute the same."""


def disable_flash_attention():
    """Changes nothing: see `enable_flash_attention`."""


def is_traceback_filtering_enabled():
    """False: tracebacks are whole."""
    return False


def enable_traceback_filtering():
    """Changes nothing: tracebacks are always whole, and not longer than needed."""


def disable_traceback_filtering():
    """Changes nothing: tracebacks are always whole."""


# ---- of tf.config: ``import scratchnet as tf`` finds these here ----


def list_physical_devices(device_type=None):
    """The devices of this kind, as TensorFlow names them: the processor, and no "GPU"."""
    return [] if device_type not in (None, "CPU") else ["/physical_device:CPU:0"]


def run_functions_eagerly(run_eagerly):
    """Taken, since it changes no result."""

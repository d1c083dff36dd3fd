"""The two global settings of the library, under Keras's names.

`floatx` is the dtype that new parameters get: float32 to train, float64 to prove a gradient.
Everything else follows the parameters, so no other place names a dtype.
"""

import numpy as np

_FLOATS = ("float32", "float64")
_floatx = "float32"
_epsilon = 1e-7


def floatx():
    """The dtype, as a string, that layers give to their parameters by default."""
    return _floatx


def set_floatx(value):
    """Set the default dtype of new layers: ``"float32"`` or ``"float64"``.

    Raises ValueError for anything else: half precision is not implemented.
    """
    global _floatx
    _floatx = check_float_dtype(value)


def check_float_dtype(value):
    """Return `value` (a string, NumPy dtype or type) as ``"float32"`` or ``"float64"``, or raise ValueError."""
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
    name = "string" if value in ("string", str) else str(np.dtype(value)) if value is not None else _floatx
    return name if name == "string" or np.dtype(name).kind in "iub" else check_float_dtype(value)


def epsilon():
    """The small number (1e-7) that keeps logarithms and quotients of probabilities finite."""
    return _epsilon

"""What a layer of your own says of the inputs that it takes.

    self.input_spec = InputSpec(ndim=4, axes={-1: 3})        # images of three channels

The layer refuses others when it is called, before anything is computed.
"""

from collections.abc import Mapping
from typing import Any

from scratchnet import config
from scratchnet.structure import flatten


class InputSpec:
    """What is known of one input; what is None may be anything.

    Args:
        dtype: its dtype.
        shape: with the axis of the samples; None for an axis of any size.
        ndim, max_ndim, min_ndim: how many axes it has, at most, and at least.
        axes: dict from the number of an axis to its size.
        allow_last_axis_squeeze: whether a last axis of size 1 may be there or not, here and in the input.
        name: of the input, where they come in a dict.
        optional: whether it may be None.

    Raises:
        TypeError: for axes that are no dict of integers.
        ValueError: for an axis that cannot be there.
    """

    def __init__(
        self,
        dtype: str | None = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Any = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ):
        self.dtype = None if dtype is None else config.check_dtype(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        if axes is not None and not isinstance(axes, Mapping):
            raise TypeError(f"InputSpec: axes must be a dict from the number of an axis to its size, got {axes!r}")
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = bool(allow_last_axis_squeeze)
        self.name, self.optional = name, bool(optional)
        most = self.ndim if self.ndim is not None else max_ndim
        if most is not None and self.axes and max(self.axes) >= most:
            raise ValueError(f"InputSpec: there is no axis {max(self.axes)} in an input of at most {most} axes")

    def mismatch(self, shape, dtype):
        """What is expected instead of an input of this shape and dtype, in words, or None."""
        if self.ndim is not None and not self.allow_last_axis_squeeze and len(shape) != self.ndim:
            return f"{self.ndim} axes"
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            return f"at most {self.max_ndim} axes"
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            return f"at least {self.min_ndim} axes"
        if self.dtype is not None and dtype != self.dtype:
            return f"the dtype {self.dtype}"
        for axis, size in self.axes.items():
            there = -len(shape) <= axis < len(shape)
            if not there or (size is not None and shape[axis] not in (size, None)):
                return f"the size {size} along the axis {axis}"
        if self.shape is not None:
            wanted = self.shape
            if self.allow_last_axis_squeeze:
                wanted, shape = (s[:-1] if s and s[-1] == 1 else s for s in (wanted, shape))
            if len(wanted) != len(shape) or any(None not in (a, b) and a != b for a, b in zip(wanted, shape)):
                return f"the shape {self.shape}"
        return None

    def get_config(self):
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return f"InputSpec({', '.join(f'{name}={value}' for name in names if (value := getattr(self, name)))})"


def check_inputs(layer, inputs):
    """Raise ValueError for `inputs`, arrays or tensors, that the layer's `input_spec` does not allow."""
    specs = flatten(layer.input_spec)
    if isinstance(inputs, dict) and all(spec is not None and spec.name for spec in specs):
        missing = [spec.name for spec in specs if spec.name not in inputs]
        if missing:
            raise layer.error(f"expected inputs named {missing}, got {list(inputs)}")
        inputs = [inputs[spec.name] for spec in specs]
    found = flatten(inputs)
    if len(found) != len(specs):
        raise layer.error(f"expected {len(specs)} inputs, got {len(found)}")
    for k, (x, spec) in enumerate(zip(found, specs)):
        if spec is None or (x is None and spec.optional):
            continue
        shape, dtype = tuple(x.shape), str(x.dtype)
        expected = spec.mismatch(shape, dtype)
        if expected is not None:
            which = "the input" if len(specs) == 1 else f"the input {k}"
            raise layer.error(f"expected {expected} of {which}, got {dtype} of shape {shape}")

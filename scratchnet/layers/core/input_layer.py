"""Where data enter a graph of layers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import config
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers.base import Layer
from scratchnet.names import check_name, unique_name
from scratchnet.registry import register


def Input(
    shape: int | Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> KerasTensor:
    """A symbolic tensor to build a model from.

    Args:
        shape: of one sample, without the batch axis; an axis of unknown size is None.
        batch_size: a fixed number of samples, if there has to be one.
        dtype: "float32" or "float64", an integer type for tokens, "bool" or "string"; by default that of the library.
        batch_shape: `shape` with the batch axis in front, instead of both.
        name: by default "input", counted.
        tensor: a symbolic tensor that is returned as it is; a shape that is given as well must be its own.
        sparse: taken; sparse matrices are made dense, of any input, so it changes no result.
        ragged: not supported; None or False.
        optional: whether None may be given instead of an array. Then a layer with ``call(self, x, y=None)`` that reads
            it is called without.

    Raises:
        ValueError: for an invalid shape or name, or a shape that `tensor` does not have.
        TypeError: for what is not supported.
    """
    if ragged:
        raise TypeError(
            f"Input: Keras's argument 'ragged' is not implemented in scratchnet (got {ragged!r}): rows have one "
            "length; pad_sequences gives them one, and Masking or mask_zero leaves the rest out"
        )
    if tensor is not None:
        return _checked(tensor, shape, batch_shape, dtype)
    if (shape is None) == (batch_shape is None):
        raise ValueError("Input: give either shape or batch_shape")
    if batch_shape is not None and batch_size is not None:
        raise ValueError(f"Input: batch_shape {batch_shape} already says what batch_size={batch_size} says")
    if batch_shape is None:
        batch_shape = (batch_size, *(shape if isinstance(shape, (tuple, list)) else (shape,)))
    for size in batch_shape:
        is_int = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
        if size is not None and (not is_int or size < 1):
            raise ValueError(f"Input: sizes must be positive integers or None, got {tuple(batch_shape)}")
    sizes = [None if size is None else int(size) for size in batch_shape]
    dtype = config.floatx() if dtype is None else config.check_dtype(dtype)
    tensor = KerasTensor(sizes, dtype, unique_name("input") if name is None else check_name("Input", name))
    tensor.optional, tensor.sparse = bool(optional), bool(sparse)
    return tensor


def _checked(tensor, shape, batch_shape, dtype):
    """`tensor`, if it is one and has what else was said of it."""
    if not isinstance(tensor, KerasTensor):
        raise ValueError(f"Input: tensor must be a symbolic tensor, got {type(tensor).__name__}")
    for name, said, found in (
        ("shape", shape, tensor.shape[1:]),
        ("batch_shape", batch_shape, tensor.shape),
        ("dtype", dtype, tensor.dtype),
    ):
        if said is not None and (said if isinstance(said, str) else tuple(said)) != found:
            raise ValueError(f"Input: the tensor has the {name} {found}, not {said}")
    return tensor


@register("layers")
class InputLayer(Layer):
    """`Input` as the first entry of a Sequential, and as models list their inputs. It computes nothing.

    Arguments as `Input`; `input_shape` is Keras's older name of `shape`.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        input_tensor=None,
        optional: bool = False,
        name: str | None = None,
        input_shape: int | Sequence[int | None] | None = None,
        **kwargs,
    ):
        shape = input_shape if shape is None else shape
        tensor = Input(shape, batch_size, dtype, sparse, ragged, batch_shape, name, input_tensor, optional)
        super().__init__(name=tensor.name, **kwargs)
        self.dtype = tensor.dtype
        self.batch_shape = tensor.shape
        self.sparse, self.ragged, self.optional = tensor.sparse, False, tensor.optional
        self.tensor = tensor
        self.built = True

    @classmethod
    def of(cls, tensor):
        """The layer that stands for an `Input` that is there already."""
        said = {"sparse": tensor.sparse, "optional": tensor.optional}
        layer = cls(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name, **said)
        layer.tensor = tensor
        return layer

    @property
    def input(self):
        """The symbolic tensor where data enter, which is also the output."""
        return self.tensor

    output = input

    def get_config(self):
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype, "batch_shape": self.batch_shape}
        return {**config, "sparse": self.sparse, "ragged": self.ragged, "optional": self.optional}

    def forward(self, x, training=False):
        return x, None

    def backward(self, dy, cache, needs_dx=True):
        return dy, {}

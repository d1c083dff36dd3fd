"""Where data enter a graph of layers."""

from scratchnet import config
from scratchnet.layers.base import Layer, unique_name
from scratchnet.layers.symbolic import KerasTensor


def Input(shape=None, batch_size=None, dtype=None, name=None, batch_shape=None):
    """A symbolic tensor to build a model from.

    Args:
        shape: of one sample, without the batch axis; an axis of unknown size is None.
        batch_size: a fixed number of samples, if there has to be one.
        dtype: "float32" or "float64"; by default that of the library.
        name: by default "input", counted.
        batch_shape: `shape` with the batch axis in front, instead of both.

    Raises ValueError for a shape that is none.
    """
    if (shape is None) == (batch_shape is None):
        raise ValueError("Input: give either shape or batch_shape")
    if batch_shape is None:
        batch_shape = (batch_size, *((shape,) if isinstance(shape, int) else shape))
    for size in batch_shape:
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise ValueError(f"Input: sizes must be positive integers or None, got {tuple(batch_shape)}")
    dtype = config.floatx() if dtype is None else config.check_float_dtype(dtype)
    return KerasTensor(batch_shape, dtype, unique_name("input") if name is None else name)


class InputLayer(Layer):
    """`Input` as the first entry of a Sequential, and as models list their inputs. It computes nothing.

    Arguments as `Input`.
    """

    def __init__(self, shape=None, batch_size=None, dtype=None, name=None, batch_shape=None, **kwargs):
        tensor = Input(shape, batch_size, dtype, name, batch_shape)
        super().__init__(name=tensor.name, dtype=tensor.dtype, **kwargs)
        self.batch_shape = tensor.shape
        self.built = True

    def forward(self, x, training=False):
        return x, None

    def backward(self, dy, cache):
        return dy, {}

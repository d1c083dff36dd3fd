"""The sum of several inputs of the same shape: y = x_1 + x_2 + ...; every dx_k is dy."""

from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class Add(Layer):
    """[(N, ...), (N, ...), ...] -> (N, ...).

    Raises ValueError unless there are two or more inputs, all of the same shape. (Keras also repeats axes of size 1;
    here that is refused.)
    """

    def compute_output_shape(self, input_shape):
        if not isinstance(input_shape, list) or len(input_shape) < 2:
            raise self.error(f"expected a list of at least two inputs, got {input_shape}")
        common, *others = input_shape
        for shape in others:
            fits = len(shape) == len(common) and all(a == b or None in (a, b) for a, b in zip(common, shape))
            if not fits:
                raise self.error(f"inputs must have the same shape, got {common} and {shape}")
            common = tuple(b if a is None else a for a, b in zip(common, shape))
        return common

    def forward(self, xs, training=False):
        self.compute_output_shape([x.shape for x in xs])
        y = xs[0] + xs[1]
        for x in xs[2:]:
            y += x
        return y, len(xs)

    def backward(self, dy, cache, needs_dx=True):
        return [dy] * cache, {}

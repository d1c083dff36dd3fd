"""The difference of two inputs: y = x_1 - x_2; dx_1 is dy, dx_2 is -dy."""

from scratchnet.layers.merging.merge import Merge
from scratchnet.registry import register


@register("layers")
class Subtract(Merge):
    """[(N, ...), (N, ...)] -> (N, ...), axes of size 1 repeated.

    Raises ValueError unless there are two inputs whose shapes match.
    """

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape, list) and len(input_shape) != 2:
            raise self.error(f"expected a list of two inputs, got {len(input_shape)}")
        return super().compute_output_shape(input_shape)

    def merge(self, xs):
        return xs[0] - xs[1], None

    def merge_backward(self, dy, terms):
        return [dy, -dy]


def subtract(inputs, **kwargs):
    """``Subtract(**kwargs)(inputs)``."""
    return Subtract(**kwargs)(inputs)

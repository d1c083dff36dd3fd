import numpy as np
import pytest

from scratchnet import layers, ops

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("shape", [(2, 7, 3), (2, 5, 4, 3), (1, 3, 4, 5, 2)])
def test_it_is_that_of_the_layers(shape):
    x = RNG.standard_normal(shape)
    for kind, function in (("Average", ops.adaptive_average_pool), ("Max", ops.adaptive_max_pool)):
        layer = getattr(layers, f"Adaptive{kind}Pooling{len(shape) - 2}D")(3, dtype="float64")
        np.testing.assert_allclose(function(x, 3), layer(x), rtol=1e-12)
        first = function(np.moveaxis(x, -1, 1), [3] * (len(shape) - 2), "channels_first")
        np.testing.assert_array_equal(first, np.moveaxis(function(x, 3), -1, 1))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"adaptive_max_pool: output_size \(2, 2\) does not fit inputs of the shape"):
        ops.adaptive_max_pool(np.ones((2, 4, 3)), (2, 2))
    with pytest.raises(ValueError, match="output_size 0 does not fit"):
        ops.adaptive_average_pool(np.ones((2, 4, 3)), 0)
    with pytest.raises(ValueError, match="must have sizes"):
        ops.adaptive_average_pool(layers.Input((None, 3)), 2)

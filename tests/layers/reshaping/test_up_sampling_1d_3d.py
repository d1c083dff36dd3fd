"""Upsampling of sequences and volumes, and of images along a surface."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import Conv2D, Input, UpSampling1D, UpSampling2D, UpSampling3D
from scratchnet.models import Model, Sequential

RNG = np.random.default_rng(41)


def test_steps_and_cells_are_repeated():
    x = RNG.standard_normal((2, 3, 4))
    np.testing.assert_array_equal(UpSampling1D(3, dtype="float64")(x), x.repeat(3, axis=1))
    x = RNG.standard_normal((1, 2, 3, 2, 2))
    expected = x.repeat(2, axis=1).repeat(3, axis=3)
    np.testing.assert_array_equal(UpSampling3D((2, 1, 3), dtype="float64")(x), expected)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (UpSampling1D(2, dtype="float64"), (2, 3, 2)),
        (UpSampling3D((1, 2, 3), dtype="float64"), (1, 2, 2, 2, 2)),
        (UpSampling2D((2, 3), interpolation="bilinear", dtype="float64"), (2, 3, 4, 2)),
        (UpSampling2D(3, interpolation="bicubic", dtype="float64"), (1, 3, 4, 2)),
    ],
)
def test_gradients(layer, shape):
    check_layer(layer, RNG.standard_normal(shape), linear=("x",)).raise_if_failed()


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(ValueError, match="interpolation must be one of"):
        UpSampling2D(interpolation="sinc")


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
@pytest.mark.parametrize(
    ("layer", "shape"),
    [(UpSampling1D(2), (2, 3, 2)), (UpSampling2D(2), (2, 3, 4, 2)), (UpSampling3D(2), (1, 2, 3, 4, 2))],
)
def test_integers_stay_integers(layer, shape, dtype):
    x = (np.arange(np.prod(shape)) % 7).reshape(shape).astype(dtype)
    y = layer(x)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, type(layer)(2)(x.astype("float32")).astype(dtype))
    tensor = Input(shape[1:], dtype=dtype)
    assert Model(tensor, layer(tensor)).predict(x, verbose=0).dtype == dtype
    assert UpSampling2D(2, interpolation="bilinear")(np.ones((1, 2, 2, 1), "int32")).dtype == "float32"


def test_a_convolution_behind_enlarged_integers_has_numbers():
    x = np.arange(32).reshape(2, 4, 4, 1)
    made = Sequential([Input((4, 4, 1), dtype="int32"), UpSampling2D(2), Conv2D(2, 3, activation="relu")])
    other = Sequential([Input((4, 4, 1)), UpSampling2D(2), Conv2D(2, 3, activation="relu")])
    other.set_weights(made.get_weights())
    np.testing.assert_allclose(made.predict(x, verbose=0), other.predict(x, verbose=0), rtol=1e-6)
    made.compile("sgd", "mse")
    assert np.isfinite(made.fit(x, np.zeros((2, 6, 6, 2)), verbose=0).history["loss"]).all()

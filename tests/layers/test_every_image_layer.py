"""What all layers of images have in common: the contract, what they refuse, their configurations."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer
from scratchnet.layers import (
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Input,
    MaxPool2D,
    MaxPooling2D,
    UpSampling2D,
)
from scratchnet.models import Sequential

F64 = {"dtype": "float64"}


def test_a_sandwich_and_the_second_step():
    """dx matters only where something trainable stands before the layer, and a second step must work like the first."""
    rng = np.random.default_rng(0)
    for layer in (MaxPooling2D(2, **F64), UpSampling2D(**F64), GlobalAveragePooling2D(**F64), Conv2D(2, 2, **F64)):
        tail = [] if isinstance(layer, GlobalAveragePooling2D) else [Flatten(**F64)]
        model = Sequential(
            [Input((4, 4, 2), **F64), Conv2D(2, 1, activation="tanh", **F64), layer, *tail, Dense(2, **F64)]
        )
        x = rng.standard_normal((2, 4, 4, 2))
        check_layer(model, x, bound=1e-6).raise_if_failed()
        model.compile("sgd", "mse")
        losses = [model.train_on_batch(x, np.zeros((2, 2))) for _ in range(3)]
        assert losses[2] < losses[1] < losses[0]
        check_layer(model, x, bound=1e-6).raise_if_failed()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Conv2D(3, 3, padding="same", activation="relu"),
        lambda: MaxPooling2D(3, 2, "same"),
        lambda: AveragePooling2D(2),
        lambda: UpSampling2D(2),
        lambda: GlobalAveragePooling2D(),
    ],
)
def test_contract(make):
    """float32 stays float32; nothing is mutated; backward repeats; layouts do not matter; batches are sums of parts."""
    layer = make()
    x = np.random.default_rng(0).standard_normal((4, 6, 5, 2)).astype("float32")
    layer(x)
    kept = x.copy()
    y, cache = layer.forward(x)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    dy_kept = dy.copy()
    dx, grads = layer.backward(dy, cache)
    again, grads_again = layer.backward(dy, cache)
    assert y.dtype == dx.dtype == np.float32 and all(g.dtype == np.float32 for g in grads.values())
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_array_equal(dy, dy_kept)
    np.testing.assert_array_equal(dx, again)
    assert grads.keys() == layer.params.keys()
    for key in grads:
        np.testing.assert_array_equal(grads[key], grads_again[key])
    for change in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=2)[:, :, ::2]):
        np.testing.assert_allclose(layer.forward(change(x))[0], y, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            layer.backward(change(dy), cache)[0], dx, rtol=1e-5, atol=1e-6
        ) if dy.ndim == 4 else None
    parts = []
    for rows in (slice(0, 1), slice(1, 4)):
        y_part, cache_part = layer.forward(x[rows])
        np.testing.assert_allclose(y_part, y[rows], rtol=1e-5, atol=1e-6)
        parts.append(layer.backward(dy[rows], cache_part))
    np.testing.assert_allclose(np.concatenate([p[0] for p in parts]), dx, rtol=1e-5, atol=1e-6)
    for key in grads:
        np.testing.assert_allclose(parts[0][1][key] + parts[1][1][key], grads[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: Conv2D(0, 3), None, "filters must be a positive integer, got 0"),
        (lambda: Conv2D(3, (3, 3, 3)), None, "kernel_size must be one or two positive integers"),
        (lambda: Conv2D(3, 3, strides=2, dilation_rate=2), None, "cannot both be above 1"),
        (lambda: Conv2D(3, 3, padding="full"), None, 'padding must be "valid" or "same"'),
        (lambda: Conv2D(3, 3), (2, 5, 5), r"expected an input of shape \(N, H, W, C\), got 3 axes"),
        (lambda: Conv2D(3, 3), (2, 2, 5, 1), "smaller than the kernel"),
        (lambda: MaxPooling2D(3), (2, 2, 5, 1), "smaller than the window"),
        (lambda: UpSampling2D(0), None, "size must be a positive integer"),
        (lambda: GlobalAveragePooling2D(), (2, 3), "expected an input of shape"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(make, shape, message):
    with pytest.raises(ValueError, match=message):
        layer = make()
        layer(np.ones(shape))


def test_keras_s_names_and_refusals():
    assert MaxPool2D is MaxPooling2D
    with pytest.raises(ValueError, match="interpolation"):
        UpSampling2D(2, interpolation="quadratic")
    assert UpSampling2D(2, interpolation="nearest", data_format="channels_last").size == (2, 2)
    with pytest.raises(ValueError, match='data_format must be "channels_last" or "channels_first"'):
        Conv2D(4, 3, data_format="NCHW")


def test_configurations_make_the_same_layer_again():
    for layer in (
        Conv2D(3, (2, 3), (2, 1), "same", activation="relu", use_bias=False),
        MaxPooling2D(3, 2, "same"),
        UpSampling2D((1, 2)),
    ):
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()

import json

import numpy as np
import pytest

from scratchnet import layers, models
from scratchnet.gradient_check import check_layer
from scratchnet.layers import STFTSpectrogram

X = np.random.default_rng(7).normal(size=(2, 21, 2)).astype("float32")
IMAGES = {"padding": "same", "expand_dims": True, "scaling": "spectrum", "window": "hamming", "fft_length": 16}
MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")

# mode, the sum of y, y[0, 1, 2], and of the sum of sin(y) the gradient of x[0, :3, 0] and of the first kernel[:3, 0, 1]
KERAS = [
    ("log", -349.666, [-2.05054, -1.89071], [-1.06755, 1.58163, 9.73276], [18.8166, -2.3723, -12.7574]),
    ("magnitude", 79.9729, [0.12867, 0.15096], [-0.01648, -0.85129, -2.05631], [-0.791, 4.6347, 5.2522]),
    ("psd", 64.1638, [0.03311, 0.04558], [0.00131, -0.53942, -0.95097], [0.6404, 2.0524, 2.3075]),
    ("real", -3.28839, [-0.09394, 0.05857], [0.16347, 0.18275, 0.24755], [-9.5806, -3.3784, -0.1164]),
    ("imag", 5.25516, [0.08793, -0.13914], [0.00156, -0.3659, -0.32521], [-8.763, -2.3815, 0.6068]),
    ("stft", 1.96677, [-0.09394, 0.05857], [0.16503, -0.18316, -0.07766], [-9.5806, -3.3784, -0.1164]),
]


@pytest.mark.parametrize(("mode", "total", "some", "dx_some", "dkernel_some"), KERAS)
def test_values_and_gradients_are_keras_s(mode, total, some, dx_some, dkernel_some):
    layer = STFTSpectrogram(mode, 8, 3, **IMAGES)
    layer.ensure_built(X.shape)
    y, cache = layer.forward(X)
    assert y.shape == layer.compute_output_shape(X.shape) and y.dtype == np.float32
    assert y.sum() == pytest.approx(total, rel=1e-4, abs=1e-4)
    np.testing.assert_allclose(y[0, 1, 2], some, atol=2e-5)
    dx, grads = layer.backward(np.cos(y), cache)
    np.testing.assert_allclose(dx[0, :3, 0], dx_some, atol=1e-4)
    np.testing.assert_allclose(next(iter(grads.values()))[:3, 0, 1], dkernel_some, atol=1e-3)


@pytest.mark.parametrize("options", [{}, {"padding": "same", "expand_dims": True, "frame_step": 3}])
@pytest.mark.parametrize("mode", MODES)
def test_gradients(mode, options):
    x = np.random.default_rng(3).standard_normal((2, 13, 2))
    for data_format in ("channels_last", "channels_first"):
        layer = STFTSpectrogram(mode, 6, window=None, data_format=data_format, dtype="float64", **options)
        given = x if data_format == "channels_last" else x.swapaxes(1, 2)
        layer.ensure_built(given.shape)
        for w in layer.params.values():  # sines that are 0 have an angle on the edge
            w += 0.1 * np.random.default_rng(4).standard_normal(w.shape)
        check_layer(layer, given, max_entries=10, directions=2).raise_if_failed()


def test_channels_first_is_the_same_moved():
    for options in ({}, {"expand_dims": True}):
        last, first = (STFTSpectrogram("psd", 8, data_format=f, **options) for f in ("channels_last", "channels_first"))
        y, z = last(X), first(X.swapaxes(1, 2))
        assert z.shape == first.compute_output_shape((2, 2, 21))
        np.testing.assert_allclose(np.moveaxis(z, 1, -1), y, rtol=1e-5)


def test_a_tone_stands_at_its_frequency_and_the_kernels_learn():
    tones = np.sin(2 * np.pi * 4 / 32 * np.arange(320)).reshape(1, 320, 1)
    layer = STFTSpectrogram("psd", 32, 16)
    assert layer(tones).mean(axis=1).argmax() == 4
    model = models.Sequential([layers.Input((320, 1)), layer, layers.GlobalAveragePooling1D(), layers.Dense(1)])
    model.compile("adam", "mse")
    before = layer.params["real_kernel"].copy()
    x = np.random.default_rng(0).standard_normal((4, 320, 1)).astype("float32")
    losses = model.fit(x, np.ones(4), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0] and not np.array_equal(layer.params["real_kernel"], before)
    frozen = STFTSpectrogram("log", 8, trainable=False)
    frozen.ensure_built(X.shape)
    y, cache = frozen.forward(X)
    assert frozen.backward(np.ones_like(y), cache, needs_dx=False) == (None, {})


def test_configured_and_refused():
    layer = STFTSpectrogram("log", 8, 4, window=list(np.ones(8)), scaling=None)
    settings = json.loads(json.dumps(layer.get_config()))
    assert json.loads(json.dumps(STFTSpectrogram.from_config(settings).get_config())) == settings
    for options, said in (
        ({"mode": "power"}, "mode must be one of log, magnitude"),
        ({"scaling": "l2"}, 'scaling must be "density", "spectrum" or None'),
        ({"frame_step": 9}, "frame_step must lie between 1 and frame_length 8, got 9"),
        ({"fft_length": 4}, "fft_length must be at least frame_length 8, got 4"),
        ({"window": "kaiser"}, "window must be one of .*hann, .*, or numbers, got 'kaiser'"),
        ({"window": [1.0]}, r"window must be 8 numbers, got the shape \(1,\)"),
        ({"padding": "causal"}, 'padding must be "valid" or "same"'),
    ):
        with pytest.raises(ValueError, match=said):
            STFTSpectrogram(**{"frame_length": 8, **options})
    with pytest.raises(ValueError, match="5 samples are fewer than a frame has, 8"):
        layer(np.ones((1, 5, 1)))

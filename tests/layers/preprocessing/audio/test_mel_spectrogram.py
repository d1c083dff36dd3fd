import json

import numpy as np
import pytest

from scratchnet import layers, models
from scratchnet.gradient_check import check_layer
from scratchnet.layers import MelSpectrogram

SMALL = {"fft_length": 16, "sequence_stride": 9, "num_mel_bins": 3, "sampling_rate": 8000}
X = np.random.default_rng(5).normal(size=(2, 40)).astype("float32")

KERAS = [  # the first three frames of the first sound, the sum of all, the gradient of that at the first samples
    (
        {"top_db": 8.0},
        [[10.68912, 6.45872, 9.54234], [12.68253, 13.08079, 6.57552], [6.45872, 14.21388, 8.69592]],
        282.15277,
        [-4.90892, -7.3388, -2.09466, 1.76156, 2.51757, 1.14194],
    ),
    (
        {"sequence_length": 12, "window": "hamming", "power_to_db": False, "mag_exp": 1.0},
        [[3.49941, 1.35457, 2.87074], [4.52146, 5.28859, 1.93044], [2.20141, 6.07623, 2.73569]],
        103.09545,
        [-0.43241, -5.4577, -2.17085, 2.46556, 0.79289, -0.1256],
    ),
]


@pytest.mark.parametrize(("options", "first", "total", "gradient"), KERAS)
def test_values_and_gradient_are_keras_s(options, first, total, gradient):
    layer = MelSpectrogram(**SMALL, **options)
    y, cache = layer.forward(X)
    assert y.dtype == np.float32 and y.shape == layer.compute_output_shape(X.shape) == (2, 3, 5)
    np.testing.assert_allclose(y[0, :, :3], first, rtol=1e-5)
    assert y.sum() == pytest.approx(total, rel=1e-5)
    dx, grads = layer.backward(np.ones_like(y), cache)
    np.testing.assert_allclose(dx[0, :6], gradient, atol=2e-4)
    assert grads == {} and dx.dtype == np.float32


@pytest.mark.parametrize(
    "options",
    [
        {"top_db": 5.0},
        {"power_to_db": False},
        {"power_to_db": False, "mag_exp": 1.3, "sequence_length": 11},
        {"window": None, "ref_power": 3.0, "min_power": 5.0},
        {"window": list(np.linspace(0.1, 1, 16)), "max_freq": 3000, "fft_length": 16},
        {"fft_length": 15, "sequence_stride": 4, "power_to_db": False},
    ],
)
def test_gradients(options):
    layer = MelSpectrogram(**{**SMALL, **options}, dtype="float64")
    x = np.random.default_rng(1).standard_normal((2, 30))
    check_layer(layer, x, max_entries=25, directions=3).raise_if_failed()
    np.testing.assert_allclose(layer(x[0]), layer(x[:1])[0])  # a sound by itself
    dx, _ = layer.backward(np.ones(layer(x[0]).shape), layer.forward(x[0])[1])
    assert dx.shape == x[0].shape


def test_a_tone_stands_in_its_band():
    rate = 8000
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    layer = MelSpectrogram(512, 128, sampling_rate=rate, num_mel_bins=40, dtype="float64")
    loudest = layer(tone).mean(axis=1).argmax()
    edges = np.linspace(1127 * np.log(1 + 20 / 700), 1127 * np.log(1 + 4000 / 700), 42)
    assert edges[loudest] < 1127 * np.log(1 + 1000 / 700) < edges[loudest + 2]


def test_silence_has_no_gradient():
    layer = MelSpectrogram(**SMALL, mag_exp=1.0, dtype="float64")
    y, cache = layer.forward(np.zeros((1, 40)))
    assert (y == -100).all() and not layer.backward(np.ones_like(y), cache)[0].any()
    loud = MelSpectrogram(**SMALL, mag_exp=1.0, power_to_db=False, dtype="float64")
    y, cache = loud.forward(np.zeros((1, 40)))
    assert np.isfinite(loud.backward(np.ones_like(y), cache)[0]).all()


def test_a_model_learns_from_sound():
    model = models.Sequential(
        [
            layers.Input((200,)),
            MelSpectrogram(32, 16, sampling_rate=8000, num_mel_bins=6),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    x = np.random.default_rng(2).standard_normal((8, 200)).astype("float32")
    losses = model.fit(x, x.std(axis=1), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_configured_and_refused():
    layer = MelSpectrogram(**SMALL)
    settings = json.loads(json.dumps(layer.get_config()))
    assert settings["sequence_length"] == 16 and settings["max_freq"] == 4000
    assert json.loads(json.dumps(MelSpectrogram.from_config(settings).get_config())) == settings
    assert layer.compute_output_shape((None, None)) == (None, 3, None)
    for options, said in (
        ({"fft_length": 8, "sequence_length": 9}, "sequence_length 9 is more than a frame has, fft_length=8"),
        ({"window": "bartlett"}, "window must be one of .*hann, .*, or numbers, got 'bartlett'"),
        ({"window": [1.0, 2.0]}, r"window must be 16 numbers, got the shape \(2,\)"),
        ({"min_freq": 5000}, "min_freq 5000 must be at least 0 and below max_freq 4000"),
        ({"num_mel_bins": 0}, "num_mel_bins must be a positive integer"),
    ):
        with pytest.raises(ValueError, match=said):
            MelSpectrogram(**{**SMALL, **options})
    with pytest.raises(ValueError, match="8 samples are not more than half a frame, fft_length=16"):
        layer(np.ones((1, 8)))

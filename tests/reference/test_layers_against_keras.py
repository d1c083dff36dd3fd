"""Every layer with every option: the same output, dx and gradients as Keras from the same random weights (float32).

dx is seen through a trainable layer before it: its kernel's gradient is x^T dx.
"""

import numpy as np
import pytest

from scratchnet import layers as ours

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

IMAGE, SEQUENCE = (3, 7, 6, 2), (3, 5, 4)


def conv_options():
    for padding in ("valid", "same"):
        for options in ({}, {"strides": 2}, {"strides": (3, 1)}, {"dilation_rate": 2}, {"use_bias": False}, {"kernel_size": (2, 4)}, {"kernel_size": 1, "strides": 2}):
            yield {"filters": 3, "kernel_size": 3, "padding": padding, **options}


def pool_options():
    for padding in ("valid", "same"):
        for pool, strides in ((2, None), (3, 2), ((1, 2), (2, 1)), (2, 3)):
            yield {"pool_size": pool, "strides": strides, "padding": padding}


def recurrent_options():
    yield {}
    yield {"return_sequences": True}
    yield {"go_backwards": True, "return_sequences": True}
    yield {"go_backwards": True}
    yield {"use_bias": False}
    yield {"activation": "relu"}
    yield {"activation": "sigmoid", "return_sequences": True}
    yield {"activation": None}
    yield {"activation": "silu"}


CASES = [
    *(("Dense", {"units": 4, "activation": a, "use_bias": b}, SEQUENCE) for a in (None, "relu", "softmax", "gelu") for b in (True, False)),
    *(("Conv2D", o, IMAGE) for o in conv_options()),
    ("Conv2D", {"filters": 1, "kernel_size": 3, "padding": "same", "activation": "sigmoid"}, (2, 6, 6, 8)),
    *(("MaxPooling2D", o, IMAGE) for o in pool_options()),
    *(("AveragePooling2D", o, IMAGE) for o in pool_options()),
    ("GlobalAveragePooling2D", {}, IMAGE),
    ("UpSampling2D", {"size": (2, 3)}, IMAGE),
    ("Flatten", {}, IMAGE),
    ("Reshape", {"target_shape": (6, -1)}, IMAGE),
    ("RepeatVector", {"n": 3}, (3, 4)),
    *(("SimpleRNN", {"units": 3, **o}, SEQUENCE) for o in recurrent_options()),
    *(("LSTM", {"units": 3, **o}, SEQUENCE) for o in recurrent_options()),
    ("LSTM", {"units": 3, "recurrent_activation": "hard_sigmoid"}, SEQUENCE),
    ("LSTM", {"units": 3, "unit_forget_bias": False}, SEQUENCE),
    *(("Activation", {"activation": a}, SEQUENCE) for a in ("relu", "elu", "selu", "softplus", "silu", "leaky_relu", "tanh", "log_softmax", "hard_sigmoid", "softsign")),
    ("LeakyReLU", {"negative_slope": 0.1}, SEQUENCE),
    ("ELU", {"alpha": 0.7}, SEQUENCE),
]


def compare_layers(tf, our_layer, their_layer, x, rtol=2e-5):
    """Forward and all gradients of ``layer(x W0)`` for a random upstream gradient."""
    rng = np.random.default_rng(1)
    W0 = rng.normal(scale=0.7, size=(x.shape[-1], x.shape[-1])).astype("float32")
    xW = x @ W0
    our_layer(xW)
    their_layer(xW)
    weights = [rng.normal(scale=0.5, size=w.shape).astype("float32") for w in our_layer.get_weights()]
    assert [w.shape for w in their_layer.get_weights()] == [w.shape for w in weights]
    our_layer.set_weights(weights)
    their_layer.set_weights(weights)

    y, cache = our_layer.forward(xW, training=False)
    variable = tf.Variable(W0)
    with tf.GradientTape() as tape:
        theirs = their_layer(tf.tensordot(x, variable, 1), training=False)
    outputs, ys = tf.nest.flatten(theirs), y if isinstance(y, list) else [y]
    dys = [rng.normal(size=o.shape).astype("float32") for o in ys]
    for found, expected in zip(ys, outputs):
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-5)
    dx, grads = our_layer.backward(dys if isinstance(y, list) else dys[0], cache)
    dW0 = x.reshape(-1, x.shape[-1]).T @ dx.reshape(-1, x.shape[-1])
    expected = tape.gradient(outputs, [variable, *their_layer.trainable_variables], output_gradients=dys)
    for found, wanted in zip([dW0, *grads.values()], expected):
        wanted = np.asarray(wanted)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=rtol * max(np.abs(wanted).max(), 1e-3))


@pytest.mark.parametrize(("name", "options", "shape"), CASES, ids=lambda v: v if isinstance(v, str) else None)
def test_layer(keras, tf, name, options, shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    compare_layers(tf, getattr(ours, name)(**options), getattr(keras.layers, name)(**options), x)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM"])
def test_states_out(keras, tf, name):
    x = np.random.default_rng(0).normal(size=SEQUENCE).astype("float32")
    options = {"units": 3, "return_state": True, "return_sequences": True}
    compare_layers(tf, getattr(ours, name)(**options), getattr(keras.layers, name)(**options), x)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM"])
def test_states_in(keras, tf, name):
    rng = np.random.default_rng(0)
    x = rng.normal(size=SEQUENCE).astype("float32")
    states = [rng.normal(size=(3, 3)).astype("float32") for _ in range(2 if name == "LSTM" else 1)]
    mine, theirs = getattr(ours, name)(3), getattr(keras.layers, name)(3)
    theirs(x, initial_state=states)
    mine(x, initial_state=states)
    mine.set_weights(theirs.get_weights())
    variables = [tf.Variable(s) for s in states]
    with tf.GradientTape() as tape:
        expected = theirs(x, initial_state=variables)
    y, cache = mine.forward([x, *states])
    np.testing.assert_allclose(y, expected, atol=1e-6)
    dx, _ = mine.backward(np.ones_like(y), cache)
    for found, wanted in zip(dx[1:], tape.gradient(expected, variables)):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("inner", [("Dense", {"units": 3}, (2, 4, 5)), ("Conv2D", {"filters": 2, "kernel_size": 2}, (2, 3, 4, 4, 2))], ids=["Dense", "Conv2D"])
def test_time_distributed(keras, tf, inner):
    name, options, shape = inner
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    mine = ours.TimeDistributed(getattr(ours, name)(**options))
    compare_layers(tf, mine, keras.layers.TimeDistributed(getattr(keras.layers, name)(**options)), x)


def test_merging_layers(keras):
    xs = [np.random.default_rng(k).normal(size=(2, 3)).astype("float32") for k in range(3)]
    np.testing.assert_allclose(ours.Add()(xs), keras.layers.Add()(xs), rtol=1e-6)
    np.testing.assert_allclose(ours.Concatenate()(xs), keras.layers.Concatenate()(xs))

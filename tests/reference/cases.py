"""The layers with their options that are compared with Keras, and how a layer is made to show all it computes."""

import numpy as np

IMAGE, SEQUENCE = (3, 7, 6, 2), (3, 5, 4)


def conv_options():
    for padding in ("valid", "same"):
        for options in (
            {},
            {"strides": 2},
            {"strides": (3, 1)},
            {"dilation_rate": 2},
            {"use_bias": False},
            {"kernel_size": (2, 4)},
            {"kernel_size": 1, "strides": 2},
        ):
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
    yield {"return_state": True, "return_sequences": True}


CASES = [
    *(
        ("Dense", {"units": 4, "activation": a, "use_bias": b}, SEQUENCE)
        for a in (None, "relu", "softmax", "gelu")
        for b in (True, False)
    ),
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
    *(
        ("Activation", {"activation": a}, SEQUENCE)
        for a in (
            "relu",
            "elu",
            "selu",
            "softplus",
            "silu",
            "leaky_relu",
            "tanh",
            "log_softmax",
            "hard_sigmoid",
            "softsign",
        )
    ),
    ("LeakyReLU", {"negative_slope": 0.1}, SEQUENCE),
    ("ELU", {"alpha": 0.7}, SEQUENCE),
]


def names():
    """A readable name for each case."""
    return [f"{name} {options} {shape}" for name, options, shape in CASES]


def inputs(shape):
    """The input x of a case, and the kernel W0 of the trainable layer before it: the case's layer sees x W0."""
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    W0 = np.random.default_rng(1).normal(scale=0.7, size=(shape[-1], shape[-1])).astype("float32")
    return x, W0


def random_weights(layer):
    """Asymmetric random values for the layer's weights; constant ones would hide swapped gates."""
    rng = np.random.default_rng(2)
    return [rng.normal(scale=0.5, size=w.shape).astype("float32") for w in layer.get_weights()]


def upstream(outputs):
    """A random upstream gradient for each output."""
    rng = np.random.default_rng(3)
    return [rng.normal(size=np.shape(y)).astype("float32") for y in outputs]


def ours(layer, x, W0):
    """Outputs, then the gradients of W0 and of every weight, by scratchnet."""
    xW = x @ W0
    layer(xW)
    layer.set_weights(random_weights(layer))
    y, cache = layer.forward(xW)
    ys = y if isinstance(y, list) else [y]
    dys = upstream(ys)
    dx, grads = layer.backward(dys if isinstance(y, list) else dys[0], cache)
    D = x.shape[-1]
    return [*ys, x.reshape(-1, D).T @ dx.reshape(-1, D), *grads.values()]


def kerass(layer, x, W0):
    """The same by Keras on TensorFlow."""
    import tensorflow as tf

    variable = tf.Variable(W0)
    layer(tf.tensordot(x, variable, 1))
    layer.set_weights(random_weights(layer))
    with tf.GradientTape() as tape:
        ys = tf.nest.flatten(layer(tf.tensordot(x, variable, 1), training=False))
    gradients = tape.gradient(ys, [variable, *layer.trainable_variables], output_gradients=upstream(ys))
    return [np.asarray(a) for a in (*ys, *gradients)]


def assert_equal(found, expected, rtol=2e-5):
    """Every array within `rtol` of its largest entry."""
    assert [a.shape for a in found] == [a.shape for a in expected]
    for a, b in zip(found, expected):
        np.testing.assert_allclose(a, b, rtol=0, atol=rtol * max(np.abs(b).max(), 1e-2))

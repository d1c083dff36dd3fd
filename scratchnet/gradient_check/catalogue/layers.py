"""Every layer with its options."""

from scratchnet import layers
from scratchnet.gradient_check.catalogue.inputs import F64, describe, in_parts, named, randomize, separated
from scratchnet.gradient_check.check import check_adjoint, check_layer
from scratchnet.gradient_check.parts import check_parts


def check_layers(rng):
    """Every layer with its options."""
    normal = rng.standard_normal

    def case(layer, x, **options):
        randomize(layer, x, rng)
        yield named(describe(layer), check_layer(layer, x, **options))
        yield named(describe(layer), check_parts(layer, in_parts(x)))

    yield from case(layers.Dense(3, **F64), normal((4, 5)), linear=("x", "kernel", "bias"))
    yield from case(layers.Dense(3, activation="tanh", use_bias=False, **F64), normal((2, 3, 5)))
    yield from case(layers.Dense(4, activation="softmax", **F64), normal((3, 5)))
    for size in ((7, 6), (5, 8), (1, 1)):
        for options in _convolutions():
            if options.get("padding") == "valid" and min(size) < 5:
                continue
            layer, along = layers.Conv2D(3, **options, **F64), {"max_entries": 40, "directions": 10}
            yield from case(layer, normal((2, *size, 2)), linear=("x", "kernel", "bias"), **along)
            yield named(describe(layer), check_adjoint(layer, normal((2, *size, 2))))
    yield from case(layers.Conv2D(2, 3, activation="sigmoid", padding="same", **F64), normal((2, 4, 5, 1)))
    yield from case(layers.Conv2D(1, 3, padding="same", **F64), normal((1, 4, 4, 8)), linear=("x", "kernel", "bias"))
    for cls in (layers.MaxPooling2D, layers.AveragePooling2D):
        for pool, strides in ((2, None), (3, 2), ((1, 2), (2, 1)), (2, 3)):
            for padding in ("valid", "same"):
                layer, x = cls(pool, strides, padding, **F64), separated(rng, (2, 7, 6, 2))
                linear = ("x",) if cls is layers.AveragePooling2D else ()
                yield from case(layer, x, linear=linear)
                if linear:
                    yield named(describe(layer), check_adjoint(layer, x))
    linear_layers = [
        (layers.UpSampling2D((2, 3), **F64), (2, 3, 2, 2)),
        (layers.GlobalAveragePooling2D(**F64), (2, 3, 4, 2)),
        (layers.Flatten(**F64), (2, 3, 2, 2)),
        (layers.Reshape((3, -1), **F64), (2, 4, 6)),
        (layers.RepeatVector(3, **F64), (2, 4)),
        (layers.TimeDistributed(layers.Dense(2, **F64), **F64), (2, 3, 4)),
        (layers.TimeDistributed(layers.Conv2D(2, 2, **F64), **F64), (2, 2, 3, 3, 1)),
    ]
    for layer, shape in linear_layers:
        yield from case(layer, normal(shape), linear=("x", *(["kernel", "bias"] if layer.built is False else [])))
        yield named(describe(layer), check_adjoint(layer, normal(shape)))
    yield from case(layers.Add(**F64), [normal((2, 3)) for _ in range(3)], linear=("x",))
    yield from case(layers.Concatenate(**F64), [normal((2, k)) for k in (1, 3)], linear=("x",))
    yield from case(layers.Concatenate(axis=1, **F64), [normal((2, k, 2)) for k in (1, 3)], linear=("x",))
    yield from case(layers.Dropout(0.4, seed=1, **F64), normal((4, 5)), training=True, linear=("x",))
    yield from case(layers.GaussianNoise(0.4, seed=1, **F64), normal((4, 5)), training=True, linear=("x",))
    for layer in (
        layers.Activation("gelu", **F64),
        layers.LeakyReLU(0.1, **F64),
        layers.ELU(0.7, **F64),
        layers.ReLU(**F64),
        layers.Softmax(**F64),
    ):
        yield from case(layer, separated(rng, (3, 4)))
    yield from _recurrent(rng, case)


def _convolutions():
    for padding in ("valid", "same"):
        yield {"kernel_size": 3, "padding": padding}
        yield {"kernel_size": (2, 4), "padding": padding}
        yield {"kernel_size": 3, "strides": 2, "padding": padding, "use_bias": False}
        yield {"kernel_size": 2, "strides": (3, 1), "padding": padding}
        yield {"kernel_size": (3, 2), "dilation_rate": (2, 1), "padding": padding}


def _recurrent(rng, case):
    normal = rng.standard_normal
    for cls, states in ((layers.SimpleRNN, 1), (layers.LSTM, 2)):
        yield from case(cls(3, **F64), normal((2, 4, 3)))
        yield from case(cls(2, return_sequences=True, go_backwards=True, **F64), normal((3, 4, 1)))
        yield from case(cls(2, return_sequences=True, return_state=True, use_bias=False, **F64), normal((2, 3, 2)))
        yield from case(cls(3, **F64), [normal((2, 3, 2)), *[normal((2, 3)) for _ in range(states)]])
        yield from case(cls(1, **F64), normal((1, 1, 1)))
        for name in ("relu", "sigmoid", "linear", "gelu", "softplus"):
            yield from case(cls(2, activation=name, **F64), normal((2, 3, 2)))
    yield from case(layers.LSTM(2, recurrent_activation="hard_sigmoid", **F64), normal((2, 3, 2)))
    yield from case(layers.LSTM(2, recurrent_activation="tanh", unit_forget_bias=False, **F64), normal((2, 3, 2)))

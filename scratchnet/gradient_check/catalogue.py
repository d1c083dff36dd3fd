"""Everything that ``python -m scratchnet.gradient_check`` checks, one function for each family.

Each yields reports. Inputs are drawn from one seed; where there are kinks they are kept away from: pooling gets a
permutation of separated values, relu-like activations values that are not near 0.
"""

import math

import numpy as np

from scratchnet import activations, kernels, layers, losses
from scratchnet.gradient_check.check import (
    LINEAR,
    SMOOTH,
    STACK,
    check_activation,
    check_adjoint,
    check_layer,
    check_loss,
)
from scratchnet.gradient_check.differences import relative_error
from scratchnet.gradient_check.operations import check_operations
from scratchnet.gradient_check.report import Report, Row, compare
from scratchnet.models import Model, Sequential
from scratchnet.structure import map_structure

F64 = {"dtype": "float64"}


def separated(rng, shape):
    """A permutation of values at a distance of 0.1: no two are near each other, and none is near 0."""
    count = int(np.prod(shape))
    return (rng.permutation(count) - count / 2 + 0.25).reshape(shape) / 10.0


def _sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


# What each activation is, written down a second time and one number at a time: a gradient check compares a function
# with its own derivative and cannot tell whether it is the right function. (The softmaxes take a row, see below.)
_DEFINITIONS = {
    "linear": lambda z: z,
    "relu": lambda z: z if z > 0 else 0.0,
    "relu6": lambda z: min(max(z, 0.0), 6.0),
    "leaky_relu": lambda z: z if z > 0 else 0.2 * z,
    "elu": lambda z: z if z > 0 else math.expm1(z),
    "selu": lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * math.expm1(z)),
    "sigmoid": _sigmoid,
    "hard_sigmoid": lambda z: min(max(z / 6 + 0.5, 0.0), 1.0),
    "tanh": math.tanh,
    "softsign": lambda z: z / (1 + abs(z)),
    "softplus": lambda z: math.log1p(math.exp(-abs(z))) + max(z, 0.0),
    "exponential": math.exp,
    "silu": lambda z: z * _sigmoid(z),
    "gelu": lambda z: z * math.erfc(-z / math.sqrt(2)) / 2,
}


def check_values(activation):
    """Compare an activation's values with its definition, to 1e-12; a Report of one row."""
    z = np.linspace(-8, 8, 33)
    if activation.name in _DEFINITIONS:
        expected = [_DEFINITIONS[activation.name](value) for value in z.tolist()]
    else:
        total = math.fsum(math.exp(value) for value in z.tolist())
        log = activation.name == "log_softmax"
        expected = [value - math.log(total) if log else math.exp(value) / total for value in z.tolist()]
    return Report(activation.name, [compare("value", np.array(expected), activation(z[None])[0], LINEAR, 0.0)])


def check_activations(rng):
    """Every entry of the table of activations: its derivative, and its values."""
    for name in activations.names():
        z = separated(rng, (4, 6)) / 0.7
        yield _named(f"activation {name}", check_activation(activations.get(name), z))
        yield _named(f"activation {name}", check_values(activations.get(name)))


def check_losses(rng):
    """Every loss and its options, with sample weights."""
    probabilities, soft = rng.uniform(0.1, 0.9, (5, 4)), rng.uniform(0.05, 0.95, (5, 4))
    logits, one_hot, labels = rng.normal(size=(5, 4)), np.eye(4)[[0, 1, 2, 3, 1]], np.array([0, 1, 2, 3, 1])
    real, weights = separated(rng, (5, 4)), rng.uniform(0.5, 2.0, 5)
    cases = [
        (losses.MeanSquaredError(), real, logits),
        (losses.MeanAbsoluteError(), real, real + separated(rng, (5, 4))),
        (losses.Huber(delta=0.53), real, real + separated(rng, (5, 4))),
        (losses.BinaryCrossentropy(), soft, probabilities),
        (losses.BinaryCrossentropy(from_logits=True), soft, logits),
        (losses.BinaryCrossentropy(label_smoothing=0.2), soft, probabilities),
        (losses.CategoricalCrossentropy(), one_hot, probabilities),
        (losses.CategoricalCrossentropy(from_logits=True), one_hot, logits),
        (losses.CategoricalCrossentropy(label_smoothing=0.2), one_hot, probabilities),
        (losses.SparseCategoricalCrossentropy(), labels, probabilities),
        (losses.SparseCategoricalCrossentropy(from_logits=True), labels, logits),
        (losses.SparseCategoricalCrossentropy(ignore_class=1), labels, probabilities),
        (losses.KLDivergence(), soft, probabilities),
        (losses.CosineSimilarity(), real, logits),
    ]
    for loss, y_true, y_pred in cases:
        for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
            variant = type(loss).from_config({**loss.get_config(), "reduction": reduction})
            options = {k: v for k, v in variant.get_config().items() if k not in ("name", "dtype", "axis")}
            changed = ", ".join(f"{k}={v}" for k, v in options.items() if v and v != "sum_over_batch_size")
            report = check_loss(variant, y_true, y_pred, sample_weight=weights)
            yield _named(f"{type(loss).__name__}({changed})", report)


def check_layers(rng):
    """Every layer with its options."""
    normal = rng.standard_normal

    def case(layer, x, **options):
        randomize(layer, x, rng)
        return _named(_describe(layer), check_layer(layer, x, **options))

    yield case(layers.Dense(3, **F64), normal((4, 5)), linear=("x", "kernel", "bias"))
    yield case(layers.Dense(3, activation="tanh", use_bias=False, **F64), normal((2, 3, 5)))
    yield case(layers.Dense(4, activation="softmax", **F64), normal((3, 5)))
    for size in ((7, 6), (5, 8), (1, 1)):
        for options in _convolutions():
            if options.get("padding") == "valid" and min(size) < 5:
                continue
            layer = layers.Conv2D(3, **options, **F64)
            yield case(layer, normal((2, *size, 2)), linear=("x", "kernel", "bias"))
            yield _named(_describe(layer), check_adjoint(layer, normal((2, *size, 2))))
    yield case(layers.Conv2D(2, 3, activation="sigmoid", padding="same", **F64), normal((2, 4, 5, 1)))
    yield case(layers.Conv2D(1, 3, padding="same", **F64), normal((1, 4, 4, 8)), linear=("x", "kernel", "bias"))
    for cls in (layers.MaxPooling2D, layers.AveragePooling2D):
        for pool, strides in ((2, None), (3, 2), ((1, 2), (2, 1)), (2, 3)):
            for padding in ("valid", "same"):
                layer, x = cls(pool, strides, padding, **F64), separated(rng, (2, 7, 6, 2))
                linear = ("x",) if cls is layers.AveragePooling2D else ()
                yield case(layer, x, linear=linear)
                if linear:
                    yield _named(_describe(layer), check_adjoint(layer, x))
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
        yield case(layer, normal(shape), linear=("x", *(["kernel", "bias"] if layer.built is False else [])))
        yield _named(_describe(layer), check_adjoint(layer, normal(shape)))
    yield case(layers.Add(**F64), [normal((2, 3)) for _ in range(3)], linear=("x",))
    yield case(layers.Concatenate(**F64), [normal((2, k)) for k in (1, 3)], linear=("x",))
    yield case(layers.Concatenate(axis=1, **F64), [normal((2, k, 2)) for k in (1, 3)], linear=("x",))
    yield case(layers.Dropout(0.4, seed=1, **F64), normal((4, 5)), training=True, linear=("x",))
    yield case(layers.GaussianNoise(0.4, seed=1, **F64), normal((4, 5)), training=True, linear=("x",))
    for layer in (
        layers.Activation("gelu", **F64),
        layers.LeakyReLU(0.1, **F64),
        layers.ELU(0.7, **F64),
        layers.ReLU(**F64),
        layers.Softmax(**F64),
    ):
        yield case(layer, separated(rng, (3, 4)))
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
        yield case(cls(3, **F64), normal((2, 4, 3)))
        yield case(cls(2, return_sequences=True, go_backwards=True, **F64), normal((3, 4, 1)))
        yield case(cls(2, return_sequences=True, return_state=True, use_bias=False, **F64), normal((2, 3, 2)))
        yield case(cls(3, **F64), [normal((2, 3, 2)), *[normal((2, 3)) for _ in range(states)]])
        yield case(cls(1, **F64), normal((1, 1, 1)))
        for name in ("relu", "sigmoid", "linear", "gelu", "softplus"):
            yield case(cls(2, activation=name, **F64), normal((2, 3, 2)))
    yield case(layers.LSTM(2, recurrent_activation="hard_sigmoid", **F64), normal((2, 3, 2)))
    yield case(layers.LSTM(2, recurrent_activation="tanh", unit_forget_bias=False, **F64), normal((2, 3, 2)))


def check_models(rng):
    """Stacks and graphs: sandwiches, shared layers, several inputs and outputs, models within models."""
    normal = rng.standard_normal
    Input, Dense = layers.Input, layers.Dense

    def case(name, model, x):
        randomize(model, x, rng)
        return _named(name, check_layer(model, x, bound=STACK))

    yield case(
        "CNN classifier",
        Sequential(
            [
                Input((6, 6, 1), **F64),
                layers.Conv2D(2, 3, activation="tanh", **F64),
                layers.AveragePooling2D(**F64),
                layers.Flatten(**F64),
                Dense(4, activation="tanh", **F64),
                Dense(3, activation="softmax", **F64),
            ]
        ),
        normal((2, 6, 6, 1)),
    )
    yield case(
        "LSTM autoencoder",
        Sequential(
            [
                Input((3, 4), **F64),
                layers.LSTM(3, **F64),
                layers.RepeatVector(3, **F64),
                layers.LSTM(3, return_sequences=True, **F64),
                layers.TimeDistributed(Dense(4, activation="sigmoid", **F64), **F64),
            ]
        ),
        normal((2, 3, 4)),
    )
    yield case(
        "CNN + LSTM",
        Sequential(
            [
                Input((4, 4, 2), **F64),
                layers.Conv2D(2, 3, padding="same", activation="tanh", **F64),
                layers.Flatten(**F64),
                layers.Reshape((4, -1), **F64),
                layers.LSTM(3, return_sequences=True, **F64),
                layers.LSTM(2, **F64),
                Dense(3, activation="softmax", **F64),
            ]
        ),
        normal((2, 4, 4, 2)),
    )
    a, b = Input((3,), **F64), Input((3,), **F64)
    shared = Dense(4, activation="tanh", **F64)
    joined = layers.Concatenate(**F64)([shared(a), shared(shared_input := layers.Add(**F64)([a, b]))])
    out = Dense(2, **F64)(joined)
    yield case(
        "shared layer, two inputs, two outputs", Model([a, b], [out, shared_input]), [normal((3, 3)), normal((3, 3))]
    )
    image = Input((4,), **F64)
    encoder = Model(image, Dense(2, activation="tanh", **F64)(image), name="encoder")
    code = Input((2,), **F64)
    decoder = Sequential([code, Dense(4, activation="sigmoid", **F64)], name="decoder")
    x = Input((4,), **F64)
    yield case("models in a model, one used twice", Model(x, decoder(encoder(decoder(encoder(x))))), normal((3, 4)))
    sequence, h, c = Input((3, 2), **F64), Input((2,), **F64), Input((2,), **F64)
    y, h1, c1 = layers.LSTM(2, return_state=True, **F64)(sequence, initial_state=[h, c])
    y2 = layers.LSTM(2, **F64)(sequence, initial_state=[h1, c1])
    yield case(
        "states passed on",
        Model([sequence, h, c], layers.Add(**F64)([y, y2])),
        [normal((2, 3, 2)), normal((2, 2)), normal((2, 2))],
    )


def check_kernels(rng):
    """loops = numpy = numba for every kernel, forward and backward, in float64 (1e-12) and float32 (1e-5)."""
    others = [
        name for name in kernels.BACKENDS if name != "loops" and (name != "numba" or kernels.numba_is_installed())
    ]
    for dtype, bound in ((np.float64, 1e-12), (np.float32, 1e-5)):
        for name, call in _kernel_calls(rng, dtype):
            with kernels.using_backend("loops"):
                expected = call()
            for backend in others:
                with kernels.using_backend(backend):
                    errors = [relative_error(r, e) for r, e in zip(call(), expected) if e is not None]
                row = Row(f"{backend} against loops", max(errors), bound, 0.0, None, 0.0, 0.0)
                yield Report(f"kernel {name} {np.dtype(dtype).name}", [row])


def _kernel_calls(rng, dtype):
    def normal(*shape):
        return rng.standard_normal(shape).astype(dtype)

    left, right = normal(5, 7), normal(19, 7).T
    yield "matmul", lambda: [kernels.matmul(left, right)]
    x, dy_pad = normal(2, 6, 5, 3), ((1, 0), (1, 1))
    for C, F in ((3, 4), (1, 4), (8, 1)):
        x_c, w, b = normal(2, 6, 5, C), normal(3, 2, C, F), normal(F)
        for strides, dilation in (((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 1))):
            args = (strides, dy_pad, dilation)
            y = kernels.conv2d_forward(x_c, w, b, *args)
            dy = normal(*y.shape)
            yield "conv2d_forward", lambda a=args, x=x_c, w=w, b=b: [kernels.conv2d_forward(x, w, b, *a)]
            yield "conv2d_backward", lambda a=args, x=x_c, w=w, d=dy: kernels.conv2d_backward(d, x, w, *a)
    pool = ((3, 2), (2, 2), dy_pad)
    y, argmax = kernels.max_pool2d_forward(x, *pool)
    dy = normal(*y.shape)
    yield "max_pool2d_forward", lambda: kernels.max_pool2d_forward(x, *pool)
    yield "max_pool2d_backward", lambda: [kernels.max_pool2d_backward(dy, argmax, x.shape, *pool)]
    yield "average_pool2d_forward", lambda: [kernels.average_pool2d_forward(x, *pool)]
    yield "average_pool2d_backward", lambda: [kernels.average_pool2d_backward(dy, x.shape, *pool)]
    yield "upsample2d_forward", lambda: [kernels.upsample2d_forward(x, (2, 3))]
    yield "upsample2d_backward", lambda: [kernels.upsample2d_backward(x, (2, 1))]
    T, N, U = 4, 3, 2
    xW, R, states, da = normal(T, N, 4 * U), normal(U, 4 * U), normal(2, T + 1, N, U), normal(T, N, U)

    def lstm():
        (h, c), (dh, dc), dy = states.copy(), states[:, 0].copy(), da
        gates, a, dz = np.empty_like(xW), np.empty_like(da), np.empty_like(xW)
        kernels.lstm_forward(xW, R, h, c, gates, a, None, activations.tanh, activations.sigmoid)
        kernels.lstm_backward(dy, dh, dc, R, c, gates, a, None, dz, activations.tanh, activations.sigmoid)
        return gates, c, a, h, dh, dc, dz

    def simple_rnn():
        h, dh, dz = states[0].copy(), states[1, 0].copy(), np.empty_like(da)
        kernels.simple_rnn_forward(np.ascontiguousarray(xW[..., :U]), R[:, :U], h, None, activations.tanh)
        kernels.simple_rnn_backward(da, dh, R[:, :U], h, None, dz, activations.tanh)
        return h, dh, dz

    def adam():
        p, g, m, v = normals.copy(), xW[0].ravel(), xW[1].ravel() * dtype(0.1), np.square(xW[2].ravel())
        kernels.adam_update(p, g, m, v, 0.01, 0.9, 0.999, 1e-7)
        return p, m, v

    normals = normal(N * 4 * U)
    yield "lstm", lstm
    yield "simple_rnn", simple_rnn
    yield "adam_update", adam


def randomize(layer, x, rng):
    """Build `layer` for `x` and give every parameter random, asymmetric values: constant ones hide swapped gates."""
    layer.ensure_built(map_structure(np.shape, x))
    for parameter in layer.params.values():
        parameter[...] = rng.normal(scale=0.5, size=parameter.shape)


FAMILIES = {
    "activations": check_activations,
    "operations": check_operations,
    "losses": check_losses,
    "layers": check_layers,
    "models": check_models,
    "kernels": check_kernels,
}

__all__ = ["FAMILIES", "LINEAR", "SMOOTH", "STACK", "randomize", "separated"]


def _named(name, report):
    report.subject = name
    return report


def _describe(layer):
    """The layer without its name, which counts."""
    return repr(layer).replace(f"name={layer.name!r}, ", "").replace(f"name={layer.name!r}", "")

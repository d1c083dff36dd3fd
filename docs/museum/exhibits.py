"""The museum of the field's bugs: each recreated in our own code, and caught.

Well-known from-scratch libraries ship, or have shipped, each of these. An exhibit replaces one function of scratchnet
by a wrong version of it, made from the right one, while a check of `scratchnet.gradient_check` looks at the result; the
check has to object, and has to be silent as soon as the right function is back.

``python -m scratchnet.gradient_check.museum`` shows them; with ``--markdown`` as a page.
"""

import argparse
import importlib
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import NamedTuple
from unittest import mock

import numpy as np

from scratchnet import activations, kernels
from scratchnet.activations import Activation
from scratchnet.gradient_check.catalogue import check_values, randomize, separated
from scratchnet.gradient_check.check import check_activation, check_layer
from scratchnet.layers import LSTM, BatchNormalization, Conv2D, MaxPooling2D, SimpleRNN, UpSampling2D

F64 = {"dtype": "float64"}


class Exhibit(NamedTuple):
    title: str
    target: str  # what is replaced: "package.module:attribute.attribute"
    wrong: Callable  # makes the wrong version from the right one
    check: Callable  # raises where the bug shows
    lesson: str


EXHIBITS = []


def exhibit(title, target, check, lesson):
    """Put the decorated function, which makes the wrong version, into the museum."""

    def hang(wrong):
        EXHIBITS.append(Exhibit(title, target, wrong, check, lesson))
        return wrong

    return hang


def objection(shown):
    """What the check says to the bug; None if the bug survives."""
    module, path = shown.target.split(":")
    *owners, name = path.split(".")
    owner = importlib.import_module(module)
    for attribute in owners:
        owner = getattr(owner, attribute)
    with mock.patch.object(owner, name, shown.wrong(getattr(owner, name))):
        try:
            shown.check()
        except Exception as problem:  # a crash is an objection too: several exhibits crash
            return problem
    return None


def of_layer(make, shape, draw=np.random.Generator.standard_normal, training=False):
    """A check of the gradients of a layer with random parameters."""

    def check():
        rng = np.random.default_rng(0)
        layer, x = make(), draw(rng, shape)
        randomize(layer, x, rng)
        check_layer(layer, x, training).raise_if_failed()

    return check


def of_activation(name):
    """A check of an activation's gradient and, against its definition, of its values."""

    def check():
        activation = getattr(activations, name)
        check_activation(activation, separated(np.random.default_rng(0), (3, 4))).raise_if_failed()
        check_values(activation).raise_if_failed()

    return check


def of_padding():
    """A check that the padding of an image whose values are all negative is never its largest value."""
    x = -1 - np.arange(9.0).reshape(1, 3, 3, 1)
    y = MaxPooling2D(2, padding="same", **F64)(x)[0, :, :, 0]
    if y.tolist() != [[-1, -3], [-7, -9]]:
        raise AssertionError(f"the maxima of [[-1, -2, -3], ...] are [[-1, -3], [-7, -9]], not {y.tolist()}")


@exhibit(
    "UpSampling2D picks one gradient of each block instead of summing",
    "scratchnet.layers:UpSampling2D.backward",
    of_layer(lambda: UpSampling2D(2, **F64), (2, 3, 2, 2)),
    "The adjoint of a copy is a sum. Training goes on with a quarter of the gradient, and converges.",
)
def picks_one(right):
    def backward(self, dy, cache, needs_dx=True):
        rows, columns = self.size
        return (dy[:, ::rows, ::columns] if needs_dx else None), {}

    return backward


@exhibit(
    "SimpleRNN's dx loses what later time steps say",
    "scratchnet.layers:SimpleRNN.backward",
    of_layer(lambda: SimpleRNN(3, **F64), (2, 4, 3)),
    "All gradients of weights are right, and in a network whose first layer it is nobody notices.",
)
def last_step_only(right):
    def backward(self, dy, cache, needs_dx=True):
        dx, grads = right(self, dy, cache, needs_dx)
        if needs_dx:
            dx = dx * (np.arange(dx.shape[1]) == dx.shape[1] - 1)[:, np.newaxis]
        return dx, grads

    return backward


@exhibit(
    'max pooling with "same" pads with zeros',
    "scratchnet.layers:MaxPooling2D.forward",
    of_padding,
    "Forward and backward are consistent, so no difference quotient objects. Where all inputs are negative, the zero "
    "of the padding wins: only a value worked out by hand shows it.",
)
def zeros_around(right):
    def forward(self, x, training=False):
        x = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))
        return right(self, x, training)

    return forward


@exhibit(
    "max pooling's backward forgets that its input was padded",
    "scratchnet.layers:MaxPooling2D.backward",
    of_layer(lambda: MaxPooling2D(3, strides=2, padding="same", **F64), (2, 5, 5, 2), separated),
    "Every gradient arrives, one pixel away from where it belongs.",
)
def padding_left_on(right):
    def backward(self, dy, cache, needs_dx=True):
        dx, grads = right(self, dy, cache)
        padded = np.pad(dx, ((0, 0), (1, 1), (1, 1), (0, 0)))
        return (padded[:, : dx.shape[1], : dx.shape[2]] if needs_dx else None), grads

    return backward


@exhibit(
    "pooling crashes where there is one channel",
    "scratchnet.layers:MaxPooling2D.forward",
    of_layer(lambda: MaxPooling2D(2, **F64), (2, 4, 4, 1), separated),
    "Sizes of 1 belong into every test, one axis after the other.",
)
def squeezed(right):
    def forward(self, x, training=False):
        y, cache = right(self, x, training)
        return y.squeeze(), cache

    return forward


@exhibit(
    "ELU's derivative is a boolean",
    "scratchnet.activations:elu.gradient",
    of_activation("elu"),
    "`|` binds tighter than `>`: the slope is 0 or 1, and training still converges.",
)
def boolean_slope(right):
    def gradient(dy, y, alpha=1.0):
        return dy * (y > 0 | (y <= 0) * (y + alpha).astype(int))

    return gradient


@exhibit(
    "GELU with a wrong constant, in the function and in its derivative alike",
    "scratchnet.activations:gelu",
    of_activation("gelu"),
    "A gradient check compares a function with its own derivative. Whether it is the right function, only a value "
    "from somewhere else can tell.",
)
def another_function(right):
    def function(z, out=None):
        return z * (1 + np.tanh(0.7 * z)) / 2

    def gradient(dy, z):
        t = np.tanh(0.7 * z)
        return dy * (1 + t + 0.7 * z * (1 - t * t)) / 2

    return Activation("gelu", function, gradient, keeps="z")


@exhibit(
    "Softmax's gradient is only the diagonal of the Jacobian",
    "scratchnet.activations:softmax.gradient",
    of_activation("softmax"),
    "Under an upstream gradient of ones the true gradient is zero: the check needs a random one.",
)
def only_the_diagonal(right):
    def gradient(dy, y):  # J = diag(y) - y y^T
        return dy * y * (1 - y)

    return gradient


@exhibit(
    "a recurrent layer fails on the second training step",
    "scratchnet.layers:LSTM.backward",
    of_layer(lambda: LSTM(2, **F64), (2, 3, 4)),
    "What backward accumulates must not stay on the layer. The check calls backward twice.",
)
def adds_up_on_the_layer(right):
    def backward(self, dy, cache, needs_dx=True):
        dx, grads = right(self, dy, cache, needs_dx)
        self.total = getattr(self, "total", 0) + grads["kernel"]
        return dx, {**grads, "kernel": self.total}

    return backward


@exhibit(
    "a recurrent layer cannot be constructed; only its cell was tested",
    "scratchnet.layers:LSTM.__init__",
    of_layer(lambda: LSTM(2, **F64), (2, 3, 2)),
    "The thing that users call has to be called in a test.",
)
def units_not_handed_on(right):
    def __init__(self, units, **options):
        right(self, **options)

    return __init__


@exhibit(
    "the recurrent kernel is built with the size of the input",
    "scratchnet.layers:LSTM.build",
    of_layer(lambda: LSTM(2, **F64), (2, 3, 4)),
    "It works as long as both sizes agree. Sizes in tests must all be different.",
)
def square_by_chance(right):
    def build(self, input_shape):
        D, draw = input_shape[-1], self.recurrent_initializer
        self.recurrent_initializer = lambda shape, dtype=None: draw((D, *shape[1:]), dtype=dtype)
        right(self, input_shape)

    return build


@exhibit(
    "the naive convolution's backward crashes; only the fast one was tested",
    "scratchnet.layers:Conv2D.backward",
    of_layer(lambda: Conv2D(5, 2, **F64), (2, 4, 5, 3), separated),
    "The version that learners are told to read is the one that nobody runs. Here all backends take the same tests.",
)
def channels_first(right):
    def backward(self, dy, cache, needs_dx=True):
        with kernels.using_backend("loops"):
            return right(self, dy.transpose(0, 3, 1, 2), cache, needs_dx)  # reads dy[n, f, i, j]

    return backward


@exhibit(
    "a convolution's gradient with the wrong sign",
    "scratchnet.layers:Conv2D.backward",
    of_layer(lambda: Conv2D(2, 2, **F64), (2, 4, 5, 3), separated),
    "The layers after it still learn, so the loss falls.",
)
def uphill(right):
    def backward(self, dy, cache, needs_dx=True):
        dx, grads = right(self, dy, cache, needs_dx)
        return dx, {**grads, "kernel": -grads["kernel"]}

    return backward


@exhibit(
    "`return` within the loop: only the first sample has a gradient",
    "scratchnet.layers:Conv2D.backward",
    of_layer(lambda: Conv2D(2, 2, **F64), (2, 4, 5, 3), separated),
    "A batch of one would not show it.",
)
def first_sample_only(right):
    def backward(self, dy, cache, needs_dx=True):
        dx, grads = right(self, dy, cache, needs_dx)
        if not needs_dx:
            return None, grads
        found = np.zeros_like(dx)
        for n in range(len(dx)):
            found[n] = dx[n]
            return found, grads

    return backward


@exhibit(
    "batch normalisation's dx, which no test exercises, takes mean and variance for constants",
    "scratchnet.layers:BatchNormalization.backward",
    of_layer(lambda: BatchNormalization(**F64), (5, 3), training=True),
    "In a network whose first layer it is, dx is never used. x reaches y in three ways, and two are missing.",
)
def one_way_of_three(right):
    def backward(self, dy, cache, needs_dx=True):
        _, grads = right(self, dy, cache, needs_dx)
        return dy * self.params["gamma"] / cache.s, grads

    return backward


@exhibit(
    "buffers fixed to float32",
    "scratchnet.kernels:matmul",
    of_layer(lambda: LSTM(2, **F64), (2, 3, 2)),
    "Differences never get below 1e-4 then, and the tolerance is loosened until the test passes.",
)
def narrow_buffer(right):
    def matmul(a, b):
        product = np.empty((len(a), b.shape[1]), np.float32)
        product[...] = right(a, b)
        return product.astype(a.dtype)

    return matmul


def code(shown):
    """The wrong version as it stands here, without what only makes it."""
    lines = inspect.getsource(shown.wrong).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("def ")) + 1
    body = textwrap.dedent("\n".join(lines[start:]))
    return body.rsplit("\n\nreturn ", 1)[0].strip().replace("\n\ndef ", "\n\n\ndef ")


def main(arguments=None):
    """Show every exhibit and what the check says; the exit code is 1 if one survives."""
    parser = argparse.ArgumentParser(
        prog="python -m scratchnet.gradient_check.museum", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--markdown", action="store_true", help="as a page of the documentation")
    options = parser.parse_args(arguments)
    survivors = 0
    if options.markdown:
        print(PAGE)
    for number, shown in enumerate(EXHIBITS, 1):
        with kernels.using_backend("numpy"):  # which needs no compiler
            said = objection(shown)
        survivors += said is None
        text = "nothing: the bug survives" if said is None else f"{type(said).__name__}: {said}"
        if options.markdown:
            print(f"## {number}. {shown.title[0].upper()}{shown.title[1:]}\n")
            print(f"In place of `{shown.target.replace(':', '.')}`\n\n```python\n{code(shown)}\n```\n")
            print(f"{shown.lesson} The check says:\n\n```text\n{text}\n```\n")
        else:
            print(f"{number:2}. {shown.title}\n    {'SURVIVED' if said is None else 'caught'}: {text.splitlines()[0]}")
    if not options.markdown:
        print(f"\n{len(EXHIBITS)} bugs, {survivors or 'none'} survived")
    return 1 if survivors else 0


PAGE = """# The museum of the field's bugs

Each of these ships, or has shipped, in a well-known from-scratch library. Each is recreated here as a wrong version of
one of scratchnet's own functions (`right` is the true one), and each is caught. [exhibits.py](exhibits.py) holds them;
this page is the output of

    python -m scratchnet.gradient_check.museum --markdown
"""


if __name__ == "__main__":
    sys.exit(main())

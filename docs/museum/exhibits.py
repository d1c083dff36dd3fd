"""The museum of the field's bugs: each recreated in our own code, and caught.

Well-known from-scratch libraries ship, or have shipped, each of these. An exhibit is a patch: a line of scratchnet, and
what it would be with that bug. It is applied to a copy of the module in memory, so that the exhibits cannot rot: where
the right line is no longer there, or stands there twice, the museum fails. Then a check of `scratchnet.gradient_check`
looks at the result, and has to object.

``python -m scratchnet.gradient_check.museum`` shows them; with ``--markdown`` as a page.
"""

import argparse
import contextlib
import importlib
import inspect
import sys
import types
from typing import Callable, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.gradient_check.catalogue import check_values, randomize, separated
from scratchnet.gradient_check.check import check_activation, check_layer
from scratchnet.gradient_check.differences import relative_error

F64 = {"dtype": "float64"}


class Exhibit(NamedTuple):
    title: str
    module: str  # where the patch goes
    right: str  # what stands there, once
    wrong: str  # what would stand there with the bug
    check: Callable  # takes the patched module; raises where the bug shows
    lesson: str


def patched(exhibit):
    """A copy of the exhibit's module, with the wrong line. Raises LookupError if the right one is not there once."""
    original = importlib.import_module(exhibit.module)
    source = inspect.getsource(original)
    if source.count(exhibit.right) != 1:
        raise LookupError(
            f"{exhibit.title}: {exhibit.module} holds {source.count(exhibit.right)} times\n{exhibit.right}"
        )
    copy = types.ModuleType(original.__name__)
    copy.__file__ = original.__file__
    exec(compile(source.replace(exhibit.right, exhibit.wrong), original.__file__, "exec"), copy.__dict__)
    return copy


def objection(exhibit):
    """What the check says to the bug; None if the bug survives."""
    module = patched(exhibit)
    try:
        exhibit.check(module)
    except Exception as problem:  # a crash is an objection too: several exhibits crash
        return problem
    return None


@contextlib.contextmanager
def _kernels_from(backend, module, *names):
    """Computes with `backend`, its functions `names` taken from the patched module."""
    package = importlib.import_module(f"scratchnet.kernels.{kernels.BACKENDS[backend]}")
    kept = {name: getattr(package, name) for name in names}
    try:
        for name in names:
            setattr(package, name, getattr(module, name))
        with kernels.using_backend(backend):
            yield
    finally:
        for name, function in kept.items():
            setattr(package, name, function)


def _layer(name, shape, **options):
    """A check of a layer of the patched module, on normal inputs."""

    def check(module):
        rng = np.random.default_rng(0)
        layer, x = getattr(module, name)(**options, **F64), rng.standard_normal(shape)
        randomize(layer, x, rng)
        check_layer(layer, x).raise_if_failed()

    return check


def _with_kernels(backend, names, make, shape):
    """A check of a layer that computes with patched kernels."""

    def check(module):
        with _kernels_from(backend, module, *names):
            rng = np.random.default_rng(0)
            layer, x = make(), separated(rng, shape)
            randomize(layer, x, rng)
            check_layer(layer, x).raise_if_failed()

    return check


def _agrees_with_loops(name, call):
    """A check that a patched NumPy kernel gives what the definition gives."""

    def check(module):
        from scratchnet.kernels import loops

        error = relative_error(call(getattr(module, name)), call(getattr(loops, name)))
        if error > 1e-12:
            raise AssertionError(f"{name}: numpy differs from loops by {error:.1e}")

    return check


def _activation(name):
    def check(module):
        activation = module.get(name)
        check_activation(activation, separated(np.random.default_rng(0), (3, 4))).raise_if_failed()
        check_values(activation).raise_if_failed()

    return check


def _conv():
    from scratchnet.layers import Conv2D

    return Conv2D(2, 2, **F64)


def _pool(**options):
    from scratchnet.layers import MaxPooling2D

    return MaxPooling2D(**options, **F64)


def _up():
    from scratchnet.layers import UpSampling2D

    return UpSampling2D(2, **F64)


_NUMPY, _LOOPS, _LAYERS = "scratchnet.kernels.with_numpy", "scratchnet.kernels.loops", "scratchnet.layers"
_POOLS = ("max_pool2d_forward", "max_pool2d_backward")
_CONVS = ("conv2d_forward", "conv2d_backward")

EXHIBITS = [
    Exhibit(
        "UpSampling2D picks one gradient of each block instead of summing",
        f"{_NUMPY}.upsampling",
        "    for a in range(size[0]):\n        for b in range(size[1]):\n            dx += blocks[:, :, a, :, b]",
        "    dx += blocks[:, :, 0, :, 0]",
        _with_kernels("numpy", ["upsample2d_backward"], _up, (2, 3, 2, 2)),
        "The adjoint of a copy is a sum. Training goes on with a quarter of the gradient, and converges.",
    ),
    Exhibit(
        "SimpleRNN's dx loses what later time steps say",
        f"{_LAYERS}.rnn.simple_rnn",
        "        dx, grads = self.gradients(x, h, dz, needs_dx)",
        "        dx, grads = self.gradients(x, h, dz, needs_dx)\n        dx = dx * (np.arange(T) == T - 1)[:, None]",
        _layer("SimpleRNN", (2, 4, 3), units=3),
        "All gradients of weights are right, and in a network whose first layer it is nobody notices.",
    ),
    Exhibit(
        'max pooling with "same" pads with zeros',
        f"{_NUMPY}.pooling",
        "_pad(x, padding, -np.inf)",
        "_pad(x, padding, 0)",
        _agrees_with_loops(
            "max_pool2d_forward",
            lambda f: f(-1 - np.arange(9.0).reshape(1, 3, 3, 1), (2, 2), (2, 2), ((0, 1), (0, 1)))[0],
        ),
        "Forward and backward are consistent, so no difference quotient objects. Where all inputs are negative, the zero of "
        "the padding wins: only the comparison with the definition shows it.",
    ),
    Exhibit(
        "max pooling's backward forgets that its input was padded",
        f"{_NUMPY}.pooling",
        "dpadded[:, top : top + x_shape[1], left : left + x_shape[2]]",
        "dpadded[:, : x_shape[1], : x_shape[2]]",
        _with_kernels("numpy", _POOLS, lambda: _pool(pool_size=3, strides=2, padding="same"), (2, 5, 5, 2)),
        "Every gradient arrives, one pixel away from where it belongs.",
    ),
    Exhibit(
        "pooling crashes where there is one channel",
        f"{_NUMPY}.pooling",
        "    y = views[0].copy()",
        "    y = views[0].squeeze().copy()",
        _with_kernels("numpy", _POOLS, lambda: _pool(pool_size=2), (2, 4, 4, 1)),
        "Sizes of 1 belong into every test, one axis after the other.",
    ),
    Exhibit(
        "ELU's derivative is a boolean",
        "scratchnet.activations",
        "    return dy * np.where(y > 0, 1, y + dy.dtype.type(alpha))",
        "    return dy * (y > 0 | (y <= 0) * (y + dy.dtype.type(alpha)).astype(int))",
        _activation("elu"),
        "`|` binds tighter than `>`: the slope is 0 or 1, and training still converges.",
    ),
    Exhibit(
        "GELU with a wrong constant, in the function and in its derivative alike",
        "scratchnet.activations",
        "    return (0.5 * (1 + _erf(z / math.sqrt(2)).astype(np.float64))).astype(z.dtype)",
        "    return (0.5 * (1 + np.tanh(0.7 * z))).astype(z.dtype)",
        _activation("gelu"),
        "A gradient check compares a function with its own derivative. Whether it is the right function, only a value "
        "from somewhere else can tell.",
    ),
    Exhibit(
        "Softmax's gradient is only the diagonal of the Jacobian",
        "scratchnet.activations",
        "    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))  # J = diag(y) - y y^T",
        "    return dy * y * (1 - y)",
        _activation("softmax"),
        "Under an upstream gradient of ones the true gradient is zero: the check needs a random one.",
    ),
    Exhibit(
        "a recurrent layer fails on the second training step",
        f"{_LAYERS}.rnn.recurrent",
        "        dz_x = dz_x.reshape(-1, GU)",
        '        self.total = dz_x = getattr(self, "total", 0) + dz_x.reshape(-1, GU)',
        lambda module: _recurrent_with(module),
        "What backward accumulates must not stay on the layer. The check calls backward twice.",
    ),
    Exhibit(
        "a recurrent layer cannot be constructed; only its cell was tested",
        f"{_LAYERS}.lstm",
        "            return_sequences,\n            return_state,\n            go_backwards,\n            **kwargs,\n        )",
        "            return_sequences,\n            return_state,\n            **kwargs,\n        )",
        _layer("LSTM", (2, 3, 2), units=2),
        "The thing that users call has to be called in a test.",
    ),
    Exhibit(
        "the recurrent kernel is built with the size of the input",
        f"{_LAYERS}.rnn.recurrent",
        'self.add_weight("recurrent_kernel", (U, G * U), self.recurrent_initializer)',
        'self.add_weight("recurrent_kernel", (D, G * U), self.recurrent_initializer)',
        lambda module: _recurrent_with(module),
        "It works as long as both sizes agree. Sizes in tests must all be different.",
    ),
    Exhibit(
        "the naive convolution's backward crashes; only the fast one was tested",
        f"{_LOOPS}.convolution",
        "                    dtotal = dy[n, i, j, f]",
        "                    dtotal = dy[n, f, i, j]",
        _with_kernels("loops", _CONVS, _conv, (2, 4, 3, 3)),
        "The version that learners are told to read is the one that nobody runs. Here all backends take the same tests.",
    ),
    Exhibit(
        "a convolution's gradient with the wrong sign",
        f"{_LOOPS}.convolution",
        "                                    dkernel[a, b, c, f] += x[n, p, q, c] * dtotal",
        "                                    dkernel[a, b, c, f] -= x[n, p, q, c] * dtotal",
        _with_kernels("loops", _CONVS, _conv, (2, 4, 3, 3)),
        "The layers after it still learn, so the loss falls.",
    ),
    Exhibit(
        "`return` within the loop: only the first sample has a gradient",
        f"{_LOOPS}.convolution",
        "                                        dx[n, p, q, c] += kernel[a, b, c, f] * dtotal\n    return",
        "                                        dx[n, p, q, c] += kernel[a, b, c, f] * dtotal\n        return",
        _with_kernels("loops", _CONVS, _conv, (2, 4, 3, 3)),
        "A batch of one would not show it.",
    ),
    Exhibit(
        "dx that no test exercises (the field's batch normalisation, here on Dense)",
        f"{_LAYERS}.core.dense",
        "        dx = kernels.matmul(dz, W.T).reshape(x.shape) if needs_dx else None",
        "        dx = kernels.matmul(dy.reshape(-1, U), W.T).reshape(x.shape) if needs_dx else None",
        _layer("Dense", (3, 4), units=2, activation="tanh"),
        "In a network whose first layer it is, dx is never used. scratchnet has no batch normalisation; the mistake is the same.",
    ),
    Exhibit(
        "buffers fixed to float32",
        f"{_LAYERS}.lstm",
        "        a = np.empty((T, N, U), dtype)",
        "        a = np.empty((T, N, U), np.float32)",
        _layer("LSTM", (2, 3, 2), units=2),
        "Differences never get below 1e-4 then, and the tolerance is loosened until the test passes.",
    ),
]


def _recurrent_with(module):
    """A check of an LSTM whose base class comes from the patched module."""
    lstm = importlib.import_module("scratchnet.layers.rnn.lstm")
    source = inspect.getsource(lstm)
    copy = types.ModuleType(lstm.__name__)
    exec(compile(source, lstm.__file__, "exec"), copy.__dict__)
    cls = type("LSTM", (copy.LSTM,), {})
    for name in ("build", "gradients"):
        setattr(cls, name, vars(module.Recurrent)[name])
    rng = np.random.default_rng(0)
    layer, x = cls(2, **F64), rng.standard_normal((2, 3, 4))
    randomize(layer, x, rng)
    check_layer(layer, x).raise_if_failed()


def main(arguments=None):
    """Show every exhibit and what the check says; the exit code is 1 if one survives."""
    parser = argparse.ArgumentParser(
        prog="python -m scratchnet.gradient_check.museum", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--markdown", action="store_true", help="as a page of the documentation")
    options = parser.parse_args(arguments)
    survivors = 0
    for number, exhibit in enumerate(EXHIBITS, 1):
        said = objection(exhibit)
        survivors += said is None
        text = "nothing: the bug survives" if said is None else f"{type(said).__name__}: {said}"
        if options.markdown:
            print(f"## {number}. {exhibit.title[0].upper()}{exhibit.title[1:]}\n")
            print(f"`{exhibit.module}`\n\n```diff")
            for sign, lines in (("-", exhibit.right), ("+", exhibit.wrong)):
                print("\n".join(f"{sign}{line}" for line in lines.splitlines()))
            print(f"```\n\n{exhibit.lesson} The check says:\n\n```text\n{text}\n```\n")
        else:
            print(
                f"{number:2}. {exhibit.title}\n    {'SURVIVED' if said is None else 'caught'}: {text.splitlines()[0]}"
            )
    if not options.markdown:
        print(f"\n{len(EXHIBITS)} bugs, {survivors or 'none'} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

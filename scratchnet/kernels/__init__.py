"""The heavy loops: one signature for each operation, three implementations.

* ``loops``: the definition, in plain Python loops. Slow, obvious, made to be stepped through.
* ``numpy``: vectorised, on NumPy and its BLAS alone.
* ``numba``: compiled, where Numba is installed (``pip install 'scratchnet[fast]'``).

They are tested equal, forward and backward. Which one is used is chosen here and nowhere else: by `set_backend`, by the
environment variable `SCRATCHNET_BACKEND`, and otherwise Numba where it is installed, else NumPy.

Notation: N batch, H W height and width of the input, OH OW of the output, C channels, F filters, KH KW kernel size,
U units. Arrays are float32 or float64, results have the dtype of the inputs. `padding` is
``((top, bottom), (left, right))``; strides, dilation and pool sizes are pairs. No input is ever changed.
"""

import contextlib
import importlib
import importlib.util
import os
import sys

from scratchnet.console import tell

BACKENDS = {"loops": "loops", "numpy": "with_numpy", "numba": "with_numba"}

_backend = None
_module = None
_announced = None


def set_backend(name):
    """Compute with ``"loops"``, ``"numpy"`` or ``"numba"`` from now on; None goes back to the default.

    Raises ValueError for another name, ImportError for "numba" where it is not installed.
    """
    global _backend, _module
    if name is not None:
        _check_name(name, "set_backend")
        if name == "numba" and not numba_is_installed():
            raise ImportError("the backend 'numba' needs Numba: pip install 'scratchnet[fast]'")
    _backend, _module = name, None


@contextlib.contextmanager
def using_backend(name):
    """A ``with`` block that computes with `name` and then goes back to what was chosen before."""
    before = _backend
    set_backend(name)
    try:
        yield
    finally:
        set_backend(before)


def get_backend():
    """The name of the backend in use."""
    return _choose()[0]


def describe_backend():
    """One line that says which backend is used, and why."""
    name, reason = _choose()
    return f"scratchnet computes with {name} ({reason})"


def announce_backend():
    """Tell `describe_backend` once, and again only when the backend has changed."""
    global _announced
    line = describe_backend()
    if line != _announced:
        _announced = line
        tell(line)


def _choose():
    if _backend is not None:
        return _backend, "set_backend"
    setting = os.environ.get("SCRATCHNET_BACKEND", "").strip()
    if setting:
        _check_name(setting, "SCRATCHNET_BACKEND")
        if setting == "numba" and not numba_is_installed():
            raise ImportError("SCRATCHNET_BACKEND=numba needs Numba: pip install 'scratchnet[fast]'")
        return setting, "SCRATCHNET_BACKEND"
    if numba_is_installed():
        return "numba", "Numba is installed"
    return "numpy", "Numba is not installed; pip install 'scratchnet[fast]' makes it faster"


def _check_name(name, where):
    if name not in BACKENDS:
        raise ValueError(f"{where}: unknown backend {name!r}, expected one of {', '.join(BACKENDS)}")


def numba_is_installed():
    """Whether the backend "numba" can be chosen: Numba is there, which is not imported to find out."""
    return "numba" in sys.modules or importlib.util.find_spec("numba") is not None


def load():
    """Import the backend in use and what it needs, which otherwise happens at its first call."""
    _active()


def seconds_compiling():
    """How long this process has been compiling kernels so far."""
    compiler = sys.modules.get(f"{__name__}.with_numba.compile")
    return 0.0 if compiler is None else compiler.watch.seconds


def _active():
    global _module
    if _module is None:
        _module = importlib.import_module(f"{__name__}.{BACKENDS[get_backend()]}")
    return _module


# ---- matrix product ----


def matmul(a, b):
    """``a @ b``: (M, K), (K, N) -> (M, N)."""
    return _active().matmul(a, b)


# ---- convolution ----


def conv2d_forward(x, kernel, bias, strides, padding, dilation, relu=False):
    """``y[n, i, j, f] = bias[f] + sum over a, b, c of x[n, i S + a dil, j S + b dil, c] kernel[a, b, c, f]``.

    x (N, H, W, C), kernel (KH, KW, C, F), bias (F,) or None -> y (N, OH, OW, F); x counts as 0 outside. With `relu`
    what is below 0 becomes 0: done here because y is still in the cache.
    """
    return _active().conv2d_forward(x, kernel, bias, strides, padding, dilation, relu)


def conv2d_backward(dy, x, kernel, strides, padding, dilation, needs_dx=True, relu_output=None):
    """The adjoints of `conv2d_forward` for dy (N, OH, OW, F): ``(dx, dkernel, dbias)``, dx None without `needs_dx`.

    `relu_output`: y, if forward was called with `relu`.
    """
    return _active().conv2d_backward(dy, x, kernel, strides, padding, dilation, needs_dx, relu_output)


# ---- pooling ----


def max_pool2d_forward(x, pool_size, strides, padding):
    """The largest value of each window, and where it was: ``(y, argmax)``, both (N, OH, OW, C).

    Padding is never chosen. argmax counts the window's elements row by row; of equal values the first; NaN wins.
    """
    return _active().max_pool2d_forward(x, pool_size, strides, padding)


def max_pool2d_backward(dy, argmax, x_shape, pool_size, strides, padding):
    """dx of `max_pool2d_forward`: each dy goes to the element that was chosen, and adds up where windows overlap."""
    return _active().max_pool2d_backward(dy, argmax, x_shape, pool_size, strides, padding)


def average_pool2d_forward(x, pool_size, strides, padding):
    """The mean of each window (N, OH, OW, C), taken over the elements inside the image only."""
    return _active().average_pool2d_forward(x, pool_size, strides, padding)


def average_pool2d_backward(dy, x_shape, pool_size, strides, padding):
    """dx of `average_pool2d_forward`: each dy, divided by its window's count, goes to every element of the window."""
    return _active().average_pool2d_backward(dy, x_shape, pool_size, strides, padding)


# ---- upsampling ----


def upsample2d_forward(x, size):
    """Each element of x (N, H, W, C) repeated in a block of `size`: (N, H size[0], W size[1], C)."""
    return _active().upsample2d_forward(x, size)


def upsample2d_backward(dy, size):
    """dx of `upsample2d_forward`: the sum of dy over each block."""
    return _active().upsample2d_backward(dy, size)


# ---- through time ----
#
# h[0] and c[0] are the initial states, h[t + 1] and c[t + 1] follow step t; R is the recurrent kernel. Of the input's
# part xW there is one for each step, (T, ...), or one for all, (1, ...). Activations are those of
# `scratchnet.activations`; z is None unless one of them `keeps` it. Arrays are written into, because who calls knows
# which may share memory.


def simple_rnn_forward(xW, R, h, z, activation):
    """``z_t = h_(t-1) R + xW_t`` and ``h_t = f(z_t)``, step by step: writes h (T + 1, N, U) from 1 on, and z (T, N, U)."""
    return _active().simple_rnn_forward(xW, R, h, z, activation)


def simple_rnn_backward(dy, dh, R, h, z, dz, activation):
    """The adjoint of `simple_rnn_forward`: writes dz (T, N, U); turns dh (N, U), of the last state, into the first's.

    `dy` (T, N, U): what comes in at each step besides, or None.
    """
    return _active().simple_rnn_backward(dy, dh, R, h, z, dz, activation)


def lstm_forward(xW, R, h, c, gates, a, z, activation, recurrent_activation):
    """``z_t = h_(t-1) R + xW_t`` (N, 4U), the gates i, f, g, o, the cell ``c_t = f c_(t-1) + i g``,
    ``a_t = activation(c_t)`` and ``h_t = o a_t``, step by step.

    Writes gates (T, N, 4U), which may be xW itself, c and h (T + 1, N, U) from 1 on, a (T, N, U) and z (T, N, 4U).
    """
    return _active().lstm_forward(xW, R, h, c, gates, a, z, activation, recurrent_activation)


def lstm_backward(dy, dh, dc, R, c, gates, a, z, dz, activation, recurrent_activation):
    """The adjoint of `lstm_forward`: writes dz (T, N, 4U); turns dh and dc (N, U), of the last states, into the first's.

    `dy` (T, N, U): what comes in at each step besides, or None.
    """
    return _active().lstm_backward(dy, dh, dc, R, c, gates, a, z, dz, activation, recurrent_activation)


# ---- optimizer ----


def adam_update(param, grad, m, v, learning_rate, beta_1, beta_2, epsilon):
    """One step of Adam on flat arrays, in place; `learning_rate` is already corrected for the bias of the averages."""
    return _active().adam_update(param, grad, m, v, learning_rate, beta_1, beta_2, epsilon)

"""The heavy loops: each operation has one signature and three implementations, which are tested against each other.

* ``loops``: the definition, in plain Python loops. It is slow and obvious, made to be read and stepped through, and
  documents each operation.
* ``with_numpy``: vectorised, on NumPy and its BLAS alone.
* ``with_numba``: compiled, where Numba is installed (``pip install numba``).

This module alone chooses between them: `set_backend` decides, else the environment variable `SCRATCHNET_BACKEND`, else
Numba is used where it is installed, and NumPy where it is not. ``kernels.matmul`` *is* the function of the backend in
use: it is put into this module when the first operation is asked for, so nothing stands between a layer and its kernel.

Notation: N batch, H W height and width of the input, OH OW of the output, C channels, F filters, KH KW kernel size,
T time steps, U units. Arrays are float32 or float64, results have the dtype of the inputs. `padding` is
``((top, bottom), (left, right))``; strides, dilation and pool sizes are pairs. Kernels return what they compute, and
change nothing that they are given; only the steps of optimizers write, into the parameters, and `lstm_step_backward`,
if it is given room for its result.
"""

import contextlib
import importlib
import importlib.util
import os
import sys
from types import SimpleNamespace

from scratchnet.console import tell
from scratchnet.names import defined_in

BACKENDS = {"loops": "loops", "numpy": "with_numpy", "numba": "with_numba"}

# Every backend has these files, and in them these functions.
OPERATIONS = {
    "matrix_product": ("matmul",),
    "convolution": ("conv2d_forward", "conv2d_dx", "conv2d_dkernel"),
    "pooling": (
        "max_pool2d_forward",
        "max_pool2d_backward",
        "average_pool2d_forward",
        "average_pool2d_backward",
    ),
    "global_pooling": (
        "global_average_forward",
        "global_average_backward",
        "global_max_forward",
        "global_max_backward",
    ),
    "upsampling": ("upsample2d_forward", "upsample2d_backward"),
    "gather": ("take_rows", "add_rows"),
    "elementwise": ("erfc",),
    "normalization": (
        "channel_moments",
        "normalize_forward",
        "channel_products",
        "normalize_backward",
        "normalize_rows_forward",
        "normalize_rows_backward",
    ),
    "group_normalization": ("normalize_groups_forward", "normalize_groups_backward"),
    "softmax": ("softmax_forward", "softmax_backward"),
    "routing": ("routing_forward", "routing_backward"),
    "recurrent": ("simple_rnn_forward", "simple_rnn_backward", "lstm_forward", "lstm_backward"),
    "lstm_step": ("lstm_step_forward", "lstm_step_backward"),
    "gru": ("gru_forward", "gru_backward"),
    "adam": ("adam_update",),
}

# What a backend may do in one pass; None where it does not. `fused` asks for it, and does it one by one otherwise; so
# does a loss.
FUSED = {
    "gather": ("mean_of_rows", "add_mean_rows"),
    "elementwise": ("relu", "relu_backward"),
    "activations": ("activate", "activate_backward"),
    "prelu": ("prelu_forward", "prelu_backward"),
    "channels": ("scale_channels",),  # by a number for each channel of a sample
    "convolution": (
        "conv2d_relu_forward",
        "conv2d_relu_max_pool_forward",
        "conv2d_relu_max_pool_places",
        "conv2d_relu_max_pool_backward",
        "conv2d_backward",
        "affine_forward",  # which is a convolution whose windows are one pixel
        "affine_backward",
    ),
    "bounded_normalization": (  # with a relu behind it, and perhaps max pooling
        "bounded_products",
        "bounded_backward",
        "normalize_max_pool_forward",
        "normalize_max_pool_products",
        "normalize_max_pool_backward",
    ),
    "unit_rows": ("unit_rows_forward", "unit_rows_backward"),
    "pooling": ("max_pool2d",),  # without the places of the largest numbers
    "upsampling": ("upsample2d_conv2d_forward", "upsample2d_conv2d_backward"),
    "resizing": ("resize_images",),  # by the few weights of each new pixel that are not 0
    "softmax": ("attention_forward", "attention_backward"),  # with the products before it and behind it
    "self_attention": ("self_attention_forward", "self_attention_backward"),  # and with the matrices on both sides
    "additive_scores": ("additive_scores_forward", "additive_scores_backward"),
    "feed_forward": ("feed_forward_forward", "feed_forward_backward"),
    "affine_mean": ("affine_mean",),  # over all pixels, and the activation, without an array of them
    "normalized_mean": ("normalized_mean", "normalized_groups_mean"),  # so behind a normalization
    "recurrent": ("simple_rnn_state", "lstm_states"),
    "gru": ("gru_states",),
    "optimizer_steps": (
        "sgd_update",
        "rmsprop_update",
        "adagrad_update",
        "adadelta_update",
        "amsgrad_update",
        "nadam_update",
        "adamax_update",
        "lion_update",
        "ftrl_update",
        "decay_weights",
        "average_weights",
        "scaled_gradient",
        "cut_gradient",
    ),
    "squares": ("squared_norm", "sums_of_squares", "scale_columns"),
    "adafactor": ("adafactor_update",),
    "lamb": ("lamb_update",),
    "subnormals": ("flushing",),  # a context in which they are zero
    "philox": ("mask_rows", "normal_rows"),  # random numbers, and what is made of them
    "elementwise_losses": ("loss_and_slopes",),
    "row_losses": ("row_losses_and_slopes",),
    "loss_sums": (
        "sum_of_squares",
        "sum_of_logistic_losses",
        "sum_of_softmax_losses",
        "sum_of_soft_losses",
        "squares_and_slopes",
        "softmax_losses_and_slopes",
        "soft_losses_and_slopes",
    ),
}

_backend = None
_loaded = None  # the backend whose operations stand in this module
_announced = None


def set_backend(name):
    """Compute with ``"loops"``, ``"numpy"`` or ``"numba"`` from now on; None goes back to the default.

    Raises ValueError for another name, ImportError for "numba" where it is not installed.
    """
    global _backend, _loaded
    if name is not None:
        _check_name(name, "set_backend")
        if name == "numba" and not numba_is_installed():
            raise ImportError("the backend 'numba' needs Numba: pip install numba")
    _backend, _loaded = name, None
    for operation in _names():
        globals().pop(operation, None)


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
            raise ImportError("SCRATCHNET_BACKEND=numba needs Numba: pip install numba")
        return setting, "SCRATCHNET_BACKEND"
    if numba_is_installed():
        return "numba", "Numba is installed"
    return "numpy", "Numba is not installed; pip install numba makes it faster"


def _check_name(name, where):
    if name not in BACKENDS:
        raise ValueError(f"{where}: unknown backend {name!r}, expected one of {', '.join(BACKENDS)}")


def numba_is_installed():
    """Whether the backend "numba" can be chosen. Numba is not imported to find out."""
    return "numba" in sys.modules or importlib.util.find_spec("numba") is not None


def _names():
    return [name for table in (OPERATIONS, FUSED) for names in table.values() for name in names]


def operations(backend):
    """The operations of a backend that need not be the one in use: ``operations("loops").matmul(a, b)``.

    Raises ImportError for "numba" where it is not installed.
    """
    found = SimpleNamespace()
    for file in {**OPERATIONS, **FUSED}:
        has_file = file in OPERATIONS or backend == "numba"
        module = importlib.import_module(f"{__name__}.{BACKENDS[backend]}.{file}") if has_file else None
        for name in OPERATIONS.get(file, ()):
            setattr(found, name, getattr(module, name))
        for name in FUSED.get(file, ()):
            setattr(found, name, getattr(module, name, None))
    return found


def load():
    """Import the backend in use and what it needs now, and not only when the first operation is asked for."""
    backend = get_backend()
    if backend != _loaded:
        _put_here(backend)


def _put_here(backend):
    global _loaded
    globals().update(vars(operations(backend)))
    _loaded = backend


def helper():
    """A context in which another thread helps this one in large kernels, once it has been told by `wake`; or None.

    Of the compiled kernels alone: see `scratchnet.kernels.with_numba.team`.
    """
    if get_backend() != "numba":
        return None
    return importlib.import_module(f"{__name__}.with_numba.team").helper()


def row_by_row():
    """A context in which no row of a product depends on how many there are: of the compiled kernels alone."""
    if get_backend() != "numba":
        return contextlib.nullcontext()
    return importlib.import_module(f"{__name__}.with_numba.matrix_product").row_by_row()


def if_compiled(function):
    """The result of `function()`, or None if it needs a kernel that Numba has not compiled yet."""
    cache = importlib.import_module(f"{__name__}.with_numba.cache")
    try:
        with cache.only_what_is_kept():
            return function()
    except cache.NotCompiled:
        return None


def seconds_compiling():
    """The seconds that this process has spent on compiling kernels."""
    compiler = sys.modules.get(f"{__name__}.with_numba.compile")
    return 0.0 if compiler is None else compiler.watch.seconds


def __getattr__(name):
    if name not in _names():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _put_here(get_backend())
    return globals()[name]


def __dir__():
    return [*defined_in(globals()), *_names()]

"""A convolution goes different ways, by channels, filters and strides, and in pieces: all give the loops' result."""

import functools
import importlib
import itertools

import numpy as np
import pytest

from scratchnet.kernels import BACKENDS, numba_is_installed, operations
from scratchnet.kernels.geometry import output_size, paddings

loops = operations("loops")
FAST = ["numpy"] + ["numba"] * numba_is_installed()
H, W, KH, KW = 5, 6, 3, 2
# few and many channels, fewer and more filters than those; numbers that fill vectors, and that do not
CHANNELS = [(1, 6), (6, 1), (5, 5), (6, 13), (13, 6), (2, 16), (16, 8)]
# of pooling: sizes, strides, and paddings
PADDINGS = [((0, 0), (0, 0)), ((1, 0), (0, 1)), ((0, 1), (1, 0)), ((1, 0), (0, 0)), ((0, 0), (1, 0))]
POOLINGS = list(itertools.product([(2, 2), (3, 2)], [(2, 2), (3, 2), (1, 2)], PADDINGS))
# strides, dilation, padding: all that makes a window stick out, at one side or at both
WINDOWS = [
    ((1, 1), (1, 1), "valid"),
    ((1, 1), (1, 1), "same"),
    ((2, 3), (1, 1), "same"),
    ((2, 1), (1, 1), "same"),
    ((1, 1), (2, 3), "same"),
    # more than a window's size, as the adjoint of another convolution pads; the adjoint of these cuts
    ((2, 1), (1, 1), ((3, 1), (0, 4))),
    ((1, 1), (1, 1), ((3, 1), (3, 1))),
    ((4, 6), (1, 1), ((3, 1), (3, 1))),  # the last row and column are in no window
]


def geometry(strides, dilation, padding):
    """The arguments of a kernel and the shape of y, for an image (H, W)."""
    amounts = padding
    if isinstance(padding, str):
        amounts = paddings((H, W), (KH, KW), strides, padding, dilation)
    shape = tuple(
        output_size(n + sum(p), k, s, "valid", d) for n, p, k, s, d in zip((H, W), amounts, (KH, KW), strides, dilation)
    )
    return (strides, amounts, dilation), shape


def images_at_a_time(monkeypatch, name, count):
    """Make the pieces so small that each holds `count` images, whatever the sizes."""
    module = importlib.import_module(f"scratchnet.kernels.{BACKENDS[name]}.convolution")
    chooser = {"numpy": "_pieces", "numba": "_images"}[name]
    choose = getattr(module, chooser)

    def small(N, bytes_per_image, *rest):
        monkeypatch.setattr(module, "_CACHE", count * max(bytes_per_image, 1))
        return choose(N, bytes_per_image, *rest)

    monkeypatch.setattr(module, chooser, small)
    return module


@functools.cache
def by_loops(window, C, F):
    """Arguments in float64, and what the loops make of them: z, dx, dkernel, y = relu(z + bias), and back through y."""
    args, shape = geometry(*window)
    rng = np.random.default_rng(0)
    x, kernel, bias = rng.normal(size=(3, H, W, C)), rng.normal(size=(KH, KW, C, F)), rng.normal(size=F)
    dy = rng.normal(size=(3, *shape, F))
    z = loops.conv2d_forward(x, kernel, None, *args)
    y = np.maximum(z + bias, 0)
    dz = dy * (y > 0)
    back = [
        (loops.conv2d_dx(d, kernel, x.shape, *args), loops.conv2d_dkernel(d, x, kernel.shape, *args)) for d in (dy, dz)
    ]
    return (x, kernel, bias, dy), (z, *back[0], y, (*back[1], dz.sum((0, 1, 2))))


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("C, F", CHANNELS)
@pytest.mark.parametrize("dtype, atol", [(np.float64, 1e-11), (np.float32, 1e-4)])
def test_every_way_leads_to_the_result_of_the_loops(monkeypatch, name, window, C, F, dtype, atol):
    module = images_at_a_time(monkeypatch, name, 2)
    args, _ = geometry(*window)
    (x, kernel, bias, dy), (z, dx, dkernel, y, through_relu) = by_loops(window, C, F)
    x_, kernel_, bias_, dy_, y_ = (v.astype(dtype) for v in (x, kernel, bias, dy, y))
    pairs = [
        (module.conv2d_forward(x_, kernel_, None, *args), z),
        (module.conv2d_dx(dy_, kernel_, x.shape, *args), dx),
        (module.conv2d_dkernel(dy_, x_, kernel.shape, *args), dkernel),
    ]
    if name == "numba":  # what others do in several passes
        pairs.append((module.conv2d_relu_forward(x_, kernel_, bias_, *args), y))
        pairs += zip(module.conv2d_backward(dy_, x_, kernel_, *args), (dx, dkernel, dy.sum((0, 1, 2))))
        pairs += zip(module.conv2d_backward(dy_, x_, kernel_, *args, relu_output=y_), through_relu)
        without_dx = module.conv2d_backward(dy_, x_, kernel_, *args, needs_dx=False)
        assert without_dx[0] is None
        pairs += zip(without_dx[1:], (dkernel, dy.sum((0, 1, 2))))
    for found, wanted in pairs:
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("C, F, groups", [(6, 4, 2), (4, 4, 4), (3, 9, 3)])  # the last two are depthwise
@pytest.mark.parametrize("dtype, atol", [(np.float64, 1e-12), (np.float32, 1e-4)])
def test_groups_are_those_of_the_loops(name, window, C, F, groups, dtype, atol):
    backend, (args, shape) = operations(name), geometry(*window)
    rng = np.random.default_rng(4)
    x, kernel = rng.normal(size=(2, H, W, C)), rng.normal(size=(KH, KW, C // groups, F))
    bias, dz = rng.normal(size=F), rng.normal(size=(2, *shape, F))
    for operation, arguments in (
        ("conv2d_forward", (x, kernel, bias)),
        ("conv2d_dx", (dz, kernel, x.shape)),
        ("conv2d_dkernel", (dz, x, kernel.shape)),
    ):
        wanted = getattr(loops, operation)(*arguments, *args)
        same = [v.astype(dtype) if isinstance(v, np.ndarray) else v for v in arguments]
        found = getattr(backend, operation)(*same, *args)
        assert found.flags.c_contiguous and found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=0, atol=atol)
        if operation == "conv2d_forward":
            found, zeros = (backend.conv2d_forward(*same[:2], b, *args) for b in (None, np.zeros(F, dtype)))
            assert found.dtype == dtype
            np.testing.assert_array_equal(found, zeros)


@pytest.mark.skipif("numba" not in FAST, reason="Numba is not installed")
@pytest.mark.parametrize("width, channels", [(7, 200), (19, 64), (3, 600)])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (1, 3), (2, 1)])
def test_long_rows_and_many_channels_are_taken_in_several_runs(width, channels, stride, dilation):
    rng = np.random.default_rng(6)
    x, kernel = rng.normal(size=(1, 4, width, channels)), rng.normal(size=(2, 3, 1, channels))
    args = (1, stride), ((1, 0), (dilation, dilation)), (1, dilation)
    dz = rng.normal(size=operations("numpy").conv2d_forward(x, kernel, None, *args).shape)
    for operation, arguments in (
        ("conv2d_forward", (x, kernel, None)),
        ("conv2d_dx", (dz, kernel, x.shape)),
        ("conv2d_dkernel", (dz, x, kernel.shape)),
    ):
        found, wanted = (getattr(operations(where), operation)(*arguments, *args) for where in ("numba", "numpy"))
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["loops", *FAST])
def test_a_group_is_a_convolution_by_itself(name):
    backend, rng = operations(name), np.random.default_rng(5)
    x, kernel, args = rng.normal(size=(2, H, W, 6)), rng.normal(size=(KH, KW, 3, 4)), geometry(*WINDOWS[1])[0]
    parts = [
        backend.conv2d_forward(x[..., c : c + 3], kernel[..., f : f + 2], None, *args) for c, f in ((0, 0), (3, 2))
    ]
    found = backend.conv2d_forward(x, kernel, None, *args)
    np.testing.assert_allclose(found, np.concatenate(parts, axis=3), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("images", [1, 2, 3, 4, 100])
def test_pieces_cover_the_batch_whatever_the_memory(monkeypatch, name, images):
    module = images_at_a_time(monkeypatch, name, images)
    rng = np.random.default_rng(1)
    args = (1, 1), ((1, 1), (1, 1)), (1, 1)
    for N in (1, 3, 4):
        for C, F in ((1, 2), (6, 2), (6, 7)):
            x, kernel = rng.normal(size=(N, 3, 3, C)), rng.normal(size=(3, 3, C, F))
            dy = rng.normal(size=(N, 3, 3, F))
            np.testing.assert_allclose(
                module.conv2d_forward(x, kernel, None, *args),
                loops.conv2d_forward(x, kernel, None, *args),
                rtol=0,
                atol=1e-12,
            )
            for operation, arguments in (
                ("conv2d_dx", (dy, kernel, x.shape)),
                ("conv2d_dkernel", (dy, x, kernel.shape)),
            ):
                found, wanted = (getattr(where, operation)(*arguments, *args) for where in (module, loops))
                np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["loops", *FAST])
@pytest.mark.parametrize("window", [(16, 16), (257, 1), (1, 300)])
def test_a_window_of_any_size_finds_its_maximum_and_gives_it_the_gradient(name, window):
    # 256 places fit into a byte, more do not
    module = operations(name)
    x = np.zeros((1, *window, 2))
    x[0, -1, -1] = 1  # the last place
    args = window, (1, 1), ((0, 0), (0, 0))
    y, argmax = module.max_pool2d_forward(x, *args)
    np.testing.assert_array_equal(y, np.ones((1, 1, 1, 2)))
    np.testing.assert_array_equal(argmax, np.full((1, 1, 1, 2), window[0] * window[1] - 1))
    dx = module.max_pool2d_backward(2 * y, argmax, x.shape, *args)
    np.testing.assert_array_equal(dx, 2 * x)


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("C", [1, 2, 3])
@pytest.mark.parametrize("window", POOLINGS, ids=str)
def test_pooling_is_that_of_the_loops(name, dtype, C, window):
    module = operations(name)
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 5, 6, C)).astype(dtype)
    y, argmax = module.max_pool2d_forward(x, *window)
    expected, expected_argmax = loops.max_pool2d_forward(x, *window)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(argmax, expected_argmax)
    assert y.dtype == dtype and argmax.dtype.kind in "iu"
    dy = rng.normal(size=y.shape).astype(dtype)
    for kernel, arguments in (
        ("max_pool2d_backward", (dy, argmax, x.shape)),
        ("average_pool2d_forward", (x,)),
        ("average_pool2d_backward", (dy, x.shape)),
    ):
        found, wanted = (getattr(backend, kernel)(*arguments, *window) for backend in (module, loops))
        assert found.dtype == dtype
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12 if dtype == np.float64 else 1e-5)


@pytest.mark.parametrize("size", [1, 4, 11])
def test_adam_in_pieces_is_adam(monkeypatch, size):
    module = importlib.import_module("scratchnet.kernels.with_numpy.adam")
    monkeypatch.setattr(module, "_PIECE", 4)
    states = np.random.default_rng(3).random((4, size))
    found, expected = states.copy(), states.copy()
    for function, (param, grad, m, v) in ((module.adam_update, found), (loops.adam_update, expected)):
        function(param, grad, m, v, 0.1, 0.9, 0.99, 1e-7)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)

"""loops = NumPy = Numba, forward and backward, whatever the sizes and the memory layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.kernels import numba_is_installed, operations
from scratchnet.kernels.geometry import output_size, pad_amounts, paddings

loops = operations("loops")
NAMES = ["numpy"] + ["numba"] * numba_is_installed()
needs_numba = pytest.mark.skipif(not numba_is_installed(), reason="Numba is not installed")
FAST = [pytest.param(operations(name), id=name) for name in NAMES]


def assert_equal(found, expected, dtype):
    if expected is None:
        assert found is None
        return
    assert found.shape == expected.shape
    if np.issubdtype(expected.dtype, np.floating):
        assert found.dtype == expected.dtype
        scale = max(np.abs(np.nan_to_num(expected)).max(initial=0), 1.0)
        np.testing.assert_allclose(found, expected, rtol=0, atol=scale * (1e-12 if dtype == "float64" else 1e-5))


@st.composite
def layouts(draw, array):
    """The same numbers in another memory layout."""
    kind = draw(st.sampled_from(["C", "Fortran", "strided", "reversed", "readonly"]))
    if kind == "Fortran":
        array = np.asfortranarray(array)
    elif kind == "strided":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        array = wide[..., ::2]
    elif kind == "reversed":
        array = array[::-1].copy()[::-1]
    elif kind == "readonly":
        array = array.copy()
        array.flags.writeable = False
    return array


@st.composite
def windows(draw, dilations=True):
    """Sizes, strides, dilation and padding of a window that fits its image."""
    kernel, strides, dilation, padding, size = [], [], [], [], []
    mode = draw(st.sampled_from(["valid", "same"]))
    for _ in range(2):
        k, s = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        d = draw(st.integers(1, 2)) if dilations and s == 1 else 1
        smallest = (k - 1) * d + 1 if mode == "valid" else 1
        n = draw(st.integers(smallest, smallest + 5))
        kernel.append(k), strides.append(s), dilation.append(d), size.append(n)
        padding.append(pad_amounts(n, k, s, mode, d))
    return tuple(size), tuple(kernel), tuple(strides), tuple(padding), tuple(dilation)


def arrays(draw, seed, shape, dtype):
    return draw(layouts(np.random.default_rng(seed).standard_normal(shape).astype(dtype)))


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(data=st.data())
def test_convolution(backend, dtype, data):
    (H, W), (KH, KW), strides, padding, dilation = data.draw(windows())
    N, C, F, groups = (data.draw(st.integers(1, n)) for n in (3, 5, 5, 3))
    seed = data.draw(st.integers(0, 1000))
    x = arrays(data.draw, seed, (N, H, W, C * groups), dtype)
    kernel = arrays(data.draw, seed + 1, (KH, KW, C, F * groups), dtype)
    bias = data.draw(st.sampled_from([None, np.arange(F * groups).astype(dtype)]))
    kept = x.copy(), kernel.copy()
    args = (strides, padding, dilation)
    z = loops.conv2d_forward(x, kernel, bias, *args)
    assert_equal(backend.conv2d_forward(x, kernel, bias, *args), z, dtype)
    dz = arrays(data.draw, seed + 2, z.shape, dtype)
    dx, dkernel = loops.conv2d_dx(dz, kernel, x.shape, *args), loops.conv2d_dkernel(dz, x, kernel.shape, *args)
    assert_equal(backend.conv2d_dx(dz, kernel, x.shape, *args), dx, dtype)
    assert_equal(backend.conv2d_dkernel(dz, x, kernel.shape, *args), dkernel, dtype)
    if backend.conv2d_relu_forward is not None:
        assert_equal(backend.conv2d_relu_forward(x, kernel, bias, *args), np.maximum(z, 0), dtype)
    if backend.conv2d_backward is not None:
        for found, wanted in zip(backend.conv2d_backward(dz, x, kernel, *args), (dx, dkernel, dz.sum((0, 1, 2)))):
            assert_equal(found, wanted, dtype)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(kernel, kept[1])


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(data=st.data())
def test_pooling(backend, dtype, data):
    size, pool, strides, padding, _ = data.draw(windows(dilations=False))
    shape = (data.draw(st.integers(1, 3)), *size, data.draw(st.integers(1, 4)))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    # Few different values, most of them negative: ties, and zeros that a zero padding would invent.
    x = data.draw(layouts(rng.integers(-4, 1, shape).astype(dtype)))
    y, argmax = loops.max_pool2d_forward(x, pool, strides, padding)
    found_y, found_argmax = backend.max_pool2d_forward(x, pool, strides, padding)
    assert_equal(found_y, y, dtype)
    np.testing.assert_array_equal(found_argmax, argmax)
    dy = data.draw(layouts(rng.standard_normal(y.shape).astype(dtype)))
    args = (shape, pool, strides, padding)
    expected = loops.max_pool2d_backward(dy, argmax, *args)
    assert_equal(backend.max_pool2d_backward(dy, found_argmax, *args), expected, dtype)
    assert_equal(backend.average_pool2d_forward(x, *args[1:]), loops.average_pool2d_forward(x, *args[1:]), dtype)
    assert_equal(backend.average_pool2d_backward(dy, *args), loops.average_pool2d_backward(dy, *args), dtype)


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("size", [(4, 6), (5, 7), (2, 3)])
def test_windows_of_2x2_side_by_side_with_nan_and_infinities_anywhere(backend, size):
    rng = np.random.default_rng(0)
    x = rng.choice(np.array([np.nan, np.inf, -np.inf, 0, 1], "float32"), (8, *size, 9))
    window = (2, 2), (2, 2), ((0, 0), (0, 0))
    y, argmax = loops.max_pool2d_forward(x, *window)
    found_y, found_argmax = backend.max_pool2d_forward(x, *window)
    np.testing.assert_array_equal(found_y, y)
    np.testing.assert_array_equal(found_argmax, argmax)
    dy = rng.standard_normal(y.shape).astype("float32")
    expected = loops.max_pool2d_backward(dy, argmax, x.shape, *window)
    np.testing.assert_array_equal(backend.max_pool2d_backward(dy, argmax, x.shape, *window), expected)


@pytest.mark.parametrize("backend", [pytest.param(loops, id="loops"), *FAST])
def test_nan_wins_a_maximum_and_infinities_are_numbers(backend):
    x = np.array([[1.0, np.nan], [3.0, 2.0]]).reshape(1, 2, 2, 1)
    y, argmax = backend.max_pool2d_forward(x, (2, 2), (2, 2), ((0, 0), (0, 0)))
    assert np.isnan(y[0, 0, 0, 0]) and argmax[0, 0, 0, 0] == 1
    x = np.full((1, 2, 2, 1), -np.inf)
    y, argmax = backend.max_pool2d_forward(x, (3, 3), (1, 1), ((1, 1), (1, 1)))
    assert (y == -np.inf).all()
    dx = backend.max_pool2d_backward(np.ones_like(y), argmax, x.shape, (3, 3), (1, 1), ((1, 1), (1, 1)))
    assert dx.sum() == y.size  # nothing has gone into the padding


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(data=st.data())
def test_upsampling(backend, dtype, data):
    shape = tuple(data.draw(st.integers(1, 4)) for _ in range(4))
    size = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 3))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    x = data.draw(layouts(rng.standard_normal(shape).astype(dtype)))
    y = loops.upsample2d_forward(x, size)
    assert_equal(backend.upsample2d_forward(x, size), y, dtype)
    dy = data.draw(layouts(rng.standard_normal(y.shape).astype(dtype)))
    assert_equal(backend.upsample2d_backward(dy, size), loops.upsample2d_backward(dy, size), dtype)


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize(("C", "F"), [(8, 9), (1, 16), (16, 1), (3, 7), (6, 20)])
def test_pieces_of_a_large_batch_make_the_whole(backend, C, F):
    """Enough images for several pieces of the cache's size, and some left over."""
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((47, 14, 14, C)), rng.standard_normal((3, 3, C, F))
    args = ((1, 1), ((1, 1), (1, 1)), (1, 1))
    images = [slice(n, n + 1) for n in range(len(x))]
    z = backend.conv2d_forward(x, kernel, None, *args)
    one = np.concatenate([backend.conv2d_forward(x[n], kernel, None, *args) for n in images])
    np.testing.assert_allclose(z, one, atol=1e-12)
    dz = rng.standard_normal(z.shape)
    dx, dkernel = backend.conv2d_dx(dz, kernel, x.shape, *args), backend.conv2d_dkernel(dz, x, kernel.shape, *args)
    one_dx = [backend.conv2d_dx(dz[n], kernel, x[n].shape, *args) for n in images]
    np.testing.assert_allclose(dx, np.concatenate(one_dx), atol=1e-9)
    one_dkernel = [backend.conv2d_dkernel(dz[n], x[n], kernel.shape, *args) for n in images]
    np.testing.assert_allclose(dkernel, sum(one_dkernel), atol=1e-8)


@needs_numba
@pytest.mark.parametrize(("C", "F"), [(8, 9), (1, 16), (16, 1), (3, 7), (6, 20), (16, 16), (3, 6)])
def test_what_is_done_in_one_pass_is_what_several_do(C, F):
    backend, rng = operations("numba"), np.random.default_rng(0)
    groups = 3 if (C, F) == (3, 6) else 1
    x, kernel, bias = rng.standard_normal((47, 9, 8, C)), rng.standard_normal((3, 3, C // groups, F)), rng.random(F)
    args = ((1, 1), ((1, 1), (1, 1)), (1, 1))
    y = backend.conv2d_relu_forward(x, kernel, bias, *args)
    np.testing.assert_allclose(y, np.maximum(backend.conv2d_forward(x, kernel, bias, *args), 0), atol=1e-12)
    dy = rng.standard_normal(y.shape)
    for dz, options in ((dy, {}), (dy * (y > 0), {"relu_output": y})):
        dx, dkernel, dbias = backend.conv2d_backward(dy, x, kernel, *args, **options)
        np.testing.assert_allclose(dx, backend.conv2d_dx(dz, kernel, x.shape, *args), atol=1e-11)
        np.testing.assert_allclose(dkernel, backend.conv2d_dkernel(dz, x, kernel.shape, *args), atol=1e-10)
        np.testing.assert_allclose(dbias, dz.sum((0, 1, 2)), atol=1e-11)
        without_dx = backend.conv2d_backward(dy, x, kernel, *args, needs_dx=False, **options)
        assert without_dx[0] is None
        for found, wanted in zip(without_dx[1:], (dkernel, dbias)):
            np.testing.assert_allclose(found, wanted, atol=1e-10)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation", "output", "pads"),
    [
        (28, 3, 1, "valid", 1, 26, (0, 0)),
        (28, 3, 1, "same", 1, 28, (1, 1)),
        (28, 2, 1, "same", 1, 28, (0, 1)),  # the odd one goes at the end
        (7, 2, 2, "same", 1, 4, (0, 1)),  # size not divisible: max(k - size % s, 0) = 1
        (8, 3, 2, "same", 1, 4, (0, 1)),  # divisible: max(k - s, 0) = 1
        (5, 2, 3, "same", 1, 2, (0, 0)),
        (7, 3, 1, "same", 2, 7, (2, 2)),
        (2, 3, 1, "valid", 1, 0, (0, 0)),
        (None, 3, 1, "same", 1, None, None),
    ],
)
def test_sizes_and_padding_are_counted_as_in_keras(size, kernel, stride, padding, dilation, output, pads):
    assert output_size(size, kernel, stride, padding, dilation) == output
    if pads is not None:
        assert pad_amounts(size, kernel, stride, padding, dilation) == pads
    if dilation == 1:  # as by default
        assert output_size(size, kernel, stride, padding) == output
        assert pads is None or pad_amounts(size, kernel, stride, padding) == pads


def test_of_several_axes_each_is_padded_as_if_it_were_alone():
    assert paddings((7, 8), (2, 3), (2, 2), "same") == ((0, 1), (0, 1))
    assert paddings((7, 8, 2), (3, 3, 3), (1, 1, 1), "same", (2, 1, 1)) == ((2, 2), (1, 1), (1, 1))
    assert paddings((7, 8), (3, 3), (1, 1), "valid", (2, 1)) == ((0, 0), (0, 0))

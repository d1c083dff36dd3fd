"""loops = NumPy = Numba, forward and backward, whatever the sizes and the memory layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.kernels import numba_is_installed, operations
from scratchnet.kernels.geometry import output_size, pad_amounts

loops = operations("loops")
NAMES = ["numpy"] + ["numba"] * numba_is_installed()
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
    N, C, F = (data.draw(st.integers(1, n)) for n in (3, 5, 5))
    seed = data.draw(st.integers(0, 1000))
    x = arrays(data.draw, seed, (N, H, W, C), dtype)
    kernel = arrays(data.draw, seed + 1, (KH, KW, C, F), dtype)
    bias = data.draw(st.sampled_from([None, np.arange(F).astype(dtype)]))
    kept = x.copy(), kernel.copy()
    args = (strides, padding, dilation)
    relu = data.draw(st.booleans())
    y = loops.conv2d_forward(x, kernel, bias, *args, relu)
    assert_equal(backend.conv2d_forward(x, kernel, bias, *args, relu), y, dtype)
    dy = arrays(data.draw, seed + 2, y.shape, dtype)
    relu_output = y if relu else None
    for needs_dx in (True, False):
        expected = loops.conv2d_backward(dy, x, kernel, *args, needs_dx, relu_output)
        for found, wanted in zip(backend.conv2d_backward(dy, x, kernel, *args, needs_dx, relu_output), expected):
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
@pytest.mark.parametrize("relu", [False, True])
def test_pieces_of_a_large_batch_make_the_whole(backend, C, F, relu):
    """Enough images for several pieces of the cache's size, and some left over."""
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((47, 14, 14, C)), rng.standard_normal((3, 3, C, F))
    args = ((1, 1), ((1, 1), (1, 1)), (1, 1))
    y = backend.conv2d_forward(x, kernel, None, *args, relu)
    images = [slice(n, n + 1) for n in range(len(x))]
    one = np.concatenate([backend.conv2d_forward(x[n], kernel, None, *args, relu) for n in images])
    np.testing.assert_allclose(y, one, atol=1e-12)
    dy = rng.standard_normal(y.shape)
    dx, dkernel, dbias = backend.conv2d_backward(dy, x, kernel, *args, True, y if relu else None)
    singles = [backend.conv2d_backward(dy[n], x[n], kernel, *args, True, y[n] if relu else None) for n in images]
    np.testing.assert_allclose(dx, np.concatenate([s[0] for s in singles]), atol=1e-9)
    np.testing.assert_allclose(dkernel, sum(s[1] for s in singles), atol=1e-8)
    np.testing.assert_allclose(dbias, sum(s[2] for s in singles), atol=1e-8)


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

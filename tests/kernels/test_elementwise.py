"""erfc is that of the math module and a compiled relu that of NumPy, whatever the backend, the dtype and the layout."""

import math

import numpy as np
import pytest

from scratchnet import activations, kernels
from scratchnet.kernels import numba_is_installed, operations

BACKENDS = [operations(name) for name in ["loops", "numpy"] + ["numba"] * numba_is_installed()]
EVERY_BACKEND = pytest.mark.parametrize("backend", BACKENDS, ids=["loops", "numpy", "numba"][: len(BACKENDS)])


@EVERY_BACKEND
@pytest.mark.parametrize("dtype, absolute, relative", [(np.float32, 2e-7, 5e-6), (np.float64, 5e-16, 2e-14)])
def test_erfc_is_right_from_end_to_end(backend, dtype, absolute, relative):
    edges = [0.46875, -0.46875, 4, -4, 9.3, 26.5, -30, 0.0]
    x = np.concatenate([np.linspace(-10, 10, 2001), edges]).astype(dtype)
    exact = np.array([math.erfc(value) for value in x.tolist()])
    found = backend.erfc(x)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, exact, rtol=0, atol=absolute)
    normal = exact > 100 * np.finfo(dtype).tiny
    np.testing.assert_allclose(found[normal], exact[normal], rtol=relative, atol=0)


@EVERY_BACKEND
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_infinities_and_nan(backend, dtype):
    with np.errstate(invalid="ignore", over="ignore"):  # the compiled code as plain Python says it
        found = backend.erfc(np.array([np.inf, -np.inf, np.nan, 1e30, -1e30], dtype))
    np.testing.assert_array_equal(found, [0, 2, np.nan, 0, 2])


@EVERY_BACKEND
def test_any_shape_and_layout(backend):
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    expected = np.vectorize(math.erfc)(x)
    for laid_out in (x, np.asfortranarray(x), np.repeat(x, 2, axis=2)[:, :, ::2], x[0, 0, 0]):
        wanted = expected if laid_out.ndim else expected[0, 0, 0]
        np.testing.assert_allclose(backend.erfc(np.asarray(laid_out)), wanted, rtol=1e-13)
    assert backend.erfc(x[:0]).shape == (0, 4, 5)


def test_a_large_array_is_computed_in_blocks_and_the_same():
    x = np.random.default_rng(1).normal(size=100_003).astype(np.float32)
    whole = operations("numpy").erfc(x)
    np.testing.assert_array_equal(
        whole, np.concatenate([operations("numpy").erfc(part) for part in np.split(x, [7, 40_000])])
    )


@EVERY_BACKEND
def test_gelu_is_computed_with_it(backend, monkeypatch):
    monkeypatch.setattr(kernels, "erfc", lambda x: calls.append(x) or backend.erfc(x), raising=False)
    calls, z = [], np.array([-2.0, 0.0, 1.0])
    y, cache = activations.gelu.forward(z)
    activations.gelu.backward(np.ones(3), cache)
    np.testing.assert_allclose(y, [-0.04550026389635842, 0, 0.8413447460685429], rtol=1e-14)
    assert len(calls) == 2


@pytest.mark.skipif(not numba_is_installed(), reason="of the compiled kernels")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
@pytest.mark.parametrize("most", [None, 6])
def test_relu_is_that_of_numpy(dtype, most):
    compiled, limit = operations("numba"), () if most is None else (most,)
    z, dy = (10 * np.random.default_rng(0).normal(size=(2, 6, 7))).astype(dtype)
    if z.dtype.kind == "f":
        z[0, :4] = [np.nan, -0.0, np.inf, -np.inf]
    expected = np.maximum(z, 0) if most is None else np.clip(z, 0, most).astype(dtype)
    passes = (expected > 0) & (most is None or expected < most)
    assert passes.any() and (most is None or (expected == most).any())
    for laid_out in (z, np.asfortranarray(z), np.repeat(z, 2, axis=1)[:, ::2], np.broadcast_to(z, (2, 6, 7))):
        y = compiled.relu(laid_out, None, *limit)
        assert y.dtype == expected.dtype
        np.testing.assert_array_equal(y, np.broadcast_to(expected, y.shape))
        for room in (np.empty_like(y), np.empty_like(y, order="F"), np.array(laid_out)):
            assert compiled.relu(laid_out, room, *limit) is room
            np.testing.assert_array_equal(room, y)
    for d in (dy, np.asfortranarray(dy), dy.astype("float64")):
        dz = compiled.relu_backward(d, expected, *limit)
        np.testing.assert_array_equal(dz, np.where(passes, d, 0))
        assert dz.dtype == d.dtype


@pytest.mark.skipif(not numba_is_installed(), reason="of the compiled kernels")
def test_tanh_of_a_recurrent_layer_is_right_to_a_few_units_in_the_last_place():
    z = np.concatenate([np.linspace(-12, 12, 40_001), np.logspace(-30, 0, 2000), [88, -1e30]]).astype("float32")
    nothing = np.zeros((1, 1), "float32"), np.zeros(1, "float32"), np.zeros((z.size, 1), "float32")
    steps = operations("numba").simple_rnn_forward(z.reshape(1, -1, 1), *nothing, activations.get("tanh"))
    found, exact = steps.h[1].ravel(), np.tanh(z.astype("float64"))
    np.testing.assert_allclose(found, exact, rtol=4e-7, atol=0)
    assert abs(found).max() == 1


def test_the_definitions_leave_relu_to_numpy():
    for name in ("loops", "numpy"):
        assert operations(name).relu is None and operations(name).relu_backward is None

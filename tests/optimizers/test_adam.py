"""Adam and Nadam: steps by hand, in every backend."""

import numpy as np
import pytest

from scratchnet import kernels, optimizers


def params(dtype="float64"):
    rng = np.random.default_rng(0)
    return {"a/kernel": rng.normal(size=(3, 4)).astype(dtype), "a/bias": rng.normal(size=4).astype(dtype)}


def gradients(seed, dtype="float64"):
    rng = np.random.default_rng(100 + seed)
    return {"a/kernel": rng.normal(size=(3, 4)).astype(dtype), "a/bias": rng.normal(size=4).astype(dtype)}


def test_adam_by_hand():
    w = {"w": np.array([1.0, 2.0, 3.0, 4.0])}
    optimizers.Adam(learning_rate=0.5, epsilon=0).update(w, {"w": np.array([1.0, 6.0, 7.0, 2.0])})
    np.testing.assert_allclose(w["w"], [0.5, 1.5, 2.5, 3.5], rtol=1e-12)
    w = {"w": np.array([1.0])}
    optimizers.Adam(learning_rate=0.5).update(w, {"w": np.array([1.0])})
    assert w["w"][0] == pytest.approx(1 - 0.5 / (1 + 1e-7 / np.sqrt(0.001)), abs=1e-12)  # epsilon is outside the root


def test_a_step_of_nadam_takes_no_longer_the_later_it_is():
    class Counting(optimizers.Nadam):
        asked = 0

        def _momentum(self, t):
            self.asked += 1
            return super()._momentum(t)

    optimizer, w, asked = Counting(), params(), []
    for step in range(5):
        optimizer.update(w, gradients(step))
        asked.append(optimizer.asked)
    assert asked == [asked[0] * t for t in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_backends_of_adam_agree(dtype):
    results = []
    for backend in ("loops", "numpy", "numba"):
        if backend == "numba" and not kernels.numba_is_installed():
            continue
        with kernels.using_backend(backend):
            w, optimizer = params(dtype), optimizers.Adam(0.01)
            for step in range(5):
                optimizer.update(w, gradients(step, dtype))
            results.append(w)
    for other in results[1:]:
        for key in other:
            np.testing.assert_allclose(other[key], results[0][key], rtol=1e-5 if dtype == "float32" else 1e-12)

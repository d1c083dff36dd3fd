"""Numbers too small for all their digits: zero while a model computes, in every thread, and only then."""

import contextlib

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet import kernels  # noqa: E402
from scratchnet.callbacks import LambdaCallback  # noqa: E402
from scratchnet.kernels.subnormals import flushing  # noqa: E402
from scratchnet.kernels.with_numba import team  # noqa: E402
from scratchnet.kernels.with_numba.compile import njit  # noqa: E402
from scratchnet.kernels.with_numba.tile import SSE  # noqa: E402
from scratchnet.layers import Input, Layer  # noqa: E402
from scratchnet.models import Sequential  # noqa: E402
from scratchnet.optimizers import SGD  # noqa: E402
from scratchnet.parallel.threads import Workers  # noqa: E402

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT) or not SSE, reason="there is no mode to set")

SMALLEST = np.full(16, np.finfo("float32").tiny)  # that has all its digits


@pytest.fixture(autouse=True)
def compiled():
    with kernels.using_backend("numba"):
        yield


def is_zero(_=None):
    """Whether results that are too small are, and operands count as such."""
    small = [SMALLEST * np.float32(0.5), SMALLEST.view("int32") // 2]
    found = {bool((a.view("float32") * np.float32(4) == 0).all()) for a in small}
    assert len(found) == 1
    return found.pop()


def test_they_are_zero_within_the_block_and_numbers_again_behind_it():
    assert not is_zero()
    with flushing():
        assert is_zero()
        with flushing():
            assert is_zero()
        assert is_zero()
    assert not is_zero()
    with pytest.raises(ValueError, match="what happens"), flushing():
        raise ValueError("what happens")
    assert not is_zero()


def test_other_backends_leave_them_as_they_are():
    with kernels.using_backend("numpy"), flushing():
        assert not is_zero()


def test_all_threads_that_compute_do_so():
    with Workers(3) as workers:
        assert workers.map(is_zero, range(7)) == [True] * 7
        assert workers.map(is_zero, [0]) == [True]
        assert not is_zero()
        pool = workers._pool
        assert not pool.submit(is_zero).result()  # and between two tasks nobody's numbers are changed


@njit
def _halve(first, stop, x, y):
    for n in range(first, stop):
        for k in range(x.shape[1]):
            y[n, k] = x[n, k] * np.float32(0.5)


def test_a_helper_does_what_the_one_does_whom_it_helps():
    x = np.full((64, 5000), SMALLEST[0])
    with team.helper() as helper:
        helper.wake()
        for _ in range(20):
            for flushes in (False, True):
                y = np.empty_like(x)
                with flushing() if flushes else contextlib.nullcontext():
                    team.by_rows(_halve, len(x), 1 << 30, x, y)
                assert (y.view("int32") == 0).all() if flushes else (y.view("int32") > 0).all()


class Watching(Layer):
    """Puts out what comes in, and looks."""

    def __init__(self):
        super().__init__()
        self.add_weight(name="w", shape=(1,))
        self.there, self.back = [], []

    def compute_output_shape(self, input_shape):
        return input_shape

    def forward(self, x, training=False):
        self.there.append(is_zero())
        return x + self.params["w"], None

    def backward(self, dy, cache, needs_dx=True):
        self.back.append(is_zero())
        return dy if needs_dx else None, {"w": dy.sum(keepdims=True).reshape(1)}


class Looking(SGD):
    seen = None

    def update_step(self, param, grad, slots, learning_rate):
        self.seen = [*(self.seen or []), is_zero()]


@pytest.mark.parametrize("count", [4, 64])
def test_models_compute_so_and_their_users_do_not(count):
    layer, seen = Watching(), []
    model = Sequential([Input((3,)), layer])
    model.compile("sgd", "mse")
    layer.there.clear()  # what has been tried meanwhile
    x = np.ones((count, 3), "float32")
    looks = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(is_zero()))
    model.fit(x, x, batch_size=count, epochs=2, verbose=0, callbacks=[looks])
    model.predict(x, verbose=0)
    model.evaluate(x, x, verbose=0)
    y, cache = model.forward(x)
    model.backward(np.ones_like(y), cache)
    model(x)
    optimizer = Looking(0.1)
    optimizer.apply([np.ones(1, "float32")], [layer.params["w"]])
    assert optimizer.seen == [True]
    assert all(layer.there) and all(layer.back)
    assert len(layer.there) >= 6 and len(layer.back) >= 3
    assert seen == [False, False] and not is_zero()

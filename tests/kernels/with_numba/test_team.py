"""Two threads in one product: every bit is that of one thread, and nobody waits for a helper who is not there."""

import threading
import time

import numpy as np
import pytest

numba = pytest.importorskip("numba")

import scratchnet  # noqa: E402
from scratchnet import kernels  # noqa: E402
from scratchnet.kernels.with_numba import affine, matrix_product, team  # noqa: E402
from scratchnet.layers import Dense, Input  # noqa: E402
from scratchnet.models import Sequential  # noqa: E402
from scratchnet.parallel import Workers  # noqa: E402
from scratchnet.training import step, work  # noqa: E402
from scratchnet.utils import set_random_seed  # noqa: E402

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")


@pytest.fixture
def counted(monkeypatch):
    """How many products a team was given."""
    shared, multiply = [], team.Team.multiply
    monkeypatch.setattr(team.Team, "multiply", lambda *args: shared.append(args) or multiply(*args))
    return shared


def pairs():
    rng = np.random.default_rng(0)
    for M, K, N in ((64, 70, 66), (300, 33, 40), (9, 200, 201), (1, 600, 600)):
        a, b = rng.normal(size=(M, K)).astype("float32"), rng.normal(size=(K, N)).astype("float32")
        yield from ((a, b), (np.asfortranarray(a), b), (a, np.asfortranarray(b)))
        yield np.asfortranarray(a), np.asfortranarray(b)


@pytest.mark.parametrize("awake", [True, False])
def test_a_shared_product_has_the_bits_of_one_thread(counted, awake):
    alone = [matrix_product.matmul(a, b) for a, b in pairs()]
    assert not counted
    with matrix_product.helper() as helper:
        for (a, b), expected in zip(pairs(), alone):
            if awake:
                helper.wake()
            for _ in range(5):
                np.testing.assert_array_equal(matrix_product.matmul(a, b), expected)
    assert counted and team.at_work is None


def test_a_helper_takes_a_chunk_falls_asleep_and_is_woken(monkeypatch):
    monkeypatch.setattr(team, "_PATIENCE", 1000)
    a = np.ones((512, 512), "float32")
    with matrix_product.helper() as helper:
        for _ in range(2):
            helper.wake()
            _until(lambda: not helper._wanted.is_set() and helper._sleeps)
        monkeypatch.setattr(team, "_PATIENCE", 1 << 40)  # from here on it waits for work
        helper.wake()
        _until(lambda: not helper._sleeps)
        claimed = 0
        for _ in range(1000):
            matrix_product.matmul(a, a)
            claimed = max(claimed, helper._box[team._NEXT])
            if claimed == team._CHUNKS + 1:
                break
        assert team._CHUNKS < claimed <= team._CHUNKS + 2  # who finds no chunk has counted, too
    assert not helper._helper.is_alive()


def _until(happened):
    for _ in range(20_000):
        if happened():
            return
        time.sleep(0.001)
    raise AssertionError("it has not happened")


def test_what_is_small_or_of_another_thread_or_dtype_is_not_shared(counted):
    large, small = np.ones((128, 128), "float32"), np.ones((8, 8), "float32")
    with matrix_product.helper():
        matrix_product.matmul(small, small)
        matrix_product.matmul(large.astype("float64"), large.astype("float64"))
        other = threading.Thread(target=matrix_product.matmul, args=(large, large))
        other.start()
        other.join()
        assert not counted
        matrix_product.matmul(large, large)
        assert len(counted) == 1


def test_shapes_that_do_not_fit_are_refused():
    a, b = np.ones((128, 64), "float32"), np.ones((65, 128), "float32")
    with matrix_product.helper(), pytest.raises(ValueError, match="do not fit together"):
        matrix_product.matmul(a, b)


def test_an_affine_map_has_the_same_numbers(counted):
    rng = np.random.default_rng(1)
    x, W, b, dy = (rng.normal(size=s).astype("float32") for s in ((600, 70), (70, 40), (40,), (600, 40)))
    y, parts = affine.affine_forward(x, W, b, True), affine.affine_backward(dy, x, W)
    with matrix_product.helper():
        np.testing.assert_array_equal(affine.affine_forward(x, W, b, True), y)
        for found, expected in zip(affine.affine_backward(dy, x, W), parts):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert len(counted) == 3


def test_of_two_teams_the_last_is_asked():
    with matrix_product.helper():
        with matrix_product.helper() as second:
            assert team.at_work is second
        assert team.at_work is None


def test_workers_have_a_helper_where_there_is_a_second_thread():
    with Workers(1) as alone:
        alone.help_one()
        assert team.at_work is None
    with kernels.using_backend("numpy"), Workers(2) as without:
        without.help_one()
        assert team.at_work is None
    with kernels.using_backend("numba"), Workers(2) as workers:
        workers.help_one()
        first = team.at_work
        workers.help_one()
        assert first is not None and team.at_work is first
    assert team.at_work is None


def test_a_step_in_one_part_is_the_same_on_two_threads_bit_by_bit(counted, monkeypatch):
    x, y = np.random.default_rng(2).normal(size=(2, 128, 80)).astype("float32")
    trained = []
    monkeypatch.setattr(step, "LEAST_HELPED", 100_000)
    monkeypatch.setattr(work, "LEAST", 10_000_000)  # too much for two parts
    for threads in (1, 2):
        set_random_seed(1)
        model = Sequential([Input((80,)), Dense(90, activation="relu"), Dense(80)])
        model.compile("adam", "mse")
        scratchnet.set_num_threads(threads)
        try:
            with kernels.using_backend("numba"):
                model.fit(x, y, batch_size=64, epochs=2, verbose=0)
        finally:
            scratchnet.set_num_threads(None)
        assert bool(counted) == (threads == 2)
        trained.append(model.get_weights())
    for one, two in zip(*trained):
        np.testing.assert_array_equal(one, two)

"""Two threads in one product: every bit is that of one thread, and nobody waits for a helper who is not there."""

import sys
import threading
import time

import numpy as np
import pytest

numba = pytest.importorskip("numba")

import scratchnet  # noqa: E402
from scratchnet import activations, kernels  # noqa: E402
from scratchnet.kernels.with_numba import (  # noqa: E402
    adam,
    affine,
    attention,
    gather,
    group_normalization,
    matrix_product,
    normalization,
    philox,
    softmax,
    team,
)
from scratchnet.layers import LSTM, Dense, EinsumDense, Flatten, Input, Reshape, SimpleRNN  # noqa: E402
from scratchnet.models import Sequential  # noqa: E402
from scratchnet.parallel import Workers, threads  # noqa: E402
from scratchnet.training import evaluator, step, work  # noqa: E402
from scratchnet.utils import set_random_seed  # noqa: E402

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")


@pytest.fixture(autouse=True)
def of_all_sizes(monkeypatch):
    """No product is small enough for BLAS to have it, whatever the vectors of this processor."""
    monkeypatch.setattr(matrix_product, "_SMALL_FOR_BLAS", -1)


@pytest.fixture
def counted(monkeypatch):
    """The kernels that a team was given."""
    shared, share = [], team.Team.share
    monkeypatch.setattr(
        team.Team, "share", lambda mine, kernel, *rest: shared.append(kernel) or share(mine, kernel, *rest)
    )
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
    with team.helper() as helper:
        for (a, b), expected in zip(pairs(), alone):
            if awake:
                helper.wake()
            for _ in range(5):
                np.testing.assert_array_equal(matrix_product.matmul(a, b), expected)
    assert counted and team.at_work() is None


def test_a_helper_takes_a_chunk_falls_asleep_and_is_woken(monkeypatch):
    monkeypatch.setattr(team, "_LOOKS", 1000)
    a = np.ones((512, 512), "float32")
    with team.helper() as helper:
        for _ in range(2):
            helper.wake()
            _until(lambda: helper._helper.sleeps)
        monkeypatch.setattr(team, "_LOOKS", 1 << 40)  # from here on it waits for work
        helper.wake()
        assert not helper._helper.sleeps
        claimed = 0
        for _ in range(1000):
            matrix_product.matmul(a, a)
            claimed = max(claimed, helper._helper.box[team._NEXT])
            if claimed == team._CHUNKS + 1:
                break
        assert team._CHUNKS < claimed <= team._CHUNKS + 2  # who finds no chunk has counted, too
    _until(lambda: helper._helper.sleeps)


def _until(happened):
    for _ in range(20_000):
        if happened():
            return
        time.sleep(0.001)
    raise AssertionError("it has not happened")


def test_what_is_small_or_of_another_thread_or_dtype_is_not_shared(counted):
    large, small = np.ones((128, 128), "float32"), np.ones((8, 8), "float32")
    with team.helper():
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
    with team.helper(), pytest.raises(ValueError, match="do not fit together"):
        matrix_product.matmul(a, b)


def test_few_rows_are_shared_by_the_columns_of_a_large_matrix(counted, monkeypatch):
    monkeypatch.setattr(matrix_product, "_FAR", 1 << 10)
    b = np.random.default_rng(3).normal(size=1100).astype("float32")
    for x, W in pairs():
        alone = matrix_product.matmul(x, W), affine.affine_forward(x, W, b[: W.shape[1]], relu=True, most=3.0)
        counted.clear()
        with team.helper():
            for _ in range(3):
                np.testing.assert_array_equal(matrix_product.matmul(x, W), alone[0])
                np.testing.assert_array_equal(
                    affine.affine_forward(x, W, b[: W.shape[1]], relu=True, most=3.0), alone[1]
                )
        by_columns = {matrix_product._columns_of_product, affine._columns_forward} & {*counted}
        assert len(by_columns) == (2 if matrix_product._THRICE < len(x) < 2 * matrix_product._ROWS else 0)


# In one piece, piece by piece, and with a matrix that is too large to be read twice.
@pytest.mark.parametrize("rows, C, shared", [(600, 70, 3), (5000, 70, 2), (272, 14_000, 2)])
def test_an_affine_map_has_the_same_bits(counted, rows, C, shared):
    rng = np.random.default_rng(1)
    x, W, b, dy = (rng.normal(size=s).astype("float32") for s in ((rows, C), (C, 40), (40,), (rows, 40)))
    y, parts = affine.affine_forward(x, W, b, True), affine.affine_backward(dy, x, W, relu_output=x[:, :40])
    with team.helper():
        np.testing.assert_array_equal(affine.affine_forward(x, W, b, True), y)
        for found, expected in zip(affine.affine_backward(dy, x, W, relu_output=x[:, :40]), parts):
            np.testing.assert_array_equal(found, expected)
    assert len(counted) == shared


@pytest.mark.parametrize("rows, shared", [(391, 0), (2711, 2)])
@pytest.mark.parametrize("centered", [True, False])
def test_normalized_rows_have_the_same_bits(counted, rows, shared, centered):
    rng = np.random.default_rng(7)
    (x, dy), (gamma, beta) = rng.normal(size=(2, rows, 97)).astype("float32"), rng.random((2, 97), "float32")

    def results():
        y, mean, s = normalization.normalize_rows_forward(x, gamma, beta, 1e-3, centered)
        return y, mean, s, *normalization.normalize_rows_backward(dy, x, mean, s, gamma, centered)

    alone = results()
    with team.helper():
        for found, expected in zip(results(), alone):
            np.testing.assert_array_equal(found, expected)
    assert len(counted) == shared


@pytest.mark.parametrize("samples, shared", [(2, 0), (23, 2)])
def test_normalized_groups_have_the_same_bits(counted, samples, shared):
    rng = np.random.default_rng(8)
    (x, dy), (gamma, beta) = rng.normal(size=(2, samples, 391, 21)).astype("float32"), rng.random((2, 21), "float32")

    def results():
        y, mean, s = group_normalization.normalize_groups_forward(x, gamma, beta, 7, 1e-3)
        return y, mean, s, *group_normalization.normalize_groups_backward(dy, x, mean, s, gamma)

    alone = results()
    with team.helper():
        for found, expected in zip(results(), alone):
            np.testing.assert_array_equal(found, expected)
    assert len(counted) == shared


@pytest.mark.parametrize("rows, shared", [(391, 0), (9001, 2)])
def test_normalized_channels_have_the_same_bits(counted, rows, shared):
    rng = np.random.default_rng(1)
    x, dy = rng.normal(size=(2, 1, rows, 38)).astype("float32")
    mean, *others = rng.uniform(0.5, 1.5, (6, 38)).astype("float32")
    found = normalization.normalize_forward(x, mean[None], *others[:3])
    dx = normalization.normalize_backward(dy, x, mean[None], *others[:2], *others[3:])
    with team.helper():
        np.testing.assert_array_equal(normalization.normalize_forward(x, mean[None], *others[:3]), found)
        again = normalization.normalize_backward(dy, x, mean[None], *others[:2], *others[3:])
        np.testing.assert_array_equal(again, dx)
    assert len(counted) == shared


@pytest.mark.parametrize("rows, shared", [(60, 0), (5001, 2)])
def test_softmax_has_the_same_bits(counted, rows, shared):
    z, dy = np.random.default_rng(1).normal(size=(2, rows, 37)).astype("float32")
    y, dz = softmax.softmax_forward(z, 0.3), softmax.softmax_backward(dy, z, 0.3)
    with team.helper():
        np.testing.assert_array_equal(softmax.softmax_forward(z, 0.3), y)
        np.testing.assert_array_equal(softmax.softmax_backward(dy, z, 0.3), dz)
    assert len(counted) == shared


@pytest.mark.parametrize("N", [2, 5])
def test_attention_of_a_few_samples_is_shared_and_has_the_same_bits(counted, N):
    q, k, v, dy = np.random.default_rng(1).normal(size=(4, N, 3, 40, 16)).astype("float32")
    y, PT = attention.attention_forward(q, k, v, 0.25)
    back = attention.attention_backward(dy, q, k, v, PT, 0.25)
    with team.helper():
        found, PT_found = attention.attention_forward(q, k, v, 0.25)
        for one, two in zip((found, PT_found, *attention.attention_backward(dy, q, k, v, PT, 0.25)), (y, PT, *back)):
            np.testing.assert_array_equal(one, two)
    assert len(counted) == 2


@pytest.mark.parametrize("rows, shared", [(100, 0), (5001, 4)])
def test_rows_from_a_table_and_back_to_it_have_the_same_bits(counted, rows, shared):
    rng = np.random.default_rng(3)
    W, dy, index = rng.random((901, 70), "float32"), rng.random((rows, 70), "float32"), rng.integers(0, 901, rows)
    texts = index[: rows // 10 * 10].reshape(-1, 10)

    def results():
        yield from (gather.take_rows(W, index), gather.add_rows(dy, index, len(W)))
        yield from (gather.mean_of_rows(W, texts), gather.add_mean_rows(dy[: len(texts)], texts, len(W)))

    alone = list(results())
    with team.helper():
        for found, expected in zip(results(), alone, strict=True):
            np.testing.assert_array_equal(found, expected)
    assert len(counted) == shared


@pytest.mark.parametrize("rows, shared", [(100, 0), (901, 2)])
def test_random_numbers_have_the_same_bits(counted, rows, shared):
    key = np.array([3, 4], np.uint64)
    mask, normal = (philox.mask_rows, 0.3, np.float32(2)), (philox.normal_rows, 0, 1)
    for draw, *arguments in (mask, normal):
        alone = draw(key, 5, rows, 70, *arguments)
        with team.helper():
            np.testing.assert_array_equal(draw(key, 5, rows, 70, *arguments), alone)
    assert len(counted) == shared


@pytest.mark.parametrize("size, shared", [(100, 0), (50_001, 1)])
def test_a_step_of_adam_has_the_same_bits(counted, size, shared):
    rng = np.random.default_rng(2)
    param, grad, m, v = rng.normal(size=(4, size)).astype("float32")
    alone, together = ([a.copy() for a in (param, m, np.square(v))] for _ in range(2))
    adam.adam_update(alone[0], grad, *alone[1:], 0.01, 0.9, 0.999, 1e-7)
    with team.helper():
        adam.adam_update(together[0], grad, *together[1:], 0.01, 0.9, 0.999, 1e-7)
    for found, expected, before in zip(together, alone, (param, m, np.square(v))):
        np.testing.assert_array_equal(found, expected)
        assert (found != before).any()
    assert len(counted) == shared


def test_what_is_computed_piece_by_piece_has_the_same_bits_with_a_team():
    rng = np.random.default_rng(3)
    x, kernel = rng.normal(size=(9, 20, 20, 64)).astype("float32"), rng.normal(size=(1, 1, 64, 96)).astype("float32")
    dy, bias, one = (
        rng.normal(size=(9, 20, 20, 96)).astype("float32"),
        np.ones(96, "float32"),
        ((1, 1), ((0, 0), (0, 0))),
    )
    layer = EinsumDense("abc,cd->abd", (None, 96), bias_axes="d")
    layer.build((None, 400, 64))
    of_pixels = kernels.operations("numba")

    def results():
        yield of_pixels.conv2d_forward(x, kernel, bias, *one, (1, 1))
        yield from of_pixels.conv2d_backward(dy, x, kernel, *one, (1, 1))
        with kernels.using_backend("numba"):
            y, cache = layer.forward(x.reshape(9, 400, 64))
            dx, grads = layer.backward(dy.reshape(9, 400, 96), cache)
        yield from (y, dx, *grads.values())

    alone = list(results())
    with team.helper():
        for found, expected in zip(results(), alone):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("M", [12, 20, 36, 45])
def test_few_rows_that_meet_a_matrix_larger_than_a_cache_have_the_same_bits(M):
    rng = np.random.default_rng(4)
    a, b = rng.random((M, 1100), np.float32), rng.random((1100, 2000), np.float32)
    assert b.nbytes > matrix_product._LARGE
    alone = matrix_product.matmul(a, b)
    np.testing.assert_allclose(alone, a @ b, rtol=1e-5)
    with team.helper():
        np.testing.assert_array_equal(matrix_product.matmul(a, b), alone)


@pytest.mark.parametrize("rows_that_fail", [63, 64])
def test_a_chunk_that_fails_is_waited_for_and_the_whole_is_tried_once_more(rows_that_fail):
    @numba.njit(nogil=True)
    def copy(first, stop, x, most, y):
        if stop - first <= most:
            raise MemoryError("no room")
        y[first:stop] = x[first:stop]

    x = np.random.default_rng(6).normal(size=(64, 3))
    with team.helper() as helper:
        helper.wake()
        for _ in range(10):
            y = np.zeros_like(x)
            if rows_that_fail < 64:
                team.by_rows(copy, 64, team._LEAST, x, rows_that_fail, y)
                np.testing.assert_array_equal(y, x)
            else:
                with pytest.raises(MemoryError, match="no room"):
                    team.by_rows(copy, 64, team._LEAST, x, rows_that_fail, y)
            assert helper._helper.box[team._DONE] == team._CHUNKS
    _until(lambda: helper._helper.sleeps)


@pytest.mark.parametrize("work", [team._LEAST - 1, team._LEAST])
def test_every_row_is_computed_once_whatever_the_types_of_the_arguments(counted, work):
    @numba.njit(nogil=True)
    def add(first, stop, x, is_doubled, counts, step, places):
        for n in range(first, stop):
            places[n] = n
            counts[n] += step * (2 if is_doubled else 1) * int(x.reshape(len(x), -1)[n, -1])

    with team.helper() as helper:
        helper.wake()
        for rows in (0, 1, 7, 8, 9, 16, 17, 100):
            for x in (np.ones((rows, 2), "float32"), np.ones((rows, 2, 2)), np.ones(rows, bool)):
                counts, places = np.zeros(rows, np.int64), np.full(rows, -1)
                team.by_rows(add, rows, work, x, x.ndim > 1, counts, 3, places)
                np.testing.assert_array_equal(counts, np.full(rows, 6 if x.ndim > 1 else 3))
                np.testing.assert_array_equal(places, np.arange(rows))
    assert len(counted) == (24 if work == team._LEAST else 0)


def test_many_arguments_of_which_some_are_none_are_not_taken_for_others():
    @numba.njit(nogil=True)
    def add_up(first, stop, y, a, b, c, d, r, s, t, u, v):
        for n in range(first, stop):
            y[n] += r + s + t + u + v
            if c is not None:
                y[n] += 100 * c[n]
            if d is not None:
                y[n] += 1000 * d[n]

    x, numbers, rounds = np.ones(64, "float32"), 5 * (np.float32(1),), 20
    one, other = np.zeros((2, 64), "float32")
    with team.helper():
        for _ in range(rounds):  # right after one another, Numba before 0.61 would take the types for the same
            team.by_rows(add_up, 64, team._LEAST, one, x, x, x, None, *numbers)
            team.by_rows(add_up, 64, team._LEAST, other, x, x, None, x, *numbers)
    np.testing.assert_array_equal(one, rounds * 105)
    np.testing.assert_array_equal(other, rounds * 1005)


def through_time(mask, dy, drops):
    """What the recurrent kernels return, one array after the other: 37 rows, of which no thread has half."""
    rng, (T, N, U) = np.random.default_rng(7), (3, 37, 33)
    tanh, sigmoid, relu = (activations.get(name) for name in ("tanh", "sigmoid", "relu"))
    compute, (h0, c0, dh, dc) = kernels.operations("numba"), rng.normal(size=(4, N, U)).astype("float32")
    dy = rng.normal(size=(T, N, U)).astype("float32") if dy else None

    def drawn(gates):
        shapes = (T, N, gates * U), (U, gates * U), (gates * U,)
        return [0.3 * rng.normal(size=shape).astype("float32") for shape in shapes]

    drop = 2 * (rng.random((4, N, U)) < 0.5).astype("float32")
    of_one, of_three, of_four = (drop[:gates] if drops else None for gates in (1, 3, 4))
    xW, R, b = drawn(1)
    steps = compute.simple_rnn_forward(xW, R, b, h0, tanh, mask, of_one)
    yield from (steps.h, *compute.simple_rnn_backward(dy, dh, R, steps, tanh, mask, of_one))
    xW, R, b = drawn(4)
    W, x = drawn(4)[1], drawn(1)[0]  # (U, 4U) and (T, N, U)
    yield compute.simple_rnn_state(x[..., :4], W[:4, :U], R[:, :U], b[:U], tanh, T)
    for act in (tanh, relu):
        steps = compute.lstm_forward(xW, R, b, h0, c0, act, sigmoid, mask, of_four)
        yield from (*steps[1:], *compute.lstm_backward(dy, dh, dc, R, steps, act, sigmoid, mask, of_four))
    for sequence in (True, False):
        h, c = compute.lstm_states(x, W, R, b, h0, c0, tanh, sigmoid, T, sequence)
        yield from (h if sequence else h[-1], c)
    xW, R, b = drawn(3)
    for sequence in (True, False):
        h = compute.gru_states(x, W[:, : 3 * U], R, b, b, h0, tanh, sigmoid, True, T, sequence)
        yield h if sequence else h[-1]
    for reset_after in (True, False):
        steps = compute.gru_forward(xW, R, b, b, h0, tanh, sigmoid, reset_after, mask, of_three)
        yield from (*steps[1:], *compute.gru_backward(dy, dh, R, steps, tanh, sigmoid, reset_after, mask, of_three))


@pytest.mark.parametrize("masked, dy, drops", [(False, False, False), (True, True, False), (True, True, True)])
def test_time_goes_by_for_the_rows_of_two_threads_as_for_those_of_one(counted, monkeypatch, masked, dy, drops):
    mask = np.random.default_rng(8).random((3, 37)) < 0.7 if masked else None
    alone = list(through_time(mask, dy, drops))
    monkeypatch.setattr(team, "_LEAST", 0)
    with team.helper() as helper:
        for _ in range(3):
            helper.wake()
            for found, expected in zip(through_time(mask, dy, drops), alone, strict=True):
                np.testing.assert_array_equal(found, expected)
    assert len(counted) == 3 * 15


def test_time_does_not_go_by_where_shapes_do_not_fit(monkeypatch):
    xW, R, h0 = np.ones((2, 20, 16), "float32"), np.ones((16, 99), "float32"), np.ones((20, 16), "float32")
    monkeypatch.setattr(team, "_LEAST", 0)
    with team.helper(), pytest.raises(ValueError, match="do not fit together"):
        kernels.operations("numba").simple_rnn_forward(xW, R, R[0, :16], h0, activations.get("tanh"))


def test_a_helper_sleeps_until_the_next_team_has_it_and_of_two_one_goes():
    a = np.ones((128, 128), "float32")
    with team.helper() as first:
        matrix_product.matmul(a, a)
    with team.helper() as again:
        assert again._helper is first._helper
        matrix_product.matmul(a, a)
        with team.helper() as other:
            assert other._helper is not again._helper
    left = team._resting._kept
    gone = ({first._helper, other._helper} - {left}).pop()
    assert left.thread.is_alive() and not gone.thread.is_alive()


def test_what_a_team_computes_is_held_by_nobody_afterwards():
    x = np.random.default_rng(0).normal(size=(64, 4096)).astype("float32")
    y, before = np.empty_like(x), sys.getrefcount(x)
    with team.helper() as helper:
        for _ in range(50):
            helper.wake()
            team.by_rows(_each_row_twice, 64, team._LEAST, x, y)
    np.testing.assert_array_equal(y, 2 * x)
    assert sys.getrefcount(x) == before


@numba.njit
def _each_row_twice(first, stop, x, y):
    for n in range(first, stop):
        row, target = x[n], y[n]
        for k in range(row.size):
            target[k] = 2 * row[k]


def test_of_two_teams_the_inner_one_is_asked_and_then_the_outer_one():
    with team.helper() as first:
        with team.helper() as second:
            assert team.at_work() is second
        assert team.at_work() is first
    assert team.at_work() is None


def test_a_team_that_rests_is_not_asked_until_it_is_woken(counted):
    a = np.ones((128, 128), "float32")
    with team.helper() as helper:
        helper.rest()
        matrix_product.matmul(a, a)
        assert team.at_work() is None and not counted
        helper.wake()
        matrix_product.matmul(a, a)
        assert team.at_work() is helper and len(counted) == 1
    assert team.at_work() is None


def test_threads_that_have_a_team_each_do_not_see_that_of_another(counted):
    a = np.random.default_rng(5).normal(size=(128, 128)).astype("float32")
    expected, wrong = matrix_product.matmul(a, a), []

    def work_with_a_team():
        for _ in range(20):
            with team.helper() as mine:
                mine.wake()
                for _ in range(20):
                    if team.at_work() is not mine or not np.array_equal(matrix_product.matmul(a, a), expected):
                        wrong.append(mine)

    others = [threading.Thread(target=work_with_a_team) for _ in range(2)]
    for other in others:
        other.start()
    while any(other.is_alive() for other in others):
        assert team.at_work() is None
        np.testing.assert_array_equal(matrix_product.matmul(a, a), expected)
    assert not wrong and len(counted) == 800


def test_workers_have_a_helper_where_there_is_a_second_thread_and_a_processor_for_it(monkeypatch):
    monkeypatch.setattr(threads, "available_processors", lambda: 2)
    with Workers(1) as alone:
        alone.help_one()
        assert team.at_work() is None and not alone.is_helped
    with kernels.using_backend("numpy"), Workers(2) as without:
        without.help_one()
        assert team.at_work() is None
    with kernels.using_backend("numba"), Workers(2) as workers:
        workers.help_one()
        first = team.at_work()
        workers.help_one()
        assert first is not None and team.at_work() is first and workers.is_helped
        workers.map(abs, [1, 2])  # by threads of their own
        assert team.at_work() is None and not workers.is_helped
    assert team.at_work() is None
    monkeypatch.setattr(threads, "available_processors", lambda: 1)
    with kernels.using_backend("numba"), Workers(2) as workers:
        workers.help_one()
        assert team.at_work() is None


def dense():
    return Sequential([Input((8, 10)), Flatten(), Dense(90, activation="relu"), Dense(80), Reshape((8, 10))])


def recurrent():
    return Sequential([Input((8, 10)), SimpleRNN(16, return_sequences=True), LSTM(10, return_sequences=True)])


def trained(model, x, y):
    """Its weights after some steps, and what it then says, all at once and batch by batch."""
    model.compile("adam", "mse")
    with kernels.using_backend("numba"):
        model.fit(x, y, batch_size=64, epochs=2, shuffle=False, verbose=0)
        figures = model.evaluate(x, y, batch_size=32, verbose=0)
        return [*model.get_weights(), figures, model.predict(x, batch_size=200, verbose=0)]


@pytest.fixture
def everything_helped(monkeypatch):
    """Nothing is too little for a helper, and whatever two of these models' threads compute is enough for two parts."""
    for module in (step, work):
        monkeypatch.setattr(module, "LEAST_HELPED", 1000)
    monkeypatch.setattr(evaluator, "LEAST_HELPED", 1000)
    monkeypatch.setattr(team, "_LEAST", 0)
    monkeypatch.setattr(work, "LEAST", 1000)
    monkeypatch.setattr(work, "_MOST_ALONE", 10**6)
    monkeypatch.setattr(work, "_OF_A_STEP", 0)
    monkeypatch.setattr(threads, "available_processors", lambda: 2)
    yield
    scratchnet.set_num_threads(None)


@pytest.mark.parametrize("make", [dense, recurrent])
def test_one_part_with_a_helper_is_the_same_as_without_bit_by_bit(counted, everything_helped, make):
    x, y = np.random.default_rng(2).normal(size=(2, 128, 8, 10)).astype("float32")
    results = []
    for count in (1, 2):
        set_random_seed(1)
        scratchnet.set_num_threads(count)
        results.append(trained(make(), x, y))
        assert bool(counted) == (count == 2)
    for one, two in zip(*results):  # batches that are evaluated as one may have their mean rounded otherwise
        np.testing.assert_allclose(one, two, rtol=1e-6 if np.ndim(one) == 0 else 0)


def test_models_in_several_threads_have_a_helper_each(counted, everything_helped):
    x, y = np.random.default_rng(2).normal(size=(2, 128, 8, 10)).astype("float32")
    scratchnet.set_num_threads(2)
    with kernels.using_backend("numba"):
        models = [recurrent() for _ in range(3)]
        for model in models[1:]:
            model.set_weights(models[0].get_weights())
        found = {}

        def train(
            *numbers,
        ):  # never here: threadpoolctl lets one thread alone set BLAS's threads, by which it may round
            threads = [
                threading.Thread(target=lambda k=k: found.update({k: trained(models[k], x, y)})) for k in numbers
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        train(0)
        train(1, 2)
    for k in (1, 2):
        for one, two in zip(found[k], found[0], strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("most, parts", [(10**9, [128]), (0, [64, 64])])
def test_what_is_large_goes_in_parts(monkeypatch, everything_helped, most, parts):
    made, whole = [], step.gradients
    monkeypatch.setattr(work, "MOST_HELPED", most)
    monkeypatch.setattr(step, "gradients", lambda *args: made.append(args[1].size) or whole(*args))
    x = np.zeros((128, 8, 10), "float32")
    model = recurrent()
    model.compile("sgd", "mse")
    scratchnet.set_num_threads(2)
    with kernels.using_backend("numba"):
        model.fit(x, x, batch_size=128, verbose=0)
    assert made == parts

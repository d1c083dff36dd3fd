"""Random streams: a sample's noise depends on the step and its place in the batch, not on who computes it."""

import numpy as np
import pytest

from scratchnet import streams as seeds
from scratchnet.kernels import numba_is_installed, using_backend
from scratchnet.parallel.batch import drawing_rows
from scratchnet.streams import RandomStream, RepeatedStream, SharedStream

EVERY_BACKEND = pytest.mark.parametrize("backend", ["loops", "numpy"] + ["numba"] * numba_is_installed())

# of the seed 7, in step 2: two rows behind the first, of the first draw and of the second
KNOWN = (
    [
        [0.5035551424202829, 0.7044139871615253, 0.9119885477800731],
        [0.4525553196944886, 0.65106616550548, 0.7294925474039012],
    ],
    [
        [0.4887150178431742, -0.5364271034193441, 0.17506776482831507],
        [-0.36830277385451027, -0.07285595264576444, 1.237602680511017],
    ],
)


def draw(stream, step, first, count, kind="uniform"):
    with drawing_rows(step, first):
        return getattr(stream, kind)((count, 3, 2))


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_parts_of_a_batch_draw_what_the_whole_batch_draws(kind):
    stream = RandomStream(5)
    whole = draw(stream, 3, 0, 10, kind)
    parts = [draw(stream, 3, 0, 4, kind), draw(stream, 3, 4, 6, kind)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@EVERY_BACKEND
@pytest.mark.parametrize("size", [1, 3, 6, 300])
def test_a_mask_is_a_uniform_and_a_rate(backend, size):
    stream = RandomStream(5)
    with using_backend(backend):
        for row, factor in ((0, np.float32(2)), (4, np.float64(1.25)), (4, np.float16(4))):
            with drawing_rows(3, row, rows=6):
                u = stream.uniform((6, size))
            with drawing_rows(3, row, rows=6):
                mask = stream.mask((6, size), 0.3, factor)
            np.testing.assert_array_equal(mask, np.where(u >= 0.3, factor, 0))
            assert mask.dtype == factor.dtype


@EVERY_BACKEND
def test_a_mask_for_all_samples_belongs_to_no_row(backend):
    stream, two = RandomStream(5), np.float32(2)
    with using_backend(backend), drawing_rows(3, 0):
        first = stream.mask((2, 9), 0.5, two, by_row=False)
    with using_backend(backend), drawing_rows(3, 4):
        np.testing.assert_array_equal(stream.mask((2, 9), 0.5, two, by_row=False), first)
    with using_backend(backend), drawing_rows(3, 4):
        np.testing.assert_array_equal(SharedStream(stream).mask((2, 9), 0.5, two), first)


@EVERY_BACKEND
def test_float32_normals_are_the_float64_ones_rounded(backend):
    exact = RepeatedStream(5).normal((20, 7, 151))
    with using_backend(backend):
        single = RepeatedStream(5).normal((20, 7, 151), dtype=np.float32)
        moved = RepeatedStream(5).normal((20, 7, 151), 1.0, 0.5, np.float32)
    assert single.dtype == moved.dtype == np.float32
    np.testing.assert_allclose(single, exact, rtol=1e-6, atol=0)
    np.testing.assert_allclose(moved, 1 + 0.5 * exact, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(RepeatedStream(5).normal((20, 7, 151), 1.0, 0.5), 1 + 0.5 * exact)


@EVERY_BACKEND
def test_the_numbers_of_a_seed_stay_what_they_are(backend):
    with using_backend(backend), drawing_rows(2, 1, rows=2):
        stream = RandomStream(7)
        u, z = stream.uniform((2, 3)), stream.normal((2, 3), dtype=np.float32)
    np.testing.assert_allclose(u, KNOWN[0], rtol=1e-15)
    np.testing.assert_allclose(z, KNOWN[1], rtol=1e-6)


def test_steps_seeds_and_repeated_draws_differ():
    stream = RandomStream(5)
    first = draw(stream, 0, 0, 4)
    assert not np.array_equal(first, draw(stream, 1, 0, 4))
    assert not np.array_equal(first, draw(RandomStream(6), 0, 0, 4))
    with drawing_rows(0, 0):
        one, two = stream.uniform((4, 3, 2)), stream.uniform((4, 3, 2))
    np.testing.assert_array_equal(one, first)
    assert not np.array_equal(one, two)
    assert not np.array_equal(stream.uniform((2, 2)), stream.uniform((2, 2)))  # called by hand


def test_folding_time_into_the_batch_moves_the_rows_with_it():
    stream = RandomStream(1)
    with drawing_rows(0, 0, rows=6):
        whole = stream.uniform((6 * 3, 2))
    with drawing_rows(0, 4, rows=2):
        part = stream.uniform((2 * 3, 2))
    np.testing.assert_array_equal(part, whole[4 * 3 :])


def test_moments():
    uniform, normal = RandomStream(0).uniform((2000, 50)), RandomStream(0).normal((2000, 50))
    assert uniform.min() >= 0 and uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)
    assert normal.mean() == pytest.approx(0, abs=0.02)
    assert normal.std() == pytest.approx(1, abs=0.02)
    assert np.mean(np.abs(normal) < 1) == pytest.approx(0.6827, abs=0.01)


def test_the_global_seed_repeats_everything():
    seeds.set_seed(3)
    first = [seeds.new_seed(), RandomStream().seed, seeds.generator().random()]
    seeds.set_seed(3)
    assert [seeds.new_seed(), RandomStream().seed, seeds.generator().random()] == first
    for wrong in (-1, 1.5, True, "1"):
        with pytest.raises(ValueError, match="integer of at least 0"):
            seeds.set_seed(wrong)


def test_draws_by_hand_and_draws_of_a_fit_never_meet():
    stream = RandomStream(5)
    by_hand = [stream.uniform((1, 4)) for _ in range(4)]
    for step in range(4):
        with drawing_rows(step, 0):
            for draw_in_step in (stream.uniform((1, 4)), stream.uniform((1, 4)), stream.uniform((1, 4))):
                assert not any(np.array_equal(draw_in_step, other) for other in by_hand)


def test_seeds_longer_than_32_bits_have_streams_of_their_own():
    seeds_near = [7, 7 + (1 << 32), 7 + (2 << 32), (7 << 32) + 1]
    first = [draw(RandomStream(seed), step, 0, 1).tobytes() for seed in seeds_near for step in range(3)]
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True])
def test_a_stream_s_seed_is_an_integer(seed):
    with pytest.raises(ValueError, match="integer of at least 0"):
        RandomStream(seed)


def test_what_has_nothing_to_do_with_the_batch_is_the_same_in_every_part():
    stream = RandomStream(4)
    with drawing_rows(0, 0, rows=4):
        first = stream.uniform((3, 2))
    with drawing_rows(0, 4, rows=4):
        np.testing.assert_array_equal(stream.uniform((3, 2)), first)


def test_sizes_of_all_kinds():
    stream = RandomStream(0)
    for shape in ((3,), (1, 1), (2, 5), (0, 3), (3, 0)):
        assert stream.uniform(shape).shape == stream.normal(shape).shape == shape
        assert stream.normal(shape, dtype=np.float32).shape == stream.mask(shape, 0.5, np.float32(2)).shape == shape

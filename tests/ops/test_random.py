"""Random operations: seeds, places in a stream, distributions."""

import numpy as np
import pytest

from scratchnet import streams
from scratchnet.ops import random
from scratchnet.ops.operation import current_trace, get
from scratchnet.ops.trial import Spec
from scratchnet.parallel.batch import Part, computing
from scratchnet.streams import RandomStream

SHAPE = (4, 3)
DRAW = {
    "uniform": lambda seed, shape=SHAPE: random.uniform(shape, seed=seed),
    "normal": lambda seed, shape=SHAPE: random.normal(shape, seed=seed),
    "truncated_normal": lambda seed, shape=SHAPE: random.truncated_normal(shape, seed=seed),
    "randint": lambda seed, shape=SHAPE: random.randint(shape, 0, 1000, seed=seed),
    "dropout": lambda seed, shape=SHAPE: random.dropout(np.ones(shape, np.float32), 0.5, seed=seed),
    "categorical": lambda seed, shape=SHAPE: random.categorical(np.zeros((shape[0], 1000)), 5, seed=seed),
}
FREE = {
    "gamma": lambda seed: random.gamma(SHAPE, 2.0, seed=seed),
    "beta": lambda seed: random.beta(SHAPE, 2.0, 3.0, seed=seed),
    "binomial": lambda seed: random.binomial(SHAPE, 1000, 0.5, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(20), seed=seed),
}


@pytest.mark.parametrize("draw", [*DRAW.values(), *FREE.values()], ids=[*DRAW, *FREE])
def test_what_a_seed_means(draw):
    np.testing.assert_array_equal(draw(3), draw(3))
    assert not np.array_equal(draw(3), draw(4))
    assert not np.array_equal(draw(None), draw(None))
    first, second = random.SeedGenerator(5), random.SeedGenerator(5)
    drawn = draw(first)
    assert not np.array_equal(drawn, draw(first))
    np.testing.assert_array_equal(drawn, draw(second))


@pytest.mark.parametrize("draw", [*DRAW.values(), *FREE.values()], ids=[*DRAW, *FREE])
def test_the_global_seed_rules_what_has_none(draw):
    streams.set_seed(1)
    drawn = draw(None)
    streams.set_seed(1)
    np.testing.assert_array_equal(draw(None), drawn)


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize("seed", [RandomStream(3), 3], ids=["stream", "number"])
def test_parts_of_a_batch_draw_what_the_whole_draws(name, seed):
    def rows(first, last):
        with computing(Part(7, first, last - first)):
            return DRAW[name](seed, (last - first, 3))

    np.testing.assert_array_equal(np.concatenate([rows(0, 5), rows(5, 7)]), rows(0, 7))


def test_what_is_folded_into_the_batch_keeps_its_place():
    def rows(first, last):
        with computing(Part(7, first, last - first)):
            return random.normal((2 * (last - first), 3), seed=RandomStream(3))

    np.testing.assert_array_equal(np.concatenate([rows(0, 2), rows(2, 3)]), rows(0, 3))


def test_distributions():
    shape = (40, 500)
    u, n, t = random.uniform(shape, -1.0, 3.0, seed=1), random.normal(shape, 2.0, 3.0, seed=1), random.truncated_normal
    assert u.min() >= -1 and u.max() < 3 and abs(u.mean() - 1) < 0.05
    assert abs(n.mean() - 2) < 0.1 and abs(n.std() - 3) < 0.1
    z = t(shape, 1.0, 2.0, seed=1)
    assert np.abs(z - 1).max() <= 4 and abs(z.mean() - 1) < 0.05 and abs(z.std() - 2 * 0.8796) < 0.05
    k = random.randint(shape, 2, 5, seed=1)
    assert np.unique(k).tolist() == [2, 3, 4] and k.dtype == "int32"
    c = random.categorical(np.log([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-30]]), 20000, seed=1)
    counts = [np.bincount(row, minlength=3) / 20000 for row in c]
    np.testing.assert_allclose(counts, [[0.1, 0.2, 0.7], [0.5, 0.5, 0]], atol=0.02)


def test_single_numbers_and_dtypes():
    assert (
        random.normal((), seed=1).shape == random.uniform((), seed=1).shape == random.truncated_normal(()).shape == ()
    )
    assert random.normal((2,)).dtype == "float32" and random.normal((2,), dtype="float64").dtype == "float64"
    assert set(random.uniform((50,), 0, 3, dtype="int32", seed=1).tolist()) == {0, 1, 2}
    with pytest.raises(ValueError, match="dtype='float32' is no integer dtype"):
        random.randint((2,), 0, 3, dtype="float32")


def test_dropout():
    x = np.ones((50, 40, 3), np.float32)
    y = random.dropout(x, 0.25, seed=1)
    assert set(np.unique(y).tolist()) == {0.0, np.float32(4 / 3)} and abs((y == 0).mean() - 0.25) < 0.02
    y = random.dropout(x, 0.5, noise_shape=(None, 1, 3), seed=1)
    assert (y == y[:, :1]).all() and not (y == y[..., :1]).all()
    assert random.dropout(x, 0.0) is x
    np.testing.assert_array_equal(random.dropout(x, 1), 0 * x)
    with pytest.raises(ValueError, match="rate must be at least 0 and at most 1, got 1.5"):
        random.dropout(x, 1.5)


def test_shuffling():
    x = np.arange(20).reshape(2, 10)
    y = random.shuffle(x, axis=-1, seed=1)
    assert not np.array_equal(y, x) and (np.sort(y) == x).all() and (y[1] - y[0] == 10).all()


def test_seed_generators_go_on_and_are_written_down():
    g = random.SeedGenerator(3)
    assert g.next() != g.next() and g.get_config() == {"seed": 3}
    assert random.SeedGenerator.from_config(g.get_config()).next() == random.SeedGenerator(3).next()
    assert isinstance(random.SeedGenerator().seed, int)
    with pytest.raises(TypeError, match="unknown argument 'sede'"):
        random.SeedGenerator(sede=3)
    with pytest.raises(ValueError, match="must be an integer of at least 0"):
        random.normal((2,), seed=-1)


class Trace:
    def __scratchnet_operation__(self, operation, operands, options):
        return operation.name, options["shape"]


def test_while_a_call_is_traced_nothing_is_drawn():
    token = current_trace.set(Trace())
    try:
        assert random.normal((2, 3)) == ("normal", (2, 3))
        with pytest.raises(TypeError, match="random.gamma cannot be traced"):
            random.gamma((2,), 1.0)
        with pytest.raises(TypeError, match="pass seed=the generator"):
            random.SeedGenerator(1).next()
    finally:
        current_trace.reset(token)


class Rows:
    def __init__(self, factor):
        self.factor = factor

    def of_rows(self, rows):
        return rows * self.factor


@pytest.mark.parametrize(
    ("name", "operands", "options", "rows"),
    [
        ("normal", [], {"shape": (Rows(1), 3)}, 1),
        ("normal", [], {"shape": (Rows(2), 3)}, 2),
        ("normal", [], {"shape": (4, Rows(1))}, 0),
        ("uniform", [], {"shape": (Rows(1),)}, 1),
        ("categorical", [Spec((None, 5), np.dtype("float32"))], {"num_samples": 3}, 1),
        ("_dropout_mask", [Spec((None, 5), np.dtype("float32"))], {"rate": 0.5, "noise_shape": None, "seed": None}, 1),
        ("_random_order", [Spec((None, 5), np.dtype("float32"))], {"axis": 0, "seed": None}, 0),
    ],
)
def test_whether_the_rows_of_the_batch_stay_apart(name, operands, options, rows):
    operation = get(name)
    _, options = operation.bind(operands, options)
    assert operation.rowwise(operands, options) == rows
    assert operation.output_spec(operands, options).shape[0] == (None if name != "normal" or rows else 4)


def test_trying_shapes_uses_up_no_random_numbers():
    streams.set_seed(1)
    g = random.SeedGenerator(3)
    expected = random.normal((2,), seed=random.SeedGenerator(3))
    get("normal").output_spec([], get("normal").bind(((2,),), {"seed": g})[1])
    np.testing.assert_array_equal(random.normal((2,), seed=g), expected)

"""Initializers: bounds and variances, orthogonality, seeds, and every way to name one."""

import json

import numpy as np
import pytest

from scratchnet import initializers, random
from scratchnet.utils import set_random_seed

SHAPE = (300, 200)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 500),
        ("glorot_normal", 2 / 500),
        ("he_uniform", 2 / 300),
        ("he_normal", 2 / 300),
        ("lecun_uniform", 1 / 300),
        ("lecun_normal", 1 / 300),
    ],
)
def test_the_variance_follows_the_fans(name, variance):
    values = initializers.get(name)(SHAPE, "float64")
    assert values.var() == pytest.approx(variance, rel=0.03)
    assert values.mean() == pytest.approx(0, abs=5 * np.sqrt(variance / values.size))
    limit = np.sqrt(3 * variance) if "uniform" in name else 2 * np.sqrt(variance) / 0.8796
    assert np.abs(values).max() <= limit * 1.001
    assert np.abs(values).max() > 0.95 * limit


def test_fans_of_a_convolution_count_the_window():
    values = initializers.VarianceScaling(1.0, "fan_out", "untruncated_normal", seed=1)((3, 3, 20, 50), "float64")
    assert values.var() == pytest.approx(1 / (9 * 50), rel=0.03)
    assert initializers.VarianceScaling(mode="fan_avg", distribution="normal", seed=1)((40,)).std() == pytest.approx(
        np.sqrt(1 / 40), rel=0.3
    )


@pytest.mark.parametrize("shape", [(20, 7), (7, 20), (2, 3, 4, 5), (1, 1)])
def test_orthogonal_rows_or_columns(shape):
    q = initializers.Orthogonal(gain=2.0, seed=3)(shape, "float64").reshape(-1, shape[-1]) / 2
    product = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-12)


def test_simple_ones():
    assert (initializers.Zeros()((2, 3)) == 0).all()
    assert (initializers.Ones()((2, 3)) == 1).all()
    assert (initializers.Constant(0.3)((2,), "float64") == 0.3).all()
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    values = initializers.RandomUniform(1, 2)(SHAPE)
    assert values.min() >= 1 and values.max() < 2 and values.dtype == np.float32
    assert initializers.RandomNormal(3.0, 0.1)(SHAPE).mean() == pytest.approx(3, abs=0.01)
    assert np.abs(initializers.TruncatedNormal(0, 0.5)(SHAPE)).max() <= 1.0


def test_seeds():
    seeded, free = initializers.GlorotUniform(seed=4), initializers.GlorotUniform()
    np.testing.assert_array_equal(seeded((3, 4)), seeded((3, 4)))
    assert not np.array_equal(free((3, 4)), free((3, 4)))
    draws = []
    for _ in range(2):
        set_random_seed(5)
        draws.append(free((3, 4)))
    np.testing.assert_array_equal(*draws)


def test_every_way_to_name_an_initializer():
    for identifier in (
        "he_normal",
        "HeNormal",
        initializers.HeNormal,
        initializers.HeNormal(),
        initializers.he_normal,
        initializers.serialize(initializers.HeNormal()),
    ):
        assert isinstance(initializers.get(identifier), initializers.HeNormal)
    assert initializers.get(None) is None
    for name, cls in (("zero", "Zeros"), ("one", "Ones"), ("normal", "RandomNormal"), ("uniform", "RandomUniform")):
        assert isinstance(initializers.get(name), getattr(initializers, cls))  # Keras's short names
    assert repr(initializers.Constant(2)) == "Constant(value=2)"
    own = initializers.get(lambda shape, dtype: np.full(shape, 7.0))
    assert (own((2,), "float32") == 7).all()
    assert initializers.serialize(own)["class_name"] == "__lambda__"
    with pytest.raises(ValueError, match="unknown initializer 'glorot'"):
        initializers.get("glorot")
    with pytest.raises(ValueError, match="unknown initializer 'Mine'"):
        initializers.get({"class_name": "Mine", "config": {}})
    with pytest.raises(TypeError, match="neither a name"):
        initializers.get(3)


def test_an_array_is_its_own_initializer_and_can_be_saved():
    values = np.arange(6.0).reshape(2, 3)
    given = initializers.get(values)
    values += 1  # a copy was taken
    for initializer in (given, initializers.get(json.loads(json.dumps(initializers.serialize(given))))):
        result = initializer((2, 3), "float32")
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, np.arange(6).reshape(2, 3))
    with pytest.raises(ValueError, match=r"the values have shape \(2, 3\), the parameter has \(3, 2\)"):
        given((3, 2))


def test_a_function_has_to_keep_to_the_shape():
    with pytest.raises(ValueError, match=r"gave shape \(1,\) instead of \(2,\)"):
        initializers.get(lambda shape, dtype: np.ones(1))((2,))


@pytest.mark.parametrize(
    "initializer",
    [
        initializers.Zeros(),
        initializers.Constant(np.float32(0.5)),
        initializers.Constant(np.array([1.0, 2.0])),
        initializers.Identity(3),
        initializers.RandomNormal(0.1, 0.2, seed=np.int64(3)),
        initializers.TruncatedNormal(0.1, 0.2, seed=3),
        initializers.RandomUniform(-1, 2, seed=3),
        initializers.VarianceScaling(2.0, "fan_out", "Uniform", seed=3),
        initializers.LecunNormal(seed=3),
        initializers.Orthogonal(1.5, seed=3),
    ],
    ids=lambda initializer: type(initializer).__name__,
)
def test_configurations_survive_json_and_give_the_same_values(initializer):
    again = initializers.deserialize(json.loads(json.dumps(initializers.serialize(initializer))))
    assert type(again) is type(initializer) and repr(again) == repr(initializer)
    np.testing.assert_array_equal(again((2, 2)), initializer((2, 2)))


def test_an_initializer_of_ones_own():
    class Ramp(initializers.Initializer):
        def __init__(self, start=0.0):
            self.start = start

        def values(self, shape, rng):
            return self.start + np.arange(np.prod(shape)).reshape(shape)

    settings = initializers.serialize(Ramp(2.0))
    again = initializers.deserialize(settings, {"Ramp": Ramp})
    np.testing.assert_array_equal(again((2, 2)), [[2, 3], [4, 5]])
    with pytest.raises(NotImplementedError, match="Initializer defines no values"):
        initializers.Initializer()((2,))


@pytest.mark.parametrize("name", ["random_normal", "random_uniform", "truncated_normal", "glorot_normal", "he_uniform"])
def test_shapes_without_entries_or_axes(name):
    assert initializers.get(name)((0, 3)).shape == (0, 3)
    assert initializers.get(name)(()).shape == ()
    assert initializers.get(name)(4).shape == (4,)


def test_values_beyond_two_deviations_are_drawn_again():
    values = initializers.TruncatedNormal(5.0, 0.5, seed=1)((200, 200), "float64")
    assert np.abs(values - 5).max() <= 1
    assert np.abs(values - 5).max() > 0.99
    assert values.std() == pytest.approx(0.5 * 0.87962566, rel=0.01)  # of a normal cut at two deviations


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.VarianceScaling(0), "scale must be a positive number"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode must be"),
        (lambda: initializers.VarianceScaling(distribution="cauchy"), "unknown distribution"),
        (lambda: initializers.VarianceScaling(float("nan")), "scale must be a positive number"),
        (lambda: initializers.GlorotUniform(seed=-1), "GlorotUniform: seed must be None or an integer"),
        (lambda: initializers.GlorotUniform(seed=1.0), "seed must be None or an integer"),
        (lambda: initializers.RandomNormal(0, -1), "RandomNormal: stddev must be"),
        (lambda: initializers.TruncatedNormal(0, -1), "TruncatedNormal: stddev must be"),
        (lambda: initializers.RandomUniform(1, -1), "minval must not be above maxval"),
        (lambda: initializers.Orthogonal()((3,)), "at least two axes"),
        (lambda: initializers.Identity()((3,)), "shape of a matrix"),
        (lambda: initializers.Zeros()((-1,)), "non-negative integers"),
        (lambda: initializers.Zeros()((2,), "complex64"), "dtype 'complex64' is not supported"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_fans_may_be_told_by_axes():
    """A kernel (D, heads, size) has D inputs and heads * size outputs, which its last two axes do not say."""
    D, heads, size = 50, 10, 30
    for axes, fan_in in (({}, D * heads), ({"input_axes": [0], "output_axes": [1, 2]}, D)):
        values = initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=0, **axes)((D, heads, size))
        assert np.abs(values).max() == pytest.approx(np.sqrt(3 * 2.0 / fan_in), rel=1e-3)
    glorot = initializers.GlorotUniform(seed=0, input_axes=(0,), output_axes=(1, 2))
    assert np.abs(glorot((D, heads, size))).max() == pytest.approx(np.sqrt(6 / (D + heads * size)), rel=1e-3)
    assert initializers.deserialize(initializers.serialize(glorot)).output_axes == [1, 2]


def test_integers_and_booleans_may_be_asked_for():
    assert initializers.Zeros()((2,), dtype="int32").dtype == np.int32
    assert initializers.Ones()((2,), dtype=bool).all() and initializers.Constant(3)((), "uint8") == 3
    with pytest.raises(ValueError, match="dtype 'float16' is not supported"):
        initializers.Zeros()((2,), dtype="float16")


def test_an_initializer_with_axes_keeps_its_own():
    assert initializers.GlorotUniform().with_axes([0], [1, 2]).get_config()["output_axes"] == [1, 2]
    own = initializers.GlorotUniform(input_axes=[1], output_axes=[0])
    assert own.with_axes([0], [1]) is own


def test_a_seed_generator_gives_other_values_at_each_call():
    initializer = initializers.RandomNormal(seed=random.SeedGenerator(3))
    first, second = initializer((3,)), initializer((3,))
    assert (first != second).all()
    again = initializers.deserialize(initializers.serialize(initializers.RandomNormal(seed=random.SeedGenerator(3))))
    np.testing.assert_array_equal(again((3,)), first)


@pytest.mark.parametrize(
    "initializer", [initializers.HeNormal(seed=3), initializers.Constant(2.0), initializers.FromArray(np.eye(2))]
)
def test_a_clone_is_another_one_that_gives_the_same(initializer):
    clone = initializer.clone()
    assert clone is not initializer and type(clone) is type(initializer)
    np.testing.assert_array_equal(clone((2, 2)), initializer((2, 2)))

"""Data in batches: gone through again and again, in new orders, changed on the way."""

import numpy as np
import pytest

from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.structure import flatten
from scratchnet.utils import Dataset

X = np.arange(10.0)


def numbers(batch_size=4, **options):
    return Dataset.from_samples(10, lambda rows: (X[rows], 2 * X[rows]), batch_size, **options)


def seen(dataset):
    return [x.tolist() for x, _ in dataset]


def test_batches_come_in_order_again_and_again():
    dataset = numbers()
    assert len(dataset) == 3
    for _ in range(2):
        assert seen(dataset) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_each_pass_has_an_order_of_its_own_which_the_seed_repeats():
    first, again, other = numbers(shuffle=True, seed=1), numbers(shuffle=True, seed=1), numbers(shuffle=True, seed=2)
    passes = [seen(first), seen(first)]
    assert passes == [seen(again), seen(again)]
    assert passes[0] != passes[1] != seen(other)
    for x, y in first:
        np.testing.assert_array_equal(2 * x, y)
    np.random.seed(0)
    drawn = seen(numbers(shuffle=True))
    np.random.seed(0)
    assert seen(numbers(shuffle=True)) == drawn
    assert sorted(sum(drawn, [])) == X.tolist()


def test_samples_one_by_one():
    samples = numbers(batch_size=None)
    assert len(samples) == 10 and [float(x) for x, _ in samples] == X.tolist()
    assert seen(samples.batch(4)) == seen(numbers())
    assert [float(x) for x, _ in numbers().unbatch()] == X.tolist()
    assert len(samples.batch(4)) == 3 and len(samples.batch(4, drop_remainder=True)) == 2
    assert seen(samples.batch(4, drop_remainder=True)) == seen(numbers())[:2]


def test_samples_of_arrays():
    data = Dataset.from_tensor_slices((X, {"double": 2 * X}))
    assert len(data) == 10 and [(float(x), float(y["double"])) for x, y in data] == [(x, 2 * x) for x in X.tolist()]
    x, y = next(iter(data.shuffle(10, seed=1).batch(10)))
    np.testing.assert_array_equal(y["double"], 2 * x)


def test_structures_are_batched_and_unbatched():
    data = Dataset([({"a": np.ones(2), "b": [np.zeros(1)]}, np.float32(k)) for k in range(3)].__iter__, 3)
    x, y = next(iter(data.batch(2)))
    assert x["a"].shape == (2, 2) and x["b"][0].shape == (2, 1) and y.tolist() == [0, 1]
    (x, y), *_ = data.batch(2).unbatch()
    assert x["a"].shape == (2,) and y == 0


def test_a_part_of_it():
    assert seen(numbers().take(2)) == seen(numbers())[:2] and len(numbers().take(2)) == 2
    assert seen(numbers().skip(2)) == seen(numbers())[2:] and len(numbers().skip(2)) == 1
    assert seen(numbers().take(-1)) == seen(numbers()) and len(numbers().take(9)) == 3 and len(numbers().skip(9)) == 0


def test_a_function_of_each_element():
    doubled = numbers().map(lambda x, y: (x / 2, y))
    assert seen(doubled)[0] == [0, 0.5, 1, 1.5] and len(doubled) == 3 and doubled.batch_size == 4
    assert [float(x) for x in numbers(None).map(lambda x, y: x)] == X.tolist()
    alone = Dataset([1, 2].__iter__, 2)
    assert list(alone.map(lambda x: x + 1)) == [2, 3]


def test_another_order():
    far = numbers(None).shuffle(100, seed=3)
    first, second = ([float(x) for x, _ in far] for _ in range(2))
    assert first != second and sorted(first) == sorted(second) == X.tolist()
    fixed = numbers(None).shuffle(100, seed=3, reshuffle_each_iteration=False)
    assert [float(x) for x, _ in fixed] == [float(x) for x, _ in fixed]
    near = [float(x) for x, _ in numbers(None).shuffle(2, seed=3)]
    assert all(value <= place + 1 for place, value in enumerate(near))


def test_what_changes_no_result_and_what_is_computed_once():
    calls = []
    data = numbers().map(lambda x, y: calls.append(1) or (x, y)).cache().prefetch(-1)
    assert seen(data) == seen(data) == seen(numbers())
    assert len(calls) == 3
    assert [x.tolist() for x, _ in data.as_numpy_iterator()] == seen(numbers())
    with pytest.raises(ValueError, match="in memory only"):
        numbers().cache("file")


def test_again_and_for_ever():
    assert seen(numbers().repeat(2)) == seen(numbers()) * 2 and len(numbers().repeat(2)) == 6
    assert seen(numbers().repeat().take(7)) == (seen(numbers()) * 3)[:7]
    with pytest.raises(TypeError, match="length of this data set is not known"):
        len(numbers().repeat())


def test_a_model_is_trained_evaluated_and_asked():
    model = Sequential([Input((1,)), Dense(1)])
    model.compile("sgd", "mse")
    dataset = numbers().map(lambda x, y: (x[:, None], y[:, None]))
    history = model.fit(dataset, validation_data=dataset, epochs=2, verbose=0)
    assert len(history.history["val_loss"]) == 2
    x, y = np.arange(10.0)[:, None], 2 * np.arange(10.0)[:, None]
    np.testing.assert_allclose(model.evaluate(dataset, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(model.predict(dataset, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


def test_elements_answer_numpy():
    dataset = Dataset.from_tensor_slices(({"a": np.arange(4)}, np.arange(4.0)))
    x, y = next(iter(dataset))
    assert x["a"].numpy() == 0 and y.numpy() == 0 and int(x["a"]) == 0
    x, y = next(iter(dataset.batch(3)))
    assert type(x["a"].numpy()) is np.ndarray and y.numpy().tolist() == [0, 1, 2]
    assert type(next(dataset.batch(3).as_numpy_iterator())[1]) is np.ndarray


def test_lists_are_arrays_in_dicts_and_tuples():
    dataset = Dataset.from_tensor_slices(({"a": [1, 2, 3], "b": ["x", "y", "z"]}, [[4], [5], [6]])).batch(2)
    (first, y), _ = dataset
    assert first["a"].tolist() == [1, 2] and first["b"].tolist() == ["x", "y"] and y.tolist() == [[4], [5]]


def values(dataset):
    return [element.tolist() for element in dataset]


@pytest.mark.parametrize(
    ("data", "dtype"),
    [([1, 2], "int32"), ([1.0, 2.0], "float32"), ([np.ones(2)], "float64"), (np.arange(2), "int64"), (["a"], "U")],
)
def test_lists_have_the_dtypes_of_tensors_and_arrays_their_own(data, dtype):
    for dataset in (Dataset.from_tensor_slices(data), Dataset.from_tensors((data,))):
        for part in flatten(next(iter(dataset))):
            assert part.dtype == dtype or part.dtype.kind == dtype


def test_numbers_in_a_range_and_one_element():
    assert values(Dataset.range(2, 9, 3)) == [2, 5, 8] and len(Dataset.range(2, 9, 3)) == 3
    assert values(Dataset.from_tensors([1, 2])) == [[1, 2]]
    assert all(isinstance(number, np.int64) for number in Dataset.range(3).as_numpy_iterator())


def test_what_a_generator_gives_pass_after_pass():
    dataset = Dataset.from_generator(
        lambda n: ({"a": k, "b": str(k)} for k in range(n)), {"a": "float32", "b": "string"}, args=(2,)
    )
    for _ in range(2):
        first, last = dataset
        assert first["a"].dtype == np.float32 and last["b"] == "1"
    assert values(Dataset.from_generator(lambda: iter([[1, 2], [3]]))) == [[1, 2], [3]]
    with pytest.raises(TypeError, match="not known"):
        len(dataset)


def test_data_sets_side_by_side_and_behind_one_another():
    left, right = Dataset.range(3), Dataset.range(10, 15)
    assert [(int(a), int(b)) for a, b in Dataset.zip((left, right))] == [(0, 10), (1, 11), (2, 12)]
    assert len(Dataset.zip(left, right)) == 3
    both = left.concatenate(right)
    assert values(both) == [0, 1, 2, 10, 11, 12, 13, 14] and len(both) == both.cardinality().numpy() == 8
    unknown = left.filter(lambda n: n > 0)
    assert values(unknown) == [1, 2] and unknown.cardinality() == -2
    assert left.concatenate(unknown)._length is Dataset.zip(left, unknown)._length is None
    assert [(int(k), int(n)) for k, n in right.enumerate(start=1)] == list(enumerate(range(10, 15), 1))
    assert right.reduce(0, lambda total, n: total + n) == 60


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"size": 3}, [[0, 1, 2], [3, 4, 5], [6]]),
        ({"size": 3, "shift": 2, "drop_remainder": True}, [[0, 1, 2], [2, 3, 4], [4, 5, 6]]),
        ({"size": 2, "shift": 1, "stride": 2, "drop_remainder": True}, [[0, 2], [1, 3], [2, 4], [3, 5], [4, 6]]),
        ({"size": 2, "shift": 3}, [[0, 1], [3, 4], [6]]),
    ],
)
def test_windows(settings, expected):
    windows = Dataset.range(7).window(**settings)
    assert values(windows.flat_map(lambda window: window.batch(settings["size"]))) == expected


def test_windows_of_pairs():
    pairs = Dataset.from_tensor_slices((np.arange(4), np.arange(4) * 2)).window(2)
    assert [(values(x), values(y)) for x, y in pairs] == [([0, 1], [0, 2]), ([2, 3], [4, 6])]
    joined = pairs.flat_map(lambda x, y: Dataset.zip((x.batch(2), y.batch(2))))
    assert [(x.tolist(), y.tolist()) for x, y in joined] == [([0, 1], [0, 2]), ([2, 3], [4, 6])]


def test_samples_of_different_sizes():
    dataset = Dataset.from_generator(lambda: iter([([1, 2], "a"), ([3], "b"), ([4, 5, 6], "c")]), ("int32", "string"))
    (x, y), (last, _) = dataset.padded_batch(2, padded_shapes=([None], []))
    assert x.tolist() == [[1, 2], [3, 0]] and y.tolist() == ["a", "b"] and last.tolist() == [[4, 5, 6]]
    ((x, _),) = dataset.padded_batch(2, padding_values=-1, drop_remainder=True).map(lambda x, y: (x, y))
    assert x.tolist() == [[1, 2], [3, -1]]
    with pytest.raises(ValueError, match="pads to the longest sample"):
        dataset.padded_batch(2, padded_shapes=([5], []))
    with pytest.raises(ValueError, match="one of padding_values for all"):
        dataset.padded_batch(2, padding_values=(0, "x"))

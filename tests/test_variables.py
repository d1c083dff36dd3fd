"""Handles compute like what they stand for; results answer to `numpy`."""

import copy
import pickle

import numpy as np
import pytest

from scratchnet.variables import Array, Number, StateVariable, Variable, answer


def test_a_handle_computes_like_its_array():
    v = StateVariable("metric/total", np.array([1.0, 2.0]))
    assert v.name == "total" and v.shape == (2,) and len(v) == 2 and v[1] == 2.0
    np.testing.assert_array_equal(v + 1, [2.0, 3.0])
    np.testing.assert_array_equal(1 - v, [0.0, -1.0])
    np.testing.assert_array_equal(v * v, [1.0, 4.0])
    np.testing.assert_array_equal(np.sqrt(v), np.sqrt([1.0, 2.0]))
    np.testing.assert_array_equal(v > 1, [False, True])
    assert np.asarray(v, dtype="float32").dtype == np.float32 and f"{v}" == "[1. 2.]"
    kept = v.numpy()
    v.assign_add([1.0, 1.0]).assign_sub(np.array([0.0, 3.0]))
    assert v.numpy().tolist() == [2.0, 0.0] and kept.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"metric/total has shape \(2,\), got \(3,\)"):
        v.assign([1, 2, 3])


def test_copies_are_independent():
    v = StateVariable("n", np.array(3.0))
    for other in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        other.assign(5.0)
        assert (float(v), int(other), bool(v)) == (3.0, 5, True)


def test_answers():
    assert isinstance(answer(np.float32(1.5)), Number) and answer(2).numpy() == 2.0 and answer(3.0).shape == ()
    assert isinstance(answer(np.ones(2)), Array) and type(answer(np.ones(2)).numpy()) is np.ndarray
    assert answer({"a": 1})["a"].numpy() == 1 and answer(StateVariable("n", np.array(3.0))) == 3.0
    assert answer("text") == "text" and answer(True) is True


def test_what_is_taken_from_an_array_or_computed_from_it_answers_as_well():
    a = answer(np.array([[1.5, 2.25], [3.0, 4.0]]))
    assert a[0].numpy().tolist() == [1.5, 2.25] and a[0, 1].numpy() == 2.25 and a[a > 2].shape == (3,)
    assert (a.sum() + 1).numpy() == 11.75 and np.exp(a[0, 0] * 0).numpy() == 1.0
    assert round(a[0, 1], 1) == 2.2 and f"{a[0, 0]:.2f}" == "1.50" and float(a.mean()) == 2.6875
    assert [v.numpy() for v in a[0]] == [1.5, 2.25] and list(range(answer(np.array([2, 3]))[0])) == [0, 1]
    assert set(answer(np.array([1.0, 1.0, 2.0]))) == {1.0, 2.0}
    with pytest.raises(TypeError, match="unhashable"):
        hash(a)


def test_a_variable_of_ones_own_is_made_of_values_or_of_a_function_and_a_shape():
    made = Variable(lambda shape, dtype: np.full(shape, 2.0, dtype), shape=(2, 3))
    assert made.shape == (2, 3) and made.dtype == np.float32 and made.array is made.value and made.trainable
    assert Variable("ones", shape=(2,)).numpy().tolist() == [1.0, 1.0]
    assert Variable([1, 2]).dtype == np.float32 and Variable(np.arange(2), dtype="int64").numpy().tolist() == [0, 1]
    with pytest.raises(ValueError, match="a function as initializer needs a shape"):
        Variable(lambda shape, dtype: np.zeros(shape))
    with pytest.raises(ValueError, match="a function as initializer needs a shape"):
        Variable("ones")
    with pytest.raises(ValueError, match=r"the values have shape \(2,\), not \(3,\)"):
        Variable([1.0, 2.0], shape=(3,))


def test_what_is_taken_out_of_a_handle_stays_when_it_changes():
    v = Variable([1.0, 2.0])
    part, first, whole, row = v[:1], v[0], np.asarray(v), list(v)
    told = answer(v)
    v.assign([5.0, 6.0])
    assert part.tolist() == [1.0] and first.numpy() == 1.0 and [*map(float, row)] == [1.0, 2.0]
    assert whole.tolist() == told.tolist() == [1.0, 2.0]

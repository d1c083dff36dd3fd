"""to_categorical and normalize."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.utils import normalize, to_categorical

# ---- to_categorical ----


@pytest.mark.parametrize("x", [[0, 2, 1], (0, 2, 1), np.array([0, 2, 1], "uint8"), [0.0, 2.0, 1.0], [[0], [2], [1]]])
def test_labels_become_rows_with_a_single_one(x):
    one_hot = to_categorical(x)
    np.testing.assert_array_equal(one_hot, [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert one_hot.dtype == np.float32


def test_more_classes_than_labels():
    np.testing.assert_array_equal(to_categorical([1], 4), [[0, 1, 0, 0]])
    assert to_categorical([], 3).shape == (0, 3)


def test_truth_values_are_two_classes():
    np.testing.assert_array_equal(to_categorical([True, False]), [[0, 1], [1, 0]])


@pytest.mark.parametrize(
    "shape, expected", [((), (5,)), ((2,), (2, 5)), ((2, 1), (2, 5)), ((2, 3), (2, 3, 5)), ((1,), (1, 5))]
)
def test_the_classes_are_a_new_last_axis(shape, expected):
    assert to_categorical(np.zeros(shape, "int32"), 5).shape == expected


@given(st.lists(st.integers(0, 20), min_size=1))
def test_argmax_undoes_it(labels):
    one_hot = to_categorical(labels, np.int64(21))
    assert one_hot.argmax(axis=-1).tolist() == labels
    assert (one_hot.sum(axis=-1) == 1).all()


@pytest.mark.parametrize(
    "x, num_classes, message",
    [
        ([0, 3], 3, r"label 3 is outside the 3 classes \(0 to 2\)"),
        ([0, -1], None, r"label -1 is outside the 1 classes"),
        ([0.5, 1], None, "labels must be integers, got float64"),
        ([np.nan], None, "labels must be integers, got float64"),
        ([np.inf, 1], None, "labels must be integers, got float64"),
        (["0", "1"], None, "labels must be integers, got <U1"),
        ([1j], None, "labels must be integers, got complex128"),
        ([], None, "no labels, and no num_classes"),
        ([0], 0, "num_classes must be a positive integer, got 0"),
        ([0], 2.0, "num_classes must be a positive integer, got 2.0"),
        ([0], "2", "num_classes must be a positive integer, got '2'"),
    ],
)
def test_labels_that_are_no_classes_are_refused(x, num_classes, message):
    with pytest.raises(ValueError, match=f"to_categorical: {message}"):
        to_categorical(x, num_classes)


# ---- normalize ----


def test_rows_get_the_length_one():
    np.testing.assert_allclose(normalize([[3, 4], [0, 0], [-5, 0]]), [[0.6, 0.8], [0, 0], [-1, 0]])


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("order", [1, 2, np.inf])
def test_any_axis_and_order(axis, order):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    y = normalize(x, axis, order)
    assert y.shape == x.shape
    np.testing.assert_allclose(np.linalg.norm(y, order, axis), 1)


def test_a_vector_stays_a_vector_and_float32_float32():
    x = np.array([3, 4], "float32")
    y = normalize(x)
    assert y.shape == (2,) and y.dtype == np.float32
    assert x.tolist() == [3, 4]

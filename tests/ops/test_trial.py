"""Shapes with an unknown batch, and whether samples stay apart."""

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.ops import linalg
from scratchnet.ops.trial import Spec, with_rows

F32 = np.dtype("float32")
X = Spec((None, 4), F32)


class Rows:
    """A number of rows that is not known yet."""

    def of_rows(self, rows):
        return rows


def spec(operation, *args, **kwargs):
    return operation.output_spec(*operation.bind(args, kwargs))


def rowwise(operation, *args, **kwargs):
    return operation.rowwise(*operation.bind(args, kwargs))


@pytest.mark.parametrize(
    ("operation", "args", "shape"),
    [
        (ops.add, (X, X), (None, 4)),
        (ops.add, (X, 1.0), (None, 4)),
        (ops.matmul, (X, np.ones((4, 2), F32)), (None, 2)),
        (ops.reshape, (X, (-1, 2, 2)), (None, 2, 2)),
        (ops.reshape, (X, (-1,)), (None,)),
        (ops.reshape, (X, (-1, 2, 4)), (None, 2, 4)),  # pairs of samples: 5 and 7 rows do not do
        (ops.transpose, (X,), (4, None)),
        (ops.sum, (X, 0), (4,)),
        (ops.get_item, (X, (slice(None), None, slice(1, 3))), (None, 1, 2)),
        (ops.concatenate, ([X, X], 0), (None, 4)),
        (ops.zeros, ((Rows(), 3),), (None, 3)),
        (ops.take, (np.ones((1, 8), F32), Spec((None, 3), np.dtype("int32")), 0), (None, 3, 8)),
        (ops.softmax, (Spec((None, None, 2), F32),), (None, None, 2)),
    ],
)
def test_shapes_with_an_unknown_batch(operation, args, shape):
    assert spec(operation, *args)[:2] == (shape, F32)


def test_what_is_flattened_keeps_its_number_of_rows():
    flat = spec(ops.reshape, Spec((None, 4, 3), F32), (-1, 3))
    assert flat == Spec((None, 3), F32, {5: (20, 3), 7: (28, 3)})
    assert spec(ops.add, flat, flat) == flat and spec(ops.sum, flat, -1).trials == {5: (20,), 7: (28,)}
    assert spec(ops.reshape, flat, (Rows(), 4, 3)) == Spec((None, 4, 3), F32)
    with pytest.raises(ValueError, match="add cannot be applied"):
        spec(ops.add, flat, Spec((None, 3), F32))
    pairs = spec(ops.reshape, X, (-1, 2, 4))  # of 60 and 120 rows
    assert pairs.trials == {60: (30, 2, 4), 120: (60, 2, 4)}
    assert spec(ops.reshape, pairs, (Rows(), 4)) == X
    assert spec(ops.sum, pairs, 1).trials == {60: (30, 4), 120: (60, 4)}
    sequences = spec(ops.reshape, Spec((None, None, 3), F32), (-1, 3))
    assert sequences.trials == {5: (25, 3), 7: (49, 3)}
    with pytest.raises(ValueError, match="reshape cannot be applied"):
        spec(ops.reshape, sequences, (-1, 2, 3, 60))


def test_dtypes_are_found_as_well():
    assert spec(ops.equal, X, X).dtype == bool
    assert spec(ops.argmax, X, -1) == Spec((None,), np.dtype("int32"))
    assert spec(ops.divide, Spec((None,), np.dtype("int32")), 2).dtype == F32


def test_errors_print_unknown_axes_as_none_and_no_size_of_the_trial():
    with pytest.raises(ValueError, match=r"^add cannot be applied to shapes \(None, 4\) and \(None, 5\)$"):
        spec(ops.add, X, Spec((None, 5), F32))
    with pytest.raises(
        ValueError, match=r"^squeeze cannot be .* shape \(None, 4\), axis=1: axis 1 has not the size 1$"
    ):
        spec(ops.squeeze, X, 1)


@pytest.mark.parametrize(
    ("operation", "args", "rows"),
    [
        (ops.add, (X, X), 1),
        (ops.multiply, (X, np.ones(4, F32)), 1),
        (ops.softmax, (X,), 1),
        (ops.matmul, (X, np.ones((4, 2), F32)), 1),
        (ops.sum, (X, -1), 1),
        (ops.argmax, (X, 1), 1),
        (ops.take, (np.ones((5, 3), F32), Spec((None,), np.dtype("int32")), 0), 1),
        (ops.reshape, (X, (-1, 2)), 2),
        (ops.repeat, (X, 3, 0), 3),
        (ops.zeros_like, (X,), 1),
        (ops.inv, (Spec((None, 3, 3), F32),), 1),
        (linalg._cholesky, (Spec((None, 3, 3), F32),), 1),
        (ops.zeros, ((Rows(), 2),), 1),
        # across samples
        (ops.softmax, (X, 0), 0),
        (ops.get_item, (X, slice(None, None, 2)), 0),
        (ops.get_item, (X, slice(None, None, -1)), 0),
        (ops.get_item, (X, 0), 0),
        (ops.flip, (X, 0), 0),
        (ops.roll, (X, 1, 0), 0),
        (ops.argsort, (X, 0), 0),
        (ops.transpose, (X,), 0),
        (ops.sum, (X, 0), 0),
        (ops.sum, (X, 0, True), 0),
        (ops.sum, (X,), 0),
        (ops.reshape, (X, (2, -1)), 0),
        (ops.reshape, (X, (-1, 8)), 0),
        (ops.concatenate, ([X, X], 0), 0),
        (ops.tile, (X, (2, 1)), 0),
        (ops.add, (Spec((None, 1), F32), Spec((None,), F32)), 0),
        (ops.add, (X, np.ones((12, 4), F32)), 0),
        (ops.arange, (Rows(),), 0),
        (ops.take, (X, Spec((None,), np.dtype("int32")), 0), 0),
        (ops.expand_dims, (X, 0), 0),
    ],
)
def test_whether_samples_stay_apart(operation, args, rows):
    assert rowwise(operation, *args) == rows


def test_rows_per_sample_of_the_operands_can_be_given():
    pairs = Spec((None, 2), F32)  # of each sample two rows
    assert ops.multiply.rowwise([pairs, pairs], {}, rows=[2, 2]) == 2
    assert ops.reshape.rowwise([pairs], {"newshape": (-1, 4)}, rows=[2]) == 1
    assert ops.matmul.rowwise([Spec((3, None), F32), pairs], {}, rows=[0, 2]) == 0


def test_numbers_of_rows_are_put_into_options():
    options = {"shape": (Rows(), 3), "key": slice(Rows(), None), "axis": [0, Rows()], "n": Rows(), "name": "a"}
    expected = {"shape": (5, 3), "key": slice(5, None), "axis": [0, 5], "n": 5, "name": "a"}
    assert with_rows(options, 5) == expected


def test_large_samples_are_tried_in_few_rows():
    image = Spec((None, 200, 200, 8), F32)
    assert spec(ops.relu6, image) == image and rowwise(ops.relu6, image) == 1
    assert (
        rowwise(ops.flip, image, 0) == rowwise(ops.softmax, image, 0) == rowwise(ops.get_item, image, slice(1, 9)) == 0
    )
    assert spec(ops.reshape, image, (-1, 400, 100, 8)).shape == (None, 400, 100, 8)
    assert rowwise(ops.reshape, image, (-1, 400, 200, 8)) == 0 and rowwise(ops.reshape, image, (-1, 200, 100, 8)) == 2


@pytest.mark.parametrize(
    ("operation", "args", "shape"),
    [
        (ops.add, (X, np.ones((32, 4), F32)), (None, 4)),
        (ops.multiply, (np.ones((32, 1), F32), X), (None, 4)),
        (ops.add, (X, Spec((32, 4), F32)), (None, 4)),
        (ops.concatenate, ([X, np.ones((32, 1), F32)], -1), (None, 5)),
        (ops.reshape, (X, (3, 2, 2)), (None, 2, 2)),
        (ops.broadcast_to, (X, (32, 4)), (None, 4)),
    ],
)
def test_rows_of_another_origin_fix_the_batch(operation, args, shape):
    batch = 3 if operation is ops.reshape else 32
    assert spec(operation, *args) == Spec(shape, F32, None, batch)


def test_rows_that_meet_another_unknown_axis_fix_no_batch():
    with pytest.raises(ValueError, match=r"add cannot be applied to shapes \(None, None, 4\) and \(10, 4\)"):
        spec(ops.add, Spec((None, None, 4), F32), np.ones((10, 4), F32))

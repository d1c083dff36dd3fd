"""Sequences of different lengths as one array."""

import numpy as np
import pytest

from scratchnet.utils import pad_sequences


def test_zeros_stand_in_front_and_the_beginning_is_cut():
    padded = pad_sequences([[1], [2, 3], [4, 5, 6]])
    assert padded.tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]] and padded.dtype == np.int32
    assert pad_sequences([[1], [4, 5, 6]], maxlen=2).tolist() == [[0, 1], [5, 6]]


def test_the_other_side_and_another_value():
    padded = pad_sequences([[1], [4, 5, 6]], 2, "float32", "post", "post", -1.5)
    assert padded.tolist() == [[1, -1.5], [4, 5]] and padded.dtype == np.float32


def test_steps_may_have_a_shape_and_sequences_may_be_empty():
    padded = pad_sequences([np.ones((2, 3)), [], np.full((1, 3), 2)], padding="post")
    assert padded.shape == (3, 2, 3)
    assert padded[:, :, 0].tolist() == [[1, 1], [0, 0], [2, 0]]
    assert pad_sequences([]).shape == (0, 0) and pad_sequences([[1, 2]], maxlen=0).shape == (1, 0)


def test_texts():
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="-").tolist() == [["-", "a"], ["b", "c"]]


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([1, 2], {}, "expected a list of sequences"),
        (3, {}, "expected a list of sequences"),
        ([np.ones((2, 3)), np.ones((2, 4))], {}, "steps of the sequences have different shapes"),
        ([["a"]], {"value": "-"}, "dtype int32 cannot hold the value '-'"),
        ([[1]], {"padding": "left"}, 'padding must be "pre" or "post", got \'left\''),
        ([[1]], {"truncating": "right"}, 'truncating must be "pre" or "post"'),
    ],
)
def test_what_cannot_be_is_refused(sequences, options, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(sequences, **options)

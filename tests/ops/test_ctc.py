"""Labels of sequences: lengths, another blank, decoding. Values by Keras 3.15.1."""

import itertools

import numpy as np
import pytest

from scratchnet import losses, ops
from scratchnet.layers import Input

LOGITS = np.random.default_rng(0).normal(size=(2, 8, 4))
LABELS = np.array([[1, 2, 0], [2, 2, 1]])
LENGTHS = np.array([8, 5])


def test_what_is_behind_the_lengths_does_not_count():
    whole = ops.ctc_loss(LABELS, LOGITS, [2, 3], [8, 8])
    np.testing.assert_allclose(whole, losses.ctc(LABELS, LOGITS))
    short = ops.ctc_loss([[1, 2, 3], [2, 2, 1]], LOGITS, [2, 3], [8, 5])
    np.testing.assert_allclose(short, [whole[0], losses.ctc(LABELS[1:], LOGITS[1:, :5])[0]])


def test_another_class_may_be_the_blank():
    moved = np.roll(LOGITS, -1, axis=-1)  # what was 0 is 3 now, and the others one less
    np.testing.assert_allclose(
        ops.ctc_loss([[0, 1, 0], [1, 1, 0]], moved, [2, 3], [8, 8], mask_index=3),
        ops.ctc_loss(LABELS, LOGITS, [2, 3], [8, 8]),
    )


def test_too_many_labels():
    with pytest.raises(ValueError, match="the 3 labels of sample 1 do not fit into 8 frames"):
        ops.ctc_loss(LABELS, LOGITS, [2, 3], [8, 2])


def test_the_best_path():
    x = np.zeros((1, 7, 3))
    x[0, range(7), [1, 1, 0, 1, 2, 2, 0]] = 2.0
    for options, expected in (
        ({}, [1, 1, 2, -1, -1, -1, -1]),
        ({"merge_repeated": False}, [1, 1, 1, 2, 2, -1, -1]),
        ({"mask_index": 2}, [1, 0, 1, 0, -1, -1, -1]),
    ):
        labels, scores = ops.ctc_decode(x, [7], **options)
        assert labels.dtype == np.int32 and labels.tolist() == [[expected]] and scores.tolist() == [[-14.0]]
    assert ops.ctc_decode(x, [2])[0].tolist() == [[[1, -1, -1, -1, -1, -1, -1]]]
    assert ops.ctc_decode(x, [0])[0].max() == -1


def test_the_search_finds_the_most_probable_labelling():
    x = LOGITS[:1, :4]
    log_p = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    sums = {}
    for path in itertools.product(range(4), repeat=4):
        labels = tuple(k for k, _ in itertools.groupby(path) if k != 0)
        p = np.exp(sum(log_p[0, t, k] for t, k in enumerate(path)))
        sums[labels] = sums.get(labels, 0) + p
    best = sorted(sums.items(), key=lambda item: -item[1])[:3]
    labels, scores = ops.ctc_decode(x, [4], "beam_search", top_paths=3, beam_width=400)
    assert labels.shape == (3, 1, 4) and scores.shape == (1, 3)
    np.testing.assert_allclose(scores[0], np.log([p for _, p in best]))
    assert [tuple(row[row >= 0].tolist()) for row in labels[:, 0]] == [labels for labels, _ in best]
    few, scores = ops.ctc_decode(x[:, :, :1], [1], "beam_search", top_paths=2)
    assert few.max() == -1 and scores.tolist() == [[0.0, -np.inf]]


def test_values_are_keras_s():
    logits = np.sin(np.arange(24.0)).reshape(1, 6, 4)
    np.testing.assert_allclose(ops.ctc_loss([[1, 2, 1]], logits, [3], [6]), [4.1642051], rtol=1e-6)
    labels, scores = ops.ctc_decode(logits, [6], "beam_search", top_paths=2)
    assert labels.tolist() == [[[2, 3, 1, -1, -1, -1]], [[1, 3, 1, -1, -1, -1]]]
    np.testing.assert_allclose(scores, [[-3.6116146, -3.8058389]], rtol=1e-6)


def test_decoding_is_computed_not_traced():
    with pytest.raises(TypeError, match="cannot be traced, only computed"):
        ops.ctc_decode(Input((8, 4)), [8])
    with pytest.raises(ValueError, match="strategy must be"):
        ops.ctc_decode(LOGITS, LENGTHS, "best")


def test_the_usual_arguments_of_decoding():
    logits = LOGITS.astype("float32")
    for strategy in ("greedy", "beam_search"):
        labels, scores = ops.ctc_decode(logits, LENGTHS, strategy)
        assert labels.shape == (1, 2, 8) and scores.shape == (2, 1) and scores.dtype == np.float32
    narrow = ops.ctc_decode(logits, LENGTHS, "beam_search", beam_width=1)[1]
    assert (narrow <= ops.ctc_decode(logits, LENGTHS, "beam_search")[1]).all() and (narrow < 0).all()

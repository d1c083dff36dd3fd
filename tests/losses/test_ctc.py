"""CTC: Keras's numbers, all paths added up by hand, parts, and labels that do not fit."""

import itertools

import numpy as np
import pytest

from scratchnet import losses
from scratchnet.activations import softmax
from scratchnet.gradient_check import check_loss, check_loss_parts

LOGITS = np.random.default_rng(8).normal(size=(4, 7, 5)).astype("float32")
LABELS = np.array([[1, 2, 2, 0], [3, 0, 0, 0], [4, 1, 4, 1], [0, 0, 0, 0]])


def test_values_and_gradient_are_keras_s():
    np.testing.assert_allclose(losses.ctc(LABELS, LOGITS), [8.287015, 10.762047, 7.0597696, 14.0866184], rtol=1e-6)
    value, cache = losses.CTC().forward(LABELS, LOGITS)
    assert value == pytest.approx(10.0488625, rel=1e-6) and value.dtype == np.float32
    expected = [0.0033685, -0.1801537, 0.0428013, 0.1174554, 0.0165286]
    np.testing.assert_allclose(losses.CTC().backward(cache)[0, 0], expected, atol=1e-6)


@pytest.mark.parametrize("labels", [[1, 2], [1, 1], [2, 0], [0, 0], [1, 2, 1]])
def test_it_is_the_sum_over_all_paths(labels):
    logits = np.random.default_rng(1).normal(size=(1, 5, 3))
    p, total = softmax(logits)[0], 0.0
    for path in itertools.product(range(3), repeat=5):
        told = [k for k, _ in itertools.groupby(path) if k]
        if told == [k for k in labels if k]:
            total += np.prod([p[t, k] for t, k in enumerate(path)])
    assert losses.ctc([labels], logits)[0] == pytest.approx(-np.log(total), rel=1e-12)


def test_a_zero_in_the_middle_is_a_label_as_tensorflow_reads_it():
    logits = (np.arange(24).reshape(2, 4, 3).astype("float32") - 12) / 100
    np.testing.assert_allclose(losses.ctc([[1, 2, 1, 0], [1, 2, 0, 2]], logits), [2.4429312, 2.4543595], rtol=1e-6)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_it_is_proved_whole_and_in_parts(reduction):
    loss, weights = losses.CTC(reduction=reduction), [1.0, 2.0, 0.5, 3.0]
    check_loss(loss, LABELS, LOGITS.astype("float64"), weights).raise_if_failed()
    check_loss_parts(loss, LABELS, LOGITS.astype("float64"), weights).raise_if_failed()


def test_labels_that_cannot_be_are_refused():
    for labels, message in (
        ([[1, 1, 1, 1]], "the 4 labels of sample 0 do not fit into 6 frames"),
        ([[5]], "labels must be integers from 0"),
        ([[-1]], "labels must be integers from 0"),
        ([[1.5]], "labels must be integers from 0"),
        ([1], "expected labels"),
    ):
        with pytest.raises(ValueError, match=f'CTC "ctc": {message}'):
            losses.CTC()(np.array(labels), LOGITS[:1, :6])

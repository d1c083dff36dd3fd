"""Values and gradients of keras 3.15.1 on TensorFlow, for random targets and predictions."""

import numpy as np
import pytest

from scratchnet import losses
from scratchnet.gradient_check import check_loss, check_loss_parts

_rng = np.random.default_rng(11)
PROBS = _rng.uniform(0.05, 0.95, (4, 3))
SOFT = PROBS / PROBS.sum(-1, keepdims=True)
ONE_HOT = np.eye(3)[[0, 2, 1, 2]]
BINARY = (_rng.uniform(size=(4, 3)) > 0.5).astype("float64")
SCORES = _rng.normal(size=(4, 3))
LOGITS = 2 * SCORES
REAL = _rng.normal(size=(4, 3))
COUNTS = _rng.poisson(2.0, (4, 3)).astype("float64")
EMBEDDINGS = _rng.normal(size=(6, 3))
EMBEDDINGS /= np.linalg.norm(EMBEDDINGS, axis=1, keepdims=True)
LABELS = np.array([0, 1, 0, 2, 1, 1])
MASKS = (_rng.uniform(size=(2, 3, 3, 2)) > 0.5).astype("float64")
MAPS = _rng.uniform(0.05, 0.95, (2, 3, 3, 2))
WEIGHTS = {4: np.array([1.0, 2.0, 0.0, 3.0]), 6: np.array([1.0, 2.0, 0.0, 3.0, 1.0, 1.0]), 2: np.array([1.0, 3.0])}

# loss, targets, predictions; the value, the value with weights, the first four entries of the gradient
KERAS = [
    (losses.MeanAbsolutePercentageError(), REAL, SCORES, 179.5757, 329.388, [-15.2998, -7.99073, -40.2661, -10.2436]),
    (losses.MeanSquaredLogarithmicError(), PROBS, SCORES, 0.146396, 0.1587799, [0, 0, 0, 0]),
    (losses.LogCosh(), REAL, LOGITS, 1.167313, 2.008306, [-0.0833075, -0.0825394, -0.0518322, -0.076457]),
    (losses.Poisson(), COUNTS, PROBS, 2.309173, 2.9221954, [-0.92242, -0.0835502, 0.0833333, -3.21394]),
    (losses.Hinge(), BINARY, SCORES, 1.227912, 1.8366656, [-0.0833333, 0.0833333, 0.0833333, -0.0833333]),
    (losses.Hinge(), 2 * BINARY - 1, SCORES, 1.227912, 1.8366656, [-0.0833333, 0.0833333, 0.0833333, -0.0833333]),
    (losses.SquaredHinge(), BINARY, SCORES, 2.32137, 3.351002, [-0.486723, 0.0309911, 0.0887337, -0.365534]),
    (losses.CategoricalHinge(), ONE_HOT, SCORES, 2.007833, 2.7247009, [-0.25, 0, 0, 0]),
    (losses.BinaryFocalCrossentropy(), BINARY, PROBS, 0.7443783, 0.9266782, [-0.599958, 0.0990835, 0.159509, -1.33605]),
    (
        losses.BinaryFocalCrossentropy(True, 0.3, 1.5, True, 0.1),
        BINARY,
        LOGITS,
        0.2994372,
        0.4629278,
        [-0.0248803, 0.0017842, 0.00542345, -0.0249848],
    ),
    (
        losses.CategoricalFocalCrossentropy(),
        ONE_HOT,
        SOFT,
        0.2160457,
        0.1853177,
        [-0.500837, 0.0760936, 0.0760936, 0.00881532],
    ),
    (
        losses.CategoricalFocalCrossentropy([0.2, 0.3, 0.5], 1.5, True, 0.1),
        ONE_HOT,
        LOGITS,
        0.5828755,
        0.9607869,
        [-0.050325, 0.0157448, 0.0345802, -0.000741424],
    ),
    (losses.CategoricalGeneralizedCrossEntropy(0.7), [0, 2, 1, 2], SOFT, 0.7853143, 0.9563013, [-0.459063, 0, 0, 0]),
    (losses.Dice(), MASKS, MAPS, 0.5628465, 1.1256931, [-0.0474598, -0.0474598, -0.0474598, 0.0132753]),
    (losses.Dice(axis=(1, 2, 3)), MASKS, MAPS, 0.5642951, 1.1491956, [-0.0437992, -0.0437992, -0.0437992, 0.0129469]),
    (losses.Dice(axis=(0, 1, 2)), MASKS, MAPS, 0.5626053, None, [-0.0461475, -0.048745, -0.0461475, 0.0116999]),
    (losses.Tversky(0.3, 0.6), MASKS, MAPS, 0.5495157, 1.0990314, [-0.042851, -0.042851, -0.042851, 0.0169167]),
    (
        losses.Tversky(0.3, 0.6, axis=(1, 2)),
        MASKS,
        MAPS,
        0.5510498,
        1.1230069,  # Keras takes weights of two samples for those of two channels
        [-0.0372281, -0.0409688, -0.0372281, 0.0140566],
    ),
    (losses.Circle(gamma=4.0), LABELS, EMBEDDINGS, 3.344957, 3.5388696, [-0.668591, -0.246012, 0.197273, 0.0493857]),
    (
        losses.Circle(gamma=4.0, remove_diagonal=False),
        LABELS,
        EMBEDDINGS,
        3.207902,
        3.7111423,
        [-0.755112, -0.193484, 0.208477, 0.0817067],
    ),
]
IDS = [repr(case[0]) for case in KERAS]
EVERY_LOSS = pytest.mark.parametrize(("loss", "t", "p", "value", "weighted", "gradient"), KERAS, ids=IDS)


@EVERY_LOSS
def test_values_and_gradients_are_keras_s(loss, t, p, value, weighted, gradient):
    for dtype in ("float32", "float64"):
        found, cache = loss.forward(t, p.astype(dtype))
        assert found == pytest.approx(value, rel=1e-6) and found.dtype == dtype
        np.testing.assert_allclose(loss.backward(cache).ravel()[:4], gradient, rtol=2e-5, atol=1e-7)
    if weighted is None:
        with pytest.raises(ValueError, match="a sample cannot have a weight"):
            loss(t, p, WEIGHTS[len(p)])
    else:
        assert loss(t, p, WEIGHTS[len(p)]) == pytest.approx(weighted, rel=1e-6)


@EVERY_LOSS
def test_gradients_are_proved_whole_and_in_parts(loss, t, p, value, weighted, gradient):
    weights = None if weighted is None else WEIGHTS[len(p)]
    if isinstance(loss, losses.Circle):
        p = 0.9 * p  # vectors of length 1 stand at the kink of max(1 - y . y, 0)
    check_loss(loss, t, p, weights).raise_if_failed()
    check_loss_parts(loss, t, p, weights, parts=(2,)).raise_if_failed()


@EVERY_LOSS
def test_configurations_make_the_same_loss_again(loss, t, p, value, weighted, gradient):
    again = losses.deserialize(losses.serialize(loss))
    assert again(t, p) == loss(t, p) and again.get_config() == loss.get_config()

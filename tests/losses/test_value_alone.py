"""`value` is that of `forward`, and `in_one_pass` what comes of both ways, whatever the backend computes it with."""

import numpy as np
import pytest

from scratchnet import kernels, losses
from scratchnet.kernels import BACKENDS, numba_is_installed

RNG = np.random.default_rng(0)
Z, T, LABELS = RNG.normal(scale=3, size=(6, 2, 5)), RNG.random((6, 2, 5)), RNG.integers(0, 5, (6, 2))
CASES = [
    (losses.MeanSquaredError(), T),
    (losses.MeanSquaredError(reduction="sum"), T),
    (losses.MeanSquaredError(dtype="float64"), T),
    (losses.MeanAbsoluteError(), T),
    (losses.BinaryCrossentropy(from_logits=True), T),
    (losses.BinaryCrossentropy(from_logits=True), T > 0.5),
    (losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), T),
    (losses.BinaryCrossentropy(), T),
    (losses.CategoricalCrossentropy(from_logits=True), T),
    (losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), T),
    (losses.CategoricalCrossentropy(), T),
    (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS),
    (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS[..., None].astype(np.uint8)),
    (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS.astype(np.float32)),
    (losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2), LABELS),
    (losses.SparseCategoricalCrossentropy(), LABELS),
    (losses.Huber(delta=0.7), T),
    (losses.MeanAbsolutePercentageError(), T),
    (losses.MeanSquaredLogarithmicError(), T),
    (losses.MeanSquaredLogarithmicError(), 40 * T),  # far from what is predicted
    (losses.LogCosh(), T),
    (losses.Poisson(), T),
    (losses.Poisson(reduction="sum"), LABELS[..., None] + np.zeros(5, int)),
    (losses.Hinge(), T > 0.5),
    (losses.SquaredHinge(), np.sign(Z)),
    (losses.KLDivergence(), T),
    (losses.BinaryFocalCrossentropy(), T > 0.5),
    (losses.BinaryFocalCrossentropy(from_logits=True, apply_class_balancing=True, alpha=0.3), T),
    (losses.BinaryFocalCrossentropy(gamma=1.5), T),
    (losses.BinaryFocalCrossentropy(label_smoothing=0.1), T),
    (losses.BinaryCrossentropy(label_smoothing=0.1), T),
    (losses.CategoricalCrossentropy(label_smoothing=0.1, reduction="sum"), T),
    (losses.CategoricalFocalCrossentropy(), T),
    (losses.CategoricalFocalCrossentropy(from_logits=True, label_smoothing=0.1), T),
    (losses.CategoricalFocalCrossentropy(gamma=1.5, alpha=[0.1, 0.2, 0.3, 0.4, 0.5]), T),
    (losses.CategoricalFocalCrossentropy(alpha=[0.1, 0.2, 0.3, 0.4, 0.5]), T),
    (losses.CosineSimilarity(), T),
    (losses.CosineSimilarity(axis=1), T),
    (losses.CategoricalHinge(), np.eye(5)[LABELS]),
    (losses.CategoricalHinge(), np.eye(5, dtype=int)[LABELS]),
    (losses.SparseCategoricalCrossentropy(), LABELS[..., None].astype(np.uint8)),
    (losses.SparseCategoricalCrossentropy(), LABELS.astype(np.float32)),
    (losses.SparseCategoricalCrossentropy(ignore_class=2), LABELS),
]


def predictions_for(loss, dtype):
    """Logits and other numbers; or what is positive, of probabilities and rates."""
    is_any = getattr(loss, "from_logits", not isinstance(loss, losses.Poisson))
    return (Z if is_any else np.abs(Z) / 10 + 0.01).astype(dtype)


@pytest.fixture(params=[name for name in BACKENDS if name != "numba" or numba_is_installed()])
def backend(request):
    with kernels.using_backend(request.param):
        yield request.param


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss, targets", CASES, ids=[str(k) for k in range(len(CASES))])
def test_the_value_is_that_of_forward(backend, loss, targets, dtype):
    y_pred = predictions_for(loss, dtype)
    for settings in ({}, {"count": 7.0}, {"count": 0}, {"sample_weight": np.arange(6.0)}):
        found = loss.value(targets, y_pred, **settings)
        assert type(found) is float
        np.testing.assert_allclose(found, loss.forward(targets, y_pred, **settings)[0], rtol=2e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss, targets", CASES, ids=[str(k) for k in range(len(CASES))])
def test_one_pass_has_the_value_and_the_gradient_of_two(backend, loss, targets, dtype):
    y_pred = predictions_for(loss, dtype)
    for settings in ({}, {"count": 7.0}, {"count": 0}, {"sample_weight": np.arange(6.0)}):
        value, cache = loss.in_one_pass(targets, y_pred, **settings)
        expected, kept = loss.forward(targets, y_pred, **settings)
        np.testing.assert_allclose(value, expected, rtol=2e-6)
        dy_pred, exact = loss.backward(cache), loss.backward(kept)
        assert (dy_pred.dtype, dy_pred.shape) == (dtype, y_pred.shape)
        np.testing.assert_allclose(dy_pred, exact, atol=1e-6 * abs(exact).max())


def test_one_pass_over_nothing_and_over_what_is_not_finite_is_forward(backend):
    of_rows = losses.CosineSimilarity(), losses.CategoricalCrossentropy(), losses.CategoricalHinge()
    for loss in (losses.MeanSquaredError(), losses.BinaryCrossentropy(True), losses.MeanAbsoluteError(), *of_rows):
        assert loss.in_one_pass(np.ones((0, 2)), np.ones((0, 2), np.float32))[0] == 0.0
        with np.errstate(all="ignore"):
            assert not np.isfinite(loss.in_one_pass(np.ones((1, 2)), np.array([[1, np.inf]], np.float32))[0])


@pytest.mark.parametrize(
    "loss, targets, message",
    [
        (losses.MeanSquaredError(), T[:, :1], "do not match predictions"),
        (losses.Huber(), T[:, :1], "do not match predictions"),
        (losses.BinaryCrossentropy(from_logits=True), T[:, :1], "do not match predictions"),
        (losses.CategoricalCrossentropy(from_logits=True), T[..., :1], "do not match predictions"),
        (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS + 1, "label 5 is outside the 5 classes"),
        (losses.SparseCategoricalCrossentropy(from_logits=True), LABELS[:1], "do not match predictions"),
        (losses.SparseCategoricalCrossentropy(), LABELS + 1, "label 5 is outside the 5 classes"),
        (losses.CategoricalFocalCrossentropy(from_logits=True), T[:, :1], "do not match predictions"),
        (losses.CosineSimilarity(axis=-1), T[:, :1], "do not match predictions"),
    ],
)
def test_targets_that_do_not_fit_are_told_as_by_forward(backend, loss, targets, message):
    for function in (loss.value, loss.in_one_pass):
        with pytest.raises(ValueError, match=message):
            function(targets, Z.astype(np.float32))


def test_a_sum_that_leaves_the_range_of_its_dtype(backend):
    z, t = np.full((3, 3), -5e37, np.float32), np.ones((3, 3), np.float32)
    loss = losses.BinaryCrossentropy(from_logits=True)
    with np.errstate(over="ignore"):
        assert loss.value(t, z) == pytest.approx(float(loss.forward(t, z)[0])) == pytest.approx(5e37)


def test_a_class_of_ones_own_keeps_its_values(backend):
    class Twice(losses.MeanSquaredError):
        def values(self, y_true, y_pred):
            values, cache = super().values(y_true, y_pred)
            return 2 * values, cache

    np.testing.assert_allclose(Twice().value(T, Z), 2 * losses.MeanSquaredError().value(T, Z))


def test_predictions_that_are_no_floats(backend):
    assert losses.MeanSquaredError().value(np.zeros((2, 2)), np.ones((2, 2), int)) == 1.0


def test_a_single_class_is_warned_of_and_none_at_all_is_told(backend):
    one = np.ones((2, 1))
    with pytest.warns(SyntaxWarning, match="one class only"):
        losses.CategoricalCrossentropy(from_logits=True).value(one, one)
    with pytest.raises(ValueError, match="outside the 0 classes"):
        losses.SparseCategoricalCrossentropy(from_logits=True).value(np.zeros(2, int), np.ones((2, 0)))

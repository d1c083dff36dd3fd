"""check_layer and its siblings: what they find, whom they acquit, and what lies below the noise."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_activation, check_adjoint, check_layer, check_loss, numeric_gradient
from scratchnet.layers import LSTM, Dense, Layer
from scratchnet.losses import MeanSquaredError

F64 = {"dtype": "float64"}


class WrongDense(Dense):
    """Its bias gradient is the mean over the batch, not the sum."""

    def backward(self, dy, cache, needs_dx=True):
        dx, grads = super().backward(dy, cache, needs_dx)
        return dx, {**grads, "bias": grads["bias"] / len(dy)}


def test_a_wrong_gradient_is_found_and_shown():
    report = check_layer(WrongDense(2, dtype="float64"), np.random.default_rng(0).normal(size=(4, 3)))
    assert not report.passed
    assert [row.argument for row in report.rows if not row.passed] == ["bias"]
    wrong = report.rows[2]
    assert wrong.error == pytest.approx(0.75)
    assert wrong.analytic == pytest.approx(wrong.numeric / 4)
    with pytest.raises(AssertionError, match="bias .*<-- FAILED"):
        report.raise_if_failed()


def test_float32_is_refused():
    with pytest.raises(TypeError, match="float64"):
        check_layer(Dense(2), np.ones((2, 2), "float32"))
    with pytest.raises(TypeError, match="float64"):
        numeric_gradient(lambda: 0.0, np.ones(2, "float32"))


def test_large_arguments_are_checked_along_random_directions():
    layer = LSTM(4, dtype="float64")
    report = check_layer(layer, np.random.default_rng(0).normal(size=(2, 3, 5)), max_entries=10).raise_if_failed()
    assert len(report.rows) == 4

    class Wrong(LSTM):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = super().backward(dy, cache, needs_dx)
            return (dx * 1.001 if needs_dx else None), grads

    assert not check_layer(Wrong(4, dtype="float64"), np.ones((2, 3, 5)), max_entries=10).passed


def test_the_adjoint_identity_finds_a_missing_sum():
    class Wrong(Dense):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = super().backward(dy, cache, needs_dx)
            return (dx * (np.arange(dx.shape[1]) > 0) if needs_dx else None), grads

    assert check_adjoint(Dense(3, dtype="float64"), np.ones((2, 4))).passed
    assert not check_adjoint(Wrong(3, dtype="float64"), np.ones((2, 4))).passed


def test_losses_and_activations_can_be_checked_alone():
    assert check_loss(MeanSquaredError(), np.zeros((2, 3)), np.ones((2, 3)), sample_weight=[1.0, 2.0]).passed

    class Wrong(MeanSquaredError):
        def gradient(self, dvalues, cache):
            return super().gradient(dvalues, cache) / 2

    assert not check_loss(Wrong(), np.zeros((2, 3)), np.ones((2, 3))).passed
    from scratchnet.activations import Activation

    assert not check_activation(
        Activation("wrong", lambda z, out=None: z**2, lambda dy, z: z * dy, "z"), np.ones(3)
    ).passed


class Scaled(Layer):
    """``y = scale * x`` in any size, whose dx is wrong by `wrong` times the right one."""

    def __init__(self, scale, wrong=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.wrong = scale, wrong

    def forward(self, x, training=False):
        return self.scale * x + 1, None

    def backward(self, dy, cache, needs_dx=True):
        return self.scale * dy * (1 + self.wrong), {}


def test_a_tiny_gradient_is_judged_by_what_rounding_allows():
    """From both sides: right or wrong, it says that it cannot tell; just above the noise it can."""
    x = np.random.default_rng(0).normal(size=(3, 4))
    for wrong in (0.0, 0.5):
        (row,) = check_layer(Scaled(1e-11, wrong, **F64), x).raise_if_failed().rows
        assert row.verdict == "below the noise" and row.passed
    (row,) = check_layer(Scaled(1e-11, **F64), x).rows
    assert row.error > row.bound and abs(row.numeric - row.analytic) < row.noise
    (row,) = check_layer(Scaled(1e-8, 0.5, **F64), x).rows  # an error of 5e-9, noise of 1e-9
    assert row.verdict == "FAILED" and row.noise < abs(row.numeric - row.analytic) < 20 * row.noise
    (row,) = check_layer(Scaled(1.0, **F64), x).rows
    assert row.verdict == "passed"


def test_the_noise_is_no_excuse_for_a_small_error_of_a_large_gradient():
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert not check_layer(Scaled(1.0, 1e-6, **F64), x).passed
    assert check_layer(Scaled(1.0, 1e-9, **F64), x).passed


def test_a_report_says_what_is_below_the_noise():
    report = check_layer(Scaled(1e-11, **F64), np.ones((2, 2)))
    assert "<-- below the noise" in str(report) and str(report).startswith(f"{report.subject}: passed")


def test_the_upstream_gradient_is_nobody_elses():
    """A normalization has hardly a gradient along its own x: with dy = x its noise would look like a mistake."""
    x = np.random.default_rng(0).standard_normal((4, 3))
    kept = []

    class Seen(Scaled):
        def backward(self, dy, cache, needs_dx=True):
            kept.append(dy)
            return super().backward(dy, cache)

    check_layer(Seen(1.0, **F64), x, seed=0)
    assert abs(np.corrcoef(kept[0].ravel(), x.ravel())[0, 1]) < 0.9


class Charged(Dense):
    """A layer with everything: a penalty of its kernel, an added loss of its output, integers beside floats."""

    def __init__(self, *args, slip=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.slip = slip

    def backward(self, dy, cache, needs_dx=True):
        y = cache.x @ self.params["kernel"] + self.params["bias"]
        return super().backward(dy + self.slip * 2 * y, cache, needs_dx)

    def added_loss(self, cache):
        return np.sum(np.square(cache.x @ self.params["kernel"] + self.params["bias"]))

    def penalty(self):
        return np.sum(np.square(self.params["kernel"])), {"kernel": self.slip * 2 * self.params["kernel"]}


def test_added_losses_and_penalties_are_part_of_the_function():
    x = np.random.default_rng(0).normal(size=(3, 4))
    report = check_layer(Charged(2, **F64), x).raise_if_failed()
    assert [row.argument for row in report.rows] == ["x", "kernel", "bias", "penalty of kernel"]
    wrong = check_layer(Charged(2, slip=0.9, **F64), x)
    assert not any(row.passed for row in wrong.rows)


def test_a_frozen_layer_has_no_rows_for_its_parameters():
    report = check_layer(Dense(2, trainable=False, **F64), np.random.default_rng(0).normal(size=(3, 4)))
    assert report.raise_if_failed() and [row.argument for row in report.rows] == ["x"]

"""Everything in the catalogue passes, with every backend; and a wrong gradient does not."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check import (
    check_activation,
    check_adjoint,
    check_layer,
    check_loss,
    numeric_gradient,
    relative_error,
)
from scratchnet.gradient_check.__main__ import main
from scratchnet.gradient_check.catalogue import FAMILIES
from scratchnet.layers import LSTM, Dense
from scratchnet.losses import MeanSquaredError


@pytest.fixture
def backend(request):
    if request.param == "numba":
        pytest.importorskip("numba")
    kernels.set_backend(request.param)
    yield request.param
    kernels.set_backend(None)


@pytest.mark.parametrize("backend", ["loops", "numpy", "numba"], indirect=True)
@pytest.mark.parametrize("family", ["layers", "models"])
def test_every_layer_and_model_with_every_backend(family, backend):
    for report in FAMILIES[family](np.random.default_rng(7)):
        report.raise_if_failed()


@pytest.mark.parametrize("family", ["activations", "losses", "kernels"])
def test_every_activation_loss_and_kernel(family):
    for report in FAMILIES[family](np.random.default_rng(8)):
        report.raise_if_failed()


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


def test_a_layer_that_forgets_a_gradient_is_told():
    class Forgetful(Dense):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = super().backward(dy, cache, needs_dx)
            return dx, {"kernel": grads["kernel"]}

    with pytest.raises(AssertionError, match="grads has the keys"):
        check_layer(Forgetful(2, dtype="float64"), np.ones((2, 2)))


def test_large_arguments_are_checked_along_random_directions():
    layer = LSTM(4, dtype="float64")
    report = check_layer(layer, np.random.default_rng(0).normal(size=(2, 3, 5)), max_entries=10).raise_if_failed()
    assert len(report.rows) == 4

    class Wrong(LSTM):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = super().backward(dy, cache, needs_dx)
            return dx * 1.001, grads

    assert not check_layer(Wrong(4, dtype="float64"), np.ones((2, 3, 5)), max_entries=10).passed


def test_the_adjoint_identity_finds_a_missing_sum():
    class Wrong(Dense):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = super().backward(dy, cache, needs_dx)
            return dx * (np.arange(dx.shape[1]) > 0), grads

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


def test_relative_error_is_of_the_largest_entry_and_never_hides_a_nan():
    assert relative_error([1.0, 100.0], [2.0, 100.0]) == pytest.approx(0.01)
    assert relative_error([0.0], [0.0]) == 0.0
    assert relative_error([np.nan], [1.0]) == np.inf
    with pytest.raises(ValueError, match="argument's shape"):
        relative_error(np.ones((2, 1)), np.ones(2))


def test_the_command_prints_a_table_and_fails_when_something_is_wrong(capsys, monkeypatch, tmp_path):
    assert main(["activations", "--plot", str(tmp_path / "v.png")]) == 0
    printed = capsys.readouterr().out
    assert "activation gelu" in printed and "none failed" in printed
    assert (tmp_path / "v.png").stat().st_size > 10_000
    from scratchnet import activations

    monkeypatch.setattr(activations.tanh, "gradient", lambda dy, y: dy * (1 - y))
    assert main(["activations"]) == 1
    assert "FAILED" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["nothing"])

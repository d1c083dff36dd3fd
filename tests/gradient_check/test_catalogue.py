"""Everything in the catalogue passes, with every backend; and a wrong gradient does not."""

import numpy as np
import pytest

from scratchnet import kernels, layers
from scratchnet.gradient_check.catalogue import FAMILIES
from scratchnet.gradient_check.catalogue import kernels as kernels_catalogue
from scratchnet.gradient_check.catalogue import layers as layers_catalogue
from scratchnet.gradient_check.catalogue import losses as losses_catalogue


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


def test_whatever_is_public_has_a_case(monkeypatch):
    assert layers_catalogue.without_a_case() == [] and losses_catalogue.without_a_case() == []
    assert kernels_catalogue.without_a_case() == []
    calls = kernels_catalogue._calls
    monkeypatch.setattr(kernels_catalogue, "_calls", lambda *args: (c for c in calls(*args) if c[0] != "lstm_step"))
    assert kernels_catalogue.without_a_case() == ["lstm_step_backward", "lstm_step_forward"]
    monkeypatch.setattr(layers, "Forgotten", type("Forgotten", (layers.Layer,), {}), raising=False)
    monkeypatch.setattr(layers, "__all__", [*layers.__all__, "Forgotten"])
    assert layers_catalogue.without_a_case() == ["Forgotten"]

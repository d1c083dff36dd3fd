"""Everything in the catalogue passes, with every backend; and a wrong gradient does not."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check.catalogue import FAMILIES


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
    from scratchnet import layers, losses
    from scratchnet.gradient_check.catalogue.layers import without_a_case as layers_without
    from scratchnet.gradient_check.catalogue.losses import without_a_case as losses_without

    assert "Dense" in layers_without(set()) and "Huber" in losses_without(set())
    for module, base, check in ((layers, layers.Layer, "layers"), (losses, losses.Loss, "losses")):
        monkeypatch.setattr(module, "Forgotten", type("Forgotten", (base,), {}), raising=False)
        monkeypatch.setattr(module, "__all__", [*module.__all__, "Forgotten"])
        monkeypatch.setattr(f"scratchnet.gradient_check.catalogue.{check}.cases", lambda rng: [])
        with pytest.raises(LookupError, match="no case in the catalogue for .*Forgotten"):
            list(FAMILIES[check](np.random.default_rng(0)))

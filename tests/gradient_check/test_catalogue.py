"""Everything in the catalogue passes, by NumPy; by Numba and by plain loops in the leg `gradients` of .ci/run."""

import numpy as np
import pytest

from scratchnet import kernels, layers
from scratchnet.gradient_check.catalogue import FAMILIES
from scratchnet.gradient_check.catalogue import kernels as kernels_catalogue
from scratchnet.gradient_check.catalogue import layers as layers_catalogue
from scratchnet.gradient_check.catalogue import losses as losses_catalogue


@pytest.mark.parametrize("family", ["activations", "losses", "layers", "models"])
def test_everything_passes(family):
    with kernels.using_backend("numpy"):
        for report in FAMILIES[family](np.random.default_rng(7)):
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

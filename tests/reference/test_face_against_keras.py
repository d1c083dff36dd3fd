"""Names, positions and defaults of the public face are Keras's; docs/keras.md says what is there and what is not."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.reference


def load(name):
    sys.path.insert(0, str(HERE))
    try:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(HERE))
    return module


face = load("face")
# Rooms whose signatures all agree, but for `face.WANTED`.
SETTLED = [
    "keras",
    "keras.models",
    "keras.layers",
    "keras.ops",
    "keras.saving",
    "keras.utils",
    "keras.config",
    "keras.distribution",
    "keras.backend",
    "keras.activations",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.losses",
    "keras.metrics",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.callbacks",
    "keras.random",
    "keras.preprocessing.image",
    "keras.preprocessing.sequence",
    *(f"keras.datasets.{name}" for name in face.DATASETS),
    "keras.wrappers",
    "keras.applications",
    *(f"keras.applications.{name}" for name in face.APPLICATIONS),
]


@pytest.mark.parametrize("name", SETTLED)
def test_signatures_are_kerass(keras, name):
    differing = face.differing_signatures(name)
    assert {full: pair for full, pair in differing.items() if full not in face.WANTED} == {}


@pytest.mark.parametrize(
    "name", ["keras.regularizers", "keras.constraints", "keras.losses", "keras.metrics", "keras.optimizers.schedules"]
)
def test_every_name_is_there(keras, name):
    assert face.missing_names(name) == []


@pytest.mark.parametrize("name", ["keras.initializers", "keras.optimizers", "keras.callbacks"])
def test_what_is_not_there_has_a_reason(keras, name):
    assert [known for known in face.missing_names(name) if f"{name}.{known}" not in face.REASONS] == []


def test_wanted_differences_are_differences(keras):
    differing = {full for name in SETTLED for full in face.differing_signatures(name)}
    assert {full for full in face.WANTED if full.rpartition(".")[0] in SETTLED} <= differing

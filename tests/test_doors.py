"""Packages that import what they offer when somebody asks for it."""

import importlib
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scratchnet import files, layers, models, optimizers, registry
from scratchnet.doors import door, opened

DOORS = {
    "scratchnet.layers": layers._ROOMS,
    "scratchnet.models": models._PARTS,
    "scratchnet.files": files._PARTS,
    "scratchnet.optimizers": optimizers._PARTS,
    "scratchnet.callbacks": importlib.import_module("scratchnet.callbacks")._PARTS,
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two modules; the second says when it is imported."""
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "__init__.py").write_text("imported = []\n")
    (tmp_path / "house" / "kitchen.py").write_text("stove = 'hot'\nsink = 'wet'\n")
    (tmp_path / "house" / "cellar.py").write_text("import house\nhouse.imported.append('cellar')\nwine = 'red'\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("house")
    for name in [name for name in sys.modules if name.split(".")[0] == "house"]:
        del sys.modules[name]


def refuse(name, depth):
    raise AttributeError(f"there is no {name}")


PARTS = {"kitchen": ("stove", "sink"), "cellar": ("wine",)}


def test_a_module_is_imported_when_something_of_it_is_asked_for(package):
    ask = door("house", PARTS, refuse)
    assert ask("stove") == "hot" and package.imported == []
    assert ask("wine") == "red" and package.imported == ["cellar"]


def test_what_has_been_asked_for_stands_in_the_package(package):
    door("house", PARTS, refuse)("sink")
    assert vars(package)["sink"] == "wet" and "stove" not in vars(package)


def test_the_modules_themselves_can_be_asked_for(package):
    assert door("house", PARTS, refuse)("kitchen").stove == "hot"


def test_a_module_may_lie_elsewhere(package):
    assert door("house", {"json.decoder": ("JSONDecoder",)}, refuse)("JSONDecoder") is json.JSONDecoder


def test_other_names_are_refused(package):
    with pytest.raises(AttributeError, match="there is no attic"):
        door("house", PARTS, refuse)("attic")


def test_all_can_be_imported_at_once(package):
    opened("house", PARTS)()
    assert package.imported == ["cellar"] and "house.kitchen" in sys.modules


@pytest.mark.parametrize("name", DOORS)
def test_what_a_package_says_that_it_hands_on_is_there(name):
    package = importlib.import_module(name)
    for part, names in DOORS[name].items():
        module = importlib.import_module(part if "." in part else f"{name}.{part}")
        assert all(getattr(package, each) is getattr(module, each) for each in names)
    assert all(hasattr(package, each) for each in package.__all__)
    assert dir(package) == sorted(package.__all__)


def test_the_rooms_of_layers_hand_on_all_that_they_have():
    rooms = {room: sorted(importlib.import_module(f"scratchnet.layers.{room}").__all__) for room in layers._ROOMS}
    assert {room: sorted(names) for room, names in layers._ROOMS.items()} == rooms


def test_a_name_that_is_not_known_is_looked_for_in_what_nobody_has_imported_yet(monkeypatch):
    monkeypatch.setitem(registry._classes, "constraints", dict(registry._classes["constraints"]))
    calls = []

    def load():
        calls.append("load")
        registry._classes["constraints"]["Late"] = Late

    class Late:
        pass

    registry.import_when_missed("constraints", load)
    assert registry.find("constraints", "NonNeg") is not None and calls == []
    assert registry.find("constraints", "Late") is Late
    assert registry.find("constraints", "Later") is None and calls == ["load"]
    registry.import_when_missed("constraints", load)
    assert "Late" in registry.names("constraints") and calls == ["load", "load"]  # all names are all of them


def in_a_new_process(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(result.stdout)


def test_a_program_of_a_few_layers_does_not_import_what_it_does_not_use():
    found = in_a_new_process(  # how the library is installed may import something before
        "import json, sys, numpy; before = set(sys.modules);"
        "from scratchnet.layers import LSTM; from scratchnet.models import Sequential;"
        "print(json.dumps(list(set(sys.modules) - before)))"
    )
    idle = ("layers.preprocessing", "layers.capsules", "files.onnx", "files.keras_models", "files.pytorch", "datasets")
    assert [name for name in found if name.startswith(tuple(f"scratchnet.{part}" for part in idle))] == []
    assert {"zipfile", "logging", "socket", "pathlib", "html"}.isdisjoint(found)


def test_by_their_names_all_are_found_in_a_program_that_has_imported_none_of_them():
    written = [
        {"class_name": "Rescaling", "config": {"scale": 0.5}},
        {"class_name": "Squash", "config": {}},
        {"class_name": "Cross", "config": {"feature_names": ["a", "b"], "crossing_dim": 4}},
    ]
    found = in_a_new_process(
        "import json; from scratchnet import activations, callbacks, layers, models, optimizers, registry;"
        f"things = [layers.deserialize(config) for config in {written!r}];"
        "things += [optimizers.get('sgd'), activations.get('hard_sigmoid_of_keras_2')];"
        "things += [registry.get('callbacks', {'class_name': 'EarlyStopping', 'config': {}})];"
        "print(json.dumps([getattr(thing, 'name', type(thing).__name__) for thing in things]))"
    )
    assert found == ["rescaling", "squash", "a_X_b", "sgd", "hard_sigmoid_of_keras_2", "EarlyStopping"]


def test_threads_that_miss_a_name_at_the_same_time_find_it_all(monkeypatch):
    monkeypatch.setitem(registry._classes, "constraints", dict(registry._classes["constraints"]))
    loading, done = threading.Event(), threading.Event()

    def load():
        loading.set()
        done.wait(10)
        registry._classes["constraints"]["Late"] = dict

    registry.import_when_missed("constraints", load)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(registry.find, "constraints", "Late")
        assert loading.wait(10)
        second = pool.submit(registry.find, "constraints", "Late")
        done.set()
        assert first.result() is second.result() is dict

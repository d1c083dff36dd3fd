"""What a package says where it is asked for a name that it does not have, in each of Python's ways of asking."""

import importlib

import pytest

import scratchnet
from scratchnet import layers

PACKAGES = [
    "regularizers",
    "constraints",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "initializers",
    "callbacks",
]


@pytest.mark.parametrize("package", PACKAGES)
def test_an_attribute_and_an_import_are_refused_in_the_same_words(package):
    module = importlib.import_module(f"scratchnet.{package}")
    sentence = f"^scratchnet.{package} has no 'Nothing'.*What Keras has and scratchnet has not: docs/keras.md$"
    with pytest.raises(AttributeError, match=sentence):
        _ = module.Nothing
    with pytest.raises(ImportError, match=sentence):
        exec(f"from scratchnet.{package} import Nothing")
    with pytest.raises(ImportError, match=sentence):
        exec(f"def f():\n    from scratchnet.{package} import __doc__, Nothing as n\nf()")
    assert not hasattr(module, "Nothing") and getattr(module, "Nothing", 3) == 3


def test_the_closest_names_are_told():
    with pytest.raises(ImportError, match="'conv2d'; closest: Conv2D"):
        exec("from scratchnet.layers import conv2d")
    with pytest.raises(AttributeError, match="'Dens'; closest: Dense"):
        _ = layers.Dens


def test_the_library_itself():
    with pytest.raises(ImportError, match="^scratchnet has no 'layer'; closest: Layer, layers"):
        exec("from scratchnet import layer")
    with pytest.raises(AttributeError, match="scratchnet has no 'Sequentail'; closest: Sequential"):
        _ = scratchnet.Sequentail


def test_modules_of_a_package_can_be_imported_from_it():
    exec("from scratchnet.layers import core, base; from scratchnet.layers.core import dense")
    exec("from scratchnet.layers import *")


def packages_with_a_list():
    names = ["", *(f".{name}" for name in dir(scratchnet) if hasattr(getattr(scratchnet, name), "__path__"))]
    packages = [importlib.import_module(f"scratchnet{name}") for name in names]
    return [package for package in packages if hasattr(package, "__all__")]


@pytest.mark.parametrize("package", packages_with_a_list(), ids=lambda package: package.__name__)
def test_completion_lists_what_is_public_and_nothing_else(package):
    assert sorted(package.__all__) == sorted(dir(package))
    for name in package.__all__:
        assert getattr(package, name) is not None

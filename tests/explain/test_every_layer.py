"""Every layer of the library, as the gradient check's catalogue has it first, can be traced and shown."""

import inspect
import json

import numpy as np
import pytest

from scratchnet.explain.pages import _finite
from scratchnet.explain.payload import Payload
from scratchnet.gradient_check.catalogue import layers as catalogue
from scratchnet.layers import Input
from scratchnet.models import Model
from scratchnet.structure import flatten, map_structure

pytestmark = pytest.mark.usefixtures("by_numpy")

ROOMS = [
    name
    for name, f in vars(catalogue).items()
    if name[0] == "_" and inspect.isgeneratorfunction(f) and list(inspect.signature(f).parameters) == ["rng"]
]


def model_of(layer, x):
    inputs = map_structure(lambda a: Input(a.shape[1:], dtype=a.dtype.name), x)
    takes_several = "value" in inspect.signature(type(layer).__call__).parameters
    model = Model(inputs, layer(*inputs) if takes_several else layer(inputs))
    model.compile("sgd", None if model.adds_loss else "mse")
    return model


@pytest.mark.parametrize("room", ROOMS)
def test_it_is_shown(room):
    seen = set()
    for layer, x, options in getattr(catalogue, room)(np.random.default_rng(0)):
        if type(layer) in seen:
            continue
        seen.add(type(layer))
        model = model_of(layer, x)
        training = options.get("training", False)
        ys = [np.zeros_like(a) for a in flatten(model.predict(x, verbose=0))]
        y = None if model.adds_loss else ys if len(ys) > 1 else ys[0]
        t = model.trace(x, y, training=training)
        meta = Payload(t).meta
        assert meta["calls"][0]["kind"] == type(layer).__name__
        assert json.dumps(_finite(meta))
        assert len(t.grads) == len(layer.trainable_params)
        assert all(np.isfinite(d).all() for d in flatten(t.dx))

"""Operations in a graph's configuration: as they are written, and as Keras writes them."""

import json
from pathlib import Path

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.graph.config import graph_from_config
from scratchnet.layers import Dense, Input
from scratchnet.models import Model


def test_keras_own_operations_are_read():
    """Slices, a mean, a reshape, a squeeze, concatenate, where, constants; the figures are those of Keras."""
    text = (Path(__file__).parent / "keras_operations.json").read_text()
    inputs, outputs, _ = graph_from_config(json.loads(text)["config"])
    x = (np.arange(24).reshape(1, 6, 4) / 10 - 1).astype(np.float32)
    first, second = Model(inputs, outputs).predict(x, verbose=0)
    np.testing.assert_allclose(first, [[-0.20000005, 0.59999999]], rtol=1e-6)
    assert second.sum() == pytest.approx(48.968002, rel=1e-6)


def test_what_is_written_is_json_and_comes_back():
    x = Input((None, 4), name="x")
    rows, steps, _ = ops.shape(x)
    h = ops.reshape(x, (rows * steps, 4))[:, ::-1][..., [0, 2]] * np.float32(2)
    h = ops.reshape(Dense(3)(h), (rows, -1, 3)) / ops.cast(steps, "float32")
    model = Model(x, ops.concatenate([h, ops.expand_dims(ops.max(h, axis=(1, 2)), (1, 2)) + h * 0], axis=-1))
    config = json.loads(json.dumps(model.get_config()))
    other = Model.from_config(config)
    other.set_weights(model.get_weights())
    assert other.get_config() == config
    values = np.random.default_rng(0).standard_normal((2, 5, 4))
    np.testing.assert_array_equal(other.predict(values, verbose=0), model.predict(values, verbose=0))


def test_an_operation_that_is_not_there_is_named():
    model = Model(x := Input((2,)), ops.exp(x))
    config = json.loads(json.dumps(model.get_config()).replace('"Exp"', '"Expp"'))
    with pytest.raises(ValueError, match="unknown operation 'expp'"):
        Model.from_config(config)

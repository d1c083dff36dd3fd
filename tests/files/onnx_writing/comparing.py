"""What the tests of exported models share."""

import numpy as np
import onnx
import onnxruntime

from scratchnet import ops
from scratchnet.layers import Dense, Input, Layer
from scratchnet.structure import flatten

RNG = np.random.default_rng(0)

# The shapes of a sample.
VOLUME, IMAGE, SERIES, ROW = (4, 5, 6, 2), (8, 7, 4), (6, 4), (5,)
OTHER = (9, 4)  # another series
TOKENS = "tokens"  # integers from 0 to 9, (N, 6)
WORDS = "words"  # strings, (N, 6)
FILM = (4, 6, 5, 2)  # (T, H, W, C)


class Leaky(Layer):
    """A cell of one's own, whose output is not its state, which begins at 1."""

    def __init__(self, units):
        super().__init__()
        self.units = self.state_size = self.output_size = units
        self.dense = Dense(units)

    def get_initial_state(self, batch_size=None):
        return [np.ones((batch_size, self.units), "float32")]

    def call(self, x, states):
        h = 0.7 * states[0] + self.dense(x)
        return ops.tanh(h), [h]


def moved(model):
    """The model with weights that hide nothing: no zero, no one, positive variances."""
    model.set_weights([RNG.uniform(0.1, 0.6, w.shape) * RNG.choice([-1, 1], w.shape[-1:]) for w in model.get_weights()])
    for layer in model.layers:
        for name in ("moving_variance", "variance"):
            if name in layer.state:
                layer.state[name][...] = RNG.uniform(0.5, 2, layer.state[name].shape)
    return model


def check(model, path, *inputs, atol=1e-5):
    """Export, let onnx check the file and onnxruntime run it; compare, for another batch size as well."""
    model.export(path)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    names = [i.name for i in session.get_inputs()]
    for rows in (len(inputs[0]), 2):
        xs = [x[:rows] for x in inputs]
        expected = model.predict(xs if len(xs) > 1 else xs[0], verbose=0)
        found = session.run(None, dict(zip(names, xs)))
        for y, wanted in zip(found, flatten(expected), strict=True):
            if wanted.dtype.kind in "US":
                np.testing.assert_array_equal(y.astype(str), wanted)
                continue
            np.testing.assert_allclose(y, wanted, atol=atol, rtol=1e-4)


def given(shape):
    """The symbolic input of a `shape`."""
    kinds = {TOKENS: "int32", WORDS: "string"}
    return Input((6,), dtype=kinds[shape]) if isinstance(shape, str) else Input(shape)


def data(shape):
    if shape is TOKENS:
        return RNG.integers(0, 10, (3, 6)).astype("int32")
    if shape is WORDS:
        return RNG.choice(["red", "green", "blue", "none", "of them", "é"], (3, 6)).astype(object)
    return RNG.normal(size=(3, *shape)).astype("float32")

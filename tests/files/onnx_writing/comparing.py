"""What the tests of exported models share."""

import numpy as np
import onnx
import onnxruntime

from scratchnet.structure import flatten

RNG = np.random.default_rng(0)

# The shapes of a sample.
VOLUME, IMAGE, SERIES, ROW = (4, 5, 6, 2), (8, 7, 4), (6, 4), (5,)
OTHER = (9, 4)  # another series
TOKENS = "tokens"  # integers from 0 to 9, (N, 6)
FILM = (4, 6, 5, 2)  # (T, H, W, C)


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
            np.testing.assert_allclose(y, wanted, atol=atol, rtol=1e-4)


def data(shape):
    if shape is TOKENS:
        return RNG.integers(0, 10, (3, 6)).astype("int32")
    return RNG.normal(size=(3, *shape)).astype("float32")

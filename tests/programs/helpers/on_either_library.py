"""A program of the folder `public`, run on Keras or on scratchnet: from the same weights, over the same batches.

Only the import lines differ. Around the program, and alike for both, the weights that a training begins with are set,
the batches keep their order, the noise of a sampling layer is a constant, and the losses are written down.

Programs with an Embedding take SGD here: of a token that stands several times in a batch, Keras on TensorFlow, and it
alone, adds up the squares of the gradients where Adam and RMSprop have the square of their sum.
"""

import re
from pathlib import Path

import numpy as np

PROGRAMS = sorted((Path(__file__).parents[1] / "public").glob("*.py"))


def with_our_imports(source):
    """`source` with ``tensorflow.keras``, ``keras`` and ``tensorflow`` in the import lines written ``scratchnet``."""
    source = re.sub(r"^from tensorflow import keras$", "import scratchnet as keras", source, flags=re.M)
    source = re.sub(r"^import tensorflow as tf$", "import scratchnet as tf", source, flags=re.M)
    source = re.sub(r"^import keras$", "import scratchnet as keras", source, flags=re.M)
    source = re.sub(r"^import (tensorflow\.keras|keras) as", "import scratchnet as", source, flags=re.M)
    return re.sub(r"^from (tensorflow\.keras|keras)\b", "from scratchnet", source, flags=re.M)


def losses_of(path, library, monkeypatch):
    """``(losses, names)``: what every step of the program's training says, and the names that it ends with.

    Args:
        path: one of `PROGRAMS`.
        library: the module keras, or scratchnet.
    """
    begun, losses = [], []
    fit, train_on_batch, predict = library.Model.fit, library.Model.train_on_batch, library.Model.predict

    class Recorder(library.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            losses.append(float(logs["loss"]))

    def begin(model, x):
        if any(model is other for other in begun):
            return
        if not model.built:
            model(x[:1])
        begun.append(model)
        rng = np.random.default_rng(len(begun))
        trained = {id(w) for w in model.trainable_weights}
        weights = [
            rng.normal(size=value.shape) / np.sqrt(value[..., 0].size) if value.ndim > 1 and id(w) in trained else value
            for w, value in zip(model.weights, map(np.asarray, model.get_weights()))
        ]
        model.set_weights(weights)

    def recorded_fit(model, x, *args, callbacks=(), **settings):
        begin(model, x)
        return fit(model, x, *args, **{**settings, "shuffle": False}, callbacks=[*callbacks, Recorder()])

    def recorded_train_on_batch(model, x, *args, **settings):
        begin(model, x)
        loss = train_on_batch(model, x, *args, **settings)
        losses.append(float(loss))
        return loss

    def begun_predict(model, x, *args, **settings):
        begin(model, x)
        return predict(model, x, *args, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(library.Model, "fit", recorded_fit)
        patch.setattr(library.Model, "train_on_batch", recorded_train_on_batch)
        patch.setattr(library.Model, "predict", begun_predict)
        patch.setattr(library.random, "normal", lambda shape, **settings: 0.3 * library.ops.ones(shape))
        source = path.read_text()
        names = {"__name__": path.stem}
        exec(
            compile(with_our_imports(source) if library.__name__ == "scratchnet" else source, str(path), "exec"), names
        )
    return np.array(losses), names

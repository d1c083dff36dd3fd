"""The samples of Keras's files, as they lie in samples/keras.zip."""

import io
import pathlib
import zipfile

import numpy as np

ARCHIVE = pathlib.Path(__file__).parent / "samples" / "keras.zip"


def names(*endings):
    """The samples whose names end so; ".h5" means whole models only."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        found = [name for name in archive.namelist() if name.endswith(endings)]
    alone = (".weights.h5", "_w.h5")
    return [name for name in found if not (".h5" in endings and name.endswith(alone))]


def content(name):
    with zipfile.ZipFile(ARCHIVE) as archive:
        return archive.read(name)


def extract(name, folder):
    path = folder / name
    path.write_bytes(content(name))
    return path


def data(name):
    """``(inputs, outputs)`` that belong to a sample."""
    stem = name.split(".")[0].removesuffix("_w")
    with np.load(io.BytesIO(content(f"{stem}.npz"))) as file:
        xs = [file[key] for key in sorted(file) if key.startswith("x")]
        ys = [file[key] for key in sorted(file) if key.startswith("y")]
    return (xs if len(xs) > 1 else xs[0]), ys


def outputs(model, x):
    y = model.predict(x, verbose=0)
    return y if isinstance(y, (list, tuple)) else [y]

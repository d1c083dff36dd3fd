"""Saving and loading models, in our own files and in Keras's.

Our own (`.npz`, see `scratchnet.files.native`) need nothing but NumPy. Keras's (`.keras`, `.h5`, `.weights.h5`, see
`scratchnet.files.keras_models`) are read without h5py, too; to write them takes it.
"""

import os
from typing import Any

from scratchnet import files, registry
from scratchnet.console import say
from scratchnet.files.settings import compile_settings
from scratchnet.hints import PathLike


class Saver:
    """The methods of a Model that read and write files."""

    def save(
        self,
        filepath: PathLike,
        overwrite: bool = True,
        zipped: bool | None = None,
        include_optimizer: bool = True,
        save_format: str | None = None,
    ) -> None:
        """Write the architecture, the parameters, the arguments of compile and the optimizer's state.

        Args:
            filepath: where to. The ending says in which format: `.npz` is our own, `.keras` and `.h5` are Keras's.
            overwrite: whether an existing file is replaced.
            zipped: False writes the content of a `.keras` file into a folder, whose name has no such ending.
            include_optimizer: whether the optimizer's state is written.
            save_format: Keras's older name for the ending; taken where it says the same.

        Raises:
            ValueError: if the model is not built, or the ending promises something else.
            FileExistsError: if the file exists and `overwrite` is false.
            ImportError: for Keras's formats if h5py is missing.
            OSError: if the file cannot be written; it names the file.
        """
        if not self.built:
            raise self.error("cannot be saved before it is built")
        if zipped is False:
            if os.fsdecode(filepath).endswith((".keras", ".npz", ".h5")):
                raise self.error(f"zipped=False writes a folder, whose name has no ending; got {os.fsdecode(filepath)}")
            files.keras_models.save_folder(self, filepath, overwrite, include_optimizer)
            return
        kind = files.formats.promised_by(filepath)
        if save_format not in (None, {"native": "npz", "keras": "keras", "hdf5": "h5"}[kind], False):
            raise self.error(f"the ending of {os.fsdecode(filepath)} says another format than {save_format!r}")
        writers = {
            "native": files.native.save_model,
            "keras": files.keras_models.save_archive,
            "hdf5": files.keras_models.save_hdf5,
        }
        writers[kind](self, filepath, overwrite, include_optimizer)

    def to_json(self, **kwargs):
        """The architecture, and what compile was told, as JSON; `kwargs` go to `json.dumps`.

        See `models.model_from_json`.
        """
        import json  # most programs need none

        settings = compile_settings(self)
        return json.dumps({**registry.serialize(self), **({"compile_config": settings} if settings else {})}, **kwargs)

    def export(self, filepath: PathLike, format: str = "onnx", overwrite: bool = True, verbose: bool = False) -> None:
        """Write the model, as it predicts, to an ONNX file, which runs where this library is not.

        Inputs and outputs are float32 (tokens int32), with channels last; the batch is free. ``opset`` 17.

        Args:
            filepath: where the file goes.
            format: only "onnx"; Keras's default, TensorFlow's "SavedModel", is not written here.
            overwrite: False raises if there is a file already.
            verbose: whether to print where the file is.

        Raises:
            ImportError: if the package onnx is missing.
            ValueError: before the model is built, or for a layer or operation without a counterpart, by its name.
            FileExistsError: without `overwrite`, if the file is there.
        """
        if not self.built:
            raise self.error("cannot be exported before it is built")
        if format != "onnx":
            raise self.error(f"is exported as 'onnx', not as {format!r}")
        files.onnx_writing.export_onnx(self, filepath, overwrite)
        if verbose:
            print(f"Exported {self.name} to {os.fsdecode(filepath)}")

    def save_weights(self, filepath: PathLike, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Write the weights alone, to an `.npz` file, or to a `.weights.h5` file of Keras's.

        max_shard_size: gigabytes that a file has at most; then there are several, and `filepath`, which ends in
            `.weights.json`, says what is where.
        """
        if not self.built:
            raise self.error("has no weights to save before it is built")
        if max_shard_size is not None:
            path = os.fsdecode(filepath)
            if not path.endswith((".weights.h5", ".weights.json")):
                raise self.error(f"with max_shard_size the ending must be .weights.json, got {path}")
            path = path.removesuffix(".h5").removesuffix(".json") + ".json"
            files.keras_models.save_shards(self, path, overwrite, max_shard_size)
            return
        writers = {"native": files.native.save_weights, "hdf5": files.keras_models.save_weights}
        writers[files.formats.promised_by(filepath, weights_only=True)](self, filepath, overwrite)

    def load_weights(self, filepath: PathLike, skip_mismatch: bool = False, by_name: bool = False, verbose: int = 1):
        """Read the weights from a file of `save_weights` or `save`, or from one of Keras's or PyTorch's.

        In our own files they are matched by name; where the names differ only because automatic names were counted
        differently, in order. Keras's files are matched as Keras does it, in order. How the arrays of PyTorch's files
        (`.pth`, `.pt`, `.th`) and of safetensors files are matched and translated, `scratchnet.files.torch_weights`
        says; a table is printed that tells which array went where.

        Args:
            filepath: the file; its format is known by what is in it.
            skip_mismatch: leave weights of another shape alone, with a warning; in Keras 3's files those that only one
                of the two has as well.
            by_name: for the older kind of `.h5` files: match layers by name, those that have no partner stay.
            verbose: 0 prints no table.

        Raises ValueError, and changes nothing, if the file is damaged or belongs to another architecture.
        """
        if not self.built:
            raise self.error("has no weights to load into before it is built")
        kind = files.formats.found_in(filepath)
        if kind == "shards":
            files.keras_models.load_shards(self, os.fsdecode(filepath), skip_mismatch)
        elif kind in ("keras", "hdf5"):
            files.keras_models.load_weights(self, os.fsdecode(filepath), skip_mismatch, by_name)
        elif by_name:
            raise ValueError(f"{os.fsdecode(filepath)}: by_name is for Keras's older .h5 files")
        elif kind in ("pytorch", "safetensors"):
            arrays = (files.read_pytorch if kind == "pytorch" else files.read_safetensors)(filepath)
            table = files.torch_weights.load_torch_weights(
                self, arrays, os.fsdecode(filepath), ordered=kind == "pytorch"
            )
            if verbose:
                say(table)
        else:
            files.native.load_weights(self, filepath, skip_mismatch)


def save_model(model, filepath: PathLike, overwrite: bool = True, zipped: bool | None = None, **kwargs) -> None:
    """The same as ``model.save(filepath)``."""
    model.save(filepath, overwrite, zipped, **kwargs)


def load_model(
    filepath: PathLike, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
):
    """A model that `save` or Keras wrote, compiled as it was, with the state of its optimizer.

    Args:
        filepath: an `.npz` file of ours, a `.keras` or `.h5` file or a folder of Keras's; known by what is in it.
        custom_objects: dict from name to class, function or Activation, for what is not scratchnet's own.
        compile: False leaves out losses, metrics and optimizer.
        safe_mode: Keras's. The code of a lambda in a file is never run, whatever this says: hand in what it is meant to
            be, in `custom_objects`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, is not a saved model, or needs a `custom_objects` entry.
    """
    kind = files.formats.found_in(filepath)
    filepath = os.fsdecode(filepath)
    if kind in ("pytorch", "safetensors", "shards"):
        raise ValueError(f"{filepath} holds weights alone: make the model, and call model.load_weights")
    if kind == "onnx":
        raise ValueError(f"{filepath} is read by models.load_onnx")
    readers = {
        "native": files.native.load_model,
        "keras": files.keras_models.load_archive,
        "hdf5": files.keras_models.load_hdf5,
    }
    return readers[kind](filepath, custom_objects, compile)

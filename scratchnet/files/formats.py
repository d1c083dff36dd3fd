"""The format of a file, and the format that its ending promises.

When a file is read, its content decides, whatever its name. When a file is written, its ending decides.
"""

import os
import zipfile

from scratchnet.files.hdf5 import SIGNATURE
from scratchnet.files.keras_shards import ENDING as SHARDS
from scratchnet.files.safetensors import INDEX

_PICKLE_MAGIC = (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", b"\x80\x02\x8a\x0al\xfc\x9c")


def found_in(filepath):
    """ "native", "keras", "hdf5", "shards", "pytorch", "safetensors" or "onnx"; "native" for what is not recognized.

    A folder is "keras", if there is a configuration in it.
    """
    filepath = os.fsdecode(filepath)
    by_ending = {".keras": "keras", ".h5": "hdf5", ".hdf5": "hdf5", ".safetensors": "safetensors", ".onnx": "onnx"}
    by_ending.update(dict.fromkeys((".pth", ".pt", ".th"), "pytorch"))
    if filepath.endswith(INDEX):
        return "safetensors"
    if filepath.endswith(SHARDS):
        return "shards"
    if os.path.isdir(filepath) and os.path.isfile(os.path.join(filepath, "config.json")):
        return "keras"
    promised = by_ending.get(os.path.splitext(filepath)[1].lower(), "native")
    if not os.path.isfile(filepath):
        return promised
    with open(filepath, "rb") as file:
        start = file.read(16)
        if start[:4] == b"PK\3\4":
            return _zip_kind(file) or promised
    if start[:8] == SIGNATURE:
        return "hdf5"
    if start.startswith(_PICKLE_MAGIC):
        return "pytorch"
    if start[8:9] == b"{" and 2 <= int.from_bytes(start[:8], "little") < os.path.getsize(filepath):
        return "safetensors"
    return promised


def _zip_kind(file):
    try:
        with zipfile.ZipFile(file) as archive:
            names = {name.rpartition("/")[2] if name.endswith("data.pkl") else name for name in archive.namelist()}
    except Exception:  # damaged: the reader that its ending promises says how
        return None
    for name, kind in (("header.json", "native"), ("config.json", "keras"), ("data.pkl", "pytorch")):
        if name in names:
            return kind
    return None


def promised_by(filepath, weights_only=False):
    """ "native", "keras" or "hdf5": what the ending of a file that is to be written promises.

    Raises ValueError for an ending that promises something else.
    """
    name = os.path.basename(os.fsdecode(filepath)).lower()
    ending = os.path.splitext(name)[1]
    if ending in (".npz", ""):
        return "native"
    if weights_only and name.endswith(".weights.h5"):
        return "hdf5"
    if not weights_only and ending in (".keras", ".h5", ".hdf5"):
        return "keras" if ending == ".keras" else "hdf5"
    known = ".npz (our own) or .weights.h5 (Keras's)" if weights_only else ".npz (our own), .keras or .h5 (Keras's)"
    other = {".onnx": "; model.export writes .onnx", ".safetensors": "; files.write_safetensors writes .safetensors"}
    raise ValueError(f"{os.fsdecode(filepath)}: the ending must be {known}, got {ending!r}{other.get(ending, '')}")

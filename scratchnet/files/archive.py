"""Files of named arrays and JSON texts, in NumPy's `.npz` format (a zip archive), without pickle.

Nothing that such a file holds is ever run. It is written beside its place and renamed into it, so that a crash leaves
the old file whole.
"""

import json
import os

import numpy as np

FORMAT = "scratchnet 1"


def write_archive(filepath, content, arrays, texts=None, overwrite=True):
    """Write a file.

    Args:
        filepath: where to; its folder must exist.
        content: what kind of file it is, such as "model"; `read_archive` asks for it.
        arrays: dict from name to array.
        texts: dict from name to JSON-able value.

    Raises:
        FileExistsError: if the file exists and `overwrite` is false.
        FileNotFoundError: if there is no such folder.
    """
    import tempfile  # here, because most programs save nothing: these take longer to import than a dozen layers
    import zipfile

    filepath = os.fspath(filepath)
    if not overwrite and os.path.exists(filepath):
        raise FileExistsError(f"{filepath} exists; overwrite=True replaces it")
    folder = os.path.dirname(os.path.abspath(filepath))
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"cannot write {filepath}: there is no folder {folder}")
    texts = {"header": {"format": FORMAT, "content": content}, **(texts or {})}
    handle, temporary = tempfile.mkstemp(prefix=os.path.basename(filepath) + ".", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name, value in texts.items():
                    archive.writestr(f"{name}.json", json.dumps(value, indent=1))
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                        np.lib.format.write_array(entry, np.asarray(array), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp makes files that only their owner can read
        os.replace(temporary, filepath)
    except BaseException:
        os.unlink(temporary)
        raise


def read_archive(filepath, *contents):
    """``(arrays, texts)`` of a file that holds one of `contents`.

    Raises FileNotFoundError if there is none, ValueError if it is damaged, foreign, or of another kind.
    """
    import zipfile
    import zlib

    filepath = os.fspath(filepath)
    if not os.path.exists(filepath):
        raise FileNotFoundError(f"there is no file {filepath}")
    arrays, texts = {}, {}
    try:
        with zipfile.ZipFile(filepath) as archive:
            for name in archive.namelist():
                with archive.open(name) as entry:
                    if name.endswith(".json"):
                        texts[name.removesuffix(".json")] = json.loads(entry.read())
                    elif name.endswith(".npy"):
                        arrays[name.removesuffix(".npy")] = np.lib.format.read_array(entry, allow_pickle=False)
                        entry.read()  # to the end, where the checksum is
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ) as problem:
        raise ValueError(f"{filepath} is damaged or not a file of scratchnet: {problem}") from problem
    header = texts.pop("header", None)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"{filepath} is not a file of scratchnet: it has no header of the format {FORMAT!r}")
    if header.get("content") not in contents:
        raise ValueError(f"{filepath} holds a {header.get('content')}, expected a {' or '.join(contents)}")
    return arrays, texts

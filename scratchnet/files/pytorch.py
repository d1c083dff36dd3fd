"""Reading what `torch.save` wrote, without PyTorch and without running anything.

Since version 1.6 such a file is a zip archive: ``data.pkl``, a pickle of the object in which each storage is a
persistent id ``("storage", FloatStorage, key, device, length)``, and a member ``data/key`` with the bytes of each
storage. Before, it was five pickles (a magic number, a version, facts about the machine, the object, the list of keys)
and then, for each key, a count and the bytes.
"""

import io
import pickletools

import numpy as np

from scratchnet.files import pickle_machine
from scratchnet.files.pickled_arrays import PickledArray, is_shape
from scratchnet.files.reading import file_size, reading
from scratchnet.files.torch_storages import TORCH_NAMES, Storage, StorageType, Tensor
from scratchnet.files.zipped import Members

_MAGIC = 0x1950A86A20F9469CFC6C

# Where training scripts keep the parameters in what they save, beside optimizer, epoch and so on.
_KEYS_OF_PARAMETERS = (
    "state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "params_ema", "params",
    "weights", "state",
)  # fmt: skip
_ARRAYS = (Tensor, PickledArray, np.ndarray)
_MOST_CONTAINERS = 200_000
_PREFIXES = ("module.", "_orig_mod.")  # of DataParallel, which wraps a model, and of torch.compile


def read_pytorch(filepath):
    """The arrays of a `.pth`, `.pt` or `.th` file of PyTorch.

    Of a checkpoint, that is of a dict with "state_dict" (or "model_state_dict", "model", ...), these are the parameters
    in it. A prefix "module." that all names have is taken off. Nested dicts and lists become names with dots. bfloat16,
    which NumPy does not have, becomes float32.

    Args:
        filepath: the file, in the zip format or the one before version 1.6.

    Returns:
        dict from name to array, in the file's order; the arrays are copies that share nothing.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, or asks for anything but arrays and containers.
    """
    with reading(filepath, "file of arrays by PyTorch") as file:
        start = file.read(4)
        file.seek(0)
        value, storages, byte_order = _read_zip(file) if start == b"PK\3\4" else _read_legacy(file)
        if not isinstance(value, (*_ARRAYS, dict, list, tuple)):
            raise ValueError("there is no array in it")
        tensors = _without_prefix(_find_tensors(value))
        if not tensors:
            raise ValueError("there is no array in it")
        arrays = dict.fromkeys(tensors)
        for key in dict.fromkeys(t.storage.key for t in tensors.values() if isinstance(t, Tensor)):
            content = storages(key)  # one storage after the other: never all of them twice in memory
            for name, tensor in tensors.items():
                if isinstance(tensor, Tensor) and tensor.storage.key == key:
                    arrays[name] = tensor.array(content, byte_order)
        for name, stand_in in tensors.items():
            if isinstance(stand_in, PickledArray):
                arrays[name] = stand_in.array()
            elif isinstance(stand_in, np.ndarray):
                arrays[name] = stand_in
        return arrays


# ---- the two formats: each gives the pickled value, a function from a storage's key to its bytes, the byte order ----


def _read_zip(file):
    members = Members(file, file_size(file))
    pickles = [name for name in members.sizes if name.endswith("/data.pkl") or name == "data.pkl"]
    if len(pickles) != 1:
        raise ValueError("it has no data.pkl, or several")
    folder = pickles[0].removesuffix("data.pkl")
    if f"{folder}constants.pkl" in members.sizes:
        raise ValueError("it is a TorchScript program; save model.state_dict() instead")
    order = members.read(f"{folder}byteorder") if f"{folder}byteorder" in members.sizes else b"little"
    if order not in (b"little", b"big"):
        raise ValueError(f"its byte order is {order[:20]!r}")

    def load_storage(persistent_id):
        storage = _storage(persistent_id)
        size = members.sizes.get(f"{folder}data/{storage.key}")
        if size is None or size != storage.length * storage.kind.itemsize:
            raise ValueError(f"the storage {storage.key!r} of {storage.length} numbers has {size} bytes")
        return storage

    value = _run(io.BytesIO(members.read(pickles[0])), load_storage)
    return value, lambda key: members.read(f"{folder}data/{key}"), "<" if order == b"little" else ">"


def _read_legacy(file):
    size = file_size(file)
    if _run(file) != _MAGIC:
        raise ValueError("it does not begin like a file of PyTorch")
    _version, machine = _run(file), _run(file)
    if not isinstance(machine, dict) or not isinstance(machine.get("little_endian"), bool):
        raise ValueError("its facts about the machine are missing")
    known = {}

    def load_storage(persistent_id):
        storage = _storage(persistent_id)
        root = known.setdefault(storage.key, storage.kind)
        if root.code != storage.kind.code:
            raise ValueError(f"the storage {storage.key!r} is of two types")
        if storage.length * storage.kind.itemsize > size:
            raise ValueError(f"the storage {storage.key!r} is longer than the file")
        return storage

    value, keys = _run(file, load_storage), _run(file)
    if not isinstance(keys, list) or set(keys) != set(known) or len(set(keys)) != len(keys):
        raise ValueError("its list of storages is not that of its tensors")
    places = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little" if machine["little_endian"] else "big", signed=True)
        length, start = count * known[key].itemsize, file.tell()
        if not 0 <= length <= size - start:
            raise ValueError(f"the storage {key!r} of {count} numbers is longer than the file")
        places[key] = start, length
        file.seek(length, 1)

    def content(key):
        start, length = places[key]
        file.seek(start)
        return file.read(length)

    return value, content, "<" if machine["little_endian"] else ">"


def _storage(persistent_id):
    """``("storage", type, key, device, length)``, and in old files a view ``(key, start, length)`` behind it."""
    if not isinstance(persistent_id, tuple) or len(persistent_id) not in (5, 6) or persistent_id[0] != "storage":
        raise ValueError("a persistent id that is no storage")
    _, kind, key, _device, length, *view = persistent_id
    start = 0
    if view and view[0] is not None:
        if not isinstance(view[0], tuple) or len(view[0]) != 3:
            raise ValueError("an invalid view of a storage")
        _, start, length = view[0]
    if not (isinstance(kind, StorageType) and isinstance(key, str) and is_shape((start, length))):
        raise ValueError("a storage without a proper type, key or length")
    return Storage(kind, key, length, start)


def _run(file, load_storage=None):
    start = file.tell()
    try:
        return pickle_machine.run(file, TORCH_NAMES, load_storage)
    except ValueError as problem:
        asked = str(problem)
        if "asks for torch." in asked or "asks for __main__." in asked:
            if _asks_for_modules(file, start):
                raise ValueError(f"{asked}; it holds a whole module: save model.state_dict() instead") from problem
        raise


def _asks_for_modules(file, start):
    file.seek(start)
    try:
        names = [
            str(argument)
            for _, argument, _ in pickletools.genops(pickle_machine.Bounded(file))
            if isinstance(argument, str)
        ]
    except ValueError:
        return False
    return any(name.startswith("torch.nn.modules") for name in names)


# ---- which of the arrays in the value are the parameters ----


def _find_tensors(value):
    """Dict from name to Tensor (or array) of the parameters in what was pickled."""
    for _ in range(4):  # {"state_dict": {"model": {...}}}
        if isinstance(value, dict):
            for key in _KEYS_OF_PARAMETERS:
                if isinstance(value.get(key), dict) and _flattened(value[key]):
                    value = value[key]
                    break
    return _flattened(value)


def _flattened(value):
    """All tensors in nested containers, under their keys joined by dots; what stands in two places, twice."""
    found, waiting, visited = {}, [("", value)], 0
    while waiting:
        name, value = waiting.pop()
        visited += 1
        if visited > _MOST_CONTAINERS or len(name) > 10_000:
            raise ValueError("its containers contain one another")
        if isinstance(value, _ARRAYS):
            if found.setdefault(name or "tensor", value) is not value:
                raise ValueError(f"two of its arrays are named {name!r}")
            continue
        items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        items = [(key, item) for key, item in items if isinstance(item, (*_ARRAYS, dict, list, tuple))]
        waiting.extend((f"{name}.{key}" if name else str(key), item) for key, item in reversed(items))
    return found


def _without_prefix(tensors):
    for _ in _PREFIXES:
        for prefix in _PREFIXES:
            if tensors and all(name.startswith(prefix) for name in tensors):
                tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors

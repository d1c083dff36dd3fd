"""Weights in several files, none larger than a limit, as Keras writes them with ``max_shard_size``.

w.weights.json            {"metadata": {"total_size": ...}, "weight_map": {"/layers/dense/vars": ["w_00000...", ...]}}
w_00000.weights.h5        each like a `.weights.h5` file, with some of the arrays
w_00001.weights.h5
"""

import io
import json
import os

from scratchnet.files.hdf5 import Group, open_hdf5
from scratchnet.files.hdf5_writing import hdf5_bytes
from scratchnet.files.reading import file_size, reading
from scratchnet.files.replace import replacing
from scratchnet.files.zipped import LARGEST_TEXT

ENDING = ".weights.json"
_KIND = "file of weights by Keras"


def write_shards(filepath, arrays, attributes, gigabytes, overwrite=True):
    """Write the files, in which `arrays` and `attributes` stand by path.

    Raises ValueError for an array that is larger than `gigabytes`, before anything is written.
    """
    limit, path = gigabytes * 2**30, os.fsdecode(filepath)
    shards, sizes = [{}], [0]
    for place, array in arrays.items():
        if array.nbytes > limit:
            raise ValueError(f"{path}: {place} has {array.nbytes} bytes, max_shard_size is {limit:.0f} (of one file)")
        if sizes[-1] + array.nbytes > limit:
            shards, sizes = [*shards, {}], [*sizes, 0]
        shards[-1][place] = array
        sizes[-1] += array.nbytes
    base, places = path.removesuffix(ENDING), {}
    for k, shard in enumerate(shards):
        name = f"{base}_{k:05d}.weights.h5"
        groups = list(dict.fromkeys(place.rpartition("/")[0] for place in shard))
        with replacing(name, overwrite) as file:
            file.write(hdf5_bytes(shard, {group: attributes.get(group, {}) for group in groups}))
        for group in groups:
            places.setdefault(f"/{group}", []).append(os.path.basename(name))
    with replacing(path, overwrite) as file:
        content = {"metadata": {"total_size": float(sum(sizes))}, "weight_map": places}
        file.write(json.dumps(content, indent=4).encode())


def read_shards(filepath):
    """The `Group` that is the root of all files together."""
    with reading(filepath, _KIND) as file:
        if file_size(file) > LARGEST_TEXT:
            raise ValueError(f"the text has {file_size(file)} bytes")
        names = {name: None for listed in json.load(file)["weight_map"].values() for name in _as_list(listed)}
    roots = []
    for name in names:
        if os.path.basename(name) != name:
            raise ValueError(f"{filepath} names {name!r}, which is no file beside it")
        with reading(os.path.join(os.path.dirname(filepath), name), _KIND) as file:
            content = file.read()
            roots.append(open_hdf5(io.BytesIO(content), len(content)))
    return Group(_Together(), roots)


def _as_list(listed):
    return [listed] if isinstance(listed, str) else listed


class _Together:
    """What a `Group` asks of its file; here the group is made of those of one path in several files."""

    def attributes(self, groups):
        return {name: value for group in groups for name, value in group.attributes.items()}

    def links(self, groups):
        names = sorted({name for group in groups for name in group})
        return {name: [group[name] for group in groups if name in group] for name in names}

    def open(self, found):
        groups = [one for one in found if isinstance(one, Group)]
        return Group(self, groups) if groups else found[0]

"""Damaged files by the hundred: what all tests of readers use.

How many are made depends on the profile of the tests: a few in the quick one, 2,000 of each kind in the thorough one.
"""

import io
import json
import os
import random
import re
import time
import tracemalloc
import warnings
import zipfile

MUTATIONS = {"quick": 30, "thorough": 2000, "mutation": 30}.get(os.environ.get("HYPOTHESIS_PROFILE"), 100)

_NUMBERS = [0, 1, 2, 127, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1]
_VALUES = [None, True, 0, -1, 3, 10**9, 10**30, 1e308, "", "x", "Lambda", "LSTM", [], [[]], {}, {"class_name": "Dense"}]


def check_reader(load, content, path, mutate=None, count=MUTATIONS, seed=0, most_bytes=1 << 28, most_seconds=20):
    """Damage `content` in many ways; what `load(path)` raises must be a ValueError or OSError that names the file.

    Args:
        load: the reader.
        content: the bytes of a good file.
        path: where to write the damaged ones (a Path).
        mutate: ``mutate(content, rng)``; by default `mutate_bytes`.
        most_bytes: of memory that reading one file may take.
        most_seconds: of the processor, whatever else it does, that it may take.
    """
    mutate = mutate or mutate_bytes
    rng = random.Random(seed)
    path.write_bytes(content)
    load(path)  # the good one, which also warms up whatever is made only once
    refused = 0
    tracemalloc.start()
    try:
        for k in range(count):
            path.write_bytes(mutate(content, rng))
            tracemalloc.reset_peak()
            before, start = tracemalloc.get_traced_memory()[0], time.process_time()
            try:
                load(path)
            except (ValueError, OSError) as problem:
                refused += 1
                assert path.name in str(problem), f"mutation {k} of seed {seed}: {problem!r} does not name the file"
            except BaseException as problem:
                raise AssertionError(f"mutation {k} of seed {seed}: {problem!r}") from problem
            seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1] - before
            assert seconds < most_seconds, f"mutation {k} of seed {seed} took {seconds:.0f} s"
            assert peak < most_bytes, f"mutation {k} of seed {seed} took {peak >> 20} MB"
    finally:
        tracemalloc.stop()
    assert refused > count // 10, f"only {refused} of {count} damaged files were refused"


def mutate_bytes(content, rng):
    """A few bytes flipped, overwritten, left out, doubled or cut off."""
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 5, 20])):
        if not content:
            break
        at = rng.randrange(len(content))
        kind = rng.choice(["flip", "number", "ones", "delete", "insert", "double", "cut"])
        if kind == "flip":
            content[at] ^= 1 << rng.randrange(8)
        elif kind == "number":
            size = rng.choice([1, 2, 4, 8])
            number = (rng.choice(_NUMBERS) % 256**size).to_bytes(size, rng.choice(["little", "big"]))
            content[at : at + size] = number
        elif kind == "ones":
            content[at : at + rng.randrange(1, 40)] = b"\xff" * rng.randrange(1, 40)
        elif kind == "delete":
            del content[at : at + rng.randrange(1, 40)]
        elif kind == "insert":
            content[at:at] = rng.randbytes(rng.randrange(1, 40))
        elif kind == "double":
            content[at:at] = content[at : at + rng.randrange(1, 200)]
        elif rng.random() < 0.3:
            del content[at:]
    return bytes(content)


def mutate_zip(content, rng):
    """A zip file with right checksums, in which a member has been changed, left out, renamed or doubled."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    texts = [k for k, (name, _) in enumerate(members) if name.endswith(".json")]
    for _ in range(rng.choice([1, 1, 2, 4])):
        k = rng.choice(texts) if texts and rng.random() < 0.5 else rng.randrange(len(members))
        name, data = members[k]
        kind = rng.choice(["change"] * 6 + ["leave out", "rename", "double"])
        if kind == "change" and name.endswith(".json"):
            members[k] = name, mutate_json(data, rng)
        elif kind == "change" and data[:6] == b"\x93NUMPY" and rng.random() < 0.7:
            members[k] = name, _mutate_header(data, rng)
        elif kind == "change":
            members[k] = name, mutate_bytes(data, rng)
        elif kind == "rename":
            members[k] = rng.choice([name + "x", name[1:], "../" + name, members[rng.randrange(len(members))][0]]), data
        elif kind == "double":
            members.append((name + rng.choice(["", "2"]), data))
        elif len(members) > 1:
            members.pop(k)
            texts = [k for k, (name, _) in enumerate(members) if name.endswith(".json")]
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as archive:
        warnings.simplefilter("ignore")  # of two members of one name
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def mutate_json(data, rng):
    """A JSON text in which a value is another one, is gone, or is somewhere else."""
    try:
        root = {"root": json.loads(data)}
    except ValueError:  # mutated before
        return mutate_bytes(data, rng)
    places = []
    waiting = [root]
    while waiting:
        value = waiting.pop()
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            places.append((value, key))
            if isinstance(value[key], (dict, list)):
                waiting.append(value[key])
    container, key = rng.choice(places)
    kind = rng.choice(["value", "value", "delete", "copy", "number"])
    if kind == "value":
        container[key] = rng.choice(_VALUES)
    elif kind == "delete":
        del container[key]
    elif kind == "number":
        container[key] = rng.choice(_NUMBERS) * rng.choice([1, -1])
    else:
        other, name = rng.choice(places)
        container[key] = json.loads(json.dumps(other[name])) if _has(other, name) else None
    return json.dumps(root.get("root")).encode()


def _has(container, key):
    return key in container if isinstance(container, dict) else key < len(container)


def _mutate_header(data, rng):
    """An `.npy` whose header says something else."""
    length = int.from_bytes(data[8:10], "little")
    header = data[10 : 10 + length].decode("latin1")
    new = rng.choice(
        [
            lambda: re.sub(r"<f4", rng.choice(["<f2", "<f8", "|O", "<i4", "|V4", "|S0", "x", "<U4"]), header),
            lambda: re.sub(r"\((\d+)", lambda m: f"({int(m[1]) * rng.choice([0, 2, 10**9, -1])}", header),
            lambda: re.sub("False", "True", header),
            lambda: re.sub(r"\)", ", 10000000000000000000000, 0)", header),
            lambda: header.replace("}", "", 1),
            lambda: header.replace("'shape'", "'shape': (1,), 'shape'"),
        ]
    )()
    return data[:8] + len(new).to_bytes(2, "little") + new.encode("latin1") + data[10 + length :]

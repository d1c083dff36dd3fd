"""What stands in the attributes of an object whose `call` is traced.

Layers and random generators are looked for when they are asked for, also in lists, tuples and dicts: a list may have
grown since it became an attribute. Traces are forgotten when an attribute changes, since `call` may read it.
"""

import functools

import numpy as np

from scratchnet.graph.trace import LOCK, outside_of_traces
from scratchnet.graph.variable import Variable
from scratchnet.ops.operation import current_trace
from scratchnet.ops.random import SeedGenerator
from scratchnet.streams import RandomStream
from scratchnet.structure import flatten

MOST_GRAPHS = 64  # of one object: sequences of a hundred lengths are traced anew now and then

# What the library itself keeps in such an object; each class adds its own as `own_attributes`.
_OWN = {"_build_config", "_graphs", "_handles", "_losses", "_recorded", "_streams"}

# Most attributes of a layer: nothing stands in them.
_PLAIN = (bool, int, float, str, type(None), np.ndarray, Variable)


class KeepsTraces:
    """The part of a layer, model or loss with `call` that keeps its traces, as long as they are true."""

    def kept_trace(self, key, make):
        """The trace of this key; ``make()`` makes it the first time, in one thread."""
        graphs = vars(self).setdefault("_graphs", {})
        found = graphs.get(key)
        if found is None:
            with LOCK, outside_of_traces():
                found = graphs.get(key)
                if found is None:
                    found = make()
                    graphs = vars(self).setdefault("_graphs", {})
                    while len(graphs) >= MOST_GRAPHS:
                        del graphs[next(iter(graphs))]
                    graphs[key] = found
        return found

    def kept_traces(self):
        return list(vars(self).get("_graphs", {}).values())

    def forget_traces(self):
        """Trace anew at the next call."""
        vars(self).pop("_graphs", None)

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if not is_own_attribute(self, name) and current_trace.get() is None:
            self.forget_traces()

    def __getstate__(self):
        """The attributes without the traces: a copy makes its own."""
        return {name: value for name, value in vars(self).items() if name != "_graphs"}

    def own_stream(self, number):
        """The stream of the random operation of this number in `call`."""
        streams = vars(self).setdefault("_streams", [])
        while len(streams) <= number:
            streams.append(RandomStream())
        return streams[number]


def is_own_attribute(thing, name):
    """Whether an attribute belongs to the library: it holds nothing of the user's, and may change at any time."""
    return name in _own_attributes(type(thing))


@functools.lru_cache(maxsize=1024)
def _own_attributes(cls):
    return _OWN.union(*(vars(base).get("own_attributes", ()) for base in cls.__mro__))


def metrics_in(thing):
    """The metrics among the attributes, also in lists, tuples and dicts."""
    found, own = [], _own_attributes(type(thing))
    for name, value in vars(thing).items():
        if not (isinstance(value, _PLAIN) or name in own):
            found += [leaf for leaf in flatten(value) if _is_metric(type(leaf))]
    return found


@functools.lru_cache(maxsize=1024)  # every epoch asks, of all that layers keep
def _is_metric(cls):
    return hasattr(cls, "update_state") and hasattr(cls, "result")


def layers_and_streams(thing):
    """``(layers, streams)``: dicts from path, such as ``"blocks.0"``, in the order of the attributes."""
    layers, streams, seen = {}, {}, {id(thing)}

    def visit(path, value):
        if hasattr(value, "ensure_built") and hasattr(value, "forward"):
            layers[path] = value
        elif isinstance(value, SeedGenerator):
            streams[path] = value.stream
        elif isinstance(value, (list, tuple, dict)) and id(value) not in seen:
            seen.add(id(value))
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            for key, entry in entries:
                visit(f"{path}.{key}".replace("/", "_"), entry)

    for name, value in vars(thing).items():
        if not (isinstance(value, _PLAIN) or is_own_attribute(thing, name)):
            visit(name, value)
    return layers, streams

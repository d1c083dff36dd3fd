"""Layers and random generators that stand in the attributes of an object, also in lists, tuples and dicts there.

They are looked for when they are asked for: a list may have grown since it became an attribute.
"""

from scratchnet.ops.random import SeedGenerator

# What the library itself keeps in a layer or model; each class adds its own as `own_attributes`.
_OWN = {"_graphs", "_losses", "_recorded", "_streams"}


def is_own_attribute(thing, name):
    """Whether an attribute belongs to the library: it holds nothing of the user's, and may change at any time."""
    return name in _OWN or any(name in vars(cls).get("own_attributes", ()) for cls in type(thing).__mro__)


def layers_and_streams(thing):
    """``(layers, streams)``: dicts from path, such as ``"blocks.0"``, in the order of the attributes."""
    layers, streams, seen = {}, {}, {id(thing)}

    def visit(path, value):
        if hasattr(value, "named_arrays") and hasattr(value, "forward"):
            layers[path] = value
        elif isinstance(value, SeedGenerator):
            streams[path] = value.stream
        elif isinstance(value, (list, tuple, dict)) and id(value) not in seen:
            seen.add(id(value))
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            for key, entry in entries:
                visit(f"{path}.{key}".replace("/", "_"), entry)

    for name, value in vars(thing).items():
        if not is_own_attribute(thing, name):
            visit(name, value)
    return layers, streams

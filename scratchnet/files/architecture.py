"""Building the model that a file describes, unless it asks for more than any honest file would."""

from scratchnet import limits, registry

MOST_LAYERS = 20_000  # the deepest networks have some thousand
_LISTS_OF_LAYERS = ("layers", "nodes", "inbound_nodes", "cells")
_MOST_COUNTED = {"num_thresholds": 1_000_000, "num_classes": 10_000}  # by a metric, in an array or a square one


def build(architecture, custom_objects, numbers):
    """The model of a registry's configuration; its parameters have at most so many `numbers`.

    Raises ValueError for more layers, or uses of layers, than anybody builds: such a file is made to take for ever.
    """
    waiting, found = [architecture], 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found += sum(len(value[key]) for key in _LISTS_OF_LAYERS if isinstance(value.get(key), list))
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    if found > MOST_LAYERS:
        raise ValueError(f"it has {found} layers and uses of layers; more than {MOST_LAYERS} are not read")
    with limits.at_most(numbers):
        model = registry.deserialize(architecture, "layers", custom_objects)
    if not hasattr(model, "named_arrays") or not hasattr(model, "save"):
        raise ValueError(f"it describes a {type(model).__name__}, not a model")
    return model


def check_counts(settings):
    """Raise ValueError if settings of compile ask for a metric that would fill any memory."""
    waiting = [settings]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, most in _MOST_COUNTED.items():
                if isinstance(value.get(key), (int, float)) and value[key] > most:
                    raise ValueError(f"{key} is {value[key]}; more than {most} are not read")
        if isinstance(value, (dict, list)):
            waiting.extend(value.values() if isinstance(value, dict) else value)

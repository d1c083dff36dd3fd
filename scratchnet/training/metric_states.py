"""What a metric has counted, as something that can be written down: for a fit that is interrupted within an epoch."""

import itertools

import numpy as np

from scratchnet.metrics import Metric
from scratchnet.variables import StateVariable

_nothing = object()


def state_of(metric):
    """What a metric has counted: its attributes as far as they are numbers, arrays, texts, or several of these."""
    return _kept({name: value for name, value in vars(metric).items() if name != "_recorded"})


def set_state_of(metric, kept):
    """Go on from `state_of`."""
    for name, value in kept.items():
        setattr(metric, name, _given_back(getattr(metric, name, None), value))


def _kept(value):
    if isinstance(value, Metric):
        return state_of(value)
    if isinstance(value, StateVariable):
        return np.array(value.numpy())
    if isinstance(value, dict):
        entries = {key: _kept(entry) for key, entry in value.items() if isinstance(key, str)}
        return {key: entry for key, entry in entries.items() if entry is not _nothing}
    if isinstance(value, (list, tuple)):
        entries = [_kept(entry) for entry in value]
        return _nothing if any(entry is _nothing for entry in entries) else entries
    is_plain = value is None or isinstance(value, (bool, int, float, str, np.generic))
    return np.array(value) if isinstance(value, np.ndarray) else value if is_plain else _nothing


def _given_back(thing, kept):
    """`kept` as what it was; metrics and variables stay the same objects."""
    if isinstance(thing, Metric):
        set_state_of(thing, kept)
        return thing
    if isinstance(thing, StateVariable):
        thing.assign(kept)
        return thing
    if isinstance(thing, dict):
        return {**thing, **{key: _given_back(thing.get(key), entry) for key, entry in kept.items()}}
    if isinstance(thing, (list, tuple)):
        pairs = itertools.zip_longest(thing[: len(kept)], kept)
        return type(thing)([_given_back(own, entry) for own, entry in pairs])
    return kept

"""The contract of a layer, as far as it can be seen from outside; whether the numbers are right, `check` tells.

    y, cache  = layer.forward(x, training=False)           # changes nothing
    dx, grads = layer.backward(dy, cache, needs_dx=True)   # changes nothing

* one signature for every layer;
* grads has exactly the keys of ``layer.trainable_params``, so a frozen layer computes none;
* backward gives the same each time it is called, and the same grads without dx;
* x is what its values are, wherever they lie: read-only memory, gaps between its values, or one value that stands for
  many (stride 0, as `numpy.broadcast_to` makes) change nothing.
"""

import inspect

import numpy as np

from scratchnet.parallel.batch import drawing_rows
from scratchnet.structure import flatten, map_structure

SAME, TINY = 1e-10, 1e-12  # another order of the same sums; TINY is relative to dy, for what cancels out to nothing


class Use:
    """A layer as it is called here: with one mode, one mask, and the same random numbers each time."""

    def __init__(self, layer, training=False, mask=None):
        self.layer = layer
        self._options = {"training": training} if mask is None else {"training": training, "mask": mask}

    def forward(self, x):
        with drawing_rows(step=0, first_row=0):
            return self.layer.forward(x, **self._options)

    def backward(self, dy, cache, needs_dx=True):
        return self.layer.backward(dy, cache, needs_dx=needs_dx)


def check_contract(use, x, dy, y, cache):
    """Return ``(dx, grads)`` of `cache`. Raises TypeError or AssertionError where the contract is broken."""
    layer = use.layer
    check_signature(layer)
    kept = [a.copy() for a in _everything(layer, x, dy, y)]
    use.forward(x)
    dx, grads = use.backward(dy, cache)
    if grads.keys() != layer.trainable_params.keys():
        frozen = "" if layer.trainable else " (it is frozen)"
        raise AssertionError(
            f"{layer!r}: grads has the keys {sorted(grads)}, the trainable parameters{frozen} are "
            f"{sorted(layer.trainable_params)}"
        )
    for now, before in zip(_everything(layer, x, dy, y), kept):
        if not np.array_equal(now, before, equal_nan=True):
            raise AssertionError(f"{layer!r}: forward or backward changes what it is given, or the layer itself")
    again = use.backward(dy, cache)
    for first, second in zip(flatten([dx, list(grads.values())]), flatten([again[0], list(again[1].values())])):
        if first is not None and not np.array_equal(first, second, equal_nan=True):
            raise AssertionError(f"{layer!r}: backward gives something else when it is called a second time")
    _, same = use.backward(dy, cache, needs_dx=False)
    _compare(layer, "with needs_dx=False", dy, {"grads": grads}, {"grads": same})
    return dx, grads


def check_signature(layer):
    """Raise TypeError unless backward takes `needs_dx`, as every layer's does."""
    parameters = inspect.signature(layer.backward).parameters
    if "needs_dx" not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        raise TypeError(
            f"{type(layer).__name__}.backward takes ({', '.join(['self', *parameters])}); every layer's is "
            "backward(self, dy, cache, needs_dx=True), and may return (None, grads) where needs_dx is false"
        )


def check_layouts(use, x, dy):
    """Raise AssertionError where y, dx or grads depend on how x and dy lie in memory, and not only on their values."""
    expected = _pass(use, x, dy)
    for name, lay in LAYOUTS.items():
        found = _pass(use, map_structure(lay, x), map_structure(lay, dy))
        _compare(use.layer, f"with x and dy {name}", dy, expected, found)
    for axis in range(max(np.ndim(a) for a in flatten(x))):
        repeated = map_structure(lambda a, axis=axis: _repeating(a, axis), x)
        expected = _pass(use, map_structure(np.array, repeated), dy)
        _compare(
            use.layer, f"with an x that repeats along axis {axis} (stride 0)", dy, expected, _pass(use, repeated, dy)
        )


def _read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


LAYOUTS = {
    "read-only": _read_only,
    "in Fortran order": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
}


def _repeating(a, axis):
    return np.broadcast_to(a.take([0], axis), a.shape) if axis < a.ndim else a


def _pass(use, x, dy):
    y, cache = use.forward(x)
    dx, grads = use.backward(dy, cache)
    return {"y": y, "dx": dx, "grads": grads}


def _compare(layer, how, dy, expected, found):
    floor = TINY * max(np.max(np.abs(d), initial=0.0) for d in flatten(dy))
    for name, value in expected.items():
        for one, other in zip(flatten(value), flatten(found[name]), strict=True):
            if one is None:
                continue
            difference = np.max(np.abs(one - other), initial=0.0)
            if not difference <= SAME * np.max(np.abs(one), initial=0.0) + floor:
                raise AssertionError(f"{layer!r}: {name} differs by {difference:.1e} {how}")


def _everything(layer, x, dy, y):
    return [a for a in flatten([x, dy, y]) if a is not None] + list(layer.named_arrays().values())

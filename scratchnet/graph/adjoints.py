"""Sums of adjoints, as a walk back through a graph adds them up."""

import numpy as np


class Adjoints(dict):
    """Sums of adjoints by tensor, or of gradients by parameter.

    What is handed in may belong to somebody else, or be a view of it. Only arrays that were made here are added into.
    """

    def __init__(self, tiles=None):
        super().__init__()
        self._own = set()
        self._tiles = tiles or {}
        self.unfinished = {}  # of tensors that are read tile by tile, the tiles that nobody has written yet

    def add(self, key, d):
        """Add `d` to the sum of `key`; None adds nothing."""
        if d is None:
            return
        before = self.get(key)
        if before is None:
            self[key] = d
        elif key in self._own:
            before += d
        else:
            self[key] = np.asarray(before + d)  # without axes it would be a number, which nothing can be added into
            self._own.add(key)

    def to_add_into(self, key, shape, dtype):
        """The array of `key` to add into, in place: zeros, if there is none yet."""
        if key not in self._own:
            before = self.get(key)
            self[key] = np.zeros(shape, dtype) if before is None else np.array(before)
            self._own.add(key)
        return self[key]

    def to_put_together(self, key, node, shape, dtype):
        """The array of a tensor of which `node` reads a tile, to be written into; None for any other tensor."""
        if key not in self._tiles or any(n not in (None, m) for m, n in zip(shape, key.shape)):
            return None
        if key not in self.unfinished:
            self[key] = np.empty(shape, dtype)
            self._own.add(key)
            self.unfinished[key] = set(self._tiles[key])
        self.unfinished[key].discard(node)
        return self[key]

    def finish(self, key):
        """Write zeros where a slice has no adjoint."""
        for node in self.unfinished.pop(key):
            self[key][node.tile] = 0

    def pop(self, key, default=None):
        self._own.discard(key)
        return dict.pop(self, key, default)


class Noted:
    """`Adjoints` as a node sees them while it is watched: what it adds is noted in `added`."""

    def __init__(self, adjoints):
        self.adjoints = adjoints
        self.added = []
        self._arrays = {}

    def add(self, key, d):
        self.added.append((key, d))
        self.adjoints.add(key, d)

    def to_add_into(self, key, shape, dtype):
        """An array of zeros, which `hand_on` adds to the sum: in place nobody would see what came from here."""
        if key not in self._arrays:
            self._arrays[key] = np.zeros(shape, dtype)
        return self._arrays[key]

    def to_put_together(self, key, node, shape, dtype):
        return None

    def hand_on(self):
        """What was added, when the node is done."""
        for key, d in self._arrays.items():
            self.add(key, d)
        return self.added

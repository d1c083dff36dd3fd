"""Each rank owns a share of the parameters: it sums their gradients, updates them, and sends them to all others.

With R ranks, a rank needs the slots (Adam's two running means) of an R-th of the parameters only. A step:

    1. every rank sends to each owner the gradients of that owner's share, of all its parts of the batch
    2. each owner adds them up in the order of the parts, and updates its share
    3. each owner sends its share, updated, to all others

(Rajbhandari et al., "ZeRO: memory optimizations toward training trillion parameter models", 2020, first stage). The
parts are added up one after the other, as on one machine, and not rank by rank: floating point sums depend on the
order, and it must not matter which parts a rank had.

All parameters form one row, and a share is a stretch of it; all stretches have the same length. If an optimizer looks
at a whole parameter (its norm, its rows), a share consists of whole parameters instead.
"""

import numpy as np

from scratchnet.optimizers.arrays import cut, dealt


class Share:
    """Which rank owns what.

    Args:
        shapes: dict from the key of a parameter to (shape, dtype).
        ranks: the `scratchnet.parallel.ranks.Ranks`.
        whole: whether a parameter must not be divided.
    """

    def __init__(self, shapes, ranks, whole):
        self.shapes, self.ranks = shapes, ranks
        self.owned = (_dealt if whole else _stretches)(shapes, ranks.size)  # for each rank: key -> slice, None for all

    def views(self, arrays, rank=None):
        """The share of `arrays` that a rank, by default this one, owns: flat stretches, or whole arrays."""
        owned = self.owned[self.ranks.rank if rank is None else rank]
        return {key: cut(arrays[key], stretch) for key, stretch in owned.items() if key in arrays}

    def shapes_of_views(self):
        """Shapes and dtypes of what this rank owns."""
        views = self.views({key: np.broadcast_to(dtype.type(0), shape) for key, (shape, dtype) in self.shapes.items()})
        return {key: (w.shape, w.dtype) for key, w in views.items()}

    # ---- a step ----

    def reduce(self, params, parts, counts):
        """The gradients of this rank's share, for each part of the batch, in order.

        Args:
            params: dict of arrays.
            parts: list of dicts: the gradients of the parts that were computed here.
            counts: how many parts each rank has computed.
        """
        parts = [{key: np.asarray(part[key], w.dtype) for key, w in params.items()} for part in parts]
        rank, own = self.ranks.rank, self.views(params)
        outgoing = {}
        if parts:
            for other in range(self.ranks.size):
                pieces = [piece for part in parts for piece in self.views(part, other).values()]
                if other != rank and pieces:
                    outgoing[other] = pieces
        size = sum(w.nbytes for w in own.values())
        sizes = {other: size * count for other, count in enumerate(counts) if other != rank and size and count}
        self.ranks.make_room(max(counts) * sum(w.nbytes for w in params.values()))
        incoming = self.ranks.trade(outgoing, sizes)
        gradients = []
        for other, count in enumerate(counts):
            if other == rank:
                gradients += [self.views(part) for part in parts]
                continue
            for k in range(count):
                start, found = k * size, {}
                for key, w in own.items():
                    found[key] = incoming[other][start : start + w.nbytes].view(w.dtype).reshape(w.shape)
                    start += w.nbytes
                gradients.append(found)
        return gradients

    def hand_round(self, params):
        """Send this rank's updated share to all others, and copy theirs into `params`."""
        rank, others = self.ranks.rank, [other for other in range(self.ranks.size) if other != self.ranks.rank]
        owned = [list(self.views(params, k).values()) for k in range(self.ranks.size)]
        sizes = {other: sum(w.nbytes for w in owned[other]) for other in others if owned[other]}
        incoming = self.ranks.trade({other: owned[rank] for other in others if owned[rank]}, sizes)
        for other, found in incoming.items():
            start = 0
            for w in owned[other]:
                w[...] = found[start : start + w.nbytes].view(w.dtype).reshape(w.shape)
                start += w.nbytes

    def sum_of_squares(self, squares):
        """The sum over all parameters, in their order, of `squares`, which this rank has for its whole parameters."""
        found = {}
        for of_rank in self.ranks.gather("norms of gradients", squares):
            found.update(of_rank)
        return sum(found[key] for key in self.shapes if key in found)

    # ---- the state of an optimizer ----

    def cut(self, state):
        """This rank's share of an optimizer's whole `state`."""
        owned = self.owned[self.ranks.rank]
        keys = {name: name.partition("/")[2] for name in state}
        return {name: cut(state[name], owned[key]).copy() for name, key in keys.items() if key in owned}

    def gathered(self, state):
        """The whole state, collected from the shares of all ranks; all ranks must call this."""
        everybody = self.ranks.gather("the optimizer's state", state)
        slots = dict.fromkeys(name.partition("/")[0] for found in everybody for name in found)
        whole = {}
        for name, key in ((f"{slot}/{key}", key) for slot in slots for key in self.shapes):
            pieces = [found[name] for found in everybody if name in found]
            if pieces:
                divided = any(owned.get(key) is not None for owned in self.owned)
                whole[name] = np.concatenate(pieces).reshape(self.shapes[key][0]) if divided else pieces[0]
        return whole


def _stretches(shapes, count):
    """The row of all elements, cut into `count` equal stretches."""
    sizes = {key: int(np.prod(shape)) for key, (shape, _) in shapes.items()}
    total = sum(sizes.values())
    owned = [{} for _ in range(count)]
    first = 0
    for key, size in sizes.items():
        for k in range(count):
            start, stop = max(total * k // count - first, 0), min(total * (k + 1) // count - first, size)
            if start < stop:
                owned[k][key] = slice(start, stop)
        first += size
    return owned


def _dealt(shapes, count):
    arrays = {key: np.broadcast_to(np.int8(0), shape) for key, (shape, _) in shapes.items()}
    shares = [dict(share) for share in dealt(arrays, count)]
    return [{key: None for key in arrays if key in share} for share in shares] + [{}] * (count - len(shares))

"""One step of training: the gradient of one batch.

    y, cache = model.forward(x, training=True)
    value, loss_cache = loss.forward(targets, y)
    dx, grads = model.backward(loss.backward(loss_cache), cache)

The batch is taken apart, and each part goes through these lines in a thread of its own. Values and gradients of the
parts are then added in the order of the parts, so the result does not depend on which thread finishes first.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.parallel.batch import map_parts
from scratchnet.structure import flatten

SMALLEST_PART = 16  # rows: below this, a thread of its own costs more than it saves


class Trained(NamedTuple):
    """What an epoch trains: asked of the model once, since it walks through all its layers for the answer."""

    params: dict  # the arrays that the optimizer changes, by key
    constraints: dict  # what some of them have to obey
    is_penalized: bool  # whether there are regularizers

    @classmethod
    def of(cls, model):
        return cls(model.trainable_params, model.constraints, bool(model.penalty()[1]))


class PartOfStep(NamedTuple):
    """What comes out of one part of a batch."""

    values: list  # the unweighted loss of each output
    added: float  # what layers added to the loss
    ys: list  # the outputs of the objective's model, flat
    masks: list  # of the outputs
    grads: dict
    cache: Any  # of the model


def gradients(objective, batch, counts):
    """A part of the batch through the model, forward and back. `counts` are those of the whole batch."""
    model = objective.model
    y, cache = model.forward(model.pack_inputs(batch.x), training=True)
    ys = flatten(y)
    values, loss_caches = objective.forward(batch, ys, counts, cache.masks)
    added = model.added_loss(cache)
    dys = objective.backward(loss_caches)
    _, grads = model.backward(dys if len(dys) > 1 else dys[0], cache, needs_dx=False)
    return PartOfStep(values, added, ys, cache.masks, grads, cache)


def run_step(objective, batch, step, workers):
    """The parts of `batch`, computed at the same time: a list of `PartOfStep`, in the order of the rows."""
    counts = objective.counts(batch)

    def compute(rows):
        with np.errstate(all="ignore"):  # fit tells by itself what is not finite
            return gradients(objective, batch.rows(rows), counts)

    count = 1 if objective.in_one_part(batch) else workers.count
    return map_parts(compute, parts_of(batch.size, count), step, workers)


def parts_of(size, workers):
    """Slices of nearly equal size, one for each worker, of at least `SMALLEST_PART` rows where there are several."""
    count = max(1, min(workers, size // SMALLEST_PART))
    edges = [size * k // count for k in range(count + 1)]
    return [slice(a, b) for a, b in zip(edges, edges[1:])]


def concatenated(pieces):
    """Lists of arrays, one list for each piece of the batch, as one list of whole arrays; None stays None."""
    return [
        None if arrays[0] is None else arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        for arrays in zip(*pieces)
    ]

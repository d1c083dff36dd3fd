"""One step of training: the gradient of one batch.

    y, cache = model.forward(x, training=True)
    value, loss_cache = loss.forward(targets, y)
    dx, grads = model.backward(loss.backward(loss_cache), cache)

The batch is taken apart, and each part goes through these lines in a thread of its own. Values and gradients of the
parts are then added in the order of the parts, so the result does not depend on which thread finishes first.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.parallel.batch import Division, map_own_parts
from scratchnet.parallel.ranks import current_ranks
from scratchnet.structure import flatten
from scratchnet.training.in_training import in_training
from scratchnet.training.work import LEAST_HELPED, is_helped, parts_worth

SMALLEST_PART = 4  # rows: with fewer, a kernel computes what nobody wants, or one number at a time


class Trained(NamedTuple):
    """What an epoch trains: asked of the model once, since it walks through all its layers for the answer."""

    model: Any  # the one to run: `scratchnet.training.in_training`
    params: dict  # the arrays that the optimizer changes, by key
    constraints: dict  # what some of them have to obey
    is_penalized: bool  # whether there are regularizers

    @classmethod
    def of(cls, model, layer_by_layer=False):
        runs = model if layer_by_layer else in_training(model)
        return cls(runs, model.trainable_params, model.constraints, bool(model.penalty()[1]))


class PartOfStep(NamedTuple):
    """What comes out of one part of a batch."""

    values: list  # the unweighted loss of each output
    added: float  # what layers added to the loss
    ys: list  # the outputs of the objective's model, flat
    masks: list  # of the outputs
    grads: dict
    cache: Any  # of the model


def gradients(objective, batch, counts, model=None):
    """A part of the batch through the model, forward and back. `counts` are those of the whole batch.

    `model`: in place of the objective's, what shares its weights and is quicker.
    """
    model = objective.model if model is None else model
    y, cache = model.forward(model.pack_inputs(batch.x), training=True)
    ys = flatten(y)
    values, loss_caches = objective.forward(batch, ys, counts, cache.masks)
    added = model.added_loss(cache)
    dys = objective.backward(loss_caches)
    _, grads = model.backward(dys if len(dys) > 1 else dys[0], cache, needs_dx=False)
    return PartOfStep(values, added, ys, cache.masks, grads, cache)


def run_step(objective, batch, step, workers, model=None):
    """The parts of `batch`, computed at the same time: a list of `PartOfStep`, in the order of the rows.

    Of a batch that several ranks compute, the parts that are computed here. `model`: see `gradients`.
    """
    counts = objective.counts(batch)
    division = batch.division
    if division is None:
        division = divided(batch.size, batch.y, objective, workers)

    is_one = len(division.own) == 1

    def compute(rows):
        with np.errstate(all="ignore"):  # fit tells by itself what is not finite
            own = batch if is_one else batch.own_rows(rows)
            return gradients(objective, own.taken(), counts, model)

    is_enough = batch.size * objective.shared + objective.shared_of_tables >= LEAST_HELPED
    if is_one and is_enough and workers.have_one_to_help:  # a trial without one would say anything
        workers.help_one(objective.trial.asks())
    return map_own_parts(compute, division, step, workers, current_ranks())


def divided(size, ys, objective, workers):
    """The `Division` of a batch of so many rows, with targets like `ys`.

    As many parts as all ranks have threads, unless there is too little to compute (`scratchnet.training.work`).
    """
    ranks = current_ranks()
    count = ranks.size * workers.count
    if count > 1:
        count = int(min(count, parts_worth(size * objective.work, objective.weights)))
    if count > 1 and objective.in_one_part(ys):
        count = 1
    if count == 2 and workers.can_help:
        count -= is_helped(size * objective.work, size * objective.shared, objective.weights)
    return Division.among(parts_of(size, count), ranks)


class Figures(NamedTuple):
    """What all ranks know of one part of a batch."""

    values: list
    added: float
    ys: list | None  # these two where metrics are counted
    masks: list | None


def figures_of_all(parts, batch, wants_predictions):
    """``(figures, batch)``: the `Figures` of all parts on all ranks, and where wanted the targets of all rows."""
    if batch.division is None:  # they are all here
        return parts, batch
    figures = [Figures(p.values, p.added, *((p.ys, p.masks) if wants_predictions else (None, None))) for p in parts]
    targets = (batch.y, batch.weights) if wants_predictions else None
    everybody = current_ranks().gather("the figures of a step", (figures, targets))
    if wants_predictions:
        with_rows = [targets for figures, targets in everybody if figures]
        ys, weights = (concatenated([targets[k] for targets in with_rows]) for k in range(2))
        batch = batch._replace(y=ys, weights=weights)
    return [figure for figures, _ in everybody for figure in figures], batch


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

"""What an optimizer makes of the gradients of a trace: one step, taken with copies."""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scratchnet import optimizers
from scratchnet.parallel.ranks import current_ranks
from scratchnet.structure import flatten


class Update(NamedTuple):
    """One parameter in one step."""

    key: str
    before: np.ndarray  # w
    gradient: np.ndarray  # dL/dw, before any clipping
    step: np.ndarray  # w' - w
    after: np.ndarray  # w'
    slots: dict  # what the optimizer keeps beside it, after the step: {"m": ..., "v": ...}

    def largest(self, count=8):
        """The indices of the entries that change most, as a list of tuples."""
        flat = np.argsort(-np.abs(self.step), axis=None, kind="stable")[:count]
        return [tuple(int(i) for i in np.unravel_index(k, self.step.shape)) for k in flat]


class Updates(Mapping):
    """A step of learning: a mapping from the key of a parameter to its `Update`.

    Attributes:
        optimizer: a copy, behind the step.
        loss_before, loss_after: the loss of these samples with the parameters before and after.
        learning_rate: of this step.
    """

    def __init__(self, updates, optimizer, learning_rate, loss_before, loss_after):
        self._updates = updates
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.loss_before, self.loss_after = loss_before, loss_after

    def __getitem__(self, key):
        if key in self._updates:
            return self._updates[key]
        raise KeyError(f"no parameter {key!r}: there are {', '.join(self._updates)}")

    def __iter__(self):
        return iter(self._updates)

    def __len__(self):
        return len(self._updates)

    def __str__(self):
        name = type(self.optimizer).__name__
        lines = [f"{name}, loss {self.loss_before:.6g} -> {self.loss_after:.6g}"]
        lines.append(f"{'parameter':32} {'|w|':>10} {'|dL/dw|':>10} {'|step|':>10}")
        for key, update in self._updates.items():
            sizes = (np.linalg.norm(a) for a in (update.before, update.gradient, update.step))
            lines.append(f"{key:32} " + " ".join(f"{size:10.3e}" for size in sizes))
        return "\n".join(lines)


def updates_of(trace, optimizer: Any = None):
    """`Updates` of the trace's gradients, by the optimizer of the model, as it stands, or by another one.

    Raises ValueError where several ranks train together: each has a share of the optimizer's state.
    """
    if current_ranks().size > 1:
        raise trace.model.error(
            "explain_step: the optimizer's state is divided among ranks; save, and explain it alone"
        )
    twin = copy.deepcopy(trace.model)
    twin._forget_objective()
    twin._prepare("explain_step")
    optimizer = twin.optimizer if optimizer is None else copy.deepcopy(optimizers.get(optimizer))
    objective, batch = twin._objective, trace.batch
    model = objective.model
    params = model.trainable_params
    before = {key: w.copy() for key, w in params.items()}
    rate = float(optimizer.learning_rate)
    if params:
        optimizer.update(params, {key: trace.grads[key] for key in params})
        for key, constraint in model.constraints.items():
            params[key][...] = constraint(params[key])
    with trace.drawing(), np.errstate(all="ignore"):
        after = _loss(objective, batch, trace.training)
    updates = {key: _update(key, before[key], trace.grads[key], params[key], optimizer) for key in params}
    return Updates(updates, optimizer, rate, trace.loss, after)


def _update(key, before, gradient, after, optimizer):
    ends = f"/{key}"
    slots = {name.removesuffix(ends): a for name, a in optimizer.state.items() if name.endswith(ends)}
    return Update(key, before, gradient, after - before, after, {k: a for k, a in slots.items() if "/" not in k})


def _loss(objective, batch, training):
    model = objective.model
    y, cache = model.forward(model.pack_inputs(batch.x), training=training)
    values, _ = objective.forward(batch, flatten(y), objective.counts(batch), cache.masks)
    return float(objective.total(values) + model.added_loss(cache) + model.penalty()[0])

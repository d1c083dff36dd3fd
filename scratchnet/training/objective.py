"""What a model is trained for: a loss for each output."""

import functools

import numpy as np

from scratchnet import losses
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.losses.base import Loss
from scratchnet.losses.weights import expanded_weights
from scratchnet.parallel import sum_over_batch
from scratchnet.parallel.ranks import current_ranks
from scratchnet.structure import flattened_like, is_deep
from scratchnet.training.work import multiply_adds


class Objective:
    """The weighted sum of the losses of all outputs.

    It follows the contract of a single loss, with a list of everything: ``values, caches = forward(...)``,
    ``dys = backward(caches)``. An output whose loss is None takes no part.

    Args:
        model: the model that is trained, `self.user_model`. `self.model` is the one to run: it leaves out a last
            softmax or sigmoid where the loss is better computed from logits.
        loss: one for all outputs, or a list or dict with one for each.
        loss_weights: None, or a list or dict with a number for each output.
    """

    def __init__(self, model, loss, loss_weights=None):
        self.user_model = model
        self.names = model.output_names
        self.shown = self._names_in_logs(model, loss)
        self.axes = [tensor.ndim for tensor in model.outputs]
        given = [None if entry is None else losses.resolve(entry) for entry in per_output(model, loss, "loss")]
        weights = [None] * len(given) if loss_weights is None else per_output(model, loss_weights, "loss_weights")
        self.weights = [1.0 if w is None else float(w) for w in weights]
        if all(entry is None for entry in given) and not model.adds_loss:
            raise ValueError("compile: no output has a loss")
        candidates = [k for k, entry in enumerate(given) if entry is not None and entry.takes_logits]
        twin, activations = model.ending_in_logits(candidates)
        self.losses = list(given)
        self._activations = [None] * len(given)
        for k, activation in activations.items():
            on_logits = given[k].on_logits(activation)
            if on_logits is not None:
                self.losses[k], self._activations[k] = on_logits, activation
        kept = [k for k, activation in enumerate(self._activations) if activation is not None]
        self.model = model if not kept else twin if len(kept) == len(activations) else model.ending_in_logits(kept)[0]

    @staticmethod
    def _names_in_logs(model, loss):
        """``(of its loss, before its metrics)`` for each output. As in Keras, several outputs of a model with `call`
        that come in a list have no names: their losses are told by the names of these."""
        names = model.output_names
        if model.names_outputs or len(names) == 1:
            return [(name, f"{name}_" if len(names) > 1 else "") for name in names]
        resolved = [
            entry if isinstance(entry, str) or entry is None else losses.resolve(entry).name
            for entry in per_output(model, loss, "loss")
        ]
        return [(name, "") for name in resolved]

    def in_one_part(self, ys):
        """Whether samples meet in the model or in a loss, so that a batch with targets like `ys` has one part alone."""
        return self.model.in_one_part or any(
            loss is not None and loss.in_one_part(y, _of_known_shape(tensor, y))
            for loss, y, tensor in zip(self.losses, ys, self.model.outputs)
        )

    @functools.cached_property
    def work(self):
        """Multiply-adds of one sample, see `scratchnet.training.work`."""
        return multiply_adds(self.model)

    def predictions(self, ys):
        """The outputs of the user's model, given those of `self.model`."""
        return [y if f is None else f.forward(y)[0] for f, y in zip(self._activations, ys)]

    def counts(self, batch):
        """For each output, what its sum of loss values is divided by; parts of a batch share the batch's counts."""
        ys, weights = (batch.y, batch.weights) if batch.division is None else self._of_all_ranks(batch)
        return [
            None if loss is None else loss.count(ys[k], self.axes[k], sample_weight=weights[k])
            for k, loss in enumerate(self.losses)
        ]

    def _of_all_ranks(self, batch):
        """Targets and weights of all rows of the batch: values only where a count depends on them, else the shape."""
        by_value = [
            loss is not None and _counts_by_value(loss, y, axes)
            for loss, y, axes in zip(self.losses, batch.y, self.axes)
        ]
        wanted = [y for y, is_wanted in zip(batch.y, by_value) if is_wanted]
        wanted += [w for w in batch.weights if w is not None]
        found = iter([])
        if wanted:
            found = iter([np.concatenate(pieces) for pieces in zip(*current_ranks().gather("counts", wanted))])
        ys = [
            next(found) if is_wanted else None if y is None else _of_shape((batch.size, *y.shape[1:]), y.dtype)
            for y, is_wanted in zip(batch.y, by_value)
        ]
        return ys, [None if w is None else next(found) for w in batch.weights]

    def forward(self, batch, ys, counts, masks=None):
        """Return ``(values, caches)``: the unweighted value of each output's loss (0.0 where there is none).

        `masks`: for each output None, or which of its values count (N, T).
        """
        values, caches = [], []
        for k, (loss, y_pred, count) in enumerate(zip(self.losses, ys, counts)):
            value, cache = 0.0, None
            if loss is not None:
                w = batch.weights[k]
                if masks is not None and masks[k] is not None:
                    w, count = self._masked(masks[k], w, count)
                value, cache = loss.forward(batch.y[k], y_pred, sample_weight=w, count=count)
            values.append(float(value))
            caches.append(cache)
        return values, caches

    @staticmethod
    def _masked(mask, weights, count):
        """Weights that are 0 where the mask is, and the count of what is left in the whole batch.

        Of a loss that counts for itself (None), the weights make up for what is left out.
        """
        size, valid = sum_over_batch(mask.size, np.count_nonzero(mask))
        share = max(valid, 1e-30) / size
        mask = mask.astype(np.float64)
        weights = mask if weights is None else mask * expanded_weights(weights, mask.shape)
        return (weights / share, None) if count is None else (weights, max(count * valid / size, 1e-30))

    def backward(self, caches):
        """The gradient of the total with respect to each output; None where there is no loss."""
        dys = []
        for loss, weight, cache in zip(self.losses, self.weights, caches):
            dy = None if loss is None else loss.backward(cache)
            dys.append(dy if dy is None or weight == 1.0 else dy * dy.dtype.type(weight))
        return dys

    def total(self, values):
        """The number that is minimized, but for what layers add to it."""
        return sum(weight * value for weight, value in zip(self.weights, values))

    def check_targets(self, ys, outputs, size):
        """Raise what a loss says of targets that it does not take, before anything is trained."""
        for loss, y, tensor in zip(self.losses, ys, outputs):
            if loss is None or y is None or None in tensor.shape[1:]:
                continue
            for start in range(0, size, 4096):
                rows = y[start : start + 4096]
                loss.check_targets(rows, np.broadcast_to(np.float32(0), (len(rows), *tensor.shape[1:])))


def _of_known_shape(tensor, y):
    """Predictions without values: `tensor`, with the lengths of the targets where its own are not known."""
    sizes = y.shape if y.ndim == len(tensor.shape) else tensor.shape
    return KerasTensor([n if m is None else m for n, m in zip(sizes, tensor.shape)], tensor.dtype, "y_pred")


def _counts_by_value(loss, y, axes):
    """Whether what a loss counts depends on the values of its targets, or may: nobody knows of a user's own."""
    if not type(loss).count.__module__.startswith("scratchnet."):
        return True
    return type(loss).valid is not Loss.valid and loss.valid(y, loss.values_shape(y.shape, axes)) is not None


def _of_shape(shape, dtype):
    """An array for which only its shape counts."""
    return np.broadcast_to(dtype.type(0), shape)


def per_output(model, value, argument):
    """`value` of compile's `argument` as a list with an entry for each output of the model."""
    names = model.output_names
    if isinstance(value, dict) and "class_name" in value:
        return [value] * len(names)
    if is_deep(model.output_structure) and (found := flattened_like(model.output_structure, value)) is not None:
        entries = found
    elif argument == "loss" and (place := _of_several(model.output_structure, value)):
        raise ValueError(
            f"compile: loss has one entry for several outputs together, those in {place}; give one for each, nested as "
            "the outputs are. A function of several outputs is not implemented in scratchnet: compute it in call, and "
            "hand it over by add_loss"
        )
    elif isinstance(value, dict):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise ValueError(f"compile: {argument} names the outputs {unknown}; the model has {names}")
        entries = [value.get(name) for name in names]
    elif isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(f"compile: {argument} has {len(value)} entries, the model {len(names)} outputs: {names}")
        entries = list(value)
    elif argument == "loss_weights" and not (isinstance(value, float) and len(names) == 1):
        raise ValueError(f"compile: loss_weights must be a list or dict, got {value!r}")
    else:
        return [value] * len(names)
    return entries if argument == "metrics" else [_only(entry) for entry in entries]


def _of_several(structure, value, place="outputs"):
    """The place in `structure` where there are several outputs and `value` is a single loss; None if there is none."""
    if isinstance(value, dict):
        pairs = structure.items() if isinstance(structure, dict) else ()
        inner = [(key, below, value[key]) for key, below in pairs if key in value]
    elif isinstance(value, (list, tuple)):
        fits = isinstance(structure, (list, tuple)) and len(structure) == len(value)
        inner = zip(range(len(value)), structure, value) if fits else ()
    else:
        return (
            place if isinstance(structure, (dict, list, tuple)) and place != "outputs" and value is not None else None
        )
    found = (_of_several(below, entry, f"{place}[{key!r}]") for key, below, entry in inner)
    return next((one for one in found if one), None)


def _only(entry):
    """The one entry of a list of one."""
    return entry[0] if isinstance(entry, (list, tuple)) and len(entry) == 1 else entry

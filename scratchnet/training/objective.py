"""What a model is trained for: a loss for each output."""

import functools
import operator

import numpy as np

from scratchnet.graph.symbolic import KerasTensor
from scratchnet.losses.along_axis import may_look_across
from scratchnet.losses.base import Loss
from scratchnet.losses.traced import TracedLoss
from scratchnet.losses.weights import expanded_weights
from scratchnet.parallel import sum_over_batch
from scratchnet.parallel.ranks import current_ranks
from scratchnet.parallel.trial import Trial
from scratchnet.recorded import is_library
from scratchnet.structure import flatten, flattened_like, is_deep, map_structure
from scratchnet.training.own_loss import LossOfModel, overrides
from scratchnet.training.terms import Term, check_keys, leaves_of, terms_of
from scratchnet.training.work import multiply_adds, shared_of, shared_of_tables, weights_of


class Objective:
    """The weighted sum of the losses of all outputs.

    It follows the contract of a single loss, with a list of everything: ``values, caches = forward(...)`` have an entry
    for each of `terms`, ``dys = backward(caches)`` one for each output. An output whose loss is None takes no part.

    Args:
        model: the model that is trained, `self.user_model`. `self.model` is the one to run: it leaves out a last
            softmax or sigmoid where the loss is better computed from logits.
        loss: one for all outputs, or a list or dict with one for each, nested as the outputs are.
        loss_weights: None, or a list or dict with a number for each loss.

    Attributes:
        terms: the list of `Term`s that are computed; `plain_terms`: the same as the user gave them, of probabilities.
        names: of the outputs.
    """

    def __init__(self, model, loss, loss_weights=None):
        self.user_model = model
        self.names = model.output_names
        self.axes = [tensor.ndim for tensor in model.outputs]
        if overrides(model, "compute_loss"):
            self.plain_terms = [Term(LossOfModel(model), 1.0, "loss", list(range(len(self.names))))]
        else:
            self.plain_terms = [] if loss is None else terms_of(model, loss, loss_weights)
        self.terms = list(self.plain_terms)
        if not self.terms and not model.adds_loss:
            raise ValueError("compile: no output has a loss")
        self._activations = [None] * len(self.names)
        candidates = [k for k in range(len(self.names)) if (term := self.term_of(k)) and term.loss.takes_logits]
        twin, activations = model.ending_in_logits(candidates)
        for k, activation in activations.items():
            term = self.term_of(k)
            on_logits = term.loss.on_logits(activation)
            if on_logits is not None:
                self.terms[self.terms.index(term)] = term._replace(loss=on_logits)
                self._activations[k] = activation
        kept = [k for k, activation in enumerate(self._activations) if activation is not None]
        self.trial = Trial()  # of a helper, in training
        self.model = model if not kept else twin if len(kept) == len(activations) else model.ending_in_logits(kept)[0]

        self._made_of = _made_of(model) if self._is_nobody_elses(loss) else None

    def _is_nobody_elses(self, loss):
        """Whether all losses are the library's, by their names, so that nobody could change one of them."""
        named = all(isinstance(name, str) for name in leaves_of(loss))
        return named and all(is_library(type(t.loss)) and not isinstance(t.loss, TracedLoss) for t in self.plain_terms)

    @property
    def still_holds(self):
        """Whether another one, made of the same model now, would be the same."""
        before = self._made_of
        now = None if before is None else _made_of(self.user_model)
        return now is not None and len(now) == len(before) and all(map(operator.is_, now, before))

    def term_of(self, k):
        """The one loss that the output `k` has for itself; None if there is none, or another one."""
        found = [term for term in self.terms if k in flatten(term.outputs)]
        return found[0] if len(found) == 1 and found[0].outputs == k else None

    @property
    def with_loss(self):
        """For each output, whether it has a loss."""
        numbers = {k for term in self.terms for k in flatten(term.outputs)}
        return [k in numbers for k in range(len(self.names))]

    @property
    def prefixes(self):
        """What logs put before the metrics of each output.

        As in Keras, several outputs of a model with `call` that come in a list have no names.
        """
        named = self.user_model.names_outputs and len(self.names) > 1
        return [f"{name}_" if named else "" for name in self.names]

    def in_one_part(self, ys):
        """Whether samples meet in the model or in a loss, so that a batch with targets like `ys` has one part alone."""
        if self.model.in_one_part or self._takes_a_row:
            return True
        if any(isinstance(term.loss, LossOfModel) for term in self.terms):
            return True
        looking = [term for term in self.terms if may_look_across(term.loss)]
        if not looking:
            return False
        tensors = [None if y is None else _of_known_shape(t, y) for t, y in zip(self.model.outputs, ys)]
        return any(term.loss.in_one_part(_of(term, ys), _of(term, tensors)) for term in looking)

    @functools.cached_property
    def _takes_a_row(self):
        """Whether a loss takes predictions (N,), which are one row to it."""
        of_one = [term for term in self.terms if not (term.is_joint or isinstance(term.loss, TracedLoss))]
        return any(self.axes[k] == 1 for term in of_one for k in flatten(term.outputs))

    @functools.cached_property
    def work(self):
        """Multiply-adds of one sample, see `scratchnet.training.work`."""
        return multiply_adds(self.model)

    @functools.cached_property
    def shared(self):
        """Those of them that two threads can share."""
        return shared_of(self.model)

    @functools.cached_property
    def shared_of_tables(self):
        """What they can share besides, of a step."""
        return shared_of_tables(self.model)

    @functools.cached_property
    def weights(self):
        """How many numbers the parameters of the model are."""
        return weights_of(self.model)

    def predictions(self, ys):
        """The outputs of the user's model, given those of `self.model`."""
        return [y if f is None else f.forward(y)[0] for f, y in zip(self._activations, ys)]

    def counts(self, batch):
        """For each term, what its sum of loss values is divided by; parts of a batch share the batch's counts."""
        ys, weights = (batch.y, batch.weights) if batch.division is None else self._of_all_ranks(batch)
        return [
            None if term.is_joint else term.loss.count(ys[k], self.axes[k], sample_weight=weights[k])
            for term in self.terms
            for k in flatten(term.outputs)[:1]
        ]

    def _of_all_ranks(self, batch):
        """Targets and weights of all rows of the batch: values only where a count depends on them, else the shape."""
        by_value = {
            term.outputs
            for term in self.terms
            if not term.is_joint and _counts_by_value(term.loss, batch.y[term.outputs], self.axes[term.outputs])
        }
        wanted = [batch.y[k] for k in sorted(by_value)]
        wanted += [w for w in batch.weights if w is not None]
        found = iter([])
        if wanted:
            found = iter([np.concatenate(pieces) for pieces in zip(*current_ranks().gather("counts", wanted))])
        ys = [
            next(found) if k in by_value else None if y is None else _of_shape((batch.size, *y.shape[1:]), y.dtype)
            for k, y in enumerate(batch.y)
        ]
        return ys, [None if w is None else next(found) for w in batch.weights]

    def forward(self, batch, ys, counts, masks=None, training=True):
        """Return ``(values, caches)``: the unweighted value of each term.

        `masks`: for each output None, or which of its values count (N, T). A loss of several outputs reads none.
        `training`: what `compute_loss` of one's own is told. Without it nobody goes back, and no cache is kept.
        """
        values, caches = [], []
        for term, count in zip(self.terms, counts):
            if isinstance(term.loss, LossOfModel):
                y_true, w = term.loss.of_batch(batch, training), None
            else:
                y_true, w = _of(term, batch.y), self._weights_of(term, batch)
            if masks is not None and not term.is_joint and masks[term.outputs] is not None:
                w, count = self._masked(term, batch, masks[term.outputs], w, count)
            y_pred = _of(term, ys)
            if term.is_joint or isinstance(term.loss, LossOfModel):
                value, cache = term.loss.forward(y_true, y_pred, sample_weight=w, count=count)
            elif training:
                value, cache = term.loss.in_one_pass(y_true, y_pred, sample_weight=w, count=count)
                if cache is None:
                    term.loss.backward(None)  # says why it cannot
            else:
                value, cache = term.loss.value(y_true, y_pred, sample_weight=w, count=count), None
            values.append(float(value))
            caches.append(cache)
        return values, caches

    @staticmethod
    def _weights_of(term, batch):
        first, *others = [batch.weights[k] for k in flatten(term.outputs)]
        if any((w is None) != (first is None) or w is not None and not np.array_equal(w, first) for w in others):
            raise term.loss.error("is one loss for several outputs; their sample weights must be the same")
        return first

    def _masked(self, term, batch, mask, weights, count):
        """Weights that are 0 where the mask is, and the count of what is left in the whole batch.

        Of a loss that counts for itself (None), the weights make up for what is left out of a mean.
        """
        loss, y_true, axes = term.loss, batch.y[term.outputs], self.axes[term.outputs]
        weights = mask.astype(np.float64) if weights is None else mask * expanded_weights(weights, mask.shape)
        if loss.reduction == "sum":
            return weights, count
        if loss.reduction == "mean_with_sample_weight":
            return weights, None if count is None else sum_over_batch(loss.count(y_true, axes, weights))[0]
        valid = None if count is None else loss.valid(y_true, loss.values_shape(y_true.shape, axes))
        if valid is None:
            all_of_it, left = mask.size, np.count_nonzero(mask)
        else:
            all_of_it, left = np.count_nonzero(valid), np.count_nonzero(valid & expanded_weights(mask, valid.shape))
        all_of_it, left = sum_over_batch(all_of_it, left)
        share = max(left, 1e-30) / max(all_of_it, 1e-30)
        return (weights / share, None) if count is None else (weights, max(count * share, 1e-30))

    def backward(self, caches):
        """The gradient of the total with respect to each output; None where there is no loss."""
        dys = [None] * len(self.names)
        for term, cache in zip(self.terms, caches):
            for k, dy in zip(flatten(term.outputs), flatten(term.loss.backward(cache))):
                dy = dy if term.weight == 1.0 else dy * dy.dtype.type(term.weight)
                dys[k] = dy if dys[k] is None else dys[k] + dy
        return dys

    def total(self, values):
        """The number that is minimized, but for what layers add to it."""
        return sum(term.weight * value for term, value in zip(self.terms, values))

    def check_targets(self, ys, outputs, size):
        """Raise what a loss says of targets that it does not take, before anything is trained."""
        for term in self.terms:
            numbers = flatten(term.outputs)
            if any(ys[k] is None or None in outputs[k].shape[1:] for k in numbers):
                continue
            for start in range(0, size, 4096):
                rows = [None if y is None else y[start : start + 4096] for y in ys]
                zeros = {k: np.broadcast_to(np.float32(0), (len(rows[k]), *outputs[k].shape[1:])) for k in numbers}
                term.loss.check_targets(_of(term, rows), _of(term, zeros))


def _made_of(model):
    """The graph, the layers within, and all their attributes; None of a model whose graph depends on its data."""
    if "graph" not in vars(model):
        return None
    found, seen = [model.graph, model.loss], {model}

    def visit(layers):
        for layer in layers:
            if layer not in seen:
                seen.add(layer)
                found.extend((layer, *vars(layer).values()))
                visit(getattr(layer, "sublayers", {}).values())

    visit(model.sublayers.values())
    return found


def _of(term, values):
    """Of values by the number of the output, those of a term, in its structure."""
    return map_structure(lambda k: values[k], term.outputs)


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
    if is_deep(model.output_structure) and (found := flattened_like(model.output_structure, value)) is not None:
        return found
    if isinstance(value, dict):
        check_keys(argument, value, names)
        return [value.get(name) for name in names]
    if len(value) != len(names):
        raise ValueError(f"compile: {argument} has {len(value)} entries, the model {len(names)} outputs: {names}")
    return list(value)

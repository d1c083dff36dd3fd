"""Losses that are written as Keras's are, with ``call(y_true, y_pred)``: it is traced, and gives dy_pred.

    class LogCosh(Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.log(ops.cosh(y_pred - y_true)), axis=-1)

`call` returns a value for each sample, or for each element, which are weighted and averaged as those of all losses; or
one number for the whole batch. Then, as in Keras, weights count by their mean.

What is said here of y_true and y_pred holds of lists and dicts of arrays as well: of several outputs together.
"""

import copy
import inspect
from typing import Any, NamedTuple

import numpy as np

from scratchnet import config
from scratchnet.graph.arguments import Spec, taken_apart
from scratchnet.graph.attributes import KeepsTraces
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.graph.trace import TracedCall, trace
from scratchnet.losses.weights import expanded_weights
from scratchnet.parallel.batch import counted_here, rows_of_batch, sum_over_batch
from scratchnet.structure import flatten, map_structure, packed_like


class TracedLossCache(NamedTuple):
    call: TracedCall  # the trace that was run
    inner: Any  # the cache of its graph
    dvalues: np.ndarray  # the adjoint of what `call` returned
    y_pred: Any  # the predictions as they were handed in, whose dtypes the adjoints get


class _OnLogits:
    """The `call` of a loss, for the numbers of which `activation` makes its predictions."""

    def __init__(self, loss, activation):
        self.loss = loss
        self.activation = activation

    def __call__(self, y_true, logits):
        return self.loss.call(y_true, self.activation(logits))


class TracedLoss(KeepsTraces):
    """What a class gets among its bases that derives from `Loss` and defines `call`."""

    def traced(self, y_true, y_pred):
        """The `TracedCall` for such targets and predictions: arrays, or whatever has shape and dtype."""
        signature = inspect.signature(self.call)
        values = dict(zip(signature.parameters, (y_true, y_pred)))
        arguments, _ = taken_apart(signature, values, _has_shape, _spec_of)
        return self.kept_trace(arguments.key, lambda: self._trace(arguments, len(flatten(y_pred))))

    def _trace(self, arguments, predictions):
        found = trace(self, arguments, [False] * len(arguments.specs), False, arguments.specs[-1].dtype)
        if len(flatten(found.outputs)) != 1:
            raise self.error(f"the loss must be one tensor, got {len(flatten(found.outputs))}", TypeError)
        if found.graph.outputs[0] not in found.graph.reached_from(found.graph.inputs[-predictions:], ()):
            raise self.error("the loss does not depend on y_pred, or not in a way that can be differentiated")
        return found

    takes_logits = True

    def on_logits(self, activation):
        """The same loss from before the activation: the cross-entropies among its operations go back there."""
        twin = copy.copy(self)
        twin.call = _OnLogits(self, activation)
        return twin

    sublayers = {}

    def named_arrays(self):
        return {}

    def random_streams(self):
        return {f"random_{k}": stream for k, stream in enumerate(vars(self).get("_streams", []))}

    def keys_of(self, graph):
        """No parameter gets a gradient here. Raises ValueError for one that ought to."""
        owners = [node.layer for node in graph.nodes if node.trainable]
        owners += [leaf.weight[0] for leaf in graph.leaves if leaf.trainable]
        if owners:
            raise self.error(
                f"the loss uses the parameters of {owners[0].name!r}, which get their gradients from the model alone: "
                "freeze them (trainable = False), or add this part of the loss in call, by add_loss"
            )
        return {}

    # ---- the contract of a loss ----

    def check_targets(self, y_true, y_pred):
        self.traced(*self._in_dtype(y_true, y_pred))
        return y_true

    def in_one_part(self, y_true, y_pred):
        """Whether samples of such a batch meet, so that it cannot be computed in parts."""
        graph = self.traced(*self._in_dtype(y_true, y_pred)).graph
        return graph.rows_of_outputs([1] * len(graph.inputs)) is None

    def count(self, y_true, ndim, sample_weight=None):
        """None: how many values there are is known when `call` has computed them."""
        return None

    def forward(self, y_true, y_pred, sample_weight=None, count=None):
        y_true, given = map_structure(np.asarray, y_true), map_structure(np.asarray, y_pred)
        y_true, y_pred = self._in_dtype(y_true, given)
        found = self.traced(y_true, y_pred)
        [values], inner = found.graph.forward(flatten([y_true, y_pred]))
        if self._of_samples(found, values, len(flatten(y_pred)[0])):
            weights = 1.0 if sample_weight is None else self._expanded(sample_weight, values.shape)
            size, share = rows_of_batch(values.size), 1
            total_weight = None if sample_weight is None else sum_over_batch(weights.sum(dtype=np.float64))[0]
        else:  # numbers that stand for the whole batch, and are the same in all of its parts
            weights, size, share = self._weight_of_batch(sample_weight), values.size, counted_here()
            total_weight = None if sample_weight is None else weights * size
        if self.reduction == "none":
            return values * weights, None
        if count is None:
            count = 1.0 if self.reduction == "sum" else size
            if self.reduction == "mean_with_sample_weight" and total_weight is not None:
                count = total_weight
        dvalues = np.broadcast_to(share * weights / max(count, 1e-30), values.shape).astype(values.dtype)
        return (values * dvalues).sum(), TracedLossCache(found, inner, dvalues, given)

    def _of_samples(self, found, values, size):
        """Whether the values belong to samples, one or several to each."""
        rows = found.graph.rows_of_outputs([1] * len(found.graph.inputs))
        return rows[0] > 0 if rows is not None else values.ndim > 0 and len(values) == size

    def _weight_of_batch(self, sample_weight):
        """What the weights of samples mean for a number that stands for the whole batch."""
        if sample_weight is None:
            return 1.0
        size, total = sum_over_batch(np.size(sample_weight), np.sum(sample_weight, dtype=np.float64))
        return total if self.reduction == "sum" else total / size

    def _in_dtype(self, y_true, y_pred):
        """Both in the dtype of the loss, as Keras has them: labels as floats, too."""
        found = flatten(y_pred)[-1].dtype
        dtype = self.dtype or (found if found in (np.float32, np.float64) else config.floatx())
        return map_structure(lambda a: _cast(a, dtype), (y_true, y_pred))

    def _expanded(self, sample_weight, shape):
        weights = expanded_weights(sample_weight, shape)
        if weights is None:
            raise self.error(
                f"sample weights of shape {np.shape(sample_weight)} do not match loss values of shape {shape}"
            )
        return weights

    def backward(self, cache):
        if cache is None:
            raise self.error('with reduction="none" the loss is an array, which has no gradient; take reduction="sum"')
        graph, count = cache.inner.graph, len(flatten(cache.y_pred))
        wanted = [k >= len(graph.inputs) - count for k in range(len(graph.inputs))]
        dys = graph.backward([cache.dvalues], cache.inner, needs_dx=wanted)[0][-count:]
        pairs = zip(dys, flatten(cache.y_pred))
        return packed_like(cache.y_pred, [dy.astype(y.dtype, copy=False) for dy, y in pairs])


def _has_shape(a):
    return hasattr(a, "shape")


def _spec_of(a):
    return Spec((None, *a.shape[1:]), np.dtype(a.dtype).name)


def _cast(a, dtype):
    return a.astype(dtype, copy=False) if isinstance(a, np.ndarray) else KerasTensor(a.shape, np.dtype(dtype).name)

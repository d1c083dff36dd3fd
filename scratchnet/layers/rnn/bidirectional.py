"""A sequence read from both ends.

    y = merge(a(x_1, ..., x_T), b(x_T, ..., x_1))

Two recurrent layers with weights of their own go through the same sequence, one from its beginning, one from its end
(Schuster and Paliwal, "Bidirectional recurrent neural networks", 1997). Where they return sequences, b's outputs are
put back into the order of x: every y_t knows what came before it and what comes after it. The outputs are merged:

    concat: y = [a, b]                  da, db = the two halves of dy
    sum:    y = a + b                   da = db = dy
    ave:    y = (a + b) / 2             da = db = dy / 2
    mul:    y = a * b                   da = dy * b, db = dy * a

and dx is the sum of what the two hand back.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.layers.rnn.masks import of_steps
from scratchnet.registry import clone, deserialize, register, serialize
from scratchnet.structure import flatten

_MERGE_MODES = ("sum", "mul", "concat", "ave", None)


class BidirectionalCache(NamedTuple):
    forward: Any  # the layers' own
    backward: Any
    a: np.ndarray  # their outputs, in the order of x
    b: np.ndarray
    has_initial_state: bool
    penalties: tuple  # of both layers: what `activity_penalties` says of their outputs


@register("layers")
class Bidirectional(Composite):
    """Two recurrent layers, one in each direction.

    Args:
        layer: a recurrent layer, of which both are made anew: `forward_layer`, and `backward_layer`, which goes
            backwards.
        merge_mode: "concat", "sum", "ave", "mul", or None for a list of the two outputs.
        weights: for both layers, as `set_weights` takes them; None draws them.
        backward_layer: another layer than a copy of `layer`; it must go in the other direction.

    Shapes: those of `layer`, with twice the units for "concat"; with `return_state` its states follow, then those of
    the layer that goes backwards. Initial states are given in the same order.

    Raises:
        TypeError: if `layer` is no recurrent layer.
        ValueError: for another merge mode, or two layers that do not fit together.
    """

    supports_masking = True
    unrecorded = ("weights", *Layer.unrecorded)

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        super().__init__(**kwargs)
        for given in (layer, layer if backward_layer is None else backward_layer):
            if not (isinstance(given, Layer) and hasattr(given, "go_backwards")):
                raise self.error(f"expected a recurrent layer, such as LSTM(10), got {given!r}", TypeError)
        if merge_mode not in _MERGE_MODES:
            wanted = ", ".join(map(repr, _MERGE_MODES))
            raise self.error(f"merge_mode must be one of {wanted}, got {merge_mode!r}")
        self.merge_mode = merge_mode
        self.forward_layer = _renamed(clone(layer), "forward_")
        self.backward_layer = backward_layer
        if backward_layer is None:
            self.backward_layer = _renamed(clone(layer), "backward_")
            self.backward_layer.go_backwards = True
        self._check_layers()
        for direction in (self.forward_layer, self.backward_layer):
            direction.zero_output_for_mask = direction.return_sequences  # as in Keras
        self.return_sequences, self.return_state = self.forward_layer.return_sequences, self.forward_layer.return_state
        self._first_weights = weights

    def _check_layers(self):
        a, b = self.forward_layer, self.backward_layer
        if a.go_backwards == b.go_backwards:
            raise self.error(f"both layers have go_backwards={a.go_backwards}; one of them must go in each direction")
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(a, name) != getattr(b, name):
                raise self.error(
                    f"both layers must have the same {name}, got {getattr(a, name)} and {getattr(b, name)}"
                )

    @property
    def sublayers(self):
        layers = {name: vars(self).get(name) for name in ("forward_layer", "backward_layer")}
        return {name: layer for name, layer in layers.items() if layer is not None}

    @property
    def input_dtype(self):
        return self.forward_layer.input_dtype

    def output_dtype(self, inputs):
        return self.forward_layer.output_dtype(inputs)

    @property
    def takes_repeat(self):
        return self.forward_layer.takes_repeat and self.backward_layer.takes_repeat

    def __call__(self, inputs, initial_state=None, training=None, mask=None):
        """As every layer; `initial_state` is a list with the states of both layers."""
        if initial_state is not None:
            inputs = [inputs, *initial_state]
        outputs = super().__call__(inputs, training=training, mask=mask)
        return tuple(outputs) if isinstance(outputs, list) else outputs

    def call_arguments(self, inputs):
        if not isinstance(inputs, list):
            return [inputs], {}
        return [inputs[0]], {"initial_state": inputs[1:]}

    def reset_state(self):
        """Let the next batch start from zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    # ---- shapes ----

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        for layer, shape in zip((self.forward_layer, self.backward_layer), self._for_both(input_shape)):
            layer.ensure_built(shape)
        self.built = True
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def compute_output_shape(self, input_shape):
        shapes, other_shapes = (
            layer.compute_output_shape(shape)
            for layer, shape in zip((self.forward_layer, self.backward_layer), self._for_both(input_shape))
        )
        (shape, *states), (other_shape, *other_states) = self._as_lists(shapes), self._as_lists(other_shapes)
        if self.merge_mode is None:
            return [shape, other_shape, *states, *other_states]
        if self.merge_mode == "concat":
            shape = (*shape[:-1], shape[-1] + other_shape[-1])
        elif shape != other_shape:
            raise self.error(f"{self.merge_mode!r} needs outputs of one shape, got {shape} and {other_shape}")
        return [shape, *states, *other_states] if self.return_state else shape

    def compute_mask(self, x, mask=None):
        return of_steps(mask) if self.return_sequences else None

    def output_masks(self, x, mask, cache):
        return [self.compute_mask(x, mask)] * (2 if self.merge_mode is None else 1)

    def output_masked(self, masked):
        return self.return_sequences and flatten(masked)[0]

    def _for_both(self, inputs):
        """What the two layers are given: x, and each its half of the initial states."""
        if not isinstance(inputs, list):
            return inputs, inputs
        x, *states = inputs
        if len(states) % 2:
            raise self.error(f"expected initial states for both layers, an even number of them, got {len(states)}")
        half = len(states) // 2
        return [x, *states[:half]], [x, *states[half:]]

    def _as_lists(self, outputs):
        return outputs if self.return_state else [outputs]

    # ---- computing ----

    def forward(self, x, training=False, mask=None, repeat=None):
        """Return ``(y, cache)``; `x` may be a list with the initial states of both layers."""
        has_initial_state = isinstance(x, (list, tuple))
        inputs, other_inputs = self._for_both(list(x) if has_initial_state else x)
        options = {} if repeat is None else {"repeat": repeat}
        if mask is not None:
            options["mask"] = flatten(mask)[0]
        outputs, cache = self.forward_layer.forward(inputs, training=training, **options)
        other_outputs, other_cache = self.backward_layer.forward(other_inputs, training=training, **options)
        layers = (self.forward_layer, outputs), (self.backward_layer, other_outputs)
        penalties = tuple(layer.activity_penalties(y) for layer, y in layers)
        (a, *states), (b, *other_states) = self._as_lists(outputs), self._as_lists(other_outputs)
        b = self.in_order(b)
        cache = BidirectionalCache(cache, other_cache, a, b, has_initial_state, penalties)
        if self.merge_mode is None:
            return [a, b, *states, *other_states], cache
        y = self._merge(a, b)
        return ([y, *states, *other_states] if self.return_state else y), cache

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; an adjoint that is None means zeros."""
        dys = list(dy) if isinstance(dy, (list, tuple)) else [dy]
        if self.merge_mode is None:
            (da, db), dstates = dys[:2], dys[2:]
        else:
            (da, db), dstates = self.merge_adjoint(dys[0], cache.a, cache.b), dys[1:]
        db = None if db is None else self.in_order(db)
        half = len(dstates) // 2
        found = []
        for name, layer, layer_cache, penalties, dstates_of_layer, d in (
            ("forward_layer", self.forward_layer, cache.forward, cache.penalties[0], dstates[:half], da),
            ("backward_layer", self.backward_layer, cache.backward, cache.penalties[1], dstates[half:], db),
        ):
            if penalties:  # each output is in the loss by itself, too
                d, *dstates_of_layer = (
                    own if other is None else own + other for (_, own), other in zip(penalties, [d, *dstates_of_layer])
                )
            if d is None and all(state is None for state in dstates_of_layer):
                d = np.zeros_like(cache.a)
            dx, grads = layer.backward([d, *dstates_of_layer] if self.return_state else d, layer_cache, needs_dx)
            found.append((dx, {f"{name}/{key}": gradient for key, gradient in grads.items()}))
        (dx, grads), (other_dx, other_grads) = found
        grads = {**grads, **other_grads}
        if not needs_dx:
            return None, grads
        if not cache.has_initial_state:
            return dx + other_dx, grads  # both have read x
        return [dx[0] + other_dx[0], *dx[1:], *other_dx[1:]], grads

    def in_order(self, b):
        """Outputs of the layer that goes backwards in the order of x, or the other way round."""
        return b[:, ::-1] if self.return_sequences else b

    def _merge(self, a, b):
        if self.merge_mode == "concat":
            return np.concatenate([a, b], axis=-1)
        if self.merge_mode == "mul":
            return a * b
        return a + b if self.merge_mode == "sum" else (a + b) / 2

    def merge_adjoint(self, dy, a, b):
        """da and db."""
        if dy is None:
            return None, None
        if self.merge_mode == "concat":  # y = [a, b]
            return dy[..., : a.shape[-1]], dy[..., a.shape[-1] :]
        if self.merge_mode == "mul":  # y = a * b
            return dy * b, dy * a
        return (dy, dy) if self.merge_mode == "sum" else (dy / 2, dy / 2)

    @property
    def adds_loss(self):
        return super().adds_loss or any(layer.activity_regularizer is not None for layer in self.sublayers.values())

    def loss_values(self, cache):
        return [value for penalties in cache.penalties for value, _ in penalties]

    def added_loss(self, cache):
        return sum(self.loss_values(cache))

    def looks_across(self, input_shape):
        regularizers = [layer.activity_regularizer for layer in self.sublayers.values()]
        alone = any(r is not None and not getattr(r, "sums_samples", False) for r in regularizers)
        return alone or super().looks_across(input_shape)

    def remember(self, cache):
        self.forward_layer.remember(cache.forward)
        self.backward_layer.remember(cache.backward)

    # ---- configuration ----

    def get_config(self):
        both = {"layer": serialize(self.forward_layer), "backward_layer": serialize(self.backward_layer)}
        return {**super().get_config(), **both}

    @classmethod
    def from_config(cls, config):
        both = {
            name: deserialize(config[name], "layers") if config.get(name) is not None else None
            for name in ("layer", "backward_layer")
        }
        return super().from_config({**config, **both})


def _renamed(layer, prefix):
    layer.name = prefix + layer.name.removeprefix(prefix)
    return layer

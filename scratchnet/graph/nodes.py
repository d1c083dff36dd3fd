"""What stands in a graph: the use of a layer, or of an operation, on some tensors.

Both kinds of nodes answer to the same names, so that the walks of `scratchnet.graph.walk` need not ask which they have.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.graph.place import users_place
from scratchnet.graph.sizes import formulas_in, with_numbers
from scratchnet.ops.operation import Kept
from scratchnet.ops.trial import Spec
from scratchnet.structure import flatten, flatten_shapes, map_structure


class Node:
    """One use of something in a graph.

    Attributes:
        inputs, outputs: symbolic tensors, in the structure in which forward takes and returns arrays.
        layer: the layer that is used; None where an operation is.
        place: the line of the program that made the node.
        trainable: whether a parameter here wants a gradient.
        adds_loss: whether this adds to the loss, so that backward must come by whatever its output is for.
        reads_mask, masks_output: whether a mask comes in, and whether one goes on.
        repeats, takes_repeat: those of the layer: see `Graph`.
    """

    layer = None
    trainable = adds_loss = reads_mask = masks_output = repeats = takes_repeat = False

    def __init__(self, inputs):
        self.inputs = inputs
        self.outputs = None  # whoever makes the node makes its tensors
        self.place = users_place()

    def forward(self, x, training, mask=None):
        """``(y, cache)`` for arrays in the structure of `inputs`."""
        raise NotImplementedError

    def backward(self, dy, cache, adjoints, wanted):
        """Add to the `adjoints` of those inputs that are `wanted` (a list of bools); return the grads.

        grads: a dict with a key ``(layer, name)`` for each trainable parameter here.
        """
        raise NotImplementedError

    def wanted(self, reaches):
        """For each input, flat, whether its adjoint is wanted, given the set of tensors whose adjoints are."""
        return [tensor in reaches for tensor in flatten(self.inputs)]

    def output_shapes(self, shapes):
        """The shapes of the outputs for shapes in the structure of `inputs`."""
        raise NotImplementedError

    def rows_of_outputs(self, rows):
        """How many rows of each output stand for a sample, given those of the inputs, flat: see `graph.batch`.

        None if samples meet here, so that a batch cannot be computed in parts.
        """
        return [max(rows, default=0)] * len(flatten(self.outputs))

    def find_masks(self):
        """Find out which masks come in and go on."""

    def output_masks(self, x, mask, cache):
        """The masks of the outputs, as a list."""
        return [None]

    def remember(self, cache):
        """Move the state of the layer on."""

    def added_loss(self, cache):
        """What this adds to the loss."""
        return 0.0

    def loss_values(self, cache):
        """The same, as a list of what is added."""
        return []

    def prepare(self, training):
        """Have traced what is traced."""

    def first_non_finite(self, x, training):
        """Where within this the first value that is not finite comes from, for these inputs; None: here."""
        return None


class RegularizedCache(NamedTuple):
    """The cache of a layer whose output is regularized."""

    own: Any  # of the layer
    penalties: list  # (value, dy) for each of the outputs


def _own(cache):
    return cache.own if isinstance(cache, RegularizedCache) else cache


class LayerNode(Node):
    """`layer` applied to `inputs`.

    Args:
        training: what forward is told; None is what the model is told.
        options: what else forward is told here, a dict, such as ``use_causal_mask=True``.
        arguments: of a layer that is traced, the `Arguments` of this call, whose arrays the inputs are.
    """

    def __init__(self, layer, inputs, training=None, options=None, arguments=None):
        super().__init__(inputs)
        self.layer = layer
        self.training = training
        self.options = options or {}
        self.arguments = arguments
        self._shape_is_checked = False

    def call_arguments(self):
        """``(args, kwargs)`` of the call, with tensors."""
        if self.arguments is None:
            args, kwargs = self.layer.call_arguments(self.inputs)
            kwargs = {**kwargs, **self.options}
        else:
            args, kwargs = self.arguments.bound(self.arguments.filled(flatten(self.inputs)))
        return args, kwargs if self.training is None else {**kwargs, "training": self.training}

    @property
    def name(self):
        return self.layer.name

    @property
    def trainable(self):
        return bool(self.layer.trainable_params)

    @property
    def adds_loss(self):
        return self.layer.adds_loss or self.layer.activity_regularizer is not None

    repeats = property(lambda self: self.layer.repeats)
    takes_repeat = property(lambda self: self.layer.takes_repeat)

    def output_shapes(self, shapes):
        if self.arguments is None:
            return self.layer.compute_output_shape(shapes, **self.options)
        masked, shapes = [t.masked for t in flatten(self.inputs)], flatten_shapes(shapes)
        found = self.layer.traced(self.arguments.with_shapes(shapes), masked, self.training)
        rows = shapes[0][:1]  # what was traced has None there, whatever is given
        return map_structure(lambda t: t.shape if t.shape[:1] != (None,) else (*rows, *t.shape[1:]), found.outputs)

    def rows_of_outputs(self, rows):
        regularizer = self.layer.activity_regularizer
        if regularizer is not None and not getattr(regularizer, "sums_samples", False):
            return None
        if self.arguments is not None:
            masked = [tensor.masked for tensor in flatten(self.inputs)]
            return self.layer.rows_of_outputs(rows, self.arguments, masked, self.training)
        return None if self.layer.in_one_part else super().rows_of_outputs(rows)

    def find_masks(self):
        masked = map_structure(lambda tensor: tensor.masked, self.inputs)
        self.reads_mask = self.layer.takes_mask and any(flatten(masked))
        self.masks_output = bool(self.layer.output_masked(masked))
        if self.masks_output:
            flatten(self.outputs)[0].masked = True

    def forward(self, x, training, mask=None, repeat=None):
        layer = self.layer
        x = map_structure(layer.accept, x)
        options = {**self.options, "training": training if self.training is None else self.training}
        if self.reads_mask:
            options["mask"] = mask
        if repeat is not None:
            options["repeat"] = repeat
        if self.arguments is not None:
            options["arguments"] = self.arguments
        y, cache = layer.checked_pair(layer.forward(x, **options))
        if not self._shape_is_checked:
            self._check_shapes(y)
            self._shape_is_checked = True
        penalties = layer.activity_penalties(y)
        return y, (RegularizedCache(cache, penalties) if penalties else cache)

    def backward(self, dy, cache, adjoints, wanted):
        layer = self.layer
        if isinstance(cache, RegularizedCache):
            gradients = iter([gradient for _, gradient in cache.penalties])
            dy = map_structure(lambda d: next(gradients) if d is None else d + next(gradients), dy)
            cache = cache.own
        result = layer.backward(dy, cache, needs_dx=any(wanted))
        if type(result) is not tuple or len(result) != 2 or not isinstance(result[1], dict):
            raise layer.error(f"backward must return (dx, grads), grads a dict; it returned {_described(result)}")
        dx, grads = result
        trainable = layer.trainable_params
        if not trainable.keys() <= grads.keys():
            missing = sorted(trainable.keys() - grads.keys())
            raise layer.error(f"backward returned no gradient of {missing}: grads has the keys {sorted(grads)}")
        if any(wanted):
            for tensor, d, want in zip(flatten(self.inputs), flatten(dx), wanted):
                if want:
                    adjoints.add(tensor, d)
        return {(layer, name): grads[name] for name in trainable}

    def output_masks(self, x, mask, cache):
        return self.layer.output_masks(x, mask, _own(cache))

    def remember(self, cache):
        self.layer.remember(_own(cache))

    def added_loss(self, cache):
        own = self.layer.added_loss(_own(cache)) if self.layer.adds_loss else 0.0
        return own + sum(value for value, _ in cache.penalties) if isinstance(cache, RegularizedCache) else own

    def loss_values(self, cache):
        penalties = [value for value, _ in cache.penalties] if isinstance(cache, RegularizedCache) else []
        return self.layer.loss_values(_own(cache)) + penalties

    def prepare(self, training):
        training = training if self.training is None else self.training
        if self.arguments is not None:
            self.layer.prepare(self.arguments, [t.masked for t in flatten(self.inputs)], training)
        elif hasattr(self.layer, "graph"):
            self.layer.graph.prepare(training)

    def first_non_finite(self, x, training):
        if self.arguments is None:
            return None
        return self.layer.where_not_finite(x, training if self.training is None else self.training, self.arguments)

    def _check_shapes(self, y):
        self.layer.check_promised(flatten(y), [tensor.shape for tensor in flatten(self.outputs)])

    def __str__(self):
        return f"layer {self.layer.name!r}"

    def __repr__(self):
        return f"<{type(self.layer).__name__} {self.layer.name!r} in a graph>"


class OperationNode(Node):
    """An operation of `scratchnet.ops` applied to `operands`: tensors, arrays and numbers.

    Args:
        options: the rest of the operation's arguments; they may hold formulas of sizes.
        stream: where a random operation draws from.
        is_tensor: tells a symbolic tensor from a constant.
    """

    def __init__(self, operation, operands, options, name, is_tensor, stream=None):
        self._tensors = [k for k, a in enumerate(operands) if is_tensor(a)]  # the places of tensors
        self._formulas = formulas_in(options)
        self.sizes_of = list(dict.fromkeys(tensor for formula in self._formulas for tensor, _ in formula.axes))
        super().__init__([operands[k] for k in self._tensors] + self.sizes_of)
        self.operation = operation
        self.operands = operands
        self.options = options
        self.name = name
        self.stream = stream
        self._differentiable = [
            operation.differentiable(k) and operands[k].dtype.startswith("float") for k in self._tensors
        ]

    def wanted(self, reaches):
        """For each tensor among the operands, whether its adjoint is wanted and can be had."""
        return [can and self.operands[k] in reaches for k, can in zip(self._tensors, self._differentiable)]

    def rows_of_outputs(self, rows):
        if not any(rows):
            return [0]
        counts = [0] * len(self.operands)
        for k, count in zip(self._tensors, rows):
            counts[k] = count
        count = self.operation.rowwise(self.operands, self._settled_options(), counts)
        return [count] if count else None

    def _settled_options(self):
        """The options to try the operation with: no stream must move on for that."""
        return self.options if self.stream is None else {**self.options, "seed": 0}

    def output_shapes(self, shapes):
        operands, shape_of = list(self.operands), dict(zip(self.inputs, shapes))
        for k in self._tensors:
            operands[k] = Spec(shape_of[operands[k]], operands[k].dtype)
        options = self._settled_options()
        if not any(shape_of[t][axis] is None for f in self._formulas for t, axis in f.axes):
            options = with_numbers(options, lambda tensor, axis: shape_of[tensor][axis])
        return self.operation.output_spec(operands, options).shape

    def forward(self, x, training, mask=None):
        operands = list(self.operands)
        for k, array in zip(self._tensors, x):
            operands[k] = _of_kind(array, operands[k].dtype)
        options = self.options
        if self._formulas:
            size_of = dict(zip(self.inputs, x))
            options = with_numbers(options, lambda tensor, axis: size_of[tensor].shape[axis])
        if self.stream is not None:
            options = {**options, "seed": self.stream}
        needs = [False] * len(operands)
        for k, can in zip(self._tensors, self._differentiable):
            needs[k] = can
        return self.operation.forward(operands, options, needs)

    def backward(self, dz, kept, adjoints, wanted):
        operation, needs = self.operation, [False] * len(self.operands)
        for k, want in zip(self._tensors, wanted):
            if want and operation.adds_into(k):
                target = adjoints.to_add_into(self.operands[k], *kept.like[k])
                operation.add_adjoint(k, target, dz, kept)
            else:
                needs[k] = want and kept.needs[k]
        if any(needs):
            for k, d in enumerate(operation.backward(dz, Kept({**vars(kept), "needs": needs}))):
                if d is not None:
                    adjoints.add(self.operands[k], d)
        return {}

    def __str__(self):
        return f"operation {self.operation.name!r}, {self.place}"

    def __repr__(self):
        return f"<operation {self.operation.name!r} in a graph>"


class ActivationNode(Node):
    """What is left of a layer when its logits come out by themselves: its activation, for those who read its output.

    Args:
        activation: an `Activation`.
        logits: the tensor it is applied to.
        node: the node of the layer, whose outputs these are.
    """

    def __init__(self, activation, logits, node):
        super().__init__(logits)
        self.activation = activation
        self.outputs = node.outputs
        self.name = f"{node.name} activation"

    def forward(self, x, training, mask=None):
        return self.activation.forward(x)

    def backward(self, dy, cache, adjoints, wanted):
        if wanted[0]:
            adjoints.add(self.inputs, self.activation.backward(dy, cache))
        return {}

    def __str__(self):
        return f"activation of {self.name!r}"


class MaskNode(Node):
    """A tensor together with a mask, which goes on with it as if a layer had put it out: `inputs` are these two."""

    masks_output = True

    def __init__(self, tensor, mask, name):
        super().__init__([tensor, mask])
        self.name = name

    def output_shapes(self, shapes):
        return shapes[0]

    def find_masks(self):
        self.outputs.masked = True

    def wanted(self, reaches):
        return [self.inputs[0] in reaches, False]

    def forward(self, x, training, mask=None):
        return x[0], x[1]

    def backward(self, dy, cache, adjoints, wanted):
        adjoints.add(self.inputs[0], dy)
        return {}

    def output_masks(self, x, mask, cache):
        return [cache]

    def __str__(self):
        return f"mask of {self.inputs[0].name!r}, {self.place}"


class SizeNode(Node):
    """A formula of sizes as a number among tensors."""

    def __init__(self, formula, name):
        super().__init__(list(dict.fromkeys(tensor for tensor, _ in formula.axes)))
        self.formula = formula
        self.name = name

    def output_shapes(self, shapes):
        return ()

    def rows_of_outputs(self, rows):
        return None if any(rows) else [0]

    def forward(self, x, training, mask=None):
        size_of = dict(zip(self.inputs, x))
        return np.asarray(self.formula.value(lambda tensor, axis: size_of[tensor].shape[axis]), np.int32), None

    def wanted(self, reaches):
        return []

    def __str__(self):
        return f"size {self.formula!r}, {self.place}"


def _of_kind(array, dtype):
    """Integers where floats were promised as floats: pixels as uint8 would overflow. And the other way round."""
    return array if array.dtype.kind == np.dtype(dtype).kind else array.astype(dtype)


def _described(value):
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"{type(value).__name__} {value!r}"

"""What stands in a graph: the use of a layer, or of an operation, on some tensors.

Both kinds of nodes answer to the same names, so that the walks of `scratchnet.graph.walk` need not ask which they have.
"""

import itertools
from typing import Any, NamedTuple

import numpy as np

from scratchnet.graph.place import users_place
from scratchnet.ops.operation import current_trace
from scratchnet.ops.trial import shape_in_trial
from scratchnet.structure import flatten, flatten_shapes, map_structure

_numbers = itertools.count()


def next_number():
    """A number between those of the nodes before and behind."""
    return next(_numbers)


class Node:
    """One use of something in a graph.

    Attributes:
        number: nodes made later have larger ones.
        inputs, outputs: symbolic tensors, in the structure in which forward takes and returns arrays.
        layer: the layer that is used; None where an operation is.
        place: the line of the program that made the node.
        trainable: whether a parameter here wants a gradient.
        adds_loss: whether this adds to the loss, so that backward must come by whatever its output is for.
        reads_mask, masks_output: whether a mask comes in, and whether one goes on.
        is_function: whether this is an operation that depends on the arrays of its operands alone.
        tile: the place in its input that this reads, if it is a slice: a key of NumPy's; else None.
        repeats, takes_repeat: those of the layer: see `Graph`.
        casts: whether floats may come in another dtype than the layer's, as where layers of a graph differ in it.
    """

    layer = tile = None
    is_function = trainable = adds_loss = reads_mask = masks_output = repeats = takes_repeat = casts = False

    def __init__(self, inputs):
        self.number = next(_numbers)
        self.inputs = inputs
        self.outputs = None  # whoever makes the node makes its tensors
        self.place = users_place()

    def read(self, values):
        """What forward is given: the arrays in the dict `values` in the structure of `inputs`."""
        return map_structure(values.__getitem__, self.inputs)

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

    def note(self, problem):
        """Let an error say where in the program the node is that it comes from."""
        if hasattr(problem, "add_note"):  # since Python 3.11
            problem.add_note(f"in the {self}")

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
        self._is_own = not type(layer).__module__.startswith("scratchnet.")  # whether to look at what it returns
        inside = current_trace.get()  # super().call in a derived class: what that adds has its gradients elsewhere
        self._is_base = inside is not None and vars(inside.layer) is vars(layer)
        floats = [] if inside is None else [t.dtype for t in flatten(inputs) if t.dtype.startswith("float")]
        if any(dtype != layer.input_dtype for dtype in floats):
            self.casts = layer.input_dtype == "float64" or bool(layer.named_arrays())

    def call_arguments(self, tensors=None):
        """``(args, kwargs)`` of the call, with tensors; `tensors`: dict from the inputs to others in their place."""
        inputs = self.inputs if tensors is None else map_structure(tensors.__getitem__, self.inputs)
        if self.arguments is None:
            args, kwargs = self.layer.call_arguments(inputs)
            kwargs = {**kwargs, **self.options}
        else:
            args, kwargs = self.arguments.bound(self.arguments.filled(flatten(inputs)))
        return args, kwargs if self.training is None else {**kwargs, "training": self.training}

    @property
    def name(self):
        return self.layer.name

    @property
    def trainable(self):
        return self.layer.has_trainable_params

    @property
    def adds_loss(self):
        return self.layer.adds_loss or self.layer.activity_regularizer is not None

    drops_mask = False  # whether `call` has deleted the mask of the output

    repeats = property(lambda self: self.layer.repeats)
    takes_repeat = property(lambda self: self.layer.takes_repeat)

    def output_shapes(self, shapes):
        if self.arguments is None:
            return self.layer.compute_output_shape(shapes, **self.options)
        masked, shapes = [t.masked for t in flatten(self.inputs)], flatten_shapes(shapes)
        found = self.layer.traced(self.arguments.with_shapes(shapes), masked, self.training)
        rows = shapes[0][:1]  # what was traced has None there, whatever is given

        def shape_of(t):
            if t.shape[:1] != (None,):
                return t.shape
            return (*(rows if rows == (None,) else shape_in_trial(t, rows[0])[:1]), *t.shape[1:])

        return map_structure(shape_of, found.outputs)

    def rows_of_outputs(self, rows):
        regularizer = self.layer.activity_regularizer
        if regularizer is not None and not getattr(regularizer, "sums_samples", False):
            return None
        if self.arguments is not None:
            masked = [tensor.masked for tensor in flatten(self.inputs)]
            return self.layer.rows_of_outputs(rows, self.arguments, masked, self.training)
        shapes = map_structure(lambda tensor: tensor.shape, self.inputs)
        return None if self.layer.looks_across(shapes) else super().rows_of_outputs(rows)

    def find_masks(self):
        masked = map_structure(lambda tensor: tensor.masked, self.inputs)
        self.reads_mask = self.layer.takes_mask and any(flatten(masked))
        self.masks_output = not self.drops_mask and bool(self.layer.output_masked(masked))
        if self.masks_output:
            flatten(self.outputs)[0].masked = True

    def forward(self, x, training, mask=None, repeat=None):
        layer = self.layer
        x = map_structure(layer.accept, x)
        if self.casts:
            x = map_structure(_in_dtypes(itertools.repeat(layer.input_dtype)), x)
        options, training = dict(self.options), training if self.training is None else self.training
        if training is not None:  # where nobody says, forward's own default holds
            options["training"] = training
        if self.reads_mask:
            options["mask"] = mask
        if repeat is not None:
            options["repeat"] = repeat
        if self.arguments is not None:
            options["arguments"] = self.arguments
        y, cache = layer.checked_pair(layer.forward(x, **options))
        if self.casts:
            y = map_structure(_in_dtypes(tensor.dtype for tensor in flatten(self.outputs)), y)
        elif self._is_own:
            y = map_structure(self._in_dtype, y)
        if not self._shape_is_checked and self._is_of_shapes(flatten(x), flatten(self.inputs)):
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
        if self.casts:
            dy = map_structure(_in_dtypes(tensor.dtype for tensor in flatten(self.outputs)), dy)
        result = layer.backward(dy, cache, needs_dx=any(wanted))
        if type(result) is not tuple or len(result) != 2 or not isinstance(result[1], dict):
            raise layer.error(f"backward must return (dx, grads), grads a dict; it returned {_described(result)}")
        dx, grads = result
        trainable = layer.trainable_params
        if self._is_base:
            trainable = [name for name in trainable if name in grads]
        elif not trainable.keys() <= grads.keys():
            missing = sorted(trainable.keys() - grads.keys())
            raise layer.error(f"backward returned no gradient of {missing}: grads has the keys {sorted(grads)}")
        if any(wanted):
            if self.casts:
                dx = map_structure(_in_dtypes(tensor.dtype for tensor in flatten(self.inputs)), dx)
            for tensor, d, want in zip(flatten(self.inputs), flatten(dx), wanted):
                if want:
                    adjoints.add(tensor, self._checked_adjoint(d, tensor) if self._is_own else d)
        return {(layer, name): grads[name] for name in trainable}

    def _in_dtype(self, a):
        """What a layer of your own made in float64 out of float32, in the dtype of the layer."""
        is_other = isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.dtype != self.layer.dtype
        return a.astype(self.layer.dtype) if is_other else a

    def _checked_adjoint(self, d, tensor):
        """The dx of a layer of your own. Raises ValueError for one of another shape than its input."""
        if d is None:
            return None
        shape, expected = np.shape(d), tensor.shape
        sizes = zip(shape[1:], expected[1:])  # of the samples, this may be a part
        if len(shape) != len(expected) or any(None not in pair and pair[0] != pair[1] for pair in sizes):
            raise self.layer.error(f"backward returned dx of shape {shape} for an input of shape {expected}")
        return self._in_dtype(d)

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
        elif "graph" in vars(self.layer) or hasattr(type(self.layer), "graph"):  # asking a layer takes longer
            self.layer.graph.prepare(training)

    def first_non_finite(self, x, training):
        if self.arguments is None:
            return None
        return self.layer.where_not_finite(x, training if self.training is None else self.training, self.arguments)

    @staticmethod
    def _is_of_shapes(arrays, tensors):
        """Whether these are what the graph was made for: by hand a model may be called on data of other sizes."""
        pairs = ((a.shape[1:], t.shape[1:]) for a, t in zip(arrays, tensors))
        return all(len(have) == len(want) and all(n in (None, m) for m, n in zip(have, want)) for have, want in pairs)

    def _check_shapes(self, y):
        self.layer.check_promised(flatten(y), [tensor.shape for tensor in flatten(self.outputs)])

    def __str__(self):
        return f"layer {self.layer.name!r}"

    def __repr__(self):
        return f"<{type(self.layer).__name__} {self.layer.name!r} in a graph>"


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


def _in_dtypes(dtypes):
    """A function that brings one array of floats after the other into these dtypes."""
    dtypes = iter(dtypes)

    def cast(a):
        dtype = str(next(dtypes))
        is_float = a is not None and a.dtype.kind == "f" and dtype.startswith("float")
        return a.astype(dtype, copy=False) if is_float else a

    return cast


def _described(value):
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"{type(value).__name__} {value!r}"

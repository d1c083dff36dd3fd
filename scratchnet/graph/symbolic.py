"""The sketch of a graph that `Model(inputs, outputs)` is made from.

`Input(shape)` gives a `KerasTensor`: a shape without values. Calling a layer on one, or an operation of
`scratchnet.ops`, computes nothing; it records a node ("this, applied to these tensors, gives those") and returns the
tensor that comes out. From the tensors that are called outputs, a model walks back along the nodes.
"""

import contextlib
import math

import numpy as np

from scratchnet.graph.nodes import LayerNode, MaskNode
from scratchnet.graph.operation_node import JoinedBatchNode, OperationNode, SizeNode
from scratchnet.graph.operators import Operators
from scratchnet.graph.sizes import Formula, map_formulas
from scratchnet.names import unique_name
from scratchnet.ops import divide, multiply, reshape, squeeze, take
from scratchnet.ops.dtypes import computing_in
from scratchnet.ops.operation import current_trace, handler_of
from scratchnet.ops.operation import is_symbolic as stands_for_an_array
from scratchnet.ops.random import stream_of
from scratchnet.ops.trial import BATCHES, shape_in_trial
from scratchnet.structure import flatten, flatten_shapes, map_shapes, map_structure
from scratchnet.variables import StateVariable


class KerasTensor(Operators):
    """A placeholder for an array in a graph.

    Attributes:
        shape: tuple; the batch axis is None.
        dtype: a string.
        node: the Node that this tensor comes out of; None for an `Input`.
        name: of the layer or operation that made it.
        masked: whether a mask comes with its values: which time steps count, (N, T).
        optional, sparse: what `Input` was told.
        trials: see `scratchnet.ops.trial.Spec`.
    """

    optional = sparse = False
    trials = None

    def __init__(self, shape, dtype="float32", name=None, node=None, masked=False):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = unique_name("keras_tensor") if name is None else name
        self.node = node
        self.masked = masked

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        """The number of elements; None where an axis is not known."""
        return None if None in self.shape else math.prod(self.shape)

    def reshape(self, *newshape):
        """`scratchnet.ops.reshape`."""
        return reshape(self, newshape[0] if len(newshape) == 1 else newshape)

    def squeeze(self, axis=None):
        """`scratchnet.ops.squeeze`."""
        return squeeze(self, axis)

    @property
    def _keras_mask(self):
        raise AttributeError("a symbolic tensor holds no mask")

    @_keras_mask.deleter
    def _keras_mask(self):
        """The mask ends here: what comes behind, a loss above all, reads none."""
        if not self.masked or not isinstance(self.node, LayerNode):
            raise AttributeError("_keras_mask")
        self.masked, self.node.drops_mask = False, True
        self.node.find_masks()

    def __repr__(self):
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def as_tensor(self):
        return self

    def __scratchnet_operation__(self, operation, operands, options):
        return record(operation, operands, options)


class Size(Formula):
    """The size of an axis that is not known yet, or a number that is computed from such sizes."""

    def as_tensor(self, name=None):
        if name is None:
            name = unique_name("size") if current_trace.get() is None else "size"
        node = SizeNode(self, name)
        node.outputs = KerasTensor((), "int32", node.name, node)
        return node.outputs

    def __scratchnet_operation__(self, operation, operands, options):
        return record(operation, operands, options)

    # With anything but integers it is a number among tensors.
    def __mul__(self, other):
        found = super().__mul__(other)
        return multiply(self, other) if found is NotImplemented else found

    def __rmul__(self, other):
        found = super().__rmul__(other)
        return multiply(other, self) if found is NotImplemented else found

    def __truediv__(self, other):
        return divide(self, other)

    def __rtruediv__(self, other):
        return divide(other, self)

    def _refuse(self, *args):
        raise TypeError(
            f"{self!r} has no value while a graph is traced: a loop over the samples of a batch cannot be, nor a "
            "decision by their number; write it for all samples at once"
        )

    __index__ = __int__ = __float__ = __bool__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse


def is_tensor(x):
    return isinstance(x, KerasTensor)


def is_symbolic(structure):
    """Whether any leaf is a KerasTensor."""
    return any(isinstance(leaf, KerasTensor) for leaf in flatten(structure))


def record_layer(layer, inputs, output_shape, training=None, options=None):
    """The tensors that `layer` makes of `inputs`: their node is theirs, the layer does not learn of it."""
    node = LayerNode(layer, inputs, training, options)
    dtype = layer.output_dtype(inputs)
    node.outputs = map_shapes(lambda shape: KerasTensor(shape, dtype, layer.name, node), output_shape)
    _take_over_trials(node)
    _try_rows(node)
    node.find_masks()
    return node.outputs


def record_call(layer, inputs, outputs, training, arguments):
    """The same of a layer that is traced, whose outputs are like the tensors `outputs`."""
    node = LayerNode(layer, inputs, training, arguments=arguments)
    node.outputs = map_structure(lambda t: KerasTensor(t.shape, t.dtype, layer.name, node), outputs)
    for tensor, inner in zip(flatten(node.outputs), flatten(outputs)):
        if inner.trials is not None:
            tensor.trials = inner.trials
    _take_over_trials(node)
    node.find_masks()
    return node.outputs


def _take_over_trials(node):
    """What comes out of a layer has as many rows as what goes in, also where that has others than the batch."""
    found = next((tensor.trials for tensor in flatten(node.inputs) if tensor.trials is not None), None)
    for tensor in flatten(node.outputs) if found is not None else ():
        if tensor.shape[:1] == (None,) and tensor.trials is None:
            usual = {rows: [rows if n is None else n for n in tensor.shape[1:]] for rows in found}
            tensor.trials = {rows: (found[rows][0], *usual[rows]) for rows in found}


def _try_rows(node):
    """Where a layer looks across the samples of a batch, as many as come out are not always as many as go in."""
    tensors, outputs = flatten(node.inputs), flatten(node.outputs)
    if any(t.shape[:1] != (None,) or None in t.shape[1:] for t in (*tensors, *outputs)):
        return
    if node.layer.looks_across(map_structure(lambda t: t.shape, node.inputs)):
        batches = next((t.trials for t in tensors if t.trials is not None), BATCHES[0])
        given = [map_structure(lambda t, n=rows: shape_in_trial(t, n), node.inputs) for rows in batches]
        found = [flatten_shapes(node.output_shapes(shapes)) for shapes in given]
        for tensor, *shapes in zip(outputs, *found):
            if any(shape[0] != rows for rows, shape in zip(batches, shapes)):
                tensor.trials = dict(zip(batches, shapes))


def with_mask(tensor, mask):
    """`tensor` as it goes on with `mask`, which layers behind it heed."""
    node = MaskNode(tensor, mask, "mask" if current_trace.get() is not None else unique_name("mask"))
    node.outputs = KerasTensor(tensor.shape, tensor.dtype, node.name, node)
    node.find_masks()
    return node.outputs


def record(operation, operands, options, name=None):
    """The tensor that an operation makes of tensors, arrays, numbers, and whatever has `as_tensor`.

    `name`: of the node; by default the operation's, counted.
    """
    trace = current_trace.get()
    if operation.name == "shape":
        tensor = operands[0].as_tensor()
        return tuple(Size(None, tensor, k) if n is None else n for k, n in enumerate(tensor.shape))
    if operation.name == "get_item" and is_tensor(options["key"]) and "int" in options["key"].dtype:
        return take(operands[0], options["key"], 0)
    options = {key: value if key in ("seed", "key") else _with_sizes(value) for key, value in options.items()}
    _refuse_tensors(operation, options)
    operands = [a.as_tensor() if stands_for_an_array(a) else a for a in operands]
    if trace is None:
        operands = [a.value if isinstance(a, StateVariable) else a for a in operands]
    else:
        operands = [trace.variable(a) if isinstance(a, StateVariable) else a for a in operands]
        for a in operands:
            if isinstance(a, np.ndarray):
                trace.refuse_parameters(a)
    stream, settled = None, options
    if operation.random:
        seed = options["seed"]
        stream = stream_of(seed) if trace is None else trace.stream_of(seed)
        settled = {**options, "seed": 0}
    with _float_dtype_of(operands):
        spec = operation.output_spec(operands, settled)
    if name is None:
        name = operation.name.strip("_")
        name = unique_name(name) if trace is None else name
    arguments = operation, operands, options, name, is_tensor, stream
    node = OperationNode(*arguments) if spec.batch is None else JoinedBatchNode(*arguments, batch=spec.batch)
    dtype = np.dtype(spec.dtype)
    node.outputs = KerasTensor(spec.shape, "string" if dtype.kind == "U" else dtype.name, name, node)
    if spec.trials is not None:
        node.outputs.trials = spec.trials
    return node.outputs


# What makes a tensor of sizes out of sizes.
_OF_SIZES = {"cast", "concatenate", "expand_dims", "reshape", "squeeze", "stack"}


def _with_sizes(option):
    """`option` with integers and formulas for tensors that are made of nothing else: the repeats of `tile`, say."""
    if is_tensor(option):
        sizes = _sizes_in(option)
        return option if sizes is None else sizes[0] if option.ndim == 0 else tuple(sizes)
    return type(option)(_with_sizes(entry) for entry in option) if type(option) in (list, tuple) else option


def _sizes_in(value):
    """The integers and formulas that `value` consists of, or None where it depends on the values of tensors."""
    node = value.node if is_tensor(value) else None
    if isinstance(node, SizeNode):
        return [node.formula]
    if isinstance(node, OperationNode) and node.operation.name in _OF_SIZES:
        parts = [_sizes_in(a) for a in node.operands]
        return None if None in parts else [n for part in parts for n in part]
    if is_tensor(value) or np.asarray(value).dtype.kind not in "iu":
        return None
    return np.ravel(value).tolist()


def record_again(node, tensors):
    """The output of a node that uses no layer, applied to other tensors: a dict from the old ones to them."""
    if isinstance(node, SizeNode):
        return node.formula.on(tensors).as_tensor()
    if hasattr(node, "again"):
        return node.again(tensors)
    if isinstance(node, MaskNode):
        return with_mask(*(tensors[tensor] for tensor in node.inputs))
    operands = [tensors[a] if is_tensor(a) else a for a in node.operands]
    options = map_formulas(lambda formula: formula.on(tensors), node.options)
    return record(node.operation, operands, options, node.name)


def _float_dtype_of(operands):
    """A context in which floats are of the tensors' dtype, which numbers and arrays of another one take."""
    dtype = next((a.dtype for a in operands if is_tensor(a) and a.dtype in ("float32", "float64")), None)
    return contextlib.nullcontext() if dtype is None else computing_in(dtype)


def _refuse_tensors(operation, options):
    """Raise TypeError for a tensor in the place of an option: what depends on values cannot be traced."""
    found = handler_of((), {k: v for k, v in options.items() if k != "seed"})
    if found is not None and not isinstance(found, Size):
        name = next(name for name, value in options.items() if handler_of((), {name: value}) is not None)
        hint = "; use ops.take for places, ops.where for conditions" if operation.name == "get_item" else ""
        raise TypeError(f"{operation.name}: {name} depends on values, so it cannot be traced{hint} (got {found!r})")

"""Nodes that move numbers to other places: Reshape, Transpose, Concat, Slice, Gather, Pad, ..."""

import math

import numpy as np

from scratchnet import ops
from scratchnet.files.onnx_reading.folding import axes_of, slices, target_shape
from scratchnet.files.onnx_reading.values import BATCH, Folded, Value, aligned, counted, same_for_all
from scratchnet.layers import Embedding, Flatten


def constant(context, node, inputs):
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if node.attributes.get(name) is not None:
            value = node.attributes[name]
            kind = "f4" if "float" in name else "i8"
            return [np.asarray(value, None if name == "value" else kind)]
    raise ValueError("a constant that is neither number nor array")


def identity(context, node, inputs):
    return [inputs[0], None]  # the second is Dropout's mask, which nobody reads outside of training


def shape(context, node, inputs):
    sizes = inputs[0].sizes
    start, end = node.attributes.get("start", 0), node.attributes.get("end")
    chosen = sizes[slice(start, end)]
    if None in chosen:
        raise ValueError(f"it asks for sizes that are not fixed: {sizes}")
    return [np.array(chosen, np.int64)]


def size(context, node, inputs):
    return [np.int64(math.prod(inputs[0].known_sizes()))]


def transpose(context, node, inputs):
    (x,) = inputs
    perm = node.attributes.get("perm", list(range(x.rank))[::-1])
    if sorted(perm) != list(range(x.rank)):
        raise ValueError(f"{perm} is no order of {x.rank} axes")
    return [x.like(x.tensor, [perm.index(axis) for axis in x.axes])]


def flatten(context, node, inputs):
    x, axis = inputs[0], node.attributes.get("axis", 1)
    if axis % max(x.rank, 1) != 1 or x.batch_axis != 0:
        raise ValueError(f"axis={axis} mixes samples")
    tensor = x.as_in_onnx()
    return [x.like(Flatten()(tensor) if x.rank > 2 else tensor, (0, 1))]


def reshape(context, node, inputs):
    x, wanted = inputs
    if isinstance(wanted, Value):
        raise ValueError("its shape depends on the inputs")
    if isinstance(x, Folded):
        return [_unfolded(x, target_shape(x.sizes, wanted, node.attributes.get("allowzero", 0)))]
    wanted = np.asarray(wanted).ravel().tolist()
    if x.batch_axis == 0 and wanted and wanted[0] == context.fixed_batch:
        wanted[0] = BATCH
    if x.batch_axis == 0 and None in x.sizes:
        return [_reshape_unknown(x, wanted)]
    sizes = x.known_sizes()
    target, at = target_shape(sizes, wanted, node.attributes.get("allowzero", 0)), x.batch_axis
    if at > 0 and target[0] == math.prod(sizes[: at + 1]):
        return [Folded(reshaped(x, (*sizes[: at + 1], *target[1:])), at + 1)]
    return [reshaped(x, target)]


def _unfolded(x, target):
    """The Value whose axes come apart again."""
    sizes = x.value.sizes
    if target[: x.count] != sizes[: x.count]:
        raise ValueError(f"sizes {x.sizes} to {target} mix samples")
    return reshaped(x.value, target)


def _reshape_unknown(x, wanted):
    """Where a size is not fixed only what names the samples (0 or -1 in front) can be done."""
    if wanted and wanted[0] in (0, -1, BATCH) and wanted[1:].count(-1) <= 1 and 0 not in wanted[1:]:
        return x.like(ops.reshape(x.as_in_onnx(), (-1, *wanted[1:])), range(len(wanted)))
    raise ValueError(f"its result depends on sizes that are not fixed: {x.sizes}")


def reshaped(x, target):
    """The Value with other sizes, in ONNX's order. The axis of the samples may be split or joined, but not moved.

    What stands in front of it, as the time in (T, N, D), must stay; what stands behind is free.
    """
    at, rank = x.batch_axis, len(target)
    if at >= rank or tuple(target[:at]) != x.sizes[:at] or target[at] % BATCH or not target[at]:
        raise ValueError(f"sizes {x.sizes} to {tuple(target)} mix samples")
    tensor = x.in_order((*range(at, x.rank), *range(at)))
    tensor = ops.reshape(tensor, (-1, *target[at + 1 :], *target[:at]))
    return Value(tensor, (*range(at, rank), *range(at)), target[at] // BATCH)


def squeeze(context, node, inputs):
    x, given = inputs[0], inputs[1] if len(inputs) > 1 else None
    axes = axes_of(node.attributes, given, x.rank)
    axes = [k for k, n in enumerate(x.sizes) if n == 1] if axes is None else axes
    return [squeezed(x, axes)]


def squeezed(x, axes):
    """The Value without these axes, which have size 1."""
    places = sorted(x.feature_place(axis) for axis in axes)
    if any(x.tensor.shape[place] not in (1, None) for place in places):
        raise ValueError(f"an axis of {x.sizes} that is taken away has not size 1")
    left = [axis for axis in x.axes if axis not in axes]
    tensor = ops.squeeze(x.tensor, tuple(places)) if places else x.tensor
    return x.like(tensor, [sum(other < axis for other in left) for axis in left])


def unsqueeze(context, node, inputs):
    x, given = inputs[0], inputs[1] if len(inputs) > 1 else None
    count = len(node.attributes["axes"] if given is None else np.asarray(given).ravel())
    new = axes_of(node.attributes, given, x.rank + count)
    old = [axis for axis in range(x.rank + count) if axis not in new]
    tensor = x.tensor
    for _ in new:
        tensor = ops.expand_dims(tensor, -1)
    return [x.like(tensor, [*(old[axis] for axis in x.axes), *new])]


def concat(context, node, inputs):
    rank = next(value.rank for value in inputs if isinstance(value, Value))
    axis = counted(node.attributes["axis"], rank)
    first = next(value for value in inputs if isinstance(value, Value))
    tensors = []
    for value in inputs:
        if not isinstance(value, Value):
            value = first.like(_for_every_sample(np.asarray(value), first))
        if value.rank != rank or value.rows != first.rows:
            raise ValueError("its inputs have not the same axes")
        tensors.append(value.in_order(first.axes))
    return [first.like(ops.concatenate(tensors, axis=first.feature_place(axis)))]


def _for_every_sample(array, like):
    """A tensor that has the same array for each sample."""
    row = same_for_all(array.transpose(like.axes))
    index = tuple([slice(None), *[slice(0, 1)] * (like.rank - 1)])
    return ops.where(ops.ones_like(like.tensor[index]) > 0, row.astype("float32"), np.float32(0))


def slice_(context, node, inputs):
    x, *arguments = inputs
    index = slices(x.rank, node.attributes, *arguments)
    whole = index[x.batch_axis]
    if whole.start not in (None, 0) or whole.stop is not None or whole.step is not None:
        raise ValueError("it takes some of the samples")
    return [x.like(x.tensor[tuple(index[axis] for axis in x.axes)])]


def gather(context, node, inputs):
    x, indices = inputs
    axis = node.attributes.get("axis", 0)
    if not isinstance(x, Value):
        return [_look_up(context, np.asarray(x), indices, axis)]
    if isinstance(indices, Value):
        raise ValueError("both its inputs depend on the inputs of the model")
    place, indices = x.feature_place(axis), np.asarray(indices)
    axis %= x.rank
    if indices.ndim == 0:
        taken = ops.take(x.tensor, indices.reshape(1), axis=place)
        return [squeezed(x.like(taken), [axis])]
    if indices.ndim > 1:
        raise ValueError("its indices have several axes")
    return [x.like(ops.take(x.tensor, indices, axis=place))]


def _look_up(context, table, indices, axis):
    """Rows of a table by numbers that come in: an Embedding."""
    if table.ndim != 2 or axis % 2 != 0 or table.dtype.kind != "f":
        raise ValueError("it looks up something else than rows of a table")
    layer = Embedding(*table.shape)
    tensor = context.layer(layer, indices.tensor, [table])
    return indices.like(tensor, (*indices.axes, indices.rank))


def split(context, node, inputs):
    x, given = inputs[0], inputs[1] if len(inputs) > 1 else None
    place = x.feature_place(node.attributes.get("axis", 0))
    sizes = node.attributes.get("split") if given is None else np.asarray(given).tolist()
    if sizes is None:
        total, count = x.tensor.shape[place], node.attributes.get("num_outputs", len(node.outputs))
        step = -(-total // count)
        sizes = [min(step, total - k * step) for k in range(count)]
    outputs, start = [], 0
    for n in sizes:
        index = [slice(None)] * x.rank
        index[place] = slice(start, start + n)
        outputs.append(x.like(x.tensor[tuple(index)]))
        start += n
    return outputs


def expand(context, node, inputs):
    x, wanted = inputs
    if not isinstance(x, Value) or isinstance(wanted, Value):
        raise ValueError("its shape depends on the inputs")
    target = [int(n) for n in np.asarray(wanted).ravel()]
    target = [1] * (x.rank - len(target)) + target
    if len(target) > x.rank:
        raise ValueError("it adds axes")
    factors = [1 if have == want or want == 1 else want for have, want in zip(x.sizes, target)]
    ones = np.ones([factors[axis] for axis in x.axes], "float32")
    return [x if ones.size == 1 else x.like(ops.multiply(x.tensor, ones))]


def tile(context, node, inputs):
    x, repeats = inputs
    repeats = [int(n) for n in np.asarray(repeats).ravel()]
    if repeats[x.batch_axis] != 1:
        raise ValueError("it repeats samples")
    return [x.like(ops.tile(x.tensor, [repeats[axis] for axis in x.axes]))]


def pad(context, node, inputs):
    x, given, value, axes = (*inputs, None, None, None)[:4]
    pads = [int(n) for n in (node.attributes.get("pads") if given is None else np.asarray(given).ravel())]
    axes = list(range(x.rank)) if axes is None else [counted(int(axis), x.rank) for axis in np.asarray(axes).ravel()]
    before, after = pads[: len(axes)], pads[len(axes) :]
    widths = [(0, 0)] * x.rank
    for axis, b, a in zip(axes, before, after):
        widths[axis] = (b, a)
    if min(pads, default=0) < 0 or widths[x.batch_axis] != (0, 0):
        raise ValueError(f"pads {pads} cut, or pad the samples")
    modes = {"constant": "constant", "reflect": "reflect", "edge": "edge"}
    mode = modes.get(node.attributes.get("mode", "constant"))
    if mode is None:
        raise ValueError(f"its mode is {node.attributes['mode']!r}")
    number = node.attributes.get("value", 0.0) if value is None else float(np.asarray(value).ravel()[0])
    options = {"constant_values": number} if mode == "constant" else {}
    return [x.like(ops.pad(x.tensor, [widths[axis] for axis in x.axes], mode=mode, **options))]


def where(context, node, inputs):
    (condition, a, b), like = aligned(inputs)
    return [like.like(ops.where(condition, a, b))]


HANDLERS = {
    "Constant": constant,
    "Identity": identity,
    "Dropout": identity,
    "Shape": shape,
    "Size": size,
    "Transpose": transpose,
    "Flatten": flatten,
    "Reshape": reshape,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Concat": concat,
    "Slice": slice_,
    "Gather": gather,
    "Split": split,
    "Expand": expand,
    "Tile": tile,
    "Pad": pad,
    "Where": where,
}

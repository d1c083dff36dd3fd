"""Where the values of a sample are in another order here than in PyTorch.

PyTorch stores images as (C, H, W), Keras and this library as (H, W, C). Within convolutions only the axes of the
kernels differ. But where images become vectors, `Flatten` gives the order (c, h, w) there and (h, w, c) here, so the
rows of the next kernel must be permuted; where vectors become images, the columns of the kernel before. Without that
all shapes fit, and the result is wrong.

This module walks through a model and notes the order of the inputs and of the outputs of each layer with weights:
``order[j]`` is PyTorch's index of the value that has index j here.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.layers import Concatenate, Dense, Flatten, Permute, RepeatVector, Reshape, TimeDistributed
from scratchnet.layers.convolutional.base_convolution import BaseConvolution
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.structure import flatten

MAPS = "maps"  # a tensor whose last axis are channels, which PyTorch has in front


class Use(NamedTuple):
    """A layer with weights, in the order in which it is first used."""

    layer: Any
    path: tuple  # the names of the models and layers that hold it, and its own
    order_in: np.ndarray | None
    order_out: np.ndarray | None


def uses_of(model):
    """The list of `Use`s of a model's layers, including those in nested models and wrappers."""
    uses, seen = [], set()
    _walk(model, [MAPS if len(t.shape) > 3 else None for t in model.inputs], (), uses, seen)
    return uses


def _walk(model, orders, path, uses, seen):
    """Walk through a model whose inputs are in these orders; returns the orders of its outputs."""
    known = dict(zip(model.inputs, orders))
    wanted = _wanted_by_images(model)
    for node in model.nodes:
        layer = getattr(node, "layer", None)
        before = [known.get(tensor) for tensor in flatten(node.inputs)]
        tensors = flatten(node.inputs)
        shape = tensors[0].shape if tensors else ()
        if layer is None or not hasattr(layer, "named_arrays"):
            after = _after_operation(before, tensors, node)
        elif hasattr(layer, "nodes"):
            after = _walk(layer, before, (*path, layer.name), uses, seen)
        else:
            order_out = wanted.get(flatten(node.outputs)[0])
            after = _step(layer, before, tensors, shape, order_out, (*path, layer.name), uses, seen)
        outputs = flatten(node.outputs)
        known.update(zip(outputs, after if isinstance(after, list) else [after] * len(outputs)))
    return [known.get(tensor) for tensor in model.outputs]


def _step(layer, before, tensors, shape, order_out, path, uses, seen):
    """The order of a layer's output for inputs in the orders `before`; notes the layer if it has weights."""
    order = before[0] if before else None
    vector = order if isinstance(order, np.ndarray) else None
    if isinstance(layer, TimeDistributed):
        inner = layer.layer
        if hasattr(inner, "nodes"):
            return _walk(inner, before, (*path, inner.name), uses, seen)
        return _step(inner, before, tensors, (shape[0], *shape[2:]), order_out, (*path, inner.name), uses, seen)
    if layer.named_arrays() and layer not in seen:
        seen.add(layer)
        uses.append(Use(layer, path, vector, order_out))
    if isinstance(layer, (Flatten, Reshape)):
        return _reshaped(layer, order, shape)
    if isinstance(layer, Permute):
        return _permuted(layer, order)
    if isinstance(layer, Dense):
        return MAPS if order is MAPS else order_out
    if isinstance(layer, (Conv2D, BaseConvolution)) or type(layer).__name__.startswith("ConvLSTM"):
        return MAPS
    if any(name in _NEW_FEATURES for name in _class_names(layer)):
        return None
    if isinstance(layer, Concatenate):
        return _concatenated(layer, before, tensors)
    if type(layer).__name__.endswith(("Pooling1D", "Sampling1D")) and order is None:
        return MAPS
    if isinstance(layer, RepeatVector) or layer.named_arrays() or len(before) == 1:
        return order
    return next((o for o in before if o is not None), None)


# What comes out of these are features in an order of their own.
_NEW_FEATURES = ("Recurrent", "RNN", "Bidirectional", "Embedding", "Heads", "GlobalPooling")


def _class_names(layer):
    return [cls.__name__ for cls in type(layer).__mro__]


def _reshaped(layer, order, shape):
    sizes = shape[1:]
    new = layer.compute_output_shape(shape)[1:]
    if len(new) == 1:
        return channels_last(sizes) if order is MAPS and len(sizes) > 1 and None not in sizes else order
    if len(new) >= 3:
        return MAPS
    return order if len(new) == len(sizes) else None


def _permuted(layer, order):
    n = len(layer.dims)
    if order is MAPS and layer.dims == (n, *range(1, n)):  # to PyTorch's own order
        return None
    if order is None and layer.dims == (*range(2, n + 1), 1):
        return MAPS
    return order


def _concatenated(layer, before, tensors):
    if any(order is MAPS for order in before):
        return MAPS
    if all(order is None for order in before):
        return None
    parts, start = [], 0
    for order, tensor in zip(before, tensors):
        size = tensor.shape[-1]
        parts.append(start + (np.arange(size) if order is None else order))
        start += size
    return np.concatenate(parts)


def _after_operation(before, tensors, node):
    """An operation that keeps the shape keeps the order."""
    output = flatten(node.outputs)[0]
    for order, tensor in zip(before, tensors):
        if order is not None and len(tensor.shape) == len(output.shape) and tensor.shape[-1] == output.shape[-1]:
            return order
    return None


def channels_last(sizes):
    """The order of the values of a flattened sample (H, W, C), which PyTorch stores as (C, H, W)."""
    *space, channels = sizes
    places = np.arange(int(np.prod(sizes))).reshape(channels, *space)
    return np.moveaxis(places, 0, -1).ravel()


def _wanted_by_images(model):
    """Dict from tensor to the order that it must have, for vectors that a `Reshape` makes images of.

    Behind such a Reshape PyTorch has (C, H, W). A `Permute` behind it says so in our words: then nothing changes.
    """
    readers, wanted = {}, {}
    for node in model.nodes:
        for tensor in flatten(node.inputs):
            readers.setdefault(tensor, []).append(getattr(node, "layer", None))
    for node in reversed(model.nodes):
        layer, output = getattr(node, "layer", None), flatten(node.outputs)[0]
        if isinstance(layer, Reshape) and len(output.shape) > 3 and len(flatten(node.inputs)[0].shape) == 2:
            if not any(isinstance(reader, Permute) for reader in readers.get(output, [])):
                wanted[flatten(node.inputs)[0]] = channels_last(output.shape[1:])
        elif output in wanted and not isinstance(layer, (Dense, Flatten)) and len(flatten(node.inputs)) == 1:
            if flatten(node.inputs)[0].shape == output.shape:  # an activation between the kernel and the Reshape
                wanted[flatten(node.inputs)[0]] = wanted[output]
    return wanted

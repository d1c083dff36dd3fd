"""Capsules: their routing, which takes a fixed number of iterations, unrolled."""

import numpy as np

from scratchnet.files.onnx_writing.activations import softmax
from scratchnet.files.onnx_writing.windows import conv
from scratchnet.files.onnx_writing.writer import Value


def _length(w, v):
    """|v| along the last axis, which stays."""
    return w.each(w.reduce(w.combine("Mul", v, v), "ReduceSum", [-1]), "Sqrt")


def _squashed(w, s):
    """s |s| / (1 + |s|^2)"""
    n = _length(w, s)
    return w.combine("Mul", s, w.combine("Div", n, w.combine("Add", w.combine("Mul", n, n), np.float32(1))))


def squash(w, layer, x):
    return _squashed(w, x)


def primary_capsules(w, layer, x):
    z = conv(w, layer, x, type(layer).__mro__[1].compute_output_shape(layer, x.shape))
    return _squashed(w, w.reshape(z, layer.compute_output_shape(x.shape)))


def capsule_layer(w, layer, u):
    """u_hat = W u, and then procedure 1 of the paper; see `scratchnet.layers.capsules.capsule_layer`."""
    W = np.asarray(layer.params["kernel"], "float32")  # (I, K, J, D)
    I, _, J, D = W.shape
    N = u.shape[0]
    kernel = Value(w.constant(W, stem=f"{layer.name}/kernel"), W.shape)
    u_hat = w.einsum("nik,ikjd->nijd", [u, kernel], (N, I, J, D))
    b = None
    for r in range(layer.routings):
        if b is None:  # all are equal
            s = w.combine("Mul", w.reduce(u_hat, "ReduceSum", [1]), np.float32(1 / J))
        else:
            s = w.reduce(w.combine("Mul", softmax(w, b, 2), u_hat), "ReduceSum", [1])  # (N, 1, J, D)
        v = _squashed(w, s)
        if r + 1 < layer.routings:
            agreement = w.reduce(w.combine("Mul", u_hat, v), "ReduceSum", [-1])  # (N, I, J, 1)
            b = agreement if b is None else w.combine("Add", b, agreement)
    return w.squeeze(v, [1])


def length(w, layer, x):
    return w.squeeze(_length(w, x), [-1])


def capsule_mask(w, layer, v, chosen=None):
    N, J, D = v.shape
    if chosen is None:
        squares = w.reduce(w.combine("Mul", v, v), "ReduceSum", [-1], keepdims=False)
        place = w.node("ArgMax", [w.plain(squares)], axis=1, keepdims=0)
        name = w.node("OneHot", [place, w.ints(J), w.constant([0, 1])], axis=1)
        chosen = Value(name, (N, J))
    y = w.combine("Mul", v, w.unsqueeze(w.cast(chosen, "float32"), -1))
    return w.reshape(y, (N, J * D))


WRITERS = {
    "Squash": squash,
    "PrimaryCapsules": primary_capsules,
    "CapsuleLayer": capsule_layer,
    "Length": length,
    "CapsuleMask": capsule_mask,
}

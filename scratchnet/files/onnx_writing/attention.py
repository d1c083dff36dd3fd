"""Attention in ONNX's sums of products."""

import numpy as np

from scratchnet.files.onnx_writing.activations import softmax
from scratchnet.files.onnx_writing.writer import Value

_HIDDEN = np.float32(-1e9)


def heads(w, layer, query, value, key=None, mask=None, return_attention_scores=False, use_causal_mask=False, **options):
    """MultiHeadAttention and GroupQueryAttention."""
    if options or layer.sliding_window is not None or query.rank != 3:
        raise ValueError(f"attention with {sorted(options) or 'sliding_window or several axes'} cannot be written")
    key = value if key is None else key
    q, k, v = (
        w.layer(dense, [x])[0]
        for dense, x in ((layer.query_dense, query), (layer.key_dense, key), (layer.value_dense, value))
    )  # (N, T, heads, D), (N, S, heads, D)
    H, D = q.shape[2:]
    k, v = _shared(w, k, H), _shared(w, v, H)
    N, T, S = q.shape[0], q.shape[1], k.shape[1]
    q = w.combine("Mul", q, np.float32(1 / np.sqrt(D)))
    scores = w.einsum("nthd,nshd->nhts", [q, k], (N, H, T, S))
    if mask is not None:
        hidden = w.combine("Mul", w.combine("Sub", w.cast(mask, "float32"), np.float32(1)), -_HIDDEN)
        scores = w.combine("Add", scores, w.unsqueeze(hidden, 1))
    if use_causal_mask:
        scores = w.combine("Add", scores, _causal(T, S))
    P = softmax(w, scores)
    y = w.einsum("nhts,nshe->nthe", [P, v], (N, T, H, v.shape[-1]))
    if layer.use_gate:
        gate = w.each(w.layer(layer.gate_dense, [query])[0], "Sigmoid")
        y = w.combine("Mul", y, gate)
    y = w.layer(layer.output_dense, [y])[0]
    return [y, P] if return_attention_scores else y


def _shared(w, x, H):
    """Keys or values whose heads several heads of the queries share."""
    if x.shape[2] == H:
        return x
    indices = np.repeat(np.arange(x.shape[2]), H // x.shape[2])
    name = w.node("Gather", [w.plain(x), w.constant(indices, "int64")], axis=2)
    return Value(name, (*x.shape[:2], H, x.shape[3]))


def _causal(T, S):
    if T is None or S is None:
        raise ValueError("a causal mask needs sequences of a fixed length")
    return np.where(np.tri(T, S, dtype=bool), np.float32(0), _HIDDEN)


def attention(w, layer, query, value, key=None, return_attention_scores=False, use_causal_mask=False, **options):
    """Attention and AdditiveAttention."""
    if options:
        raise ValueError(f"attention with {sorted(options)} cannot be written")
    key = value if key is None else key
    (N, T, _), S = query.shape, key.shape[1]
    additive = any(cls.__name__ == "AdditiveAttention" for cls in type(layer).__mro__)
    if additive or layer.score_mode == "concat":
        z = w.combine("Add", w.unsqueeze(query, 2), w.unsqueeze(key, 1))  # (N, T, S, D)
        if additive:
            scaled = w.each(z, "Tanh")
            scaled = w.combine("Mul", scaled, _scale(layer)) if layer.use_scale else scaled
            scores = w.reduce(scaled, "ReduceSum", [-1], keepdims=False)
        else:
            z = w.combine("Mul", z, _scale(layer)) if layer.use_scale else z
            weight = np.asarray(layer.params["concat_score_weight"], "float32")
            scores = w.combine("Mul", w.reduce(w.each(z, "Tanh"), "ReduceSum", [-1], keepdims=False), weight)
    else:
        scores = w.einsum("ntd,nsd->nts", [query, key], (N, T, S))
        scores = w.combine("Mul", scores, _scale(layer)) if layer.use_scale else scores
    if use_causal_mask:
        scores = w.combine("Add", scores, _causal(T, S))
    P = softmax(w, scores)
    y = w.matmul(P, value, (N, T, value.shape[-1]))
    return [y, P] if return_attention_scores else y


def _scale(layer):
    return np.asarray(layer.params["scale"], "float32")


WRITERS = {"Heads": heads, "SoftLookup": attention}

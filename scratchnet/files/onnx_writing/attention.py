"""Attention in ONNX's sums of products."""

import numpy as np

from scratchnet.files.onnx_writing.activations import softmax
from scratchnet.files.onnx_writing.writer import Value

HIDDEN = -1e9  # the score of a hidden key


def heads(
    w, layer, query, value, key=None, attention_mask=None, *, mask=None, return_attention_scores=False,
    use_causal_mask=False,
):  # fmt: skip
    """MultiHeadAttention and GroupQueryAttention."""
    if query.rank != 3:
        raise ValueError("attention along several axes cannot be written")
    key = value if key is None else key
    q, k, v = (
        w.layer(dense, [x])[0]
        for dense, x in ((layer.query_dense, query), (layer.key_dense, key), (layer.value_dense, value))
    )  # (N, T, heads, D), (N, S, heads, D)
    H, D = q.shape[2:]
    k, v = _shared(w, k, H), _shared(w, v, H)
    N, T, S = q.shape[0], q.shape[1], k.shape[1]
    q = w.combine("Mul", q, np.float32(1 / np.sqrt(D)))
    A = w.einsum("nthd,nshd->nhts", [q, k], (N, H, T, S))
    queries, *others = [*(mask or []), None, None, None][:3]
    may = _joined(w, [_of_scores(w, attention_mask), _as_rows(w, queries), *(_as_columns(w, m) for m in others)])
    constant = [_window(T, S, layer.sliding_window)] + ([_causal(T, S)] if use_causal_mask else [])
    may = _joined(w, [may, *constant])
    P = softmax(w, A if may is None else w.where(may, A, np.float32(HIDDEN)))
    if may is not None and return_attention_scores:
        P = w.where(may, P, np.float32(0))  # see `Heads.forward`
    y = w.einsum("nhts,nshe->nthe", [P, v], (N, T, H, v.shape[-1]))
    if layer.use_gate:
        y = w.combine("Mul", y, w.layer(layer.gate_dense, [query])[0])
    y = w.layer(layer.output_dense, [y])[0]
    return [y, P] if return_attention_scores else y


def _joined(w, masks):
    """True where all of the masks are, Values and arrays; None among them says nothing."""
    result = None
    for mask in masks:
        if mask is not None:
            result = mask if result is None else w.combine("And", result, mask, dtype="bool")
    return result


def _as_rows(w, mask):
    """(N, T) as (N, 1, T, 1)."""
    return None if mask is None else w.unsqueeze(w.unsqueeze(mask, -1), 1)


def _as_columns(w, mask):
    """(N, S) as (N, 1, 1, S)."""
    return None if mask is None else w.unsqueeze(w.unsqueeze(mask, 1), 1)


def _of_scores(w, mask):
    """A mask (N, T, S), a tensor or an array, as (N, 1, T, S)."""
    if mask is None:
        return None
    if not isinstance(mask, Value):
        return np.expand_dims(np.asarray(mask, bool), -3)
    mask = w.cast(mask, "bool")
    return w.unsqueeze(mask, 1) if mask.rank == 3 else mask


def _shared(w, x, H):
    """Keys or values whose heads several heads of the queries share."""
    if x.shape[2] == H:
        return x
    indices = np.repeat(np.arange(x.shape[2]), H // x.shape[2])
    name = w.node("Gather", [w.plain(x), w.constant(indices, "int64")], axis=2)
    return Value(name, (*x.shape[:2], H, x.shape[3]))


def _causal(T, S):
    _check_sizes(T, S)
    return np.tri(T, S, dtype=bool)


def _window(T, S, width):
    if width is None:
        return None
    _check_sizes(T, S)
    return np.abs(np.arange(T)[:, None] - np.arange(S)) < width


def _check_sizes(T, S):
    if T is None or S is None:
        raise ValueError("a causal mask, or a window, needs sequences of a fixed length")


def attention(
    w, layer, query, value, key=None, *, mask=None, return_attention_scores=False, use_causal_mask=False
):  # fmt: skip
    """Attention and AdditiveAttention."""
    key = value if key is None else key
    (N, T, _), S = query.shape, key.shape[1]
    additive = any(cls.__name__ == "AdditiveAttention" for cls in type(layer).__mro__)
    if additive or layer.score_mode == "concat":
        z = w.combine("Add", w.unsqueeze(query, 2), w.unsqueeze(key, 1))  # (N, T, S, D)
        if additive:
            scaled = w.each(z, "Tanh")
            scaled = w.combine("Mul", scaled, _scale(layer)) if layer.use_scale else scaled
            A = w.reduce(scaled, "ReduceSum", [-1], keepdims=False)
        else:
            z = w.combine("Mul", z, _scale(layer)) if layer.use_scale else z
            weight = np.asarray(layer.params["concat_score_weight"], "float32")
            A = w.combine("Mul", w.reduce(w.each(z, "Tanh"), "ReduceSum", [-1], keepdims=False), weight)
    else:
        A = w.einsum("ntd,nsd->nts", [query, key], (N, T, S))
        A = w.combine("Mul", A, _scale(layer)) if layer.use_scale else A
    queries, values = (None, None) if mask is None else mask[:2]
    may = _joined(w, [None if values is None else w.unsqueeze(values, 1), _causal(T, S) if use_causal_mask else None])
    if isinstance(may, np.ndarray):
        A = w.combine("Add", A, np.where(may, np.float32(0), np.float32(HIDDEN)))
    elif may is not None:
        A = w.where(may, A, w.combine("Add", A, np.float32(HIDDEN)))
    P = softmax(w, A)
    y = w.matmul(P, value, (N, T, value.shape[-1]))
    if queries is not None:
        y = w.where(w.unsqueeze(queries, -1), y, np.float32(0))
    return [y, P] if return_attention_scores else y


def _scale(layer):
    return np.asarray(layer.params["scale"], "float32")


WRITERS = {"Heads": heads, "SoftLookup": attention}

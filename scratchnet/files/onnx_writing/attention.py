"""Attention in ONNX's sums of products."""

import numpy as np

from scratchnet.files.onnx_writing.activations import softmax
from scratchnet.files.onnx_writing.writer import Value

HIDDEN = -1e9  # the score of a hidden key


def heads(
    w, layer, query, value, key=None, attention_mask=None, *, masks=(), return_attention_scores=False,
    use_causal_mask=False,
):  # fmt: skip
    """MultiHeadAttention and GroupQueryAttention."""
    key = value if key is None else key
    q, k, v = (
        w.layer(dense, [x])[0]
        for dense, x in ((layer.query_dense, query), (layer.key_dense, key), (layer.value_dense, value))
    )  # (N, T, heads, D), (N, S, heads, D)
    H, D = q.shape[-2:]
    k, v = _shared(w, k, H), _shared(w, v, H)
    axes = layer.axes(query.rank)
    T, S = ([x.shape[axis] for axis in axes] for x in (q, v))
    may = _visible(w, layer, T, S, q.rank, masks, attention_mask, use_causal_mask)
    q = w.combine("Mul", q, np.float32(1 / np.sqrt(D)))
    q, k, v = (_by_head(w, x, axes) for x in (q, k, v))  # (N, heads, T, D), (N, heads, S, D)
    A = w.matmul(q, w.transposed(k, [*range(k.rank - 2), k.rank - 1, k.rank - 2]), (*q.shape[:-1], k.shape[-2]))
    P = softmax(w, A if may is None else w.where(may, A, np.float32(HIDDEN)))
    if may is not None and (return_attention_scores or layer.dropout or query.rank != 3):
        P = w.where(may, P, np.float32(0))  # see `Heads.forward`
    y = _by_place(w, w.matmul(P, v, (*P.shape[:-1], v.shape[-1])), axes, T)  # (N, T, heads, E)
    if layer.use_gate:
        y = w.combine("Mul", y, w.layer(layer.gate_dense, [query])[0])
    y = w.layer(layer.output_dense, [y])[0]
    if len(axes) > 1 and return_attention_scores:
        P = w.reshape(P, (*P.shape[:-2], *T, *S))
    return [y, P] if return_attention_scores else y


# ---- several axes along which is looked become one behind the heads ----


def _order(rank, axes):
    return [*(k for k in range(rank - 1) if k not in axes), *axes, rank - 1]


def _by_head(w, x, axes):
    """(N, T, heads, D) as (N, heads, T, D)."""
    x = w.transposed(x, _order(x.rank, axes))
    if len(axes) == 1:
        return x
    sizes = x.shape[-1 - len(axes) : -1]
    if None in x.shape[1:]:
        raise ValueError(f"it looks along the axes {axes}, and needs inputs of fixed sizes")
    return w.reshape(x, (*x.shape[: -1 - len(axes)], int(np.prod(sizes)), x.shape[-1]))


def _by_place(w, y, axes, sizes):
    """Undo `_by_head`."""
    if len(axes) > 1:
        y = w.reshape(y, (*y.shape[:-2], *sizes, y.shape[-1]))
    return w.transposed(y, np.argsort(_order(y.rank, axes)).tolist())


# ---- where may be looked ----


def _visible(w, layer, T, S, rank, masks, attention_mask, use_causal_mask):
    """The bools of the scores (N, heads, T, S) of queries with `rank` axes; None where everything may be seen."""
    queries, *others = [*masks, None, None, None][:3]
    places, of_scores = 2 * len(T), rank - 1 + len(T)
    may = _joined(w, [_of_scores(w, attention_mask, places, of_scores)])
    if len(T) > 1:
        if may is None:
            return None
        sizes = (*T, *S)
        whole = w.node("Expand", [may.name, w.ints(*[1] * (of_scores - places), *sizes)])
        lead = may.shape[:-places]
        return w.reshape(Value(whole, (*lead, *sizes), dtype="bool"), (*lead, int(np.prod(T)), int(np.prod(S))))
    own = [None if queries is None else w.unsqueeze(queries, -1)]  # (N, T, 1)
    own += [None if mask is None else w.unsqueeze(mask, -2) for mask in others]  # (N, 1, S)
    constant = [_window(*T, *S, layer.sliding_window)] + ([_causal(*T, *S)] if use_causal_mask else [])
    return _joined(w, [may, *(_of_scores(w, mask, places, of_scores) for mask in own), *constant])


def _joined(w, masks):
    """True where all of the masks are, Values and arrays; None among them says nothing."""
    result = None
    for mask in masks:
        if mask is not None:
            result = mask if result is None else w.combine("And", result, mask, dtype="bool")
    return result


def _of_scores(w, mask, places, rank):
    """A mask (N, T, S), a tensor or an array, with the `rank` of the scores: axes of size 1 for the heads."""
    if mask is None:
        return None
    if not isinstance(mask, Value):
        mask = np.asarray(mask, bool)
        mask = Value(w.constant(mask, "bool"), mask.shape, dtype="bool")
    mask = w.cast(mask, "bool")
    mask = Value(w.plain(mask), mask.shape, dtype="bool")
    while mask.rank < rank:
        mask = w.unsqueeze(mask, mask.rank - places)
    return mask


def _shared(w, x, H):
    """Keys or values whose heads several heads of the queries share."""
    if x.shape[-2] == H:
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


def attention(w, layer, query, value, key=None, *, masks=(), return_attention_scores=False, use_causal_mask=False):
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
    queries, values = [*masks, None, None][:2]
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

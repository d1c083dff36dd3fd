"""The circle loss: embeddings of one class come together, those of different classes go apart.

Every sample i is compared with all samples j of the batch, by the distance d_ij = max(1 - y_i . y_j, 0) of vectors of
length 1. With margin m, pairs of the same class should have d < m, others d > 1 - m:

    s_ij = gamma (d_ij^2 - m^2)                         for pairs of one class, without j = i
    r_ij = gamma max(1 + m - d_ij, 0) (1 - m - d_ij)    for the others
    v_i  = softplus(logsumexp_j(s_ij) + logsumexp_j(r_ij))

The further a distance is from where it should be, the more it weighs: the border at which a pair is content is a circle
in the plane of the two distances. Sun et al., "Circle loss: a unified perspective of pair similarity optimization",
2020. With sigma_i the derivative of the softplus and u_ij, w_ij the softmax of s and r over j,

    dd_ij = sigma_i (u_ij 2 gamma d_ij  or  w_ij gamma (2 d_ij - 2))        dy_i = -sum_j dd_ij y_j - sum_j dd_ji y_j

Samples without a partner of their class, or without one of another, have v = 0 and do not count.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.activations import sigmoid, softmax, softplus
from scratchnet.losses.base import Loss, LossCache
from scratchnet.losses.weights import expanded_weights
from scratchnet.parallel.batch import gather_over_batch, sum_over_batch
from scratchnet.registry import register


class CircleCache(NamedTuple):
    y: Any  # the embeddings of this part, (n, D)
    references: Any  # of the whole batch, (N, D)
    rows: Any  # where this part stands in the batch; None for references of their own
    dd: Any  # the derivative of v_i by d_ij, (n, N)


@register("losses")
class Circle(Loss):
    """The circle loss for integer labels (N,) or (N, 1) and embeddings (N, D) of length 1.

    Args:
        gamma: how sharply the worst pairs are picked out.
        margin: m, in [0, 1].
        remove_diagonal: whether a sample is no partner of itself.
        reduction, name, dtype: see `Loss`.
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.gamma, self.margin = gamma, margin
        self.remove_diagonal = bool(remove_diagonal)

    def check_targets(self, y_true, y_pred):
        if y_pred.ndim != 2 or y_true.shape not in (y_pred.shape[:1], (len(y_pred), 1)):
            raise self.error(f"expected labels (N,) and embeddings (N, D), got {y_true.shape} and {y_pred.shape}")
        return y_true.reshape(-1)

    def values(self, y_true, y_pred):
        references, rows = gather_over_batch(y_pred)
        labels, _ = gather_over_batch(y_true)
        return self.compared(y_true, y_pred, labels, references, rows)

    def compared(self, labels, y, all_labels, references, rows=None):
        """``(values, cache)`` of embeddings beside references; `rows`: which of these they are, or None."""
        gamma, m = self.gamma, self.margin
        d = np.maximum(1 - y @ references.T, 0)  # (n, N)
        same = labels[:, None] == all_labels[None, :]
        others = ~same
        if self.remove_diagonal and rows is not None:
            same = same & (np.arange(len(references)) != np.arange(rows.start, rows.stop)[:, None])
        s = np.where(same, gamma * (d * d - m * m), -np.inf)
        r = np.where(others, gamma * np.maximum(1 + m - d, 0) * (1 - m - d), -np.inf)
        z = _logsumexp(s) + _logsumexp(r)
        alone = np.isinf(z)
        z = np.where(alone, 0, z).astype(d.dtype)
        sigma = np.where(alone, 0, sigmoid(z))[:, None]  # (n, 1)
        u, w = _softmax(s), _softmax(r)
        dd = sigma * gamma * (u * 2 * d + w * np.where(d < 1 + m, 2 * d - 2, 0)) * (d > 0)  # d = max(1 - y . y_j, 0)
        return np.where(alone, 0, softplus(z)).astype(d.dtype), CircleCache(y, references, rows, dd)

    def forward(self, y_true, y_pred, sample_weight=None, count=None):
        y_pred = np.asarray(y_pred)
        dtype = np.dtype(self.dtype or (y_pred.dtype if y_pred.dtype.kind == "f" else np.float32))
        y_true = self.check_targets(np.asarray(y_true), y_pred)
        values, terms = self.values(y_true, y_pred.astype(dtype, copy=False))
        weights = np.ones(values.shape, dtype)
        if sample_weight is not None:
            weights = expanded_weights(sample_weight, values.shape)
            if weights is None:
                raise self.error(f"sample weights of shape {np.shape(sample_weight)} for {len(values)} samples")
            weights = weights.astype(dtype)
        if self.reduction == "none":
            return values * weights, None
        counted = values > 0
        (count,) = sum_over_batch(
            float((weights * counted).sum() if self.reduction == "mean_with_sample_weight" else counted.sum())
        )
        scale = dtype.type(1 if self.reduction == "sum" else 1 / count if count else 0)
        return (values * weights).sum() * scale, LossCache(weights * scale, terms, y_pred.shape, y_pred.dtype)

    def gradient(self, dvalues, cache):
        y, references, rows, dd = cache
        dd = dd * dvalues
        dy = -dd @ references  # d = 1 - y_i . y_j, by y_i
        (dreferences,) = sum_over_batch(-dd.T @ y)  # and by y_j, from all parts
        return dy + dreferences[rows]


def _logsumexp(a):
    largest = a.max(axis=1)
    safe = np.where(np.isinf(largest), 0, largest)
    with np.errstate(divide="ignore"):  # log(0): no partner
        return safe + np.log(np.exp(a - safe[:, None]).sum(axis=1))


def _softmax(a):
    """softmax over j; zeros where everything is -inf."""
    empty = np.isinf(a.max(axis=1, keepdims=True))
    return np.where(empty, 0, softmax(np.where(empty, 0, a)))


@register("losses")
def circle(y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4):
    """The values of `Circle`, (N,), beside references of their own or, by default, the samples themselves."""
    loss, y_pred = Circle(gamma, margin, remove_diagonal), np.asarray(y_pred)
    labels = loss.check_targets(np.asarray(y_true), y_pred)
    if ref_embeddings is None and ref_labels is None:
        return loss.compared(labels, y_pred, labels, y_pred, slice(0, len(y_pred)))[0]
    references = y_pred if ref_embeddings is None else np.asarray(ref_embeddings)
    all_labels = labels if ref_labels is None else np.asarray(ref_labels).reshape(-1)
    rows = slice(0, len(y_pred)) if len(references) == len(y_pred) else None
    return loss.compared(labels, y_pred, all_labels, references, rows)[0]

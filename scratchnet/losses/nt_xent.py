"""The contrastive loss of self-supervision: two views of one picture should be told apart from the views of all others.

Every sample has two views, randomly cropped, turned, coloured; z are the 2N embeddings of a batch, normalized to length
1, and j(i) is the other view of the sample of i. Among all others, i should find j(i) by its likeness:

    S_ik = z_i . z_k / tau        v_i = -S_i,j(i) + log(sum over k != i of e^(S_ik))        L = sum over i of v_i / 2N

It is the cross-entropy of a classifier whose classes are the other samples of the batch ("normalized temperature-scaled
cross-entropy"; Sohn 2016; Chen et al., "A simple framework for contrastive learning of visual representations", 2020).
With P_ik = e^(S_ik) / sum over k != i, P_ii = 0, each z stands in its own row of S and in the rows of all others:

    dS_ik = (P_ik - [k = j(i)]) / 2N        dz = (dS + dS^T) z / tau        z = y / |y|:  dy = (dz - z (z . dz)) / |y|

It looks across all samples of the batch. A part of the batch computes the rows of S of its own embeddings, against
those of the whole batch (`gather_over_batch`); what it has to say to the embeddings of other parts is added up
(`sum_over_batch`).
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.checks import check_bounds
from scratchnet.losses.base import Loss
from scratchnet.parallel import gather_over_batch, sum_over_batch
from scratchnet.registry import register


class NTXentCache(NamedTuple):
    dS: np.ndarray  # (2n, 2N), of this part's rows
    own: np.ndarray  # (2n, D), the normalized embeddings of this part
    whole: np.ndarray  # (2N, D), and of the whole batch
    rows: slice  # where this part's are among them
    lengths: Any  # |y|, (2n, 1)
    shape: tuple  # of y_pred


@register("losses")
class NTXent(Loss):
    """The contrastive loss of a batch of pairs.

    Args:
        temperature: tau, above 0; the smaller, the more the most alike of the others count.
        name, dtype: see `Loss`.

    Predictions are embeddings (N, 2, D), of two views of each sample; they need not be normalized. Targets are not
    looked at. Sample weights are refused: no sample has a loss of its own.

    Raises ValueError for another shape, sample weights, and a temperature that is not above 0.
    """

    def __init__(self, temperature=0.2, name: str | None = "nt_xent", dtype: str | None = None):
        super().__init__(name, "sum", dtype)
        self.temperature = check_bounds("NTXent", "temperature", temperature, above=0)

    def check_targets(self, y_true, y_pred):
        return y_true

    def forward(self, y_true, y_pred, sample_weight=None, count=None):
        """Return ``(value, cache)``; the values of the parts of a batch add up."""
        y = np.asarray(y_pred)
        if y.ndim != 3 or y.shape[1] != 2:
            raise self.error(f"expected embeddings of two views of each sample, (N, 2, D), got {y.shape}")
        if sample_weight is not None:
            raise self.error("sample weights have no meaning: no sample has a loss of its own")
        flat = y.reshape(-1, y.shape[2])  # (2n, D); the other view of 2k is 2k + 1
        lengths = np.maximum(np.sqrt(np.square(flat).sum(axis=1, keepdims=True)), flat.dtype.type(1e-12))
        own = flat / lengths
        whole, rows = gather_over_batch(own)
        S = own @ whole.T / own.dtype.type(self.temperature)  # (2n, 2N)
        i = np.arange(len(own))
        itself = rows.start + i
        S[i, itself] = -np.inf
        top = S.max(axis=1, keepdims=True)
        e = np.exp(S - top)
        total = e.sum(axis=1, keepdims=True)
        values = np.log(total)[:, 0] + top[:, 0] - S[i, itself ^ 1]
        dS = e / total
        dS[i, itself ^ 1] -= 1
        dS /= len(whole)
        return float(values.sum()) / len(whole), NTXentCache(dS, own, whole, rows, lengths, y.shape)

    def backward(self, cache):
        dS, own, whole, rows, lengths, shape = cache
        (for_all,) = sum_over_batch(dS.T @ own)  # (2N, D): what every z gets from the rows of S that are not its own
        dz = (dS @ whole + for_all[rows]) / own.dtype.type(self.temperature)
        dy = (dz - own * (own * dz).sum(axis=1, keepdims=True)) / lengths  # z = y / |y|
        return dy.reshape(shape)

    def count(self, y_true, ndim, sample_weight=None):
        return 1.0

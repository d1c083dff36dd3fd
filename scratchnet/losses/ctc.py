"""Connectionist temporal classification: labels for a sequence without saying when each of them is heard.

A network gives each frame t = 1 ... T a distribution p_t over the labels and a blank. A path names one of them for
each frame; taking repetitions together and then the blanks out turns it into a labelling: "-hh-e-ll-lo-" is "hello".
The loss is -log of the probability of all paths that give the labels l_1 ... l_L. With blanks between them,
z = (-, l_1, -, l_2, ..., l_L, -), a path moves along z by 0 or 1 place a frame, or by 2 over a blank between two
different labels, and the sum over all paths is a recursion (all sums and products are taken in logarithms):

    alpha_t(s) = p_t(z_s) (alpha_(t-1)(s) + alpha_(t-1)(s-1) + [z_s != -, z_s != z_(s-2)] alpha_(t-1)(s-2))
    P = alpha_T(last) + alpha_T(last but one)

beta is the same from the end, and alpha_t(s) beta_t(s) / p_t(z_s) the probability of all right paths through place s
at frame t. Its share gamma_t(k) = sum over z_s = k of alpha beta / (p P) is how much the labels speak for k at frame t:

    d(-log P) / d logits = p_t(k) - gamma_t(k)

just as the cross-entropy's p - t. Graves et al., "Connectionist temporal classification", 2006.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.activations import log_softmax
from scratchnet.losses.base import Loss
from scratchnet.registry import register

BLANK = 0


class CTCCache(NamedTuple):
    p: Any  # softmax of the logits, (N, T, classes)
    gamma: Any  # (N, T, classes)


@register("losses")
class CTC(Loss):
    """-log of the probability of labels (N, L) given logits (N, T, classes); 0 is the blank, and fills up at the end.

    Args:
        reduction, name, dtype: see `Loss`.

    Raises ValueError for labels outside the classes, and for more labels than fit into T frames.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: str | None = None
    ):
        super().__init__(name, reduction, dtype)

    def check_targets(self, y_true, y_pred):
        if y_pred.ndim != 3 or y_true.ndim != 2 or len(y_true) != len(y_pred):
            raise self.error(f"expected labels (N, L) and logits (N, T, classes), got {y_true.shape}, {y_pred.shape}")
        labels, classes = y_true.astype(np.int64), y_pred.shape[-1]
        if (labels != y_true).any() or labels.min(initial=0) < 0 or labels.max(initial=0) >= classes:
            raise self.error(f"labels must be integers from 0 (nothing) to {classes - 1}")
        return labels

    def values(self, y_true, y_pred):
        N, T, _ = y_pred.shape
        log_p = log_softmax(y_pred)
        places, lengths, jumps = _places(y_true)  # (N, S), (N,), (N, S)
        S = places.shape[1]
        inside = np.arange(S) < 2 * lengths[:, None] + 1
        heard = np.take_along_axis(log_p, np.broadcast_to(places[:, None, :], (N, T, S)), axis=2)  # log p_t(z_s)
        heard = np.where(inside[:, None, :], heard, -np.inf)
        alpha = _paths(heard, jumps, np.arange(S) < 2)
        # From the end, time and places run backwards; the jump over place s + 1 leads to the same pair of labels.
        last = 2 * lengths[:, None]
        ends = (np.arange(S) == last) | (np.arange(S) == last - 1)
        backwards = np.roll(jumps, -2, axis=1)[:, ::-1]
        beta = _paths(heard[:, ::-1, ::-1], backwards, ends[:, ::-1])[:, ::-1, ::-1]
        log_P = np.logaddexp.reduce(np.where(ends, alpha[:, -1], -np.inf), axis=1)  # (N,)
        if np.isinf(log_P).any():
            n = int(np.argmax(np.isinf(log_P)))
            raise self.error(f"the {lengths[n]} labels of sample {n} do not fit into {T} frames")
        reached = np.isfinite(heard)
        share = np.exp(np.where(reached, alpha + beta - np.where(reached, heard, 0) - log_P[:, None, None], -np.inf))
        gamma = np.zeros_like(log_p)
        frames, samples = np.arange(T)[None, :, None], np.arange(N)[:, None, None]
        np.add.at(gamma, (samples, frames, places[:, None, :]), share)
        return -log_P.astype(y_pred.dtype), CTCCache(np.exp(log_p), gamma)

    def gradient(self, dvalues, cache):
        return (cache.p - cache.gamma) * dvalues[..., None]

    def values_shape(self, targets_shape, ndim):
        return targets_shape[:1]


def _places(labels):
    """z with the blanks, how many labels there are, and to which places a path may jump over the blank before them."""
    N, L = labels.shape
    lengths = np.count_nonzero(labels, axis=1)
    places = np.full((N, 2 * L + 1), BLANK)
    places[:, 1::2] = labels
    jumps = np.zeros(places.shape, bool)
    jumps[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    return places, lengths, jumps


def _paths(heard, jumps, starts):
    """alpha of all frames, (N, T, S), in logarithms; `starts`: at which places a path may begin."""
    alpha = np.empty_like(heard)
    alpha[:, 0] = np.where(starts, heard[:, 0], -np.inf)
    for t in range(1, heard.shape[1]):
        before = alpha[:, t - 1]
        one, two = _moved(before, 1), np.where(jumps, _moved(before, 2), -np.inf)
        alpha[:, t] = heard[:, t] + np.logaddexp(np.logaddexp(before, one), two)
    return alpha


def _moved(alpha, places):
    """`alpha` so many places further on."""
    moved = np.full_like(alpha, -np.inf)
    moved[:, places:] = alpha[:, : alpha.shape[1] - places]
    return moved


@register("losses")
def ctc(y_true, y_pred):
    """The values of `CTC`, (N,), for labels (N, L) and logits (N, T, classes)."""
    return CTC(reduction=None)(y_true, y_pred)

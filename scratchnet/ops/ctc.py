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

just as the cross-entropy's p - t. Graves et al., "Connectionist temporal classification", 2006. Which labelling is the
most probable nobody can tell quickly: `ctc_decode` takes the most probable path, or searches among prefixes.
"""

import numpy as np

from scratchnet.activations import log_softmax
from scratchnet.ops.creation import convert_to_tensor
from scratchnet.ops.dtypes import floats, kept
from scratchnet.ops.elementwise import add, less
from scratchnet.ops.operation import is_symbolic, operation, shape_of
from scratchnet.ops.selection import get_item, take, where
from scratchnet.variables import as_array

BLANK = 0


def paths_of(labels, logits):
    """``(log_P, p, gamma)`` of labels (N, L), 0 where there are no more, and logits (N, T, classes)."""
    N, T, _ = logits.shape
    log_p = log_softmax(logits)
    places, lengths, jumps = _places(labels)  # (N, S), (N,), (N, S)
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
        raise ValueError(f"the {lengths[n]} labels of sample {n} do not fit into {T} frames")
    reached = np.isfinite(heard)
    share = np.exp(np.where(reached, alpha + beta - np.where(reached, heard, 0) - log_P[:, None, None], -np.inf))
    gamma = np.zeros_like(log_p)
    frames, samples = np.arange(T)[None, :, None], np.arange(N)[:, None, None]
    np.add.at(gamma, (samples, frames, places[:, None, :]), share)
    return log_P, np.exp(log_p), gamma


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


# ---- as operations ----


def _values_dx(dz, labels, logits):
    _, p, gamma = paths_of(labels, logits)
    return (p - gamma) * dz[:, None, None]


@operation(name="ctc_values", labels=None, logits=_values_dx, dtypes=kept)
def ctc_values(labels, logits):
    """-log of the probability of labels (N, L), 0 where there are no more, given logits (N, T, classes): (N,)."""
    return -paths_of(labels, logits)[0].astype(logits.dtype)


def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """-log of the probability of labels (N, L), given logits (N, T, classes): (N,).

    Args:
        target_length, output_length: how many labels and how many frames of each sample count, (N,).
        mask_index: the class that is the blank.
    """
    L, (_, T, classes) = shape_of(target)[1], shape_of(output)
    is_label = less(np.arange(L), _column(target_length))
    if mask_index != BLANK:  # the blank goes to the front, those before it one further
        target = where(less(target, mask_index), add(target, 1), target)
        output = take(output, [mask_index, *(k for k in range(classes) if k != mask_index)], -1)
    target = where(is_label, target, BLANK)
    # Behind the end there is nothing but blanks, for certain.
    over = np.where(np.arange(classes) == BLANK, 0.0, -np.inf).astype("float32")
    is_frame = _column(less(np.arange(T), _column(output_length)))
    return ctc_values(target, where(is_frame, output, over))


def _column(x):
    return get_item(convert_to_tensor(x), (..., None))


# ---- decoding ----


def ctc_decode(
    inputs, sequence_lengths, strategy="greedy", beam_width=100, top_paths=1, merge_repeated=True, mask_index=0
):
    """``(labels, scores)``: what was said, int32 (top_paths, N, T) with -1 behind the end, and how good that is.

    Args:
        inputs: (N, T, classes), logits.
        sequence_lengths: how many frames of each sample count, (N,).
        strategy: "greedy" takes the largest of each frame (one path alone; the scores, (N, 1), are minus their sum);
            "beam_search" the most probable labellings among the `beam_width` best prefixes at each frame (scores: their
            log-probabilities, (N, top_paths)).
        merge_repeated: whether repetitions become one label; the search always does that.
        mask_index: the class that is the blank.
    """
    if is_symbolic(inputs):
        raise TypeError("ctc_decode depends on values and has no derivative, so it cannot be traced, only computed")
    [inputs], lengths = floats([np.asarray(inputs)]), np.asarray(sequence_lengths).astype(int)
    if strategy == "greedy":
        found = [_best_path(x[:n], merge_repeated, mask_index) for x, n in zip(inputs, lengths)]
    elif strategy == "beam_search":
        log_p = log_softmax(inputs)
        found = [_best_prefixes(x[:n], beam_width, top_paths, mask_index) for x, n in zip(log_p, lengths)]
    else:
        raise ValueError(f'ctc_decode: strategy must be "greedy" or "beam_search", got {strategy!r}')
    labels = np.full((len(found[0]), len(inputs), inputs.shape[1]), -1, np.int32)
    for n, best in enumerate(found):
        for k, (label, _) in enumerate(best):
            labels[k, n, : len(label)] = label
    return as_array(labels), as_array(np.array([[score for _, score in best] for best in found], inputs.dtype))


def _best_path(x, merge_repeated, blank):
    """The one best path through x (T, classes), as ``[(labels, score)]``."""
    path = x.argmax(axis=-1)
    starts = np.append(True, path[1:] != path[:-1]) if merge_repeated else np.ones(len(path), bool)
    return [(path[starts[: len(path)] & (path != blank)], -x.max(axis=-1).sum())]


def _best_prefixes(log_p, beam_width, top_paths, blank):
    """The best labellings of log_p (T, classes), the best first, as pairs with their log-probability.

    Of each prefix two probabilities are kept, of the paths that end in a blank, and of those that end in its last
    label: after the latter the same label is a repetition, after the former it is another one.
    """
    beams = {(): (0.0, -np.inf)}
    for frame in log_p:
        found = {}

        def gain(prefix, in_blank, in_label, found=found):
            before = found.get(prefix, (-np.inf, -np.inf))
            found[prefix] = np.logaddexp(before[0], in_blank), np.logaddexp(before[1], in_label)

        for prefix, (in_blank, in_label) in beams.items():
            either = np.logaddexp(in_blank, in_label)
            gain(prefix, either + frame[blank], in_label + frame[prefix[-1]] if prefix else -np.inf)
            for k, p in enumerate(frame):
                if k != blank:
                    gain((*prefix, k), -np.inf, p + (in_blank if prefix[-1:] == (k,) else either))
        beams = dict(sorted(found.items(), key=lambda beam: -np.logaddexp(*beam[1]))[:beam_width])
    best = [(prefix, np.logaddexp(*ends)) for prefix, ends in beams.items()][:top_paths]
    return best + [((), -np.inf)] * (top_paths - len(best))

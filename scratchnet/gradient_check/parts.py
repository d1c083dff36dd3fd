"""A batch in parts is the batch: the proof for whatever looks across samples, and for whatever should not.

A step of training is computed in parts of the batch, by several threads. y, dx and the sums of the gradients must be
those of the whole batch, for any number of parts; a layer that looks across samples (BatchNormalization) has to ask
`scratchnet.parallel.batch` for what it wants to know of the others.
"""

import numpy as np

from scratchnet.gradient_check.check import LINEAR, upstream
from scratchnet.gradient_check.report import Report, compare
from scratchnet.parallel import Workers
from scratchnet.parallel.batch import map_parts
from scratchnet.structure import flatten, map_structure

_NOISE = 1e-13  # relative to dy: what is left of sums that cancel out to nothing


def check_parts(layer, x, training=True, parts=(2, 3), mask=None, seed=0, bound=LINEAR):
    """Compare y, dx, grads, the added loss and the new state of a batch in parts with those of the whole batch.

    Args:
        layer: float64; built for the shape of x, or it is built now.
        x: float64 array, or a list or dict of them, of at least as many rows as there are parts.
        training, mask: passed to forward.
        parts: the numbers of parts to try.
        seed: of the upstream gradient.
        bound: of the relative errors; only the order of sums differs.

    Returns a `Report`. Raises ValueError for too few rows.
    """
    x = map_structure(np.asarray, x)
    rows = len(flatten(x)[0])
    _check_rows(rows, parts)
    layer.ensure_built(map_structure(np.shape, x))
    options = {"training": training} if mask is None else {"training": training, "mask": mask}
    dy = map_structure(lambda a: upstream(seed).standard_normal(a.shape), _outputs(layer, x, options))

    def compute(part):
        taken = {**options, "mask": map_structure(lambda m: m[part], mask)} if mask is not None else options
        y, cache = layer.forward(map_structure(lambda a: a[part], x), **taken)
        dx, grads = layer.backward(map_structure(lambda d: d[part], dy), cache)
        return flatten(y), flatten(dx), grads, float(layer.added_loss(cache)), cache

    noise = _NOISE * max(np.max(np.abs(d), initial=0.0) for d in flatten(dy))
    found = []
    with Workers(max(parts)) as workers:
        whole = _together(layer, _in_parts(compute, rows, 1, workers))
        for count in parts:
            results = _together(layer, _in_parts(compute, rows, count, workers))
            for name, expected in whole.items():
                found.append(compare(f"{name} in {count} parts", expected, results[name], bound, 0.0, noise))
    return Report(layer.name, found, sides=("whole", "parts"))


def check_loss_parts(loss, y_true, y_pred, sample_weight=None, parts=(2, 3), bound=LINEAR):
    """Compare a loss's value and gradient over a batch in parts with those of the whole batch; as `check_parts`."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    weights = None if sample_weight is None else np.asarray(sample_weight)
    _check_rows(len(y_pred), parts)
    count = loss.count(y_true, y_pred.ndim, weights)

    def compute(part):
        value, cache = loss.forward(y_true[part], y_pred[part], None if weights is None else weights[part], count)
        return float(value), loss.backward(cache)

    found = []
    with Workers(max(parts)) as workers:
        ((value, gradient),) = _in_parts(compute, len(y_pred), 1, workers)
        noise = _NOISE * abs(value)
        for n in parts:
            results = _in_parts(compute, len(y_pred), n, workers)
            found.append(compare(f"value in {n} parts", value, sum(v for v, _ in results), bound, 0.0, noise))
            together = np.concatenate([d for _, d in results])
            found.append(compare(f"y_pred in {n} parts", gradient, together, bound, 0.0))
    return Report(loss.name, found, sides=("whole", "parts"))


def _check_rows(rows, parts):
    if rows < max(parts):
        raise ValueError(f"{rows} rows cannot be computed in {max(parts)} parts")


def _outputs(layer, x, options):
    return map_structure(np.asarray, layer.forward(x, **options)[0])


def _in_parts(compute, rows, count, workers):
    """What `compute` gives for `count` parts of the batch, of which the first are the larger ones."""
    edges = [-(-rows * k // count) for k in range(count + 1)]
    return map_parts(compute, [slice(*pair) for pair in zip(edges, edges[1:])], step=0, workers=workers)


def _together(layer, results):
    """What the parts gave as one dict of arrays: rows behind one another, gradients and added losses summed up.

    The state that the layer would have after the step is among them; the layer goes back to the one it had.
    """
    ys, dxs, grads, added, caches = zip(*results)
    found = {"y": ys, "dx": dxs}
    found = {
        name if len(pieces[0]) == 1 else f"{name}[{k}]": np.concatenate([piece[k] for piece in pieces])
        for name, pieces in found.items()
        for k in range(len(pieces[0]))
        if pieces[0][k] is not None
    }
    found.update({name: sum(g[name] for g in grads) for name in grads[0]})
    found["added loss"] = np.float64(sum(added))
    before = {name: array.copy() for name, array in layer.state.items()}
    layer.remember(caches[0])
    found.update({f"state {name}": array.copy() for name, array in layer.state.items()})
    for name, array in layer.state.items():
        array[...] = before[name]
    return found

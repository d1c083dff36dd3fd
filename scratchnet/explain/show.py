"""explain: trace, and write the page."""

import numpy as np

from scratchnet.checks import check_bounds
from scratchnet.explain.trace import trace
from scratchnet.structure import map_structure

MOST_SAMPLES = 8


def explain(model, x, y, path=None, samples=1, training=False, check=True, beside=None, max_mb=5.0):
    """See `Model.explain`."""
    if not model.compiled:
        raise model.error("explain before compile: call compile(optimizer=..., loss=...) first")
    if y is None and model.loss is not None:
        raise model.error("explain needs the targets y; without a pass back: model.trace(x).save(path)")
    if isinstance(samples, bool) or not isinstance(samples, int) or not 1 <= samples <= MOST_SAMPLES:
        raise model.error(f"samples must be an integer from 1 to {MOST_SAMPLES}, got {samples!r}")
    check_bounds("explain", "max_mb", max_mb, above=0)
    x, y = (map_structure(lambda a: np.asarray(a)[:samples], _arrays(part)) for part in (x, y))
    return trace(model, x, y, training).save("explain.html" if path is None else path, check, beside, max_mb)


def _arrays(part):
    """The arrays in what may be one, or a list or dict of them; a list of numbers is one."""
    if part is None or hasattr(part, "__array__"):
        return part
    if isinstance(part, dict) or (isinstance(part, (list, tuple)) and all(hasattr(a, "shape") for a in part)):
        return part
    return np.asarray(part)

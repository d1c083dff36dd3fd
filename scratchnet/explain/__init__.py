"""What a model computes, shown: every number of a pass forward and back, beside its equation, its source and its proof.

    t = model.trace(x, y)                  # all that one step of training computes, as a mapping of calls
    t["encoder"].gates.i                   # (N, T, U)
    model.explain(x, y, "digit.html")      # the same in one page, to be stepped through in a browser

and ``python -m scratchnet.explain model.npz digit.npy``.
"""

from scratchnet.explain.calls import Call
from scratchnet.explain.show import explain
from scratchnet.explain.trace import Trace, trace

__all__ = ["Call", "Trace", "explain", "trace"]


def __dir__():
    return __all__

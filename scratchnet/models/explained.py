"""trace and explain: a model looked into.

What they do stands above models, in `scratchnet.explain`. A model knows its name alone, as a program knows that of a
plug-in, and it is loaded when somebody asks for it.
"""

import importlib
from typing import Any

from scratchnet.hints import PathLike


class Explained:
    """The part of a Model that shows what it computes."""

    def trace(self, x: Any, y: Any = None, training: bool = False, sample_weight: Any = None, **kwargs: Any) -> Any:
        """One pass forward, and with targets `y` one back: a `scratchnet.explain.Trace` of all that was computed.

        Args:
            x, y: samples and targets as `fit` takes them, a few of them. Without `y` there is no backward pass.
            training: whether layers such as Dropout do what they do in training.
            sample_weight: as in `fit`.

        ``t = model.trace(x, y)`` is a mapping of calls in the order of the graph: ``t["dense"].dy``,
        ``t["lstm"].gates.i``, ``t["conv2d"].grads["kernel"]``; ``print(t)`` gives a table.
        """
        return _explain().trace(self, x, y, training, sample_weight, **kwargs)

    def explain(
        self,
        x: Any,
        y: Any,
        path: PathLike | None = None,
        samples: int = 1,
        training: bool = False,
        check: bool = True,
        beside: Any = None,
        max_mb: float = 5.0,
    ) -> str:
        """Write a page in which this model is stepped forward and backward; return its path.

        Args:
            x, y: samples and targets as `fit` takes them.
            path: of the file, "explain.html" by default. It needs nothing but a browser, and no network.
            samples: how many of the samples to show, from the first on; at most 8. The gradients are those of them all.
            training: as in `trace`.
            check: whether to put a gradient check beside each parameter.
            beside: a `Trace` of the same layers (before training, say, or of another model) to compare with.
            max_mb: how large the file may be; beyond, large parameters are shown more coarsely.

        Raises ValueError where the model is not compiled, and for data or sizes that do not fit.
        """
        return _explain().explain(self, x, y, path, samples, training, check, beside, max_mb)


def _explain():
    return importlib.import_module("scratchnet.explain")

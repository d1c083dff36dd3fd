"""One loss for several outputs together.

A loss that is written with `call` gets their targets and predictions in the structure that the outputs have,

    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true["mean"] - y_pred["mean"]), -1) + ...

The losses of this library take arrays; several outputs of one shape are to them as if they were stacked.
"""

import copy

from scratchnet.losses.base import Loss


def of_several_outputs(loss, place):
    """The loss that takes lists or dicts of outputs; `place` says in errors which."""
    return _OfStack(loss, place) if type(loss).call is Loss.call else loss


class _OfStack(Loss):
    """``loss`` of a list of outputs: the mean of what it is of each (of reduction "sum", the sum)."""

    def __init__(self, loss, place):
        super().__init__(loss.name, loss.reduction, loss.dtype)
        self.loss, self.place = loss, place

    def call(self, y_true, y_pred):
        problem = None
        if not isinstance(y_pred, (list, tuple)):
            problem = "come in a dict, and it takes arrays"
        elif len({p.shape for p in y_pred}) > 1:
            problem = f"have different shapes, {', '.join(str(p.shape) for p in y_pred)}"
        elif getattr(self.loss, "ignore_class", None) is not None:
            problem = "may leave out different numbers of labels (ignore_class)"
        if problem:
            raise self.error(
                f"is one loss for several outputs, {self.place}, which {problem}; give one for each, nested as the "
                "outputs are, or a function of your own, f(y_true, y_pred), which gets them as they are nested"
            )
        of_one = copy.copy(self.loss)
        of_one.reduction = "none"
        total = sum(of_one(t, p) for t, p in zip(y_true, y_pred))
        return total if self.reduction == "sum" else total / len(y_pred)

"""What every metric has: a state that batches are added to, and a result."""

import copy
import functools
from typing import Any

import numpy as np

from scratchnet import config, initializers
from scratchnet.names import snake_case, unique_name
from scratchnet.ops.operation import current_trace, is_symbolic
from scratchnet.recorded import Recorded, from_recorded, recorded_config
from scratchnet.structure import flatten
from scratchnet.variables import Number, StateVariable, answer


class Metric(metaclass=Recorded, kind="metrics"):
    """Base of all metrics: `update_state` with each batch, `result` at any time, `reset_state` for a new epoch.

    Args:
        dtype: accepted for Keras's sake; figures are gathered in float64.
        name: the key in logs and histories; by default the class's name in snake case, counted: auc, auc_1, ...

    A metric of your own makes its variables in the constructor, adds to them in `update_state`, and computes `result`:

        class Largest(Metric):
            def __init__(self, name="largest", **kwargs):
                super().__init__(name=name, **kwargs)
                self.largest = self.add_variable((), "zeros", name="largest")

            def update_state(self, y_true, y_pred, sample_weight=None):
                self.largest.assign(max(self.largest, np.max(y_pred)))

            def result(self):
                return self.largest

    or keeps plain attributes, which its own `reset_state` sets: that is called once the constructor is through.
    """

    needs_init = True

    def __init__(self, dtype: str | None = None, name: str | None = None):
        if dtype is not None:
            try:
                np.dtype(dtype)
            except TypeError:
                message = f"{type(self).__name__}: there is no dtype {dtype!r}; the order is Metric(dtype, name)"
                raise ValueError(message) from None
        self.name = name or unique_name(snake_case(type(self).__name__))
        self.dtype = config.floatx() if dtype is None else np.dtype(dtype).name
        self._variables = []

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "result" in vars(cls):
            cls.result = _answering(vars(cls)["result"])
        if "update_state" in vars(cls):
            cls.update_state = _traced(vars(cls)["update_state"])

    def _constructed(self):
        if not self.variables:
            self.reset_state()

    @property
    def _dtype(self):  # Keras's name, which metrics written for it use
        return self.dtype

    # ---- what a metric defines ----

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count in one batch."""
        raise NotImplementedError(f"{type(self).__name__} defines no update_state")

    def result(self) -> Any:
        """The figure for all that was counted in: a number or an array, which also answer to `numpy`, or a dict."""
        raise NotImplementedError(f"{type(self).__name__} defines no result")

    def reset_state(self) -> None:
        """Forget everything: all variables become 0."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape))

    # ---- what it has ----

    def add_variable(self, shape, initializer, dtype=None, aggregation="sum", name=None):
        """A `StateVariable` of this shape, which `reset_state` sets to 0.

        Args:
            shape: its shape; () for a number.
            initializer: what it starts from: a name or an Initializer; None is zeros.
            dtype: float64 by default, or the dtype of integers or booleans.
            aggregation: accepted for Keras's sake.
            name: shown with it.
        """
        shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        kind = np.float64 if dtype is None or np.dtype(dtype).kind == "f" else np.dtype(dtype)
        array = np.array(initializers.get("zeros" if initializer is None else initializer)(shape, dtype=kind))
        variable = StateVariable(f"{self.name}/{name or 'variable'}", array)
        self._variables.append(variable)
        return variable

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None):
        """`add_variable` with other defaults. ``add_weight("total")``, with the name first, is understood as well."""
        if isinstance(shape, str):
            shape, name = (), shape
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self):
        """The `StateVariable`s of this metric and of the metrics among its attributes, or in lists and dicts there."""
        attributes = (value for name, value in vars(self).items() if name != "_recorded")
        inner = [value for value in flatten(list(attributes)) if isinstance(value, Metric)]
        return [*self._variables, *(variable for metric in dict.fromkeys(inner) for variable in metric.variables)]

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables, *args, **kwargs):
        """The values of the variables after `update_state`, had they been `metric_variables`; nothing is changed."""
        twin = self._with(metric_variables)
        twin.update_state(*args, **kwargs)
        return [variable.numpy() for variable in twin.variables]

    def stateless_result(self, metric_variables):
        """The result, were the variables `metric_variables`."""
        return self._with(metric_variables).result()

    def stateless_reset_state(self):
        """The values of the variables after `reset_state`; nothing is changed."""
        twin = copy.deepcopy(self)
        twin.reset_state()
        return [variable.numpy() for variable in twin.variables]

    def _with(self, values):
        twin = copy.deepcopy(self)
        if len(values) != len(twin.variables):
            raise self.error(f"expected the values of {len(twin.variables)} variables, got {len(values)}")
        for variable, value in zip(twin.variables, values):
            variable.assign(np.asarray(value))
        return twin

    def error(self, message, kind=ValueError):
        """An exception to raise, which names the metric."""
        return kind(f'{type(self).__name__} "{self.name}": {message}')

    # ---- configuration ----

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON-able values."""
        return recorded_config(self)

    @classmethod
    def from_config(cls, config):
        """The metric with these arguments."""
        return from_recorded(cls, config)

    def __repr__(self):
        result = self.result()
        shown = f"{result:.6g}" if isinstance(result, Number) else result
        return f"<{type(self).__name__} {self.name}={shown}>"


def _traced(update_state):
    """`update_state`, which within `call` of a layer is put off until its tensors have values."""

    @functools.wraps(update_state)
    def updating(self, *args, **kwargs):
        trace = current_trace.get()
        if trace is None or not any(map(is_symbolic, flatten([args, kwargs]))):
            return update_state(self, *args, **kwargs)
        trace.count_later(self, args, kwargs)
        return None

    return updating


def _answering(result):
    @functools.wraps(result)
    def answering(self):
        return answer(result(self))

    return answering

"""Optimizers that are written as Keras's are: `build` makes variables, `update_step` is told one to change.

    class Momentum(Optimizer):
        def build(self, variables):
            super().build(variables)
            self.velocities = [self.add_variable_from_reference(v, "velocity") for v in variables]

        def update_step(self, gradient, variable, learning_rate):
            velocity = self.velocities[self._get_variable_index(variable)]
            self.assign(velocity, 0.9 * velocity - learning_rate * gradient)
            self.assign_add(variable, velocity)

What they make stands among the slots of `Optimizer`, so it is saved and resumed like these. An `update_step` with these
three arguments tells such a class from one whose rule is for stretches of arrays.
"""

import functools
import inspect

import numpy as np

from scratchnet import initializers
from scratchnet.optimizers.arrays import named_arrays
from scratchnet.variables import Handle


class OptimizerVariable(Handle):
    """An array by its key among the `arrays` of an optimizer: "state", or "_params", those of the last step."""

    def __init__(self, optimizer, arrays, key, path, name):
        self.path, self.name = path, name
        self._optimizer, self._arrays, self._key = optimizer, arrays, key

    @property
    def value(self):
        return getattr(self._optimizer, self._arrays)[self._key]

    array = value

    def _write(self, value):
        self.value[...] = value


class OfVariables:
    """The part of an Optimizer for rules of that kind, under Keras's names."""

    takes_variables = False  # whether `update_step` takes (gradient, variable, learning_rate)
    _is_building = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if OfVariables in cls.__bases__:  # this is Optimizer
            return
        if "update_step" in vars(cls):
            cls.takes_variables = len(inspect.signature(cls.update_step).parameters) == 4  # self among them
            cls.elementwise = cls.elementwise and not cls.takes_variables
        if "build" in vars(cls):
            cls.build = _given_variables(cls, cls.build)

    def _parameter(self, key, array):
        """A parameter as `build` and `update_step` know it."""
        vars(self).setdefault("_params", {})[key] = array
        return OptimizerVariable(self, "_params", key, key, key.rpartition("/")[2])

    def _step_of_variable(self, key, param, grad, learning_rate):
        """`update_step` of a rule that takes variables."""
        self.update_step(grad, self._parameter(key, param), learning_rate)

    # ---- what a rule of that kind calls ----

    def add_variable(
        self, shape, initializer="zeros", dtype=None, aggregation="none", layout=None, name=None, _of="variable"
    ):
        """A variable that the optimizer keeps. `aggregation` and `layout` are taken for Keras's sake."""
        key = f"{name or 'variable'}/{_of}"
        while key in self.state:
            key += "_"
        self.state[key] = np.array(initializers.get(initializer)(tuple(shape), dtype=dtype))
        return OptimizerVariable(self, "state", key, f"{self.name}/{key}", name or "variable")

    def add_variable_from_reference(self, reference_variable, name=None, initializer="zeros"):
        """A variable with the shape and dtype of a parameter."""
        shape, dtype = reference_variable.shape, reference_variable.dtype
        return self.add_variable(shape, initializer, dtype, name=name, _of=reference_variable.path)

    def add_optimizer_variables(self, trainable_variables, name, initializer="zeros"):
        """For each parameter such a variable; for several names a list of them for each name."""
        if isinstance(name, str):
            return [self.add_variable_from_reference(v, name, initializer) for v in trainable_variables]
        starts = [initializer] * len(name) if isinstance(initializer, str) else initializer
        return tuple(self.add_optimizer_variables(trainable_variables, *pair) for pair in zip(name, starts))

    def assign(self, variable, value):
        """Set a variable."""
        variable.assign(value)

    def assign_add(self, variable, value):
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable, value):
        """Subtract from a variable."""
        variable.assign_sub(value)

    def _get_variable_index(self, variable):
        """The place of a parameter among those that the optimizer was built for."""
        return list(self._built_for).index(variable.path)


def _given_variables(cls, build):
    """`build` of a class, called with the parameters as variables, and once, if its rule takes variables."""

    @functools.wraps(build)
    def of_variables(self, variables):
        if self._is_building or not self.takes_variables:
            return build(self, variables)
        params = variables if isinstance(variables, dict) else named_arrays(variables)
        if self.built:
            return super(cls, self).build(params)  # which tells other parameters
        self._is_building = True
        try:
            build(self, [self._parameter(key, array) for key, array in params.items()])
        finally:
            self._is_building = False
        if not self.built:
            raise ValueError(f"{type(self).__name__}: build must call super().build(variables)")

    return of_variables

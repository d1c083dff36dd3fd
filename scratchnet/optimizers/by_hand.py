"""Optimizers in training loops that are written by hand, under Keras's names: lists of gradients and variables."""

import copy
import warnings

import numpy as np

from scratchnet.kernels.subnormals import flushing
from scratchnet.optimizers.arrays import named_arrays


class ByHand:
    """The methods of an Optimizer that such loops call."""

    _variables = None  # those of `build`, or of the first `apply`

    def set_weights(self, weights):
        """Copy a list of arrays, in the order of `variables`, into them. Raises ValueError for another shape."""
        variables = self.variables
        if len(weights) != len(variables):
            raise ValueError(f"{type(self).__name__}: {len(weights)} weights for {len(variables)} variables")
        for variable, weight in zip(variables, weights):
            variable.assign(np.asarray(weight))

    def apply_gradients(self, grads_and_vars):
        """``apply`` for pairs of a gradient and a weight of a layer (or an array); returns `iterations`."""
        grads, variables = zip(*grads_and_vars)
        self.apply(grads, variables)
        return self.iterations

    def apply(self, grads, trainable_variables=None):
        """One step for a list of gradients of `trainable_variables`; by default, of those that it was built with.

        Gradients that are None are left out, and a warning says whose. Afterwards the constraints of the layers'
        weights are applied.
        Raises ValueError if all gradients are None, or there are no variables to belong to.
        """
        if trainable_variables is None:
            if self._variables is None:
                raise ValueError(f"{type(self).__name__}: apply needs the variables that the gradients belong to")
            trainable_variables = self._variables
        variables, grads = list(trainable_variables), list(grads)
        if len(grads) != len(variables):
            raise ValueError(f"{type(self).__name__}: {len(grads)} gradients for {len(variables)} variables")
        self._variables = self._variables or variables
        params, scale = named_arrays(variables), self.loss_scale_factor or 1.0
        self.build(params)
        given = {key: np.asarray(g) / scale for key, g in zip(params, grads) if g is not None}
        if not given:
            raise ValueError(f"{type(self).__name__}: there is no gradient for any of {list(params)}")
        if len(given) < len(params):
            without = [key for key in params if key not in given]
            warnings.warn(f"{type(self).__name__}: {without} get no gradient, and stay as they are", stacklevel=3)
        with flushing():
            self.update({key: params[key] for key in given}, given)
        for variable in variables:
            constraint = getattr(variable, "constraint", None)
            if hasattr(variable, "layer"):
                constraint = variable.layer.constraints.get(variable.key)
            if constraint is not None:
                variable.assign(constraint(variable.array))

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """One step without changing anything: ``(new values of the parameters, new values of `variables`)``.

        Args:
            optimizer_variables: a list of arrays, as of `variables`.
            grads, trainable_variables: lists of arrays, in the order in which the optimizer was built.

        Raises ValueError if the optimizer is not built.
        """
        if not self.built:
            raise ValueError(f"{type(self).__name__}: stateless_apply comes after build(trainable_variables)")
        twin = copy.copy(self)
        twin._variables = None  # or the layers that these belong to would be copied as well
        twin = copy.deepcopy(twin)
        twin.set_weights(optimizer_variables)
        params = {key: np.array(w) for key, w in zip(self._built_for, trainable_variables)}
        twin.update(params, dict(zip(params, grads)))
        return list(params.values()), [variable.numpy() for variable in twin.variables]

    def scale_loss(self, loss):
        """`loss` times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def finalize_variable_values(self, var_list):
        """With `use_ema`, replace the parameters by their running means, as fit does at its end."""
        if self.use_ema and self._built_for is not None:
            params = var_list if isinstance(var_list, dict) else named_arrays(var_list)
            means = self.averages()
            for key, w in params.items():
                w[...] = means[key]

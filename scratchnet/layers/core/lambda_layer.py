"""A function of tensors as a layer: y = f(x), with the gradient that its operations have."""

import inspect
from collections.abc import Callable
from typing import Any

from scratchnet import activations, ops, registry
from scratchnet.lambdas import is_lambda
from scratchnet.layers.base import Layer
from scratchnet.registry import register


@register("layers")
class Lambda(Layer):
    """Applies `function`, which is traced: it is written with operators and the operations of `scratchnet.ops`.

    Args:
        function: ``f(inputs)``; it may also take ``mask`` and ``training``.
        output_shape: taken, since Keras's is; the shape follows from the trace.
        mask: the mask of the output, or a function ``(inputs, mask) -> mask``.
        arguments: dict of further arguments of `function`.

    Shapes: whatever the function makes of them.

    Files hold a named function by its name, and the code of a lambda, which is never run when it is read: whoever loads
    one gives the function under the layer's name, in ``custom_objects={"lambda": ...}``.

    Raises:
        TypeError: for what is no function.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise self.error(f"expected a function, got {function!r}", TypeError)
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None

    def call(self, inputs, mask=None, training=None):
        given = {"mask": mask, "training": training}
        taken = {name: value for name, value in given.items() if name in _parameters(self.function)}
        return self.function(inputs, **{**taken, **self.arguments})

    def compute_mask(self, inputs, mask=None):
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self):
        config = super().get_config()
        function = config.get("function")
        if is_lambda(function):  # which Keras's layer writes in another form than the rest of Keras
            names = "code", "defaults", "closure"
            config["function"] = {**function, "config": dict(zip(names, function["config"]["value"]))}
        return config

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` described; an operation stands there by its name."""
        function, name = config["function"], config.get("name")
        if isinstance(function, str):
            config = {**config, "function": getattr(ops, function, None) or activations.get(function)}
        elif is_lambda(function):
            found = registry.get_registered_object(name) or registry.get_registered_object("<lambda>")
            if found is None:
                raise ValueError(
                    f"Lambda {name!r} has the code of a lambda, which would have to be run to be read; give the "
                    f"function in custom_objects={{{name!r}: ...}}"
                )
            config = {**config, "function": found}
        if is_lambda(config.get("output_shape")):  # which is not asked for
            config = {**config, "output_shape": None}
        return super().from_config(config)


def _parameters(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function that does not say
        return {}

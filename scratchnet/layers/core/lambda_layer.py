"""A function of tensors as a layer: y = f(x), with the gradient that its operations have."""

import inspect
from collections.abc import Callable
from typing import Any

from scratchnet import activations, ops, registry
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

    Raises:
        TypeError: for what is no function, and when a model with an anonymous function (a lambda) is saved.
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
        if getattr(self.function, "__name__", None) == "<lambda>" and not registry.is_cloning():
            raise self.error(
                "a Lambda with a lambda cannot be written; give it a named function that is registered with "
                "register_keras_serializable, or save the weights alone (save_weights)",
                TypeError,
            )
        return super().get_config()

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` described; an operation stands there by its name."""
        name = config["function"]
        if isinstance(name, str):
            config = {**config, "function": getattr(ops, name, None) or activations.get(name)}
        return super().from_config(config)


def _parameters(function):
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # a function that does not say
        return {}

"""A layer around another layer, whose weights are its own."""

import copy
from typing import Any

from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.registry import deserialize


class Wrapper(Composite):
    """Base of layers that hold one `layer`.

    Raises TypeError if `layer` is not a layer.
    """

    def __init__(self, layer: Any, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise self.error(f"expected a layer (an instance, such as Dense(10)), got {layer!r}", TypeError)
        if layer.activity_regularizer is not None:
            raise self.error(f"give the activity_regularizer to it, not to the layer {layer.name!r} within")
        self.layer = layer

    @property
    def sublayers(self):
        return {"": self.layer} if "layer" in vars(self) else {}

    @property
    def keeps_integers(self):
        return self.layer.keeps_integers

    @property
    def input_dtype(self):
        return self.layer.input_dtype

    def output_dtype(self, inputs):
        return self.layer.output_dtype(inputs)

    @classmethod
    def from_config(cls, config):
        return super().from_config({**config, "layer": deserialize(config["layer"], "layers")})

    def without_last_activation(self):
        found = self.layer.without_last_activation()
        if found is None:
            return None
        twin = copy.copy(self)
        twin.layer, activation = found
        return twin, activation

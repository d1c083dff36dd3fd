"""Several layers, one behind the other, as one: y = f_k(... f_1(x)), so dx comes back through them in reverse."""

from collections.abc import Sequence
from typing import Any

from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.registry import deserialize, register


@register("layers")
class Pipeline(Composite):
    """What the layers, one after the other, make of x.

    Args:
        layers: a list of layers, such as those that change images at random.

    Called without saying whether this is training, it is, as in Keras: so ``pipeline(images)`` shows random changes.

    Raises TypeError for an entry that is no layer.
    """

    def __init__(self, layers: Sequence[Any] | None, name: str | None = None, **kwargs):
        super().__init__(name=name, **kwargs)
        for layer in layers:
            if not isinstance(layer, Layer):
                raise self.error(f"expected layers, got {layer!r}", TypeError)
        self.layers = list(layers)

    @property
    def sublayers(self):
        return {f"layers.{k}": layer for k, layer in enumerate(vars(self).get("layers", ()))}

    @property
    def keeps_integers(self):
        return bool(self.layers) and self.layers[0].keeps_integers

    @property
    def takes_strings(self):
        return bool(self.layers) and self.layers[0].takes_strings

    def output_dtype(self, inputs):
        return self.layers[-1].output_dtype(inputs) if self.layers else super().output_dtype(inputs)

    def build(self, input_shape):
        for layer in self.layers:
            layer.ensure_built(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        self.built = True

    def compute_output_shape(self, input_shape):
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def forward(self, x, training=True):
        caches = []
        for layer in self.layers:
            x, cache = layer.checked_pair(layer.forward(layer.accept(x), training=training))
            caches.append(cache)
        return x, caches

    def backward(self, dy, caches, needs_dx=True):
        grads = {}
        for k in reversed(range(len(self.layers))):
            needs = needs_dx or any(layer.trainable_params for layer in self.layers[:k])
            dy, own = self.layers[k].backward(dy, caches[k], needs_dx=needs)
            grads.update((f"layers.{k}/{name}", d) for name, d in own.items())
        return dy, self.trained(grads)

    def remember(self, cache):
        for layer, own in zip(self.layers, cache):
            layer.remember(own)

    def added_loss(self, cache):
        return sum(layer.added_loss(own) for layer, own in zip(self.layers, cache))

    @classmethod
    def from_config(cls, config):
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(f"Pipeline: a config has a list of layers, got {layers!r}")
        return super().from_config({**config, "layers": [deserialize(layer, "layers") for layer in layers]})

"""A layer made of layers: a model, or a wrapper such as TimeDistributed.

It has no weights of its own; those of its sublayers are its weights, under keys that tell where they come from.
"""

from scratchnet.layers.base import Layer


class Composite(Layer):
    """Base of layers that hold others. A subclass says in `sublayers` which, each under its own prefix."""

    _trainable = True

    @property
    def sublayers(self):
        """Dict from prefix to layer; the weight "kernel" under "dense" is "dense/kernel", under "" it is "kernel".

        Empty while the constructor has not come to them.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its sublayers are")

    @property
    def weight_keys(self):
        """``(layer, name) -> key``: what each sublayer's weight is called here.

        A weight that is reached on two ways (a layer used by itself and inside a nested model) has one key.
        """
        first, keys = {}, {}
        for prefix, layer in self.sublayers.items():
            for name, array in layer.named_arrays().items():
                key = f"{prefix}/{name}" if prefix else name
                keys[layer, name] = first.setdefault(id(array), key)
        return keys

    def _gathered(self, of):
        """The dicts `of` (layer) by name as one dict by key."""
        keys = self.weight_keys
        return {keys[layer, name]: w for layer in self.sublayers.values() for name, w in of(layer).items()}

    @property
    def params(self):
        return self._gathered(lambda layer: layer.params)

    @property
    def state(self):
        return self._gathered(lambda layer: layer.state)

    def named_arrays(self):
        return self._gathered(lambda layer: layer.named_arrays())

    @property
    def trainable_params(self):
        return self._gathered(lambda layer: layer.trainable_params) if self.trainable else {}

    @property
    def constraints(self):
        return self._gathered(lambda layer: layer.constraints) if self.trainable else {}

    def penalty(self):
        value, grads, keys = 0.0, {}, self.weight_keys
        for layer in dict.fromkeys(self.sublayers.values()):
            layer_value, layer_grads = layer.penalty()
            value += layer_value
            grads.update((keys[layer, name], d) for name, d in layer_grads.items())
        return value, grads

    @property
    def trainable(self):
        """Whether an optimizer may change the weights; setting it sets it for every sublayer."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for layer in self.sublayers.values():
            layer.trainable = value

    @property
    def adds_loss(self):
        return any(layer.adds_loss for layer in self.sublayers.values())

    @property
    def in_one_part(self):
        return any(layer.in_one_part for layer in self.sublayers.values())

    def random_streams(self):
        streams = {}
        for prefix, layer in self.sublayers.items():
            for name, stream in layer.random_streams().items():
                streams[f"{prefix}/{name}" if prefix else name] = stream
        return streams

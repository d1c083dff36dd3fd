"""The weights of a layer that holds layers: its own, and then those of its sublayers under their prefixes."""

from contextvars import ContextVar

_above = ContextVar("scratchnet_layers_above", default=frozenset())  # whose sublayers are being asked, up the stack


class HoldsLayers:
    """Stands before `Layer` among the bases of a layer that holds others. A subclass says which, in `sublayers`."""

    @property
    def sublayers(self):
        """Dict from prefix to layer; the weight "kernel" under "dense" is "dense/kernel", under "" it is "kernel".

        Empty while the constructor has not come to them.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its sublayers are")

    def of_sublayers(self, of):
        """``(prefix, layer, of(layer))`` for each sublayer; a layer that holds the one that holds it is passed over."""
        above = _above.get() | {self}
        token = _above.set(above)
        try:
            return [(p, layer, of(layer)) for p, layer in self.sublayers.items() if layer not in above]
        finally:
            _above.reset(token)

    @property
    def weight_keys(self):
        """``(layer, name) -> key``: what each weight is called here; `layer` is this one or a sublayer.

        A weight that is reached on two ways (a layer used by itself and inside a nested model) has one key.
        """
        own = {**self._params, **self._state}
        keys = {(self, name): name for name in own}
        first = {id(array): name for name, array in own.items()}
        for prefix, layer, arrays in self.of_sublayers(lambda layer: layer.named_arrays()):
            for name, array in arrays.items():
                key = f"{prefix}/{name}" if prefix else name
                keys[layer, name] = first.setdefault(id(array), key)
        return keys

    def _gathered(self, own, of, keys=None):
        """`own`, and the dicts `of` (layer) by name as one dict by key; `keys`: the `weight_keys`, if known."""
        sublayers = self.of_sublayers(of)
        if not sublayers:
            return {**own}
        keys = self.weight_keys if keys is None else keys
        return {**own, **{keys[layer, name]: w for _, layer, found in sublayers for name, w in found.items()}}

    @property
    def params(self):
        return self._gathered(self._params, lambda layer: layer.params)

    @property
    def state(self):
        return self._gathered(self._state, lambda layer: layer.state)

    def named_arrays(self):
        return self._gathered({**self._params, **self._state}, lambda layer: layer.named_arrays())

    @property
    def trainable_params(self):
        return self.trainable_params_by(None)

    def trainable_params_by(self, keys):
        """`trainable_params`, by these `weight_keys`."""
        own = self._own_trainable_params
        return self._gathered(own, lambda layer: layer.trainable_params, keys) if self.trainable else {}

    @property
    def has_trainable_params(self):
        within = self.of_sublayers(lambda layer: layer.has_trainable_params) if self.trainable else []
        return self.trainable and (bool(self._own_trainable_params) or any(found for *_, found in within))

    @property
    def constraints(self):
        return self._gathered(self._own_constraints, lambda layer: layer.constraints) if self.trainable else {}

    def penalty(self):
        value, grads = super().penalty()
        keys, seen = self.weight_keys, set()
        for _, layer, (layer_value, layer_grads) in self.of_sublayers(lambda layer: layer.penalty()):
            if layer not in seen:
                value += layer_value
                grads.update((keys[layer, name], d) for name, d in layer_grads.items())
            seen.add(layer)
        return value, grads

    def penalties(self):
        within = self.of_sublayers(lambda layer: layer.penalties())
        return [*super().penalties(), *(value for *_, found in within for value in found)]

    @property
    def metrics(self):
        within = [metric for *_, found in self.of_sublayers(lambda layer: layer.metrics) for metric in found]
        return list({id(metric): metric for metric in [*super().metrics, *within]}.values())

    @property
    def trainable(self):
        """Whether an optimizer may change the weights; setting it sets it for every sublayer."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        vars(self).pop("_frozen", None)
        self.of_sublayers(lambda layer: setattr(layer, "trainable", value))

    def freeze_weight(self, key, frozen):
        owners = [owner for owner, own_key in self.weight_keys.items() if own_key == key and owner[0] is not self]
        for layer, name in owners:
            layer.freeze_weight(name, frozen)
        if not owners:
            super().freeze_weight(key, frozen)

    @property
    def adds_loss(self):
        return any(found for *_, found in self.of_sublayers(lambda layer: layer.adds_loss))

    def _is(self, trait):
        """Whether a layer in here has this trait, or its base, which has set it: of a class derived from LSTM."""
        return vars(self).get(trait, False) or any(
            found for *_, found in self.of_sublayers(lambda layer: getattr(layer, trait))
        )

    @property
    def in_one_part(self):
        return self._is("in_one_part")

    @in_one_part.setter
    def in_one_part(self, value):
        vars(self)["in_one_part"] = value

    @property
    def stateful(self):
        return self._is("stateful")

    def random_streams(self):
        streams = super().random_streams()
        for prefix, _, found in self.of_sublayers(lambda layer: layer.random_streams()):
            streams.update({f"{prefix}/{name}" if prefix else name: stream for name, stream in found.items()})
        return streams

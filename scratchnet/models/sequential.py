"""A plain stack of layers: each reads what the one before it gave.

model = Sequential([Input((784,)), Dense(32, activation="relu"), Dense(10, activation="softmax")])
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import registry
from scratchnet.layers import Input, InputLayer, KerasTensor
from scratchnet.layers.base import Layer
from scratchnet.models.model import Model
from scratchnet.models.ranks import fits
from scratchnet.names import unique_name
from scratchnet.recorded import is_library, recorded_arguments
from scratchnet.registry import register
from scratchnet.structure import as_lists, map_shapes, map_structure


@register("layers")
class Sequential(Model):
    """A `Model` of one input, one output, and a list of layers between them.

    The one input may be a list or dict of arrays, if the first layer takes that.

    Args:
        layers: the layers, in order; an `Input` or ``input_shape=`` on the first makes the model complete at once,
            otherwise it is built for the first data it sees. Then it takes data of other sizes, too (longer sequences,
            larger images), if its layers do; batches of such sizes in one fit, if the first two show which axis varies.
        name: by default "sequential", counted.
        trainable: False freezes every layer in it.

    Raises:
        TypeError: for something that is not a layer.
        ValueError: for a layer that cannot follow the one before it, or a name that stands twice.
    """

    uses_of_its_own = 0
    own_attributes = ("_is_built_for_data",)
    _is_built_for_data = False  # whether nobody has said the shape of the inputs

    def __init__(
        self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None, **kwargs
    ) -> None:
        Layer.__init__(self, name=unique_name("sequential") if name is None else name, **kwargs)
        self._trainable = True
        self._clear_graph()
        self._layers = []
        for layer in layers or []:
            self.add(layer)
        if not trainable:
            self.trainable = False

    def _clear_graph(self):
        self._input, self.inputs, self.outputs, self.graph, self.input_layers = None, [], [], None, []
        self._graph_has_changed()
        self.built = False

    def add(self, layer: Any) -> None:
        """Put `layer` on top of the stack."""
        self._refuse_change_within_another()
        if isinstance(layer, KerasTensor) or isinstance(layer, InputLayer):
            if self._layers or self._input is not None:
                raise self.error("an Input must be the first entry, and there can be only one")
            self._input = (
                layer
                if isinstance(layer, KerasTensor)
                else Input(batch_shape=layer.batch_shape, dtype=layer.dtype, name=layer.name, sparse=layer.sparse)
            )
            return
        if not isinstance(layer, Layer):
            raise self.error(f"expected a layer, got {layer!r}", TypeError)
        if any(existing.name == layer.name for existing in self._layers):
            raise self.error(f"two layers are named {layer.name!r}; names must be unique within a model")
        if self._input is None and not self._layers:
            if layer.batch_input_shape is not None:
                self._input = Input(batch_shape=layer.batch_input_shape, dtype=layer.dtype)
            elif isinstance(layer, Model) and layer.built and len(layer.inputs) == 1:
                self._input = Input(batch_shape=layer.inputs[0].shape, dtype=layer.inputs[0].dtype)
        if self._input is not None:
            tensor = layer(self.outputs[0] if self._layers else self._input)  # raises before the stack has changed
            if not isinstance(tensor, KerasTensor):
                raise self.error(f"layer {layer.name!r} has several outputs; use Model(inputs, outputs)")
        self._layers.append(layer)
        if self._input is not None:
            self._set_graph(self._input, tensor)

    def pop(self):
        """Take the last layer off the stack and return it. Raises ValueError if there is none."""
        if not self._layers:
            raise self.error("there is no layer to pop")
        self._refuse_change_within_another()
        layer, first = self._layers.pop(), self._input
        if self.built:
            node = next(node for node in self.nodes if node.layer is layer)
            layer.inbound_nodes.remove(node)
            if self._layers:
                self._set_graph(first, node.inputs)
            else:
                self._clear_graph()
                self._input = first
        return layer

    def _refuse_change_within_another(self):
        if self.inbound_nodes:
            raise self.error(
                "is a layer of another model, in which its shapes would no longer be true; change it before it is put "
                "there, or make that model anew from a clone"
            )

    def build(self, input_shape: Any = None) -> None:
        """Connect the stack for inputs of `input_shape`, with its batch axis."""
        if self.built:
            return
        if not self._layers:
            raise self.error("has no layers; add some first")
        first = self._layers[0]
        is_of_words = first.takes_strings and getattr(first, "token_dtype", "string") == "string"
        dtype = "string" if is_of_words else self.dtype
        self._stack_on(map_shapes(lambda shape: Input(batch_shape=(None, *shape[1:]), dtype=dtype), input_shape))
        self._is_built_for_data = isinstance(input_shape, tuple)

    def build_on(self, x):
        """Build for data: an array, or a list or dict of them where the first layer takes these."""
        self.ensure_built(map_structure(np.shape, as_lists(x)))

    def _stack_on(self, tensor):
        """Put the stack on this input."""
        first = tensor
        for layer in self._layers:
            tensor = layer(tensor)
        self._input = first
        self._set_graph(first, tensor)

    def check_inputs(self, xs):
        """As of every model; but what nobody has said of the shape of the inputs can still become unknown."""
        expected, given = self.inputs[0].shape, np.shape(xs[0])
        might = self._is_built_for_data and not self.fits_running and not self.inbound_nodes
        if might and len(given) == len(expected) and not fits(given, expected):
            sizes = (None, *(n if n == m else None for n, m in zip(expected[1:], given[1:])))
            before, uses = list(self.nodes), [len(layer.inbound_nodes) for layer in self._layers]
            try:
                self._stack_on(Input(batch_shape=sizes, dtype=self.inputs[0].dtype, name=self.inputs[0].name))
            except (ValueError, TypeError):  # a layer wants this axis as it is
                for layer, count in zip(self._layers, uses):
                    del layer.inbound_nodes[count:]
            else:
                for node in before:
                    node.layer.inbound_nodes.remove(node)
        if len(self.inputs) > 1 or not (fits(given, expected) or self._layers_take(given)):
            super().check_inputs(xs)

    def _layers_take(self, shape):
        """Whether the layers take an input of this shape, whatever was said before; so it is in Keras."""
        if len(shape) != len(self.inputs[0].shape):
            return False
        try:
            self.compute_output_shape((None, *shape[1:]))
        except (ValueError, TypeError):
            return False
        return True

    def compute_output_shape(self, input_shape):
        """The output's shape for this input's; a stack that is not built yet asks its layers one after the other."""
        if self.built:
            return super().compute_output_shape(input_shape)
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    @property
    def takes_strings(self):
        return super().takes_strings if self.built else bool(self._layers) and self._layers[0].takes_strings

    @property
    def layers(self) -> list[Layer]:
        """The layers of the stack; the input is not among them."""
        return list(self._layers)

    def get_config(self):
        """The list of layers as JSON-able values."""
        own = {} if is_library(type(self)) else recorded_arguments(self)
        if own and "layers" not in own:  # a subclass that makes its stack itself
            return Layer.get_config(self)
        own = {key: value for key, value in own.items() if key not in ("layers", "dtype")}
        tensor = self._input
        inputs = [InputLayer.of(tensor)] if isinstance(tensor, KerasTensor) else []
        return {
            **{key: registry.serialize(value) for key, value in own.items()},
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype,
            "layers": [registry.serialize(layer) for layer in (*inputs, *self._layers)],
            "build_input_shape": None if tensor is None else map_structure(lambda t: list(t.shape), tensor),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model that `get_config` described, with new parameters. Keras's own configurations are read as well."""
        with registry.CustomObjectScope(custom_objects):
            if "layers" not in config:
                return super(Model, cls).from_config(config)
            arguments = {key: value for key, value in config.items() if key not in _STACK_KEYS}
            model = super(Model, cls).from_config(arguments)
            if config.get("batch_shape") is not None:  # version 0.1.0
                shape = tuple(config["batch_shape"])
                model.add(Input(batch_shape=shape, dtype=config["dtype"], name=config["input_name"]))
            for layer in config["layers"]:
                model.add(registry.deserialize(layer, "layers"))
            if model._layers and not model.built and config.get("build_input_shape"):
                model.build(_as_shapes(config["build_input_shape"]))
        model._trainable = config.get("trainable", True)
        return model


def _as_shapes(written):
    """A shape, or a list or dict of shapes, that JSON had as lists."""
    if isinstance(written, dict):
        return {key: _as_shapes(shape) for key, shape in written.items()}
    nested = any(isinstance(entry, (list, tuple, dict)) for entry in written)
    return [_as_shapes(shape) for shape in written] if nested else tuple(written)


# What `get_config` says of the stack; the rest are arguments of a subclass.
_STACK_KEYS = ("trainable", "dtype", "layers", "build_input_shape", "batch_shape", "input_name")

"""A graph of layers that is itself a layer.

`Model(inputs, outputs)` keeps the contract of its layers,

    y, cache  = model.forward(x, training=False)
    dx, grads = model.backward(dy, cache, needs_dx=True)

How the nodes of the graph are walked through, forward and back, stands in `scratchnet.graph.walk`.
"""

import contextlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scratchnet import registry
from scratchnet.files.saving import Saver
from scratchnet.graph.absent import with_present
from scratchnet.graph.adjoints import Adjoints
from scratchnet.graph.config import graph_config, graph_from_config
from scratchnet.graph.order import layers_in_order
from scratchnet.graph.symbolic import KerasTensor, is_symbolic
from scratchnet.graph.walk import Graph, first_non_finite, sorted_nodes
from scratchnet.layers import InputLayer
from scratchnet.layers.base import Layer
from scratchnet.layers.composite import Composite
from scratchnet.models.explained import Explained
from scratchnet.models.inputs import called_without, taken_apart, unnested
from scratchnet.models.ranks import fits, hint_of_one_sample, with_ranks
from scratchnet.models.subclass import TracedModel
from scratchnet.models.summary import print_summary, summary_html
from scratchnet.names import unique_name
from scratchnet.ops import sum as sum_of
from scratchnet.ops.operation import current_trace
from scratchnet.parallel.threads import helped
from scratchnet.recorded import is_library, recorded_arguments
from scratchnet.registry import register
from scratchnet.structure import as_lists, flatten, flatten_shapes, flatten_sorted, is_deep, map_structure, packed_like
from scratchnet.training.compiled import step_of_ones_own
from scratchnet.training.logits import ending_in_logits
from scratchnet.training.trainer import Trainer


@register("layers", "Functional")
class Model(Trainer, Saver, Explained, Composite):
    """The layers between `inputs` and `outputs`.

    Args:
        inputs: a tensor from `Input`, or a list or dict of them.
        outputs: what layers made of them: a tensor, or a list or dict.
        name: by default "functional", counted.
        trainable: False freezes every layer in it.

    A layer (or a whole model) that is called in several places shares its parameters between them. Or a class derives
    from Model and defines `call`: see `scratchnet.models.subclass`.

    Raises:
        TypeError: for anything but symbolic tensors.
        ValueError: if an output depends on an `Input` that is not among `inputs`, or if two different layers have the
            same name.
    """

    base_for_call = TracedModel
    own_attributes = (
        *("graph", "inputs", "outputs", "input_layers", "_given_outputs", "_input_structure", "_output_structure"),
        *("_operations", "_layers", "_keys", "_parameter_keys", "_first_call"),
    )

    def __init__(
        self, inputs: Any = None, outputs: Any = None, *, name: str | None = None, trainable: bool = True, **kwargs
    ) -> None:
        cls = type(self)
        if self.is_traced and inputs is None and outputs is None:
            super().__init__(name=name, trainable=trainable, **kwargs)
            return
        if inputs is None or outputs is None:
            problem = step_of_ones_own(cls)
            if problem:
                raise TypeError(f"{cls.__name__}: {problem}")
            raise TypeError(
                f"{cls.__name__} needs inputs and outputs, Model(inputs, outputs), or a class that defines call"
            )
        super().__init__(name=unique_name("functional") if name is None else name, **kwargs)
        self._set_graph(inputs, outputs)
        if not trainable:
            self.trainable = False

    def _set_graph(self, inputs, outputs):
        inputs, outputs = _without_list_of_one(inputs), _without_list_of_one(outputs)
        self._given_outputs = outputs  # in the structure that users get: tuples stay tuples
        self._input_structure, self._output_structure = as_lists(inputs), as_lists(outputs)
        self.inputs, self.outputs = flatten(inputs), flatten(outputs)
        for tensor in (*self.inputs, *self.outputs):
            if not isinstance(tensor, KerasTensor):
                raise self.error(f"inputs and outputs must be symbolic tensors, got {type(tensor).__name__}", TypeError)
        if len(set(self.inputs)) != len(self.inputs):
            raise self.error("the same tensor is given as an input twice")
        nodes = sorted_nodes(self.inputs, self.outputs, self.error)
        self.graph = Graph(self.inputs, self.outputs, nodes)
        self.input_layers = [InputLayer.of(tensor) for tensor in self.inputs]
        self._set_layers(flatten_sorted(outputs))
        self.built = True

    def _set_layers(self, ends):
        """List what the graph uses on its way to the tensors `ends`."""
        in_order = layers_in_order(self.inputs, ends, self.nodes)
        as_layer = dict(zip(self.inputs, self.input_layers))
        self._operations = [as_layer.get(thing, thing) for thing in in_order]
        self._layers = [thing for thing in in_order if thing not in as_layer and isinstance(thing, Layer)]
        names = {}
        for layer in (*self.input_layers, *self._layers):
            if names.setdefault(layer.name, layer) is not layer:
                raise self.error(f"two layers are named {layer.name!r}; names must be unique within a model")
        self._graph_has_changed()

    def add_loss(self, loss):
        """Add a symbolic tensor of the model's graph, or several, to what is minimized; of a vector its sum."""
        if current_trace.get() is not None or self.is_traced:
            super().add_loss(loss)
            return
        losses = [] if self.graph is None else list(self.graph.losses)
        for tensor in flatten(loss):
            if not isinstance(tensor, KerasTensor) or self.graph is None:
                raise self.error(f"add_loss takes a symbolic tensor of the model's graph, got {tensor!r}", TypeError)
            losses.append(sum_of(tensor) if tensor.shape else tensor)
        if losses:
            nodes = sorted_nodes(self.inputs, [*self.outputs, *losses], self.error)
            self.graph = Graph(self.inputs, self.outputs, nodes, losses=losses)
            self._set_layers([*flatten_sorted(self._output_structure), *losses])

    @property
    def adds_loss(self):
        return self.graph is not None and self.graph.adds_loss

    @property
    def nodes(self):
        """The uses of layers, in the order in which forward runs them."""
        return [] if self.graph is None else self.graph.nodes

    # ---- forward and backward ----

    uses_of_its_own = 1  # Keras counts a functional model's own graph as its first use
    keeps_integers = True  # each layer takes of them what it wants

    @property
    def takes_strings(self):
        return any(tensor.dtype == "string" for tensor in self.inputs)

    supports_masking = True

    def forward(self, x, training=None, mask=None):
        """Return ``(y, cache)``; `x` and `y` have the structure of the model's inputs and outputs."""
        masks = None if mask is None else flatten(mask)
        graph, xs, masks = with_present(self.graph, self.flatten_inputs(x), masks, self.error)
        ys, cache = graph.forward(xs, training, masks)
        return map_structure(dict(zip(self.outputs, ys)).__getitem__, self._output_structure), cache

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; an adjoint in `dy` may be None where an output does not matter."""
        dxs, sums = cache.graph.backward(flatten(dy), cache, needs_dx)
        keys, grads = self.weight_keys, Adjoints()
        for weight, d in sums.items():
            grads.add(keys[weight], d)
        if self.trainable and len(grads) == len(self._parameter_keys):  # all: to ask which are trained takes longer
            grads = {key: grads[key] for key in self._parameter_keys}
        else:
            trainable = self.trainable_params_by(keys)
            grads = {key: grads[key] if key in grads else np.zeros_like(w) for key, w in trainable.items()}
        found = dict(zip(cache.graph.inputs, dxs)) if needs_dx else None
        return (self.pack_inputs([found.get(t) for t in self.inputs]) if needs_dx else None), grads

    def remember(self, cache):
        cache.graph.remember(cache)

    def loss_values(self, cache):
        return cache.graph.loss_values(cache)

    def added_loss(self, cache):
        return cache.graph.added_loss(cache)

    @property
    def in_one_part(self):
        return self.graph.in_one_part

    def output_masks(self, x, mask, cache):
        return cache.masks

    def output_masked(self, masked):
        for tensor, is_masked in zip(self.inputs, flatten(masked)):
            tensor.masked = tensor.masked or is_masked
        for node in self.nodes:
            node.find_masks()
        return any(tensor.masked for tensor in self.outputs)

    def ending_in_logits(self, outputs):
        """See `scratchnet.training.logits`."""
        return ending_in_logits(self, outputs)

    def without_last_activation(self):
        if len(self.outputs) != 1:
            return None
        model, activations = self.ending_in_logits([0])
        return (model, activations[0]) if activations else None

    def __call__(self, inputs, training=None, mask=None):
        """As every layer; on arrays the result has the structure of the outputs that the model was made with."""
        if self.knows_inputs:
            inputs = with_ranks(unnested(inputs, self._input_structure), self.inputs)
            if any(x is None for x in flatten(inputs)):
                return called_without(self, inputs, training)
        with helped() if self._is_worth_a_helper(inputs) else contextlib.nullcontext():
            result = super().__call__(inputs, training, mask)
        if is_symbolic(result):
            return result
        return self.pack_outputs(flatten(result))

    @property
    def knows_inputs(self):
        """Whether there is a graph yet, so that it is known which inputs there are."""
        return self.graph is not None

    def trace_ahead(self, modes=(False, True)):
        """Make what is traced within, before threads compute, for these values of `training`."""
        for training in modes:
            self.graph.prepare(training)

    def pack_inputs(self, xs):
        """A flat list of arrays in the structure of the model's inputs."""
        return map_structure(dict(zip(self.inputs, xs)).__getitem__, self._input_structure)

    def pack_outputs(self, ys):
        """A flat list of arrays in the structure of the outputs that the model was made with."""
        return packed_like(self._given_outputs, ys)  # so also where the same tensor is an output twice

    def flatten_inputs(self, x, adjust=True):
        """`x` (an array, a list, or a dict by the names of the inputs) as a list in the order of `inputs`."""
        if isinstance(x, dict):
            structure = self._input_structure
            if isinstance(structure, dict) and _is_nested(structure.values()):
                values = taken_apart(structure, x, self.error)
                return with_ranks(values, self.inputs) if adjust else values
            names = list(structure) if isinstance(structure, dict) else [t.name for t in self.inputs]
            if any(name not in x for name in names):
                raise self.error(f"expected a dict with the inputs {names}, got {list(x)}")
            if len(x) > len(names):
                unused = [name for name in x if name not in names]
                warnings.warn(f"{self.name}: of the dict of inputs {unused} are not used", stacklevel=2)
            values = [x[name] for name in names]
            return with_ranks(values, self.inputs) if adjust else values
        structure = self._input_structure
        x = unnested(x, structure)
        values = list(x) if isinstance(x, (list, tuple)) else [x]
        if isinstance(structure, list) and _is_nested(structure) and _is_nested(values):
            values = taken_apart(structure, values, self.error)
        if len(self.inputs) == 1 and not (len(values) == 1 and hasattr(values[0], "shape")):
            values = [x]  # the rows of one array
        if len(values) != len(self.inputs):
            raise self.error(f"expected {len(self.inputs)} inputs, got {len(values)}")
        return with_ranks(values, self.inputs) if adjust else values

    def check_inputs(self, xs):
        """Raise ValueError unless each of the flat list `xs` has the shape of its input."""
        for tensor, x in zip(self.inputs, xs):
            shape, expected = np.shape(x), tensor.shape
            if x is not None and not fits(shape, expected):
                hint = hint_of_one_sample(shape, expected)
                raise self.error(f"the input {tensor.name!r} expects shape {expected}, got {shape}{hint}")

    def output_dtype(self, inputs):
        return self.outputs[0].dtype

    def compute_output_shape(self, input_shape):
        """The outputs' shapes for these inputs' shapes; each layer on the way checks its own."""
        shapes = [input_shape] if isinstance(input_shape, tuple) else input_shape
        if isinstance(input_shape, dict):
            shapes = self.flatten_inputs(input_shape, adjust=False)
        if len(shapes) != len(self.inputs):
            raise self.error(f"expected {len(self.inputs)} inputs, got {len(shapes)}")
        known = dict(zip(self.inputs, shapes))
        for tensor, shape in known.items():
            if len(shape) != len(tensor.shape):
                raise self.error(f"the input {tensor.name!r} expects shape {tensor.shape}, got {shape}")
        for node in self.nodes:
            out = node.output_shapes(map_structure(known.__getitem__, node.inputs))
            known.update(zip(flatten(node.outputs), flatten_shapes(out)))
        return map_structure(known.__getitem__, self._output_structure)

    # ---- layers and parameters ----

    @property
    def layers(self) -> list[Layer]:
        """All layers, those of the inputs too, in Keras's order (see `scratchnet.graph.order`)."""
        return [thing for thing in self._operations if isinstance(thing, Layer)]

    @property
    def operations(self):
        """The layers, and the operations between them, in Keras's order."""
        return list(self._operations)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of that name, or at that place of `layers`. Raises ValueError if there is none."""
        if (name is None) == (index is None):
            raise self.error("get_layer takes either a name or an index")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise self.error(f"there is no layer {index}: the model has {len(self.layers)}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise self.error(f"there is no layer {name!r}: there are {', '.join(layer.name for layer in self.layers)}")

    @property
    def sublayers(self):
        return {layer.name: layer for layer in self._layers} if "_layers" in vars(self) else {}

    def random_streams(self):
        streams = {node.name: node.stream for node in self.nodes if getattr(node, "stream", None) is not None}
        return {**super().random_streams(), **streams}

    def _graph_has_changed(self):
        self._keys = None
        self._forget_objective()

    @property
    def weight_keys(self):
        if self._keys is None:
            keys = super().weight_keys
            self._parameter_keys = list(self._gathered(self._params, lambda layer: layer.params, keys))
            self._keys = keys  # last: parts of a batch ask at the same time, and who finds these needs the others
        return self._keys

    @property
    def input(self):
        """The symbolic input or inputs that the model was made from."""
        self._check_knows_inputs()
        return self._input_structure

    @property
    def output(self):
        self._check_knows_inputs()
        return self._output_structure

    def _check_knows_inputs(self):
        if not self.knows_inputs:
            raise self.error("has no inputs and outputs before it is built", AttributeError)

    @property
    def input_shape(self):
        self._check_knows_inputs()
        return _without_list_of_one([tensor.shape for tensor in self.inputs])

    @property
    def output_shape(self):
        """That of the output; of several, a flat list, as in Keras."""
        self._check_knows_inputs()
        return _without_list_of_one([tensor.shape for tensor in self.outputs])

    @property
    def output_names(self):
        """One name for each output: its key where the outputs are a dict, else its layer's name."""
        structure = self._output_structure
        if isinstance(structure, dict) and not is_deep(structure):
            return list(structure)
        names = [t.name for t in self.outputs]
        return [f"{name}_{names[:i].count(name)}" if name in names[:i] else name for i, name in enumerate(names)]

    names_outputs = True  # whether figures are told by the names of the outputs that they belong to

    @property
    def output_structure(self):
        """The outputs in the structure in which they come, with lists for tuples."""
        return self._output_structure

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the table of layers, shapes and numbers of parameters; `print_summary` says what the arguments do."""
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def _repr_html_(self):
        """What a notebook shows."""
        return summary_html(self) if self.built else None

    def first_non_finite(self, x):
        """Where the first NaN or infinity appears: in a parameter, or in a layer's output for the inputs; or None."""
        for key, parameter in self.params.items():
            if not np.isfinite(parameter).all():
                return f"the parameter {key}"
        return first_non_finite(self.graph, self.flatten_inputs(x), training=True)

    # ---- configuration ----

    def get_config(self):
        """The graph as JSON-able values: each layer once, and each use of a layer with the tensors it reads."""
        own = {} if is_library(type(self)) else recorded_arguments(self)
        if own and not is_symbolic(own.get("inputs")):  # a subclass that makes its graph itself
            return super().get_config()
        own = {key: value for key, value in own.items() if key not in ("inputs", "outputs", "dtype")}
        return {
            **{key: registry.serialize(value) for key, value in own.items()},
            "name": self.name,
            "trainable": self.trainable,
            **graph_config(self._input_structure, self._given_outputs, self.layers, self.nodes, self.graph.losses),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The model that `get_config` described, with new parameters. Keras's own configurations are read as well."""
        with registry.CustomObjectScope(custom_objects):
            if "layers" not in config:
                return super().from_config(config)
            arguments = {key: value for key, value in config.items() if key not in _GRAPH_KEYS}
            arguments["inputs"], arguments["outputs"], losses = graph_from_config(config)
            model = super().from_config(arguments)
            model.add_loss(losses)
        # Freezing sets every layer at once; each layer's own setting is already in its config.
        model._trainable = config.get("trainable", True)
        return model

    def __getstate__(self):
        """The attributes, the graph first: it lists its nodes in their order, so that copying one never has to go
        through all that it depends on, deeper than Python's recursion."""
        return {"graph": None, **super().__getstate__()}

    def __repr__(self):
        return f'<{type(self).__name__} "{self.name}", {len(self._layers)} layers>'


def _without_list_of_one(structure):
    return structure[0] if isinstance(structure, (list, tuple)) and len(structure) == 1 else structure


def _is_nested(structures):
    return any(isinstance(value, (dict, list, tuple)) for value in structures)


# What `get_config` says of the graph; the rest are arguments of a subclass.
_GRAPH_KEYS = (
    *("trainable", "dtype", "layers", "input_layers", "output_layers", "output_tuple", "added_losses"),
    *("inputs", "nodes", "input_structure", "output_structure"),  # of version 0.1.0
)

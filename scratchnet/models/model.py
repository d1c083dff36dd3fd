"""A graph of layers that is itself a layer.

`Model(inputs, outputs)` keeps the contract of its layers,

    y, cache  = model.forward(x, training=False)
    dx, grads = model.backward(dy, cache)

forward runs the nodes of the graph in an order in which every input exists before it is needed; backward runs them in
the reverse of that order. A tensor that several nodes read receives an adjoint from each of them: they add up. A
parameter that is used in several places receives a gradient from each place: they add up as well. That is all of
reverse-mode differentiation (Linnainmaa 1970; Griewank and Walther, "Evaluating derivatives", chapter 3).
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.files.saving import Saver
from scratchnet.layers import InputLayer, KerasTensor
from scratchnet.layers.base import Layer
from scratchnet.models.summary import print_summary, summary_html
from scratchnet.names import unique_name
from scratchnet.structure import flatten, map_shapes, map_structure
from scratchnet.training.trainer import Trainer


class ModelCache(NamedTuple):
    inputs: list  # the arrays that went in, flat
    nodes: list  # the cache of each node, in the order of the graph
    outputs: Any = None


class Model(Trainer, Saver, Layer):
    """The layers between `inputs` and `outputs`.

    Args:
        inputs: a tensor from `Input`, or a list or dict of them.
        outputs: what layers made of them: a tensor, or a list or dict.
        name: by default "functional", counted.
        trainable: False freezes every layer in it.

    A layer (or a whole model) that is called in several places shares its parameters between them.

    Raises:
        TypeError: for anything but symbolic tensors, and for subclassing in the style of ``call()``, which would need
            automatic differentiation.
        ValueError: if an output depends on an `Input` that is not among `inputs`, if an input reaches no output, or if
            two different layers have the same name.
    """

    def __init__(self, inputs=None, outputs=None, *, name=None, trainable=True, **kwargs):
        if inputs is None or outputs is None:
            raise TypeError(
                "Model needs inputs and outputs: Model(inputs, outputs). A subclass that defines call() is not "
                "supported, since nothing here differentiates Python code; write a Layer with forward and backward"
            )
        super().__init__(name=unique_name("functional") if name is None else name, **kwargs)
        self._set_graph(inputs, outputs)
        if not trainable:
            self.trainable = False

    def _set_graph(self, inputs, outputs):
        as_list = lambda s: list(s) if isinstance(s, tuple) else s  # noqa: E731
        self._input_structure, self._output_structure = as_list(inputs), as_list(outputs)
        self.inputs, self.outputs = flatten(inputs), flatten(outputs)
        for tensor in (*self.inputs, *self.outputs):
            if not isinstance(tensor, KerasTensor):
                raise self.error(f"inputs and outputs must be symbolic tensors, got {type(tensor).__name__}", TypeError)
        if len(set(self.inputs)) != len(self.inputs):
            raise self.error("the same tensor is given as an input twice")
        self.nodes = self._sorted_nodes()
        self.input_layers = [InputLayer(shape=t.shape[1:], dtype=t.dtype, name=t.name) for t in self.inputs]
        self._layers = list(dict.fromkeys(node.layer for node in self.nodes))
        names = {}
        for layer in (*self.input_layers, *self._layers):
            if names.setdefault(layer.name, layer) is not layer:
                raise self.error(f"two layers are named {layer.name!r}; names must be unique within a model")
        self._keys = None
        self.built = True

    def _sorted_nodes(self):
        """The nodes between inputs and outputs, each after the nodes whose outputs it reads."""
        done, order = set(self.inputs), []

        def visit(tensor):
            # An explicit stack: a graph may be deeper than Python's recursion limit.
            stack = [(tensor, False)]
            while stack:
                current, inputs_done = stack.pop()
                if current in done:
                    continue
                node = current.node
                if node is None:
                    raise self.error(
                        f"the graph is disconnected: an output depends on the input {current.name!r} of shape "
                        f"{current.shape}, which is not among the model's inputs"
                    )
                if inputs_done:
                    done.update(flatten(node.outputs))
                    order.append(node)
                else:
                    stack.append((current, True))
                    stack.extend((t, False) for t in reversed(flatten(node.inputs)))

        for tensor in self.outputs:
            visit(tensor)
        used = {t for node in order for t in flatten(node.inputs)} | set(self.outputs)
        for tensor in self.inputs:
            if tensor not in used:
                raise self.error(f"the graph is disconnected: no output depends on the input {tensor.name!r}")
        return order

    # ---- forward and backward ----

    def forward(self, x, training=False):
        """Return ``(y, cache)``; `x` and `y` have the structure of the model's inputs and outputs."""
        values = dict(zip(self.inputs, self.flatten_inputs(x)))
        caches = []
        for node in self.nodes:
            node_x = map_structure(values.__getitem__, node.inputs)
            node_y, cache = node.layer.forward(node_x, training=training)
            values.update(zip(flatten(node.outputs), flatten(node_y)))
            caches.append(cache)
        y = map_structure(values.__getitem__, self._output_structure)
        return y, ModelCache([values[t] for t in self.inputs], caches)

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; an adjoint in `dy` may be None where an output does not matter."""
        adjoints, grads = {}, {}
        for tensor, d in zip(self.outputs, flatten(dy)):
            _accumulate(adjoints, tensor, d)
        wants_dx = self._nodes_that_need_dx(needs_dx)
        for node, node_cache in zip(reversed(self.nodes), reversed(cache.nodes)):
            layer, node_needs_dx = node.layer, node in wants_dx
            node_dy = map_structure(adjoints.get, node.outputs)
            if all(d is None for d in flatten(node_dy)) or not (node_needs_dx or layer.params):
                continue
            if node_needs_dx:
                dx, node_grads = layer.backward(node_dy, node_cache)
                for tensor, d in zip(flatten(node.inputs), flatten(dx)):
                    _accumulate(adjoints, tensor, d)
            else:
                _, node_grads = layer.backward(node_dy, node_cache, needs_dx=False)
            for name, d in node_grads.items():
                _accumulate(grads, self.parameter_keys[layer, name], d)
        for key, parameter in self.params.items():
            if key not in grads:
                grads[key] = np.zeros_like(parameter)
        if not needs_dx:
            return None, grads
        dxs = [adjoints.get(t, None) for t in self.inputs]
        dxs = dict(zip(self.inputs, [np.zeros_like(x) if d is None else d for d, x in zip(dxs, cache.inputs)]))
        return map_structure(dxs.__getitem__, self._input_structure), grads

    def _nodes_that_need_dx(self, needs_dx):
        """The nodes from whose inputs a gradient has to go on: to a parameter, or, with `needs_dx`, to the inputs."""
        reaches = set(self.inputs) if needs_dx else set()
        wants_dx = set()
        for node in self.nodes:
            if any(t in reaches for t in flatten(node.inputs)):
                wants_dx.add(node)
            if node in wants_dx or node.layer.params:
                reaches.update(flatten(node.outputs))
        return wants_dx

    def flatten_inputs(self, x):
        """`x` (an array, a list, or a dict by the names of the inputs) as a list in the order of `inputs`."""
        if isinstance(x, dict):
            structure = self._input_structure
            names = list(structure) if isinstance(structure, dict) else [t.name for t in self.inputs]
            missing = [name for name in names if name not in x]
            if missing or len(x) != len(names):
                raise self.error(f"expected a dict with the inputs {names}, got {list(x)}")
            return [x[name] for name in names]
        values = list(x) if isinstance(x, (list, tuple)) else [x]
        if len(self.inputs) == 1 and not (len(values) == 1 and hasattr(values[0], "shape")):
            return [x]  # the rows of one array
        if len(values) != len(self.inputs):
            raise self.error(f"expected {len(self.inputs)} inputs, got {len(values)}")
        return values

    def check_inputs(self, xs):
        """Raise ValueError unless each of the flat list `xs` has the shape of its input."""
        for tensor, x in zip(self.inputs, xs):
            shape = np.shape(x)
            fits = len(shape) == len(tensor.shape) and all(w is None or s == w for s, w in zip(shape, tensor.shape))
            if not fits:
                hint = ""
                if shape == tensor.shape[1:]:
                    hint = "; one sample needs a batch axis: x[None]"
                elif shape == tensor.shape[:-1] and tensor.shape[-1] == 1:
                    hint = "; a single channel needs an axis of its own: x[..., None]"
                raise self.error(f"the input {tensor.name!r} expects shape {tensor.shape}, got {shape}{hint}")

    def compute_output_shape(self, input_shape):
        """The outputs' shapes for these inputs' shapes; each layer on the way checks its own."""
        shapes = input_shape
        if isinstance(input_shape, tuple):
            shapes = [input_shape]
        elif isinstance(input_shape, dict):
            shapes = self.flatten_inputs(input_shape)
        if len(shapes) != len(self.inputs):
            raise self.error(f"expected {len(self.inputs)} inputs, got {len(shapes)}")
        known = dict(zip(self.inputs, shapes))
        for tensor, shape in known.items():
            if len(shape) != len(tensor.shape):
                raise self.error(f"the input {tensor.name!r} expects shape {tensor.shape}, got {shape}")
        for node in self.nodes:
            out = node.layer.compute_output_shape(map_structure(known.__getitem__, node.inputs))
            known.update(zip(flatten(node.outputs), _flatten_shapes(out)))
        return map_structure(known.__getitem__, self._output_structure)

    # ---- layers and parameters ----

    @property
    def layers(self):
        """All layers, the inputs first, then in the order in which forward runs them."""
        return [*self.input_layers, *self._layers]

    def get_layer(self, name=None, index=None):
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
    def parameter_keys(self):
        """``(layer, name) -> key``: the name within the model of each layer's parameter.

        A parameter that is reached on two ways (a layer used by itself and inside a nested model) has one key.
        """
        if self._keys is None:
            first, self._keys = {}, {}
            for layer in self._layers:
                for name, array in layer.params.items():
                    self._keys[layer, name] = first.setdefault(id(array), f"{layer.name}/{name}")
        return self._keys

    @property
    def params(self):
        """All parameters under the keys ``layer/name``, each once."""
        return {self.parameter_keys[layer, name]: w for layer in self._layers for name, w in layer.params.items()}

    @property
    def trainable_params(self):
        keys = self.parameter_keys
        return {keys[layer, name]: w for layer in self._layers for name, w in layer.trainable_params.items()}

    @property
    def trainable(self):
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        for layer in getattr(self, "_layers", ()):
            layer.trainable = value

    def random_streams(self):
        streams = {}
        for layer in self._layers:
            streams.update({f"{layer.name}/{name}": stream for name, stream in layer.random_streams().items()})
        return streams

    @property
    def input(self):
        """The symbolic input or inputs that the model was made from."""
        return self._input_structure

    @property
    def output(self):
        return self._output_structure

    @property
    def input_shape(self):
        return map_structure(lambda t: t.shape, self._input_structure)

    @property
    def output_shape(self):
        return map_structure(lambda t: t.shape, self._output_structure)

    @property
    def output_names(self):
        """One name for each output: its key where the outputs are a dict, else its layer's name."""
        if isinstance(self._output_structure, dict):
            return list(self._output_structure)
        names = [t.name for t in self.outputs]
        return [f"{name}_{names[:i].count(name)}" if name in names[:i] else name for i, name in enumerate(names)]

    def summary(
        self,
        line_length=None,
        positions=None,
        print_fn=None,
        expand_nested=False,
        show_trainable=False,
        layer_range=None,
    ):
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
        values = dict(zip(self.inputs, self.flatten_inputs(x)))
        for node in self.nodes:
            node_y, _ = node.layer.forward(map_structure(values.__getitem__, node.inputs), training=True)
            values.update(zip(flatten(node.outputs), flatten(node_y)))
            if not all(np.isfinite(v).all() for v in flatten(node_y)):
                return f"the output of layer {node.layer.name!r}"
        return None

    # ---- configuration ----

    def get_config(self):
        """The graph as JSON-able values: each layer once, and each use of a layer with the tensors it reads."""
        from scratchnet.layers import serialize

        number = {tensor: ["input", i] for i, tensor in enumerate(self.inputs)}
        for k, node in enumerate(self.nodes):
            number.update({tensor: ["node", k, i] for i, tensor in enumerate(flatten(node.outputs))})
        reference = number.__getitem__
        return {
            "name": self.name,
            "trainable": self.trainable,
            "inputs": [{"shape": list(t.shape), "dtype": t.dtype, "name": t.name} for t in self.inputs],
            "layers": [serialize(layer) for layer in self._layers],
            "nodes": [{"layer": node.layer.name, "inputs": _tag(node.inputs, reference)} for node in self.nodes],
            "input_structure": _tag(self._input_structure, reference),
            "output_structure": _tag(self._output_structure, reference),
        }

    @classmethod
    def from_config(cls, settings, custom_objects=None):
        """The model that `get_config` described, with new parameters."""
        from scratchnet.layers import Input, deserialize

        inputs = [Input(batch_shape=tuple(t["shape"]), dtype=t["dtype"], name=t["name"]) for t in settings["inputs"]]
        layers = {layer["config"]["name"]: deserialize(layer, custom_objects) for layer in settings["layers"]}
        outputs = []

        def tensor(reference):
            return inputs[reference[1]] if reference[0] == "input" else outputs[reference[1]][reference[2]]

        for node in settings["nodes"]:
            outputs.append(flatten(layers[node["layer"]](_untag(node["inputs"], tensor))))
        # Freezing sets every layer at once; each layer's own setting is already in its config.
        model = cls(
            _untag(settings["input_structure"], tensor),
            _untag(settings["output_structure"], tensor),
            name=settings["name"],
        )
        model._trainable = settings["trainable"]
        return model

    def __repr__(self):
        return f'<{type(self).__name__} "{self.name}", {len(self._layers)} layers>'


def _accumulate(sums, key, value):
    """Add `value` to ``sums[key]``, in a new array: the first one may belong to somebody else."""
    if value is not None:
        sums[key] = sums[key] + value if sums.get(key) is not None else value


def _flatten_shapes(shapes):
    """The shapes (tuples) in a shape, a list or a dict of them."""
    found = []
    map_shapes(found.append, shapes)
    return found


def _tag(structure, reference):
    """A structure of tensors as JSON: lists of references would look like references themselves."""
    if isinstance(structure, dict):
        return {"dict": {key: _tag(value, reference) for key, value in structure.items()}}
    if isinstance(structure, list):
        return {"list": [_tag(value, reference) for value in structure]}
    return {"tensor": reference(structure)}


def _untag(tagged, tensor):
    if "dict" in tagged:
        return {key: _untag(value, tensor) for key, value in tagged["dict"].items()}
    if "list" in tagged:
        return [_untag(value, tensor) for value in tagged["list"]]
    return tensor(tagged["tensor"])

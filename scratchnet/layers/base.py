"""What every layer has: a name, named parameters, and a pair of pure functions.

    y, cache  = layer.forward(x, training=False)
    dx, grads = layer.backward(dy, cache)

`cache` is what backward must remember, handed over in the open; nothing of a batch stays on the layer. `grads` has the
keys of `layer.params`. `backward` of a layer with parameters also takes ``needs_dx=False``, for the first layer of a
model, where nobody asks for dx (it is then None).

Writing a layer of your own: store the arguments in `__init__`, make parameters in `build` with `add_weight`, say in
`compute_output_shape` what comes out, and write `forward` and `backward`. `scratchnet.gradient_check` proves the rest.
"""

import inspect

import numpy as np

from scratchnet import activations, config, initializers, limits
from scratchnet.graph.symbolic import KerasTensor, Node, is_symbolic
from scratchnet.names import check_name, snake_case, unique_name
from scratchnet.structure import flatten, map_structure

# Arguments of Keras's layers that scratchnet does not have, and the values with which they ask for nothing.
_KERAS_ONLY = {
    "activity_regularizer": (None,),
    "autocast": (True,),
    "batch_shape": (None,),
    "bias_constraint": (None,),
    "bias_regularizer": (None,),
    "cell": (),
    "data_format": (None, "channels_last"),
    "dropout": (0, 0.0),
    "dynamic": (False,),
    "groups": (1,),
    "interpolation": ("nearest",),
    "kernel_constraint": (None,),
    "kernel_regularizer": (None,),
    "keepdims": (False,),
    "lora_alpha": (None,),
    "lora_rank": (None,),
    "noise_shape": (None,),
    "quantization_config": (None,),
    "recurrent_constraint": (None,),
    "recurrent_dropout": (0, 0.0),
    "recurrent_regularizer": (None,),
    "sparse": (False, None),
    "stateful": (False,),
    "unroll": (False,),
    "use_cudnn": ("auto", False),
    "weights": (None,),
    "zero_output_for_mask": (False,),
}


class Layer:
    """Base of all layers.

    Args:
        name: unique within a model; by default the class's name in snake case, counted.
        trainable: whether an optimizer may change the parameters.
        dtype: "float32" or "float64"; by default `scratchnet.config.floatx()`.
        input_shape: shape of one sample, without the batch axis: builds a Sequential whose first layer this is.
        batch_size: with `input_shape`, a fixed number of samples.

    Raises:
        TypeError: for an argument that the layer does not have; one that only Keras has is named as such.
    """

    def __init__(self, *, name=None, trainable=True, dtype=None, input_shape=None, batch_size=None, **kwargs):
        cls = type(self).__name__
        input_dim = kwargs.pop("input_dim", None)
        for key, value in kwargs.items():
            if key not in _KERAS_ONLY:
                known = ", ".join(_constructor_arguments(type(self)))
                raise TypeError(f"{cls} has no argument {key!r}: it takes {known}")
            if isinstance(value, np.ndarray) or value not in _KERAS_ONLY[key]:
                raise TypeError(f"{cls}: Keras's argument {key!r} is not implemented in scratchnet (got {value!r})")
        self.name = unique_name(snake_case(cls)) if name is None else check_name(cls, name)
        self.trainable = bool(trainable)
        self.dtype = config.floatx() if dtype is None else config.check_float_dtype(dtype)
        if input_dim is not None:
            input_shape = (input_dim,)
        self.batch_input_shape = None
        if input_shape is not None:
            shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
            self.batch_input_shape = (batch_size, *shape)
        self.built = type(self).build is Layer.build  # there is nothing to build
        self.inbound_nodes = []  # the uses of this layer in graphs
        self._params = {}

    # ---- what a layer defines ----

    def build(self, input_shape):
        """Create the parameters for inputs of `input_shape` (batch axis first), and set `built`."""

    def compute_output_shape(self, input_shape):
        """The shape of forward's output for `input_shape`, both with the batch axis; raises ValueError if it cannot be.

        By default that of the only input, unchanged.
        """
        self.check_shape(input_shape, "*")
        return input_shape

    def forward(self, x, training=False):
        """Return ``(y, cache)``."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, dy, cache):
        """Return ``(dx, grads)`` for the upstream gradient `dy`, of y's shape."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    # ---- calling ----

    def __call__(self, inputs, training=False):
        """On KerasTensors: record the layer in a graph. On arrays: build if need be, compute, and return the output."""
        if is_symbolic(inputs):
            return self._connect(inputs)
        x = map_structure(self._as_input, inputs)
        shape = map_structure(np.shape, x)
        self.ensure_built(shape)
        self.compute_output_shape(shape)
        return self.forward(x, training=training)[0]

    def _connect(self, inputs):
        for tensor in flatten(inputs):
            if not isinstance(tensor, KerasTensor):
                raise self.error(
                    f"called on a mixture of symbolic tensors and values ({type(tensor).__name__})", TypeError
                )
        inputs = list(inputs) if isinstance(inputs, tuple) else inputs
        shape = map_structure(lambda tensor: tensor.shape, inputs)
        self.ensure_built(shape)
        output_shape = self.compute_output_shape(shape)
        node = Node(self, inputs, output_shape)
        self.inbound_nodes.append(node)
        return node.outputs

    @property
    def input(self):
        """The symbolic input of the layer's only use in a graph."""
        return self._only_node().inputs

    @property
    def output(self):
        """The symbolic output of the layer's only use in a graph: ``Model(model.inputs, layer.output)`` ends there."""
        return self._only_node().outputs

    def _only_node(self):
        if len(self.inbound_nodes) != 1:
            raise self.error(
                f"has no single input and output: it stands in {len(self.inbound_nodes)} places of a graph"
            )
        return self.inbound_nodes[0]

    def _as_input(self, value):
        x = np.asarray(value)
        if x.dtype.kind not in "fiub":
            raise self.error(f"expected numbers, got an array of dtype {x.dtype}", TypeError)
        return x.astype(self.dtype, copy=False)

    def ensure_built(self, input_shape):
        """Build for `input_shape` unless that has been done; the parameters of a layer are made once."""
        if not self.built:
            self.build(input_shape)
            self.built = True

    # ---- shapes ----

    def unpack(self, x, letters, **expected):
        """The sizes of the axes of `x`, one for each of `letters` (such as "NHWC"): the first line of a forward.

        `expected` fixes some of them, such as ``C=32``. Raises ValueError for another rank or size or an unbuilt layer
        and TypeError for another dtype than the parameters'.
        """
        if not self.built:
            raise self.error("called before it was built: call the layer on data, or build(input_shape), first")
        shape = np.shape(x)
        self.check_shape(shape, letters, **expected)
        parameter = next(iter(self.params.values()), None)
        if parameter is not None and x.dtype != parameter.dtype:
            raise self.error(f"expected {parameter.dtype} like its parameters, got {x.dtype}", TypeError)
        return shape

    def check_shape(self, shape, letters, **expected):
        """Raise ValueError unless `shape` has one axis for each letter and the sizes that `expected` gives.

        A ``*`` among the letters stands for any number of axes.
        """
        wanted = (
            "(" + ", ".join("..." if letter == "*" else str(expected.get(letter, letter)) for letter in letters) + ")"
        )
        if not isinstance(shape, tuple):
            raise self.error(f"expected one input of shape {wanted}, got {len(shape)} inputs")
        letters = letters.replace("*", " " * (len(shape) - len(letters) + 1))
        if len(shape) != len(letters):
            raise self.error(f"expected an input of shape {wanted}, got {len(shape)} axes: {shape}")
        for letter, size in zip(letters, shape):
            if letter in expected and size != expected[letter]:
                raise self.error(f"expected an input of shape {wanted}, got {shape}: {letter} is {size}")
            if size is not None and size < 1:
                axis = "" if letter == " " else f": {letter} is {size}"
                raise self.error(f"got an empty input of shape {shape}{axis}")

    def error(self, message, kind=ValueError):
        """An exception to raise, which names the layer."""
        return kind(f'{type(self).__name__} "{self.name}": {message}')

    # ---- parameters ----

    def add_weight(self, name, shape, initializer):
        """Create the parameter `name`; weights are listed in the order of creation."""
        limits.spend(shape)
        self._params[name] = np.ascontiguousarray(initializer(tuple(shape), dtype=self.dtype))
        return self._params[name]

    @property
    def params(self):
        """The parameters: a dict from name to array. Optimizers change the arrays in place."""
        return self._params

    @property
    def trainable_params(self):
        """Those of `params` that an optimizer may change."""
        return dict(self.params) if self.trainable else {}

    @property
    def weights(self):
        """The parameters as a list of arrays (not copies), in Keras's order."""
        return list(self.params.values())

    @property
    def trainable_weights(self):
        return list(self.trainable_params.values())

    @property
    def non_trainable_weights(self):
        trainable = {id(w) for w in self.trainable_weights}
        return [w for w in self.weights if id(w) not in trainable]

    def get_weights(self):
        """Copies of all parameters, in Keras's order."""
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        """Copy `weights`, a list as of `get_weights`, into the parameters. Nothing changes if one does not fit."""
        weights = [np.asarray(w) for w in weights]
        if len(weights) != len(self.params):
            raise self.error(f"expected {len(self.params)} weights ({', '.join(self.params)}), got {len(weights)}")
        for (name, parameter), w in zip(self.params.items(), weights):
            if w.shape != parameter.shape:
                raise self.error(f"weight {name!r} has shape {parameter.shape}, got {w.shape}")
            if w.dtype.kind not in "fiub":
                raise self.error(f"weight {name!r} must be numbers, got dtype {w.dtype}", TypeError)
        for parameter, w in zip(self.weights, weights):
            parameter[...] = w

    def count_params(self):
        """The number of scalars in all parameters."""
        if not self.built:
            raise self.error("has no parameters before it is built: call it on data, or build(input_shape), first")
        return sum(w.size for w in self.weights)

    def random_streams(self):
        """The `RandomStream`s that this layer draws from, by name; what a resumed fit must continue."""
        return {}

    # ---- configuration ----

    def get_config(self):
        """The constructor's arguments as JSON-able values: `from_config` makes the same layer, with new parameters."""
        settings = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        for argument in _constructor_arguments(type(self)):
            if hasattr(self, argument) and argument not in settings:
                settings[argument] = _serialize(getattr(self, argument))
        return settings

    @classmethod
    def from_config(cls, settings):
        """The layer that `get_config` described."""
        return cls(**settings)

    def __repr__(self):
        """The name and those arguments that are not the defaults."""
        shown = [f"name={self.name!r}"]
        for parameter in inspect.signature(type(self).__init__).parameters.values():
            value = getattr(self, parameter.name, parameter.default)
            if isinstance(value, activations.Activation):
                value, default = value.name, parameter.default or "linear"
            elif isinstance(value, initializers.Initializer):
                value, default = _serialize(value), _serialize(initializers.get(parameter.default))
            else:
                default = config.floatx() if parameter.name == "dtype" else parameter.default
            if parameter.name != "name" and value != default:
                shown.append(f"{parameter.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _constructor_arguments(cls):
    """The names of a layer's own arguments, from the most derived constructor up to, not including, Layer's."""
    names = {}
    for base in cls.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()
            names.update({p.name: None for p in parameters if p.name != "self" and p.kind is not p.VAR_KEYWORD})
        if base is Layer:
            break
    return [name for name in names if name not in ("input_shape", "batch_size")]


def _serialize(value):
    if isinstance(value, activations.Activation):
        return activations.serialize(value)
    if isinstance(value, initializers.Initializer):
        return initializers.serialize(value)
    return value

"""What every layer has: a name, named parameters, and a pair of pure functions.

    y, cache  = layer.forward(x, training=False)           # changes nothing
    dx, grads = layer.backward(dy, cache, needs_dx=True)   # changes nothing

`cache` is what backward must remember, handed over in the open; nothing of a batch stays on the layer. `grads` has the
keys of `layer.trainable_params`: those of `layer.params`, or none where the layer is frozen. dx is dL/dx for whoever
asks; with ``needs_dx=False`` (the first layer of a model) nobody looks at it, and it may be None. Most layers have no
more than these two. Three others do nothing by default:

    layer.remember(cache)              # moves layer.state on: once a step, by one thread, after all parts of the batch
    value, grads = layer.penalty()     # of the parameters alone (regularizers): once a step
    value = layer.added_loss(cache)    # of this use of the layer; backward already contains its derivative

Two things depend on more than x: what is random, and what looks across the samples of the batch. Both ask
`scratchnet.parallel.batch`.

Writing a layer of your own: store the arguments in `__init__`, make parameters in `build` with `add_weight`, say in
`compute_output_shape` what comes out, and write `forward` and `backward`. `scratchnet.gradient_check` proves the rest.
Or write `call`, as in Keras, with operations of `scratchnet.ops`: see `scratchnet.layers.traced`.
"""

import copy
import functools
import inspect

import numpy as np

from scratchnet import activations, config, initializers, regularizers
from scratchnet.graph.function import value_and_gradient
from scratchnet.graph.symbolic import is_symbolic, record_layer, with_mask
from scratchnet.graph.trace import outside_of_traces
from scratchnet.layers.completion import listed
from scratchnet.layers.shapes import Shapes
from scratchnet.layers.traced import Traced
from scratchnet.layers.weights import Weights
from scratchnet.names import check_name, snake_case, unique_name
from scratchnet.ops.operation import current_trace
from scratchnet.ops.operation import is_symbolic as stands_for_an_array
from scratchnet.parallel.batch import rows_of_batch
from scratchnet.recorded import (
    Recorded,
    constructor_arguments,
    from_recorded,
    recorded_arguments,
    recorded_config,
    refuse_arguments,
)
from scratchnet.structure import as_lists, flatten, flatten_shapes, map_structure
from scratchnet.variables import as_array


class LayerType(Recorded):
    """The metaclass of layers: `build` says that it has been called, `compute_mask` that there are masks."""

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace, **kwargs)
        if "build" in namespace:
            cls.build = _marking_as_built(cls.build)
        if "compute_mask" in namespace and "call" in namespace and "supports_masking" not in namespace:
            cls.supports_masking = True  # as in Keras


def _marking_as_built(build):
    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        result = build(self, *args, **kwargs)
        self.built = True
        return result

    return wrapped


class Layer(Shapes, Weights, metaclass=LayerType, kind="layers"):
    """Base of all layers.

    Args:
        activity_regularizer: of the output, where the layer stands in a graph: its value, divided by the number of
            samples, is added to the loss.
        name: unique within a model; by default the class's name in snake case, counted.
        trainable: whether an optimizer may change the parameters.
        dtype: "float32" or "float64"; by default `scratchnet.config.floatx()`.
        input_shape: shape of one sample, without the batch axis: builds a Sequential whose first layer this is.
        batch_size: with `input_shape`, a fixed number of samples.

    Raises:
        TypeError: for an argument that the layer does not have; one that only Keras has is named as such.
    """

    needs_init = True
    harmless = ("autocast",)  # Keras's arguments that change no result; a subclass adds its own, as to `absent`
    absent = {}  # Keras's arguments that are not supported: what asks for nothing
    unrecorded = ("input_shape", "batch_size", "input_dim")  # of the model around the layer, not of the layer

    def __init__(
        self,
        *,
        activity_regularizer=None,
        name=None,
        trainable=True,
        dtype=None,
        input_shape=None,
        batch_size=None,
        **kwargs,
    ):
        cls = type(self).__name__
        input_dim = kwargs.pop("input_dim", None)
        refuse_arguments(self, kwargs)
        self.name = unique_name(snake_case(cls)) if name is None else check_name(cls, name)
        self.trainable = bool(trainable)
        self.dtype = config.floatx() if dtype is None else config.check_float_dtype(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if input_dim is not None:
            input_shape = (input_dim,)
        self.batch_input_shape = None
        if input_shape is not None:
            shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
            self.batch_input_shape = (batch_size, *shape)
        self.built = not self.is_traced and type(self).build is Layer.build  # there is nothing to build
        self.inbound_nodes = []  # the uses of this layer in graphs
        self._make_room_for_weights()

    def __init_subclass__(cls, **kwargs):
        """Find a forward or backward that has not the one signature, where it is written."""
        super().__init_subclass__(**kwargs)
        forms = {
            "forward": ("training", "forward(self, x, training=False)"),
            "backward": ("needs_dx", "backward(self, dy, cache, needs_dx=True)"),
        }
        for name, (last, form) in forms.items():
            if name in vars(cls):
                parameters = inspect.signature(vars(cls)[name]).parameters
                if last not in parameters and not any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
                    found = f"{name}({', '.join(parameters)})"
                    raise TypeError(f"{cls.__name__}.{name} must have the form {form}, it is {found}")

    def __setattr__(self, name, value):
        if name in ("activation", "recurrent_activation") and (value is None or isinstance(value, str)):
            value = activations.get(value)
        super().__setattr__(name, value)

    # ---- what a layer defines ----

    is_traced = False  # whether forward and backward come from a trace of `call`
    base_for_call = Traced
    own_attributes = (
        *("name", "dtype", "built", "trainable", "_trainable", "batch_input_shape", "inbound_nodes"),
        *("_params", "_state", "_regularizers", "_constraints"),
    )

    supports_masking = False  # whether a mask goes on to the layer behind
    repeats = False  # whether its output is one time step, repeated
    takes_repeat = False  # whether forward can be given that one step and a number, ``repeat=T``
    in_one_part = False  # whether a batch cannot be computed in parts, since samples meet without `sum_over_batch`
    stateful = False  # whether each batch begins where the one before ended, in predictions, too
    takes_strings = False  # whether it can be called on arrays of strings
    keeps_integers = False  # whether integers (tokens, labels) reach forward as they are, not as floating point numbers

    def build(self, input_shape):
        """Create the parameters for inputs of `input_shape` (batch axis first), and set `built`."""

    def compute_output_shape(self, input_shape):
        """The shape of forward's output for `input_shape`, both with the batch axis; raises ValueError if it cannot be.

        By default that of the only input, unchanged.
        """
        self.check_shape(input_shape, "*")
        return input_shape

    def forward(self, x, training=False):
        """Return ``(y, cache)``. A layer that heeds masks also takes ``mask=None``.

        `training` is None where nobody has said: nearly every layer takes that as no.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward, and no call")

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)`` for the upstream gradient `dy`, of y's shape."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def call(self, inputs, training=None, mask=None):
        """What the layer computes: the same as calling it.

        Within the `call` of a derived class, ``super().call(inputs)`` is what its base with a `forward` computes.
        """
        current = current_trace.get()
        if current is None or current.layer is not self:
            return self(inputs, training=training, mask=mask)
        base = next(cls for cls in type(self).__mro__ if "forward" in vars(cls) and not cls.is_traced)
        plain = object.__new__(base)
        plain.__dict__ = self.__dict__  # the same layer, weights and all, without the derived class
        return plain(inputs, training=training, mask=mask)

    def add_loss(self, loss):
        """Within `call`: add a tensor, or several, to what is minimized; of a vector its sum."""
        if current_trace.get() is None:
            raise self.error("add_loss belongs into call, where there are tensors to compute a loss from", TypeError)
        current_trace.get().add_loss(loss)

    @property
    def losses(self):
        """What is added to the loss: by the last call on arrays, and by regularizers of the weights; value by value."""
        return [*vars(self).get("_losses", []), *self.penalties()]

    def loss_values(self, cache):
        """`added_loss`, value by value."""
        return [self.added_loss(cache)] if self.adds_loss else []

    def remember(self, cache):
        """Move `state` on, after a step of training in which `cache` came out of forward."""

    def added_loss(self, cache):
        """What this use of the layer adds to the loss: the share of this part of the batch; the parts are added up."""
        return 0.0

    def compute_mask(self, x, mask=None):
        """The mask that comes with the output; by default that of the input, where the layer `supports_masking`."""
        masks = [m for m in flatten(mask) if m is not None]
        return masks[0] if masks and self.supports_masking else None

    def output_masks(self, x, mask, cache):
        """The masks of the outputs, as a list; `cache` is what forward returned."""
        return [self.compute_mask(x, mask)]

    def output_masked(self, masked):
        """Whether the output comes with a mask, given which inputs do (a structure of bools like the inputs)."""
        return self.supports_masking and any(flatten(masked))

    def random_streams(self):
        """The `RandomStream`s that this layer draws from, by name; what a resumed fit must continue."""
        return {}

    @property
    def adds_loss(self):
        """Whether `added_loss` says anything."""
        return type(self).added_loss is not Layer.added_loss

    @property
    def takes_mask(self):
        """Whether forward can be given a mask."""
        return "mask" in inspect.signature(type(self).forward).parameters

    def without_last_activation(self):
        """``(layer, activation)``: this layer without the activation that it ends in, sharing its weights.

        None where it ends in no activation. Losses use it to go back from probabilities to logits.
        """
        return None

    # ---- calling ----

    def __call__(self, inputs, training=None, mask=None, **options):
        """On KerasTensors: record the layer in a graph. On arrays: build if need be, compute, and return the output.

        `options`: what else forward takes, such as ``use_causal_mask=True``; compute_output_shape is told of it, too.
        """
        inputs = as_lists(inputs)
        self._check_options(options)
        if current_trace.get() is not None or is_symbolic(inputs):
            return self._connect(inputs, training, options, mask)
        x = map_structure(self._as_input, inputs)
        shape = map_structure(np.shape, x)
        self.ensure_built(shape)
        promised = self.compute_output_shape(shape, **options)
        if mask is not None and self.takes_mask:
            options["mask"] = map_structure(lambda m: None if m is None else np.asarray(m), mask)
        training = None if training is None else bool(training)  # None: the layer knows what is meant by it
        y, cache = self.checked_pair(self.forward(x, training=training, **options))
        self.check_promised(flatten(y), flatten_shapes(promised))
        if self.stateful:
            self.remember(cache)
        vars(self)["_losses"] = self.loss_values(cache) + [value for value, _ in self.activity_penalties(y)]
        return map_structure(as_array, y)

    def activity_penalties(self, y):
        """``(value, dy)`` of the regularizer of the output, for each array of y: this part of the batch's share."""
        regularizer, found = self.activity_regularizer, []
        for a in flatten(y) if regularizer is not None else ():
            value, gradient = value_and_gradient(regularizer, a)
            rows = rows_of_batch(len(a)) if a.ndim else 1
            found.append((value / rows, gradient / gradient.dtype.type(rows)))
        return found

    def _check_options(self, options):
        for name in options:
            if name not in inspect.signature(self.forward).parameters:
                raise self.error(f"cannot be called with {name!r}, which its forward does not take", TypeError)

    def _connect(self, inputs, training, options, mask=None):
        inputs = map_structure(self._as_tensor, inputs)
        if mask is not None:
            masks = iter(flatten(mask))
            inputs = map_structure(lambda t: t if (m := next(masks, None)) is None else with_mask(t, m), inputs)
        shape = map_structure(lambda tensor: tensor.shape, inputs)
        self.ensure_built(shape)
        outputs = record_layer(self, inputs, self.compute_output_shape(shape, **options), training, options)
        if current_trace.get() is None:
            self.inbound_nodes.append(flatten(outputs)[0].node)
        return outputs

    def _as_tensor(self, value):
        """The symbolic tensor that `value` is, or stands for; within `call` also arrays are."""
        if stands_for_an_array(value):
            return value.as_tensor()
        if current_trace.get() is None:
            raise self.error(f"called on a mixture of symbolic tensors and values ({type(value).__name__})", TypeError)
        return current_trace.get().constant(self._as_input(value))

    def call_arguments(self, inputs):
        """``(args, kwargs)`` of the call ``layer(*args, **kwargs)`` that gives forward these `inputs`."""
        return [inputs], {}

    def check_promised(self, ys, shapes):
        """Raise ValueError if forward returned arrays `ys` of other shapes than compute_output_shape promised."""
        if len(ys) != len(shapes):
            raise self.error(f"forward returned {len(ys)} outputs, compute_output_shape promised {len(shapes)}")
        for y, promised in zip(ys, shapes):
            shape = np.shape(y)
            known = zip(shape[1:], promised[1:])
            if len(shape) != len(promised) or any(want not in (None, have) for have, want in known):
                raise self.error(
                    f"forward returned an output of shape {shape}, compute_output_shape promised {promised}"
                )

    def checked_pair(self, result):
        """What forward returned, if it is a pair; a layer of one's own may forget the cache."""
        if type(result) is not tuple or len(result) != 2:
            raise self.error(f"forward must return (y, cache), it returned {type(result).__name__}", TypeError)
        return result

    @property
    def input(self):
        """The symbolic input of the layer's first use in a graph."""
        return self._first_node().inputs

    @property
    def output(self):
        """The symbolic output of the layer's first use in a graph: ``Model(model.inputs, layer.output)`` ends there."""
        return self._first_node().outputs

    def _first_node(self):
        if not self.inbound_nodes:
            raise self.error("has no symbolic input and output: it stands in no graph")
        return self.inbound_nodes[0]

    def _as_input(self, value):
        x = np.asarray(value)
        if x.dtype.kind in "USO" and self.takes_strings:
            return x
        if x.dtype.kind not in "fiub":
            raise self.error(f"expected numbers, got an array of dtype {x.dtype}", TypeError)
        return self.accept(x) if x.dtype.kind != "f" else x.astype(self.dtype, copy=False)

    def accept(self, x):
        """`x` as forward takes it: integers become floating point numbers, unless the layer wants them as they are."""
        return x if x.dtype.kind == "f" or self.keeps_integers else x.astype(self.dtype)

    def output_dtype(self, inputs):
        """The dtype, as a string, of the output for these symbolic inputs."""
        dtype = flatten(inputs)[0].dtype
        return dtype if self.keeps_integers and not dtype.startswith("float") else self.dtype

    def ensure_built(self, input_shape):
        """Build for `input_shape` unless that has been done; the parameters of a layer are made once."""
        if not self.built:
            with outside_of_traces():
                self.build(input_shape)
            self.built = True

    # ---- configuration ----

    def get_config(self):
        """The constructor's arguments as JSON-able values: `from_config` makes the same layer, with new parameters."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        config = {**config, **recorded_config(self), **config}
        if config.get("activity_regularizer", ...) is None:  # Keras names it only where there is one
            del config["activity_regularizer"]
        return config

    @classmethod
    def from_config(cls, config):
        """The layer that `get_config` described."""
        own = ("name", "trainable", "dtype")  # a constructor need not take these
        set_later = {key: config[key] for key in own if key in config and key not in constructor_arguments(cls)}
        layer = from_recorded(cls, {key: value for key, value in config.items() if key not in set_later})
        for key, value in set_later.items():
            setattr(layer, key, value)
        return layer

    def __getstate__(self):
        return dict(vars(self))

    def __dir__(self):
        return listed(super().__dir__())

    def __repr__(self):
        """The name and those arguments that are not the defaults."""
        arguments, shown = recorded_arguments(self), [f"name={self.name!r}"]
        for parameter in inspect.signature(type(self).__init__).parameters.values():
            value, default = arguments.get(parameter.name, parameter.default), parameter.default
            if isinstance(value, activations.Activation):
                value, default = value.name, default or "linear"
            elif isinstance(value, initializers.Initializer):
                default = initializers.get(default)
            elif parameter.name == "dtype":
                default = config.floatx()
            elif parameter.name == "data_format":
                default = "channels_last"
            if parameter.name != "name" and repr(value) != repr(default):
                shown.append(f"{parameter.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


def with_activation(layer, activation):
    """A layer that shares everything with `layer` but its activation."""
    twin = copy.copy(layer)
    twin.activation = activation
    return twin

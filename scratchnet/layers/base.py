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

A layer whose backward is, by definition, not the gradient of its forward, because it takes something for a constant
that depends on x, says in `held_constant` what that is, and in `forward_holding` what backward is the gradient of.

Two things depend on more than x: what is random, and what looks across the samples of the batch. Both ask
`scratchnet.parallel.batch`.

Writing a layer of your own: store the arguments in `__init__`, make parameters in `build` with `add_weight`, say in
`compute_output_shape` what comes out, and write `forward` and `backward`. `scratchnet.gradient_check` proves the rest.
Or write `call`, as in Keras, with operations of `scratchnet.ops`: see `scratchnet.layers.traced`.
"""

import copy
import functools
import inspect
from typing import Any

import scratchnet.graph.activation  # noqa: F401 (by it `activations.get` takes functions of your own)
import scratchnet.graph.loops  # noqa: F401 (by it loops of `ops` whose length is not known are traced)
from scratchnet import activations, config, initializers, regularizers
from scratchnet.layers.calling import Calling
from scratchnet.layers.completion import listed
from scratchnet.layers.shapes import Shapes
from scratchnet.layers.traced import Traced
from scratchnet.layers.weights import Weights
from scratchnet.names import arguments_of, check_name, snake_case, unique_name
from scratchnet.recorded import (
    Recorded,
    constructor_arguments,
    from_recorded,
    recorded_arguments,
    recorded_config,
    refuse_arguments,
)
from scratchnet.structure import flatten, flatten_shapes
from scratchnet.variables import Variable


class LayerType(Recorded):
    """The metaclass of layers: `build` says that it has been called, `compute_mask` that there are masks."""

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace, **kwargs)
        if "build" in namespace:
            cls.build = _marking_as_built(cls.build)
        if "compute_mask" in namespace and "call" in namespace:
            cls.makes_masks = True
            if "supports_masking" not in namespace:
                cls.supports_masking = True  # as in Keras


def _marking_as_built(build):
    @functools.wraps(build)
    def wrapped(self, *args, **kwargs):
        result = build(self, *args, **kwargs)
        self.built = True
        return result

    return wrapped


class Layer(Calling, Shapes, Weights, metaclass=LayerType, kind="layers"):
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
    held_constant = ""  # what backward takes for a constant though it depends on x; nearly every layer: nothing
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
        if not isinstance(trainable, bool):
            raise self.error(f"trainable must be True or False, got {trainable!r}")
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
            if name in vars(cls) and last not in arguments_of(vars(cls)[name]):
                parameters = inspect.signature(vars(cls)[name]).parameters
                if not any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
                    found = f"{name}({', '.join(parameters)})"
                    raise TypeError(f"{cls.__name__}.{name} must have the form {form}, it is {found}")

    def __setattr__(self, name, value):
        if name in ("activation", "recurrent_activation") and not isinstance(value, activations.Activation):
            before = vars(self).get(name)
            if value is None or isinstance(value, str) or isinstance(before, activations.Activation):
                value = activations.get(value)
        elif isinstance(value, Variable) and "_params" in vars(self):
            value = self.adopt(value, name)
        super().__setattr__(name, value)

    # ---- what a layer defines ----

    is_traced = False  # whether forward and backward come from a trace of `call`
    base_for_call = Traced
    own_attributes = (
        *("name", "dtype", "built", "trainable", "_trainable", "_frozen", "batch_input_shape", "inbound_nodes"),
        *("_params", "_state", "_regularizers", "_constraints"),
    )

    supports_masking = False  # whether a mask goes on to the layer behind
    only_rearranges = False  # whether its output has the values of its only input, in their order, in another shape
    repeats = False  # whether its output is one time step, repeated
    takes_repeat = False  # whether forward can be given that one step and a number, ``repeat=T``
    input_spec = None  # an `InputSpec`, or several in a list: what it can be called on
    in_one_part = False  # whether a batch cannot be computed in parts, since samples meet without `sum_over_batch`
    stateful = False  # whether each batch begins where the one before ended, in predictions, too
    takes_strings = False  # whether it can be called on arrays of strings
    keeps_integers = False  # whether integers (tokens, labels) reach forward as they are, not as floating point numbers

    def build(self, input_shape: Any) -> None:
        """Create the parameters for inputs of `input_shape` (batch axis first), and set `built`."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of forward's output for `input_shape`, both with the batch axis; raises ValueError if it cannot be.

        By default that of the only input, unchanged.
        """
        self.check_shape(input_shape, "*")
        return input_shape

    def forward(self, x: Any, training: bool = False) -> Any:
        """Return ``(y, cache)``. A layer that heeds masks also takes ``mask=None``."""
        raise NotImplementedError(f"{type(self).__name__} has no forward, and no call")

    def backward(self, dy: Any, cache: Any, needs_dx: bool = True) -> Any:
        """Return ``(dx, grads)`` for the upstream gradient `dy`, of y's shape."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    def remember(self, cache: Any) -> None:
        """Move `state` on, after a step of training in which `cache` came out of forward."""

    def added_loss(self, cache: Any) -> float:
        """What this use of the layer adds to the loss: the share of this part of the batch; the parts are added up."""
        return 0.0

    def forward_holding(self, x: Any, cache: Any, training: bool = False) -> Any:
        """y with what is `held_constant` as it was in the forward pass that `cache` is from."""
        raise NotImplementedError(f"{type(self).__name__} says what is held_constant, and has no forward_holding")

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

    @property
    def dtype_policy(self):
        """The `scratchnet.config.DTypePolicy` of `dtype`; setting it sets that, before there are weights."""
        return config.DTypePolicy(self.dtype if self.dtype in ("float32", "float64") else None)

    @dtype_policy.setter
    def dtype_policy(self, value):
        if self._params or self._state:
            raise self.error("has weights already, whose dtype does not change: say dtype=... when it is made")
        self.dtype = config.check_float_dtype(getattr(value, "name", value))

    @property
    def compute_dtype(self):
        """The dtype, as a string, that the layer computes in, and that its weights have."""
        return self.dtype

    variable_dtype = compute_dtype

    @property
    def input_dtype(self):
        """The dtype, as a string, that floats among the inputs are brought into."""
        return self.compute_dtype

    def looks_across(self, input_shape):
        """Whether samples of a batch of this shape (or list of shapes) meet in forward, which so takes all of it."""
        function = vars(self).get("activation")
        if getattr(function, "is_by_row", True):
            return self.in_one_part
        axis, ndim = function.complete.get("axis", -1), len(flatten_shapes(input_shape)[0])
        return self.in_one_part or any(k % ndim == 0 for k in (axis if isinstance(axis, tuple) else [axis]))

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
        return _takes_mask(type(self).forward)

    def without_last_activation(self):
        """``(layer, activation)``: this layer without the activation that it ends in, sharing its weights.

        None where it ends in no activation. Losses use it to go back from probabilities to logits.
        """
        return None

    # ---- configuration ----

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON-able values: `from_config` makes the same layer, with new parameters."""
        return self.config_with()

    def config_with(self, **instead):
        """`get_config` with other values for some of the arguments, such as what `adapt` has found since."""
        config = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        try:
            config = {**config, **recorded_config(self, **instead), **config}
        except TypeError as problem:  # a lambda, an open file
            raise self.error(str(problem), TypeError) from None
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
        weights = [name for name in self.__dict__.get("_params", ()) if name.isidentifier()]
        return listed([*super().__dir__(), *weights])

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
                default = config.image_data_format()
            if parameter.name != "name" and repr(value) != repr(default):
                shown.append(f"{parameter.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


@functools.lru_cache(maxsize=1024)
def _takes_mask(forward):
    return "mask" in inspect.signature(forward).parameters


def with_activation(layer, activation):
    """A layer that shares everything with `layer` but its activation."""
    twin = copy.copy(layer)
    twin.activation = activation
    return twin

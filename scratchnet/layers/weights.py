"""The weights of a layer: named arrays, which of them are trained, and what keeps them in bounds."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from scratchnet import constraints, initializers, limits, regularizers
from scratchnet.graph.attributes import metrics_in
from scratchnet.graph.function import value_and_gradient
from scratchnet.graph.variable import Variable
from scratchnet.hints import ConstraintLike, RegularizerLike
from scratchnet.ops.operation import current_trace

Method = TypeVar("Method", bound=Callable[..., Any])
_LEFT_OUT_BY = {"bias": "use_bias", "gamma": "scale", "beta": "center"}  # None in a layer that is made without


def _name_may_come_first(add_weight: Method) -> Method:
    """`add_weight` as older programs call it: ``add_weight("kernel", shape, initializer="zeros")``."""

    @functools.wraps(add_weight)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            kwargs["name"], *args = args
        return add_weight(self, *args, **kwargs)

    return called  # type: ignore[return-value]


class Weights:
    """The part of a layer that has weights of its own; `scratchnet.layers.sublayers` has those of layers within."""

    def _make_room_for_weights(self):
        self._params = {}  # arrays that are trained
        self._state = {}  # arrays that training changes without a gradient
        self._regularizers = {}  # of some of the parameters, by name
        self._constraints = {}
        self._handles = {}  # name -> the one `Variable` of that name, so that programs can compare them with `is`

    def _handle(self, key):
        return self._handles.setdefault(key, Variable(self, key))

    @_name_may_come_first
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: RegularizerLike = None,
        constraint: ConstraintLike = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: Any = None,
    ) -> Variable:
        """Create a weight and return its `Variable`; weights are listed in the order of creation.

        Args:
            shape: its shape; () by default.
            initializer: a name or an Initializer; by default Glorot's uniform, and zeros for integers.
            dtype: by default the layer's.
            trainable: False makes it part of `state`, which no optimizer changes.
            regularizer, constraint: of this weight.
            name: its key in `params` or `state`.
            autocast, aggregation, overwrite_with_gradient: taken, since they change no result.

        ``add_weight("kernel", shape, initializer)`` says the same as ``add_weight(shape, initializer, name="kernel")``.
        """
        if current_trace.get() is not None:
            raise self.error("add_weight inside call: parameters are made in __init__ or build, once", TypeError)
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        dtype = self.dtype if dtype is None else np.dtype(dtype).name
        if initializer is None:
            initializer = "glorot_uniform" if dtype.startswith("float") else "zeros"
        limits.spend(shape)
        initializer = initializers.get(initializer)
        if name is None:
            taken = len(self._params) + len(self._state)
            name = "variable" if taken == 0 else f"variable_{taken}"
        if name in self._params or name in self._state:
            raise self.error(f"already has a weight named {name!r}")
        (self._params if trainable else self._state)[name] = np.array(initializer(shape, dtype=dtype), order="C")
        if regularizer is not None:
            self._regularizers[name] = regularizers.get(regularizer)
        if constraint is not None:
            self._constraints[name] = constraints.get(constraint)
        return self._handle(name)

    def adopt(self, variable, name):
        """The handle of a `scratchnet.Variable` that becomes the attribute `name`: it is a weight of the layer then."""
        key = name if variable.name == "variable" else variable.name
        trained = variable.trainable and variable.value.dtype.kind == "f"
        self._params.pop(key, None), self._state.pop(key, None)  # it may take the place of another
        (self._params if trained else self._state)[key] = variable.value
        return self._handle(key)

    def add_variable(
        self,
        shape,
        initializer,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        name=None,
    ):
        """`add_weight`, whose arguments it has in another order."""
        return self.add_weight(
            shape, initializer, dtype, trainable, regularizer=regularizer, constraint=constraint, name=name
        )

    _trainable = True

    @property
    def trainable(self):
        """Whether an optimizer may change the parameters."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        self._trainable = bool(value)
        vars(self).pop("_frozen", None)  # as in Keras, it is set for every weight

    _frozen = frozenset()  # the names of the parameters that are not trained, though the layer may be

    def freeze_weight(self, key, frozen):
        """What ``layer.kernel.trainable = not frozen`` does."""
        if key in self._params:
            vars(self)["_frozen"] = self._frozen | {key} if frozen else self._frozen - {key}
        elif not (frozen and key in self._state):
            raise self.error(
                f"the weight {key!r} was made with trainable=False, and is none that an optimizer changes: make it "
                "with trainable=True, and set its `trainable` to False for as long as it shall stay as it is"
            )

    @property
    def _own_trainable_params(self):
        if not self._frozen:
            return self._params
        return {name: w for name, w in self._params.items() if name not in self._frozen}

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters: a dict from name to array. Optimizers change the arrays in place."""
        return self._params

    @property
    def state(self) -> dict[str, np.ndarray]:
        """Arrays that training changes without a gradient: a dict from name to array."""
        return self._state

    @property
    def trainable_params(self) -> dict[str, np.ndarray]:
        """Those of `params` that an optimizer may change."""
        return self._own_trainable_params if self.trainable else {}

    def save_own_variables(self, store: Any) -> None:
        """Put what a file of Keras keeps of this layer's weights (not of layers within) into `store`, a dict of arrays.

        By default they are numbered, "0", "1", ...; a class of your own may keep something else, or more.
        """
        store.update((str(k), array) for k, array in enumerate({**self._params, **self._state}.values()))

    def load_own_variables(self, store: Any) -> None:
        """Take the weights back from what `save_own_variables` has kept. ValueError if there are more or fewer."""
        own = {**self._params, **self._state}
        if len(store) != len(own):
            raise self.error(f"has {len(own)} weights ({', '.join(own)}), the file {len(store)} ({', '.join(store)})")
        for k, array in enumerate(own.values()):
            array[...] = store[str(k)]

    def trained(self, grads):
        """Those of `grads` whose parameters are trained; what a derived class has besides is none of its base's."""
        return {name: grads[name] for name in self.trainable_params if name in grads}

    @property
    def has_trainable_params(self):
        """Whether `trainable_params` has any."""
        return self.trainable and bool(self._own_trainable_params)

    def named_arrays(self):
        """`params` and `state` in one dict, in Keras's order of weights; saving and loading go by it."""
        return {**self.params, **self.state}

    @property
    def constraints(self):
        """What a parameter has to obey after each step: a dict from name to constraint."""
        return self._own_constraints if self.trainable else {}

    @property
    def _own_constraints(self):
        if not self._frozen:
            return self._constraints
        return {name: constraint for name, constraint in self._constraints.items() if name not in self._frozen}

    def penalty(self) -> tuple[float, dict[str, np.ndarray]]:
        """``(value, grads)`` of the regularizers; grads has a key for each parameter that is regularized."""
        value, grads = 0.0, {}
        for name, regularizer in self._regularizers.items():
            if name in self.trainable_params:
                w_value, grads[name] = value_and_gradient(regularizer, self.params[name])
                value += w_value
        return value, grads

    def penalties(self):
        """The values of the regularizers, one by one."""
        trainable = self.trainable_params
        own = [(r, trainable[name]) for name, r in self._regularizers.items() if name in trainable]
        return [value_and_gradient(regularizer, w)[0] for regularizer, w in own]

    @property
    def weights(self) -> list[Variable]:
        """All weights as a list of `Variable`s, in Keras's order."""
        return [self._handle(key) for key in self.named_arrays()]

    variables = weights

    @property
    def trainable_weights(self) -> list[Variable]:
        return [self._handle(key) for key in self.trainable_params]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        trainable = self.trainable_params
        return [self._handle(key) for key in self.named_arrays() if key not in trainable]

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def metrics(self):
        """The metrics that are attributes of the layer, and of layers within."""
        return metrics_in(self)

    @property
    def metrics_variables(self):
        """The variables of the `metrics`."""
        return [variable for metric in self.metrics for variable in metric.variables]

    if not TYPE_CHECKING:  # a type checker should find a name that is misspelt

        def __getattr__(self, name):
            """``layer.kernel``: the weight of that name, after whatever else the layer has."""
            if not name.startswith("_") and {"_params", "_state"} <= self.__dict__.keys():
                if name in self._params or name in self._state:
                    return self._handle(name)
                if vars(self).get(_LEFT_OUT_BY.get(name)) is False:
                    return None
            found = getattr(type(self), name, None)
            if isinstance(found, property):  # whose own AttributeError has brought us here, and says more
                return found.fget(self)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in Keras's order."""
        if current_trace.get() is not None:
            raise self.error(
                "get_weights inside call: that would make the parameters constants without a gradient; use them "
                "themselves (self.kernel)",
                TypeError,
            )
        return [w.copy() for w in self.named_arrays().values()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Copy `weights`, a list as of `get_weights`, into the layer. Nothing changes if one does not fit."""
        weights = [np.asarray(w) for w in weights]
        own = self.named_arrays()
        if len(weights) != len(own):
            raise self.error(f"expected {len(own)} weights ({', '.join(own)}), got {len(weights)}")
        for (name, array), w in zip(own.items(), weights):
            if w.shape != array.shape:
                raise self.error(f"weight {name!r} has shape {array.shape}, got {w.shape}")
            if w.dtype.kind not in "fiub":
                raise self.error(f"weight {name!r} must be numbers, got dtype {w.dtype}", TypeError)
        for array, w in zip(own.values(), weights):
            array[...] = w

    def count_params(self) -> int:
        """The number of scalars in all weights."""
        if not self.built:
            raise self.error("has no parameters before it is built: call it on data, or build(input_shape), first")
        return sum(w.size for w in self.named_arrays().values())

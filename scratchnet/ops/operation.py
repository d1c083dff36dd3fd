"""What an operation is: a function of arrays with the derivative of each argument beside it.

    multiply = operation(lambda x1, x2: x1 * x2, "multiply", x1=lambda dz, x2: dz * x2, x2=lambda dz, x1: dz * x1)
    exp      = operation(lambda x: np.exp(x), "exp", x=lambda dz, z: dz * z)

    z, kept  = exp.forward([x], {}, needs=[True])
    [dx]     = exp.backward(dz, kept)

The *names* of a derivative's arguments say what forward keeps for it: an operand (``x1``), the result (``z``), the
shape of an operand (``x_shape``), an option (``axis``). They are read once, when the entry is made. Nothing else is
kept, and nothing at all for an operand that wants no adjoint: the product above keeps x2 only if x1 wants one.

Broadcasting is undone here and nowhere else: where there are several operands, a derivative is written as if all had
the shape of z.

An operation is called as the function of `keras.ops` that has its name. Where an argument is no array but something
with the method ``__scratchnet_operation__(operation, operands, options)``, a symbolic tensor or a parameter, that
method's result is the result. Of shapes nothing is written down: see `trial`.
"""

import functools
import inspect
from typing import NamedTuple

import numpy as np

from scratchnet.kernels.by_channels import sum_over_copies
from scratchnet.names import arguments_of
from scratchnet.ops import dtypes, trial
from scratchnet.variables import StateVariable, as_array, current_trace

TABLE = {}  # every operation by its name


class added_into:
    """A derivative that is *added into* the adjoint of its operand: ``add(dx, dz, ...)`` changes dx.

    Of a slice: an array of zeros for each slice of a tensor would cost as much as the tensor each time.
    """

    def __init__(self, add):
        self.add = add


class Kept(dict):
    """What forward keeps for backward, under the names of the table, for a debugger as well: ``kept.x1``."""

    __slots__ = ()

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self):
        shown = (f"{k}: {v.shape} {v.dtype}" if isinstance(v, np.ndarray) else f"{k}={v!r}" for k, v in self.items())
        return f"Kept({', '.join(shown)})"


class ToKeep(NamedTuple):
    """What forward keeps for operands of some dtypes."""

    always: Kept  # `needs`: whether backward is to return the adjoint of each operand, and can; `dtypes` of these
    shapes: bool  # whether those of the operands: they may be others than those that the derivatives have
    arrays: list  # pairs: what an operand or z is called, and the number of the operand, -1 for z
    others: list  # pairs: what something else is called, and ``f(operands, options)``


class Operation:
    """An entry of the table, made by `operation`.

    Attributes:
        name: by which `get` finds it and files name it.
        operand_names: the arguments that are arrays, in the order of the signature.
        sequence: whether the only operand is a list of arrays, as that of `concatenate`. Then `operands` below is that
            list, and otherwise it has one array for each of `operand_names`.
        reduction: "sum", "mean", "max", ... for an operation that reduces the axes of its option `axis`, else None.
        random: whether it draws random numbers: from its option `seed`, see `scratchnet.ops.random`.
    """

    def __init__(
        self, f, name, derivatives, options=(), dtypes=dtypes.promoted, sequence=False, reduction=None, random=False
    ):
        self.__signature__ = inspect.signature(f)
        parameters = self.__signature__.parameters
        self.name = self.__name__ = self.__qualname__ = name or f.__name__
        self.__doc__ = f.__doc__ or f"``{self.name}({', '.join(parameters)})``: see {f.__module__}."
        self.__module__ = f.__module__
        self.f, self.settle = f, dtypes
        self.sequence, self.reduction, self.random = sequence, reduction, random
        self.parameters = tuple(parameters)
        self.operand_names = tuple(p for p in parameters if p in derivatives)
        self._is_plain = not sequence and self.parameters[: len(self.operand_names)] == self.operand_names
        self._defaults = {p.name: p.default for p in parameters.values() if p.default is not p.empty}
        self._check(derivatives, options)
        self._derivatives = [_Derivative(derivatives[p], self) for p in self.operand_names]

    def _check(self, derivatives, options):
        if self.name in TABLE:
            raise ValueError(f"operation {self.name!r}: there is one of this name already")
        for unknown in set(derivatives) - set(self.parameters):
            raise TypeError(f"operation {self.name!r}: derivative of {unknown!r}, which is no argument")
        for parameter in self.parameters:
            if parameter not in derivatives and parameter not in options and parameter not in self._defaults:
                raise TypeError(
                    f"operation {self.name!r}: {parameter!r} has no derivative; give one, or list it as having none "
                    f"({parameter}=None), or name it among the options if it is no array"
                )

    # ---- as a function ----

    def __call__(self, *args, **kwargs):
        operands, options = self.bind(args, kwargs)
        if not self.sequence:
            operands = [_as_one(a) if isinstance(a, (list, tuple)) else a for a in operands]
        handler = handler_of(operands, options)
        if handler is None and (self.random or any(isinstance(a, StateVariable) for a in operands)):
            handler = current_trace.get()
        if handler is not None:
            return handler.__scratchnet_operation__(self, operands, options)
        return as_array(self.compute(operands, options))

    def bind(self, args, kwargs):
        """``(operands, options)`` of a call: the arrays in the order of `operand_names`, and a dict of all the rest."""
        names = self.parameters
        values = {**self._defaults, **dict(zip(names, args)), **kwargs}
        if len(args) > len(names) or len(values) != len(names) or not kwargs.keys().isdisjoint(names[: len(args)]):
            self._explain(args, kwargs)
        operands = [values.pop(name) for name in self.operand_names]
        return (list(operands[0]) if self.sequence else operands), values

    def _explain(self, args, kwargs):
        """Raise the TypeError that a Python function with this signature would raise."""
        try:
            self.__signature__.bind(*args, **kwargs)
        except TypeError as problem:
            raise TypeError(f"{self.name}: {problem}") from None

    def compute(self, operands, options):
        """z for arrays and numbers. Raises ValueError or TypeError with the operation's name."""
        try:
            return self.value(operands, options)
        except (ValueError, IndexError) as problem:
            raise ValueError(f"{self.name}: {problem} ({trial.describe(operands, options)})") from problem
        except TypeError as problem:
            raise TypeError(f"{self.name}: {problem} ({trial.describe(operands, options)})") from problem

    def value(self, operands, options):
        """z, and nothing kept."""
        return np.asarray(self._apply(self.settle(operands), options))

    def _apply(self, operands, options):
        if self.sequence:
            return self.f(operands, **options)
        if self._is_plain:
            return self.f(*operands, **options)
        return self.f(**dict(zip(self.operand_names, operands)), **options)

    # ---- forward and backward ----

    def forward(self, operands, options, needs):
        """``(z, kept)``; `needs` says for each operand whether backward is to return its adjoint."""
        return self.forward_settled(self.settle(operands), options, self.to_keep(operands, needs))

    def to_keep(self, operands, needs):
        """What forward has to keep, a `ToKeep`; it is the same for all operands of these dtypes."""
        needs, dtypes, arrays, others = list(needs), [None] * len(operands), {}, {}
        for k, (a, need) in enumerate(zip(operands, needs)):
            derivative = self._derivatives[0 if self.sequence else k]
            needs[k] = need and derivative.exists and is_float(a)
            if needs[k]:
                dtypes[k] = a.dtype
                arrays.update(derivative.arrays)
                others.update(derivative.others)
        shapes = any(needs) and (len(operands) > 1 or self.adds_into(0))
        return ToKeep(Kept(needs=needs, dtypes=dtypes), shapes, list(arrays.items()), list(others.items()))

    def forward_settled(self, operands, options, to_keep):
        """`forward` for operands in the dtypes that are computed in."""
        z = self.f(*operands, **options) if self._is_plain else self._apply(operands, options)
        if type(z) is not np.ndarray:
            z = np.asarray(z)
        always, shapes, arrays, others = to_keep
        kept = Kept(always)
        if shapes:
            kept["shapes"] = [a.shape for a in operands]
        for name, k in arrays:
            kept[name] = z if k < 0 else operands[k]
        for name, source in others:
            kept[name] = source(operands, options)
        return z, kept

    def backward(self, dz, kept):
        """The adjoints of the operands, None for those that need none. They may be views, also of dz."""
        if self.sequence:
            derivative, needs = self._derivatives[0], kept.needs
            found = derivative.function(dz, *map(kept.__getitem__, derivative.names)) if True in needs else needs
            return [_in_form(d, k, kept) if need else None for k, (d, need) in enumerate(zip(found, needs))]
        return [self.adjoint(k, dz, kept) if need else None for k, need in enumerate(kept.needs)]

    def adjoint(self, k, dz, kept):
        """That of operand k, where `kept.needs[k]`; not of a sequence."""
        derivative = self._derivatives[k]
        if derivative.adds:
            d = np.zeros(kept["shapes"][k], kept["dtypes"][k])
            derivative.function(d, dz, *map(kept.__getitem__, derivative.names))
            return d
        return _in_form(derivative.function(dz, *map(kept.__getitem__, derivative.names)), k, kept)

    def derivative_of(self, k):
        """``(function, names)``: what operand k's adjoint is computed by, of dz and of what has these names."""
        derivative = self._derivatives[k]
        return derivative.function, derivative.names

    def of_operands(self, options):
        """z as a function of the operands, one by one."""
        if self._is_plain:
            return functools.partial(self.f, **options) if options else self.f
        return lambda *operands: self._apply(operands, options)

    def differentiable(self, k):
        """Whether operand k has a derivative at all."""
        return self._derivatives[0 if self.sequence else k].exists

    def adds_into(self, k):
        """Whether operand k's adjoint is better added into what is there: see `add_adjoint`."""
        return not self.sequence and self._derivatives[k].adds

    def add_adjoint(self, k, dx, dz, kept):
        """``dx += `` the adjoint of operand k, in place, without an array of zeros; only where `adds_into(k)`."""
        derivative = self._derivatives[k]
        derivative.function(dx, dz, *map(kept.__getitem__, derivative.names))

    # ---- what is known without values ----

    def output_spec(self, operands, options):
        """The `trial.Spec` (shape with None, dtype) of z; operands are arrays or have shape and dtype.

        Raises ValueError where the shapes do not fit.
        """
        return trial.output_spec(self, operands, options)

    def rowwise(self, operands, options, rows=None):
        """How many rows of z stand for a sample of the batch, if each depends on that sample alone; else 0.

        `rows`: how many rows of each operand stand for a sample, 0 for one that is not of the batch; by default 1 for
        those whose first axis is None.
        """
        return trial.rowwise(self, operands, options, rows)

    def reduces_axis(self, axis, operands, options):
        """Whether this is a reduction that `axis` (0 or more) of its operand does not survive."""
        if self.reduction is None:
            return False
        ndim, axes = len(operands[0].shape), options["axis"]
        axes = range(ndim) if axes is None else axes if isinstance(axes, (tuple, list)) else (axes,)
        return axis in [a % max(ndim, 1) for a in axes]

    def __repr__(self):
        return f"<operation {self.name}>"

    def __reduce__(self):
        return get, (self.name,)

    def __deepcopy__(self, memo):
        return self


class _Derivative:
    """A derivative of the table and what it is computed from.

    Attributes:
        function: of dz, or dx and dz, and then of what `names` say.
        exists: whether there is one.
        adds: whether it is `added_into` dx.
        names: those of its further arguments.
        arrays, others: where these come from, see `ToKeep`.
    """

    def __init__(self, function, operation):
        self.exists, self.adds = function is not None, isinstance(function, added_into)
        self.function = function.add if self.adds else function
        given = 2 if self.adds else 1  # dz, or dx and dz
        self.names = arguments_of(self.function)[given:] if self.exists else ()
        self.arrays, self.others = [], []
        for name in self.names:
            if name == "z":
                self.arrays.append((name, -1))
            elif name in operation.operand_names and not operation.sequence:
                self.arrays.append((name, operation.operand_names.index(name)))
            elif name != "needs":
                self.others.append((name, _source(name, operation)))


def _source(name, operation):
    """What the argument `name` of a derivative means, if it is no array: a function of the operands and options."""
    if operation.sequence and name == operation.operand_names[0]:
        return lambda operands, options: operands
    if operation.sequence and name == f"{operation.operand_names[0]}_shapes":
        return lambda operands, options: [a.shape for a in operands]
    for k, operand in enumerate(operation.operand_names):
        if name == f"{operand}_shape":
            return lambda operands, options: operands[k].shape
    if name in operation.parameters:
        return lambda operands, options: options[name]
    raise TypeError(f"operation {operation.name!r}: a derivative asks for {name!r}, which nobody keeps")


def operation(
    f=None,
    name=None,
    *,
    options=(),
    dtypes=dtypes.promoted,
    sequence=False,
    reduction=None,
    random=False,
    **derivatives,
):
    """Enter an operation into the table and return it; without `f`, a decorator that does.

    Args:
        f: ``f(x, ..., option, ...) -> z``, of arrays, with names, order and defaults of `keras.ops`.
        name: by default that of `f`.
        options: the arguments without a default that are no arrays.
        dtypes: what becomes of the operands first; see `scratchnet.ops.dtypes`.
        sequence: whether the one operand is a list of arrays.
        reduction: what it is called, if this is a reduction over `axis`.
        random: whether its option `seed` is what random numbers are drawn from.
        derivatives: for each array argument ``f(dz, ...) -> its adjoint``, `added_into`, or None: it has none.

    Raises TypeError for an argument without derivative that is not listed as having none.
    """
    if f is None:
        return lambda f: operation(
            f,
            name,
            options=options,
            dtypes=dtypes,
            sequence=sequence,
            reduction=reduction,
            random=random,
            **derivatives,
        )
    entry = Operation(f, name, derivatives, options, dtypes, sequence, reduction, random)
    TABLE[entry.name] = entry
    return entry


def get(name):
    """The operation of this name. Raises ValueError if there is none."""
    try:
        return TABLE[name]
    except KeyError:
        raise ValueError(f"unknown operation {name!r}") from None


def _in_form(d, k, kept):
    """The adjoint d of operand k in the shape and dtype of the operand."""
    if "shapes" in kept and d.shape != kept["shapes"][k]:
        d = unbroadcast(d, kept["shapes"][k])
    dtype = kept["dtypes"][k]
    return d if d.dtype is dtype else d.astype(dtype, copy=False)


def unbroadcast(d, shape):
    """The adjoint of an operand of `shape` that was broadcast to that of d: the sum over all its copies."""
    if d.shape == shape:
        return d
    added = d.ndim - len(shape)
    stretched = tuple(k for k, n in enumerate(d.shape) if k < added or (shape[k - added] == 1 and n != 1))
    return sum_over_copies(d, stretched).reshape(shape)


def is_float(a):
    """Whether an operand can have an adjoint: floats of an array."""
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def is_symbolic(a):
    """Whether operations on `a` are its own business: a symbolic tensor, or a parameter of a layer."""
    return hasattr(type(a), "__scratchnet_operation__")


def _as_one(values):
    """A list of symbolic tensors as one, as a list of numbers is an array."""
    return TABLE["stack"](list(values)) if any(is_symbolic(a) for a in values) else values


def handler_of(operands, options):
    """The first of the arguments that is symbolic, or None; lists, tuples and slices among the options are searched."""
    for a in operands:
        if is_symbolic(a):
            return a
    for value in options.values():
        if (found := _symbolic_within(value)) is not None:
            return found
    return None


def _symbolic_within(value):
    if is_symbolic(value):
        return value
    if isinstance(value, (tuple, list)):
        return handler_of((), dict(enumerate(value)))
    if isinstance(value, slice):
        return handler_of((value.start, value.stop, value.step), {})
    return None


def shape_of(x):
    """The shape of anything as a tuple; None for an axis that a symbolic tensor does not know."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)

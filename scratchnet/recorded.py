"""Classes that remember what they were made with.

`Recorded` is the metaclass of `Layer`, `Loss`, `Metric`, `Optimizer`, ...: whoever derives from these gets `get_config`
and `from_config` for nothing, whatever the attributes are called and whatever the constructor does with its arguments:

    class Scale(Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.f = 2 * factor                     # get_config() says "factor", and not twice as much

It also finds the constructor that forgets ``super().__init__()``, and names it.
"""

import functools
import inspect
from abc import ABCMeta

import numpy as np

from scratchnet import registry


class Recorded(ABCMeta):  # so that ``class Own(Layer, ABC)`` is no conflict of metaclasses
    """The metaclass. ``class Layer(metaclass=Recorded, kind="layers")`` is the base of a kind of the registry."""

    needs_init = False  # whether an instance without `name`, which the base's constructor sets, is an error

    def __new__(mcs, name, bases, namespace, kind=None):
        if "call" in namespace and not namespace.keys() & {"forward", "values"}:
            bases = _with_base_for_call(bases)
        return super().__new__(mcs, name, bases, namespace)

    def __init__(cls, name, bases, namespace, kind=None):
        super().__init__(name, bases, namespace)
        if kind is not None:
            registry.register_base(kind, cls)

    @property
    def __signature__(cls):
        """That of the constructor, for help() and editors; ``*common`` are the base's arguments behind its first."""
        return inspect.Signature(_all_parameters(cls, 0))

    def __call__(cls, *args, **kwargs):
        arguments = _bind(cls, args, kwargs)
        thing = cls.__new__(cls, *args, **kwargs)
        if type(thing) is not cls:  # __new__ chose another class
            return thing
        try:
            thing.__init__(*args, **kwargs)
        except AttributeError as problem:
            _check_initialized(thing, problem)
            raise
        _check_initialized(thing)
        kept = {name for name, value in arguments.items() if _same(getattr(thing, name, _nothing), value)}
        object.__setattr__(thing, "_recorded", (arguments, kept))
        constructed = getattr(cls, "_constructed", None)  # what a base has to do once all constructors are through
        if constructed is not None:
            constructed(thing)
        return thing


def _with_base_for_call(bases):
    """A class that defines `call`, as Keras's do, gets what its base names as `base_for_call` among its bases: that
    traces `call`, and stands before the base whose contract it keeps."""
    mixins = [getattr(base, "base_for_call", None) for base in bases]
    if not any(mixins) or any(issubclass(base, mixin) for base in bases for mixin in mixins if mixin is not None):
        return bases
    place = next(k for k, mixin in enumerate(mixins) if mixin is not None)
    return (*bases[:place], mixins[place], *bases[place:])


_nothing = object()


def _all_parameters(cls, start):
    """The parameters of the first constructor in the order of resolution, from class `start` on."""
    bases = cls.__mro__[start:]
    k = next(k for k, base in enumerate(bases) if "__init__" in vars(base))
    if bases[k] is object:
        return []
    own = list(_parameters(bases[k].__init__).parameters.values())[1:]
    if not any(_is_common(p, bases[k]) for p in own):
        return own
    names = {p.name for p in own if p.kind is not p.VAR_KEYWORD}
    common = [p for p in _all_parameters(cls, start + k + 1) if p.name not in names]
    return [*(p for p in own if p.kind is p.POSITIONAL_OR_KEYWORD), *common]


def _check_initialized(thing, problem=None):
    cls = type(thing)
    if cls.needs_init and "name" not in vars(thing):
        culprit = next(base for base in cls.__mro__ if "__init__" in vars(base)).__name__
        raise TypeError(f"{culprit}.__init__ must call super().__init__() before anything else") from problem


@functools.lru_cache(maxsize=1024)
def _parameters(constructor):
    return inspect.signature(constructor)


def _bind(cls, args, kwargs):
    """All arguments by name, defaults too; lists and dicts are copied, since a constructor may change them."""
    signature = _parameters(cls.__init__)
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError as problem:
        takes = ", ".join(constructor_arguments(cls)) or "no arguments"
        raise TypeError(f"{cls.__name__}: {problem}; it takes {takes}") from None
    bound.apply_defaults()
    arguments = {}
    for (name, value), parameter in zip(list(bound.arguments.items())[1:], list(signature.parameters.values())[1:]):
        if parameter.kind is parameter.VAR_KEYWORD:
            left_out = {key for base in cls.__mro__ for key in vars(base).get("harmless", ())}
            left_out.update(getattr(cls, "unrecorded", ()))
            arguments.update((key, _copy(entry)) for key, entry in value.items() if key not in left_out)
        elif parameter.kind is not parameter.VAR_POSITIONAL or (value and not _is_common(parameter, cls)):
            arguments[name] = _copy(value)
    return arguments


def _copy(value):
    if type(value) is dict:
        return {key: _copy(entry) for key, entry in value.items()}
    return [_copy(entry) for entry in value] if type(value) is list else value


def _same(a, b):
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return isinstance(a, (str, int, float, complex, bytes)) and a == b


def _is_common(parameter, cls):
    """Whether it is the ``*common`` of the library's constructors: arguments of the base, kept as its attributes."""
    return parameter.kind is parameter.VAR_POSITIONAL and parameter.name == "common" and is_library(cls)


def constructor_arguments(cls, start=0):
    """The names that the constructor takes, those that its ``**kwargs`` hands up to its bases included.

    That of the class `start` in the order of resolution: what stands behind it depends on the class where it begins.
    """
    names = {}
    for base in cls.__mro__[start:]:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = list(_parameters(base.__init__).parameters.values())[1:]
        named = [p for p in parameters if p.kind is not p.VAR_KEYWORD and not _is_common(p, base)]
        names.update({p.name: p for p in named if p.name not in names})
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return names


def is_library(cls):
    """Whether the constructor of `cls` is the library's own, which keeps arguments as attributes of the same name."""
    return _is_ours(cls.__init__)


def _is_ours(function):
    return (getattr(function, "__module__", None) or "scratchnet").partition(".")[0] == "scratchnet"


def recorded_arguments(thing):
    """The constructor's arguments by name, as they would be given today to make another such thing.

    Where the attribute of an argument's name is the argument, the attribute counts, so that ``layer.rate = 0.3`` is
    not lost. The library's constructors bring arguments into their final form (``kernel_size=(3, 3)``): there the
    attribute counts always.
    """
    arguments, kept = thing._recorded
    library = is_library(type(thing))
    found = {}
    unrecorded = getattr(type(thing), "unrecorded", ())
    for name in [*constructor_arguments(type(thing)), *arguments] if library else arguments:
        if library and name in unrecorded:
            continue
        if (library or name in kept) and hasattr(thing, name):
            found[name] = getattr(thing, name)
        elif name in arguments:
            found[name] = arguments[name]
    return found


def recorded_config(thing, **instead):
    """`recorded_arguments` as `get_config` returns them: JSON-able, but tuples are tuples, as in Keras.

    What a `get_config` of one's own adds is left to it: ``dict(units=3, **super().get_config())`` must not have the
    units twice.

    `instead`: values to write for some of the arguments.
    """
    library = is_library(type(thing))
    arguments = recorded_arguments(thing)
    arguments.update((name, value) for name, value in instead.items() if name in arguments)
    known = _known_to_the_base(type(thing))
    return {name: _config_value(value, library) for name, value in arguments.items() if known is None or name in known}


def _known_to_the_base(cls):
    """The arguments of the base behind all classes with a `get_config` of their own; None where there are none."""
    mro = cls.__mro__
    own = [k for k, base in enumerate(mro) if "get_config" in vars(base) and not _is_ours(base.get_config)]
    return frozenset(constructor_arguments(cls, own[-1] + 1)) if own else None


def _config_value(value, library):
    if isinstance(value, tuple):
        return tuple(_config_value(entry, library) for entry in value)
    written = registry.serialize(value)
    by_name = library and isinstance(written, dict) and written.get("class_name") == "function"
    return written["config"] if by_name and written["module"].startswith("scratchnet.") else written


def from_recorded(cls, config):
    """The instance that a recorded config describes."""
    config = {name: _revived(value) for name, value in config.items()}
    parameters = list(_parameters(cls.__init__).parameters.values())[1:]
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = [p.name for p in parameters if p.kind is p.VAR_POSITIONAL and p.name in config]
    if not rest and not any(p.kind is p.POSITIONAL_ONLY for p in positional):
        return cls(**config)
    args = [config.pop(p.name) for p in positional if p.name in config]
    return cls(*args, *(config.pop(rest[0]) if rest else ()), **config)


def _revived(value):
    """`value` with all that `serialize` wrote in it built back; the rest is for the constructor to understand."""
    if registry.is_serialized(value):
        return registry.deserialize(value)
    if isinstance(value, dict):
        return {key: _revived(entry) for key, entry in value.items()}
    return type(value)(map(_revived, value)) if isinstance(value, (list, tuple)) else value


def refuse_arguments(thing, given):
    """Raise TypeError for keyword arguments that no constructor took, unless Keras's class has them to no effect.

    A class lists what Keras's has and it has not: ``harmless``, names whose values change no result, and ``absent``,
    a dict from name to the values with which nothing is asked for.
    """
    cls = type(thing)
    for name, value in given.items():
        if any(name in vars(base).get("harmless", ()) for base in cls.__mro__):
            continue
        absent = next((vars(base)["absent"] for base in cls.__mro__ if name in vars(base).get("absent", ())), None)
        if absent is None:
            raise TypeError(
                f"{cls.__name__} has no argument {name!r}: it takes {', '.join(constructor_arguments(cls))}"
            )
        if isinstance(value, np.ndarray) or value not in absent[name]:
            only = " or ".join(repr(allowed) for allowed in absent[name])
            raise TypeError(
                f"{cls.__name__}: Keras's argument {name!r} is not implemented in scratchnet (got {value!r}); only "
                f"{only} is taken. What Keras has and scratchnet has not: docs/keras.md"
            )

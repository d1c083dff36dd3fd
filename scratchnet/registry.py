"""The one way to name, find, write down and build back layers, losses, optimizers, ..., and functions.

    @register("layers", "AvgPool2D")    above a class or function of the library: its kind, and further names
    get("losses", identifier)           a name, a class, what `serialize` gave, or an instance -> the instance
    serialize(thing)                    -> values that JSON can hold
    deserialize(values)                 -> a thing like it, with new parameters

A written thing is a dict in the form of Keras 3,

    {"module": "scratchnet.layers", "class_name": "Dense", "config": {"units": 3, ...}, "registered_name": None}

and Keras's own dicts are read as well. Nothing is imported, and nothing run, because a file names it: what is not the
library's own comes from `custom_objects`, which a context variable hands down to all that is nested, or from
`register_keras_serializable`. How a class's arguments are recorded stands in `scratchnet.recorded`.
"""

import inspect
from contextvars import ContextVar
from types import MappingProxyType

import numpy as np

from scratchnet import lambdas
from scratchnet.missing import closest
from scratchnet.names import snake_case

KINDS = {
    "layers": "layer",
    "losses": "loss",
    "metrics": "metric",
    "optimizers": "optimizer",
    "schedules": "learning rate schedule",
    "initializers": "initializer",
    "regularizers": "regularizer",
    "constraints": "constraint",
    "activations": "activation",
    "callbacks": "callback",
    "random": "random generator",
}

_bases = {}  # kind -> the class that every instance of the kind has for a base
_classes = {kind: {} for kind in KINDS}  # kind -> name -> class
_functions = {kind: {} for kind in KINDS}  # kind -> name -> function, or what is used like one
_homes = {}  # id of a registered class or function -> (kind, its first name)
_left = {kind: [] for kind in KINDS}  # kind -> what imports those that nobody has asked for yet

_own_objects = {}  # registered name -> class or function of somebody's own
_own_names = {}  # and the other way round
_scope = ContextVar("custom_objects", default=MappingProxyType({}))
_met = ContextVar("met", default=None)  # a dict while `clone` serializes


# ---- the library's own ----


def register(kind, *aliases, name=None):
    """A decorator that makes a class or function known under its name, a class in snake case too, and `aliases`."""

    def decorator(thing):
        first = name or thing.__name__
        names = [first, *aliases]
        if isinstance(thing, type):
            names.append(first.lower() if kind == "optimizers" else snake_case(first))
        table = _classes if isinstance(thing, type) else _functions
        table[kind].update(dict.fromkeys(names, thing))
        _homes[id(thing)] = (kind, first)
        return thing

    return decorator


def import_when_missed(kind, load):
    """Call `load`, once, before it is said that a name of `kind` is not known: it imports whatever registers more."""
    _left[kind].append(load)


def _import_all(kind):
    for load in tuple(_left[kind]):
        load()
        if load in _left[kind]:  # only now: another thread that misses a name waits for the same imports
            _left[kind].remove(load)


def register_base(kind, base):
    """Say which class every instance of `kind` has for a base."""
    _bases[kind] = base


def names(kind):
    """All names of a kind, those of classes first."""
    _import_all(kind)
    return list(dict.fromkeys([*_classes[kind], *_functions[kind]]))


def find(kind, name):
    """The class or function of this name, custom objects first, or None. The names of optimizers know no case."""
    own = get_registered_object(name)
    if own is not None:
        return own
    return _library_s(kind, name, (_classes, _functions))


def _library_s(kind, name, tables):
    """The library's own thing of this name in the first of these tables that has one, or None."""
    name = name.lower() if kind == "optimizers" else name
    if not any(name in table[kind] for table in tables):
        _import_all(kind)
    return next((table[kind][name] for table in tables if name in table[kind]), None)


def function(name, *kinds):
    """The function of this name, a custom object first, then of the first of `kinds` that has one, or None."""
    found = (_library_s(kind, name, (_functions,)) for kind in kinds)
    return get_registered_object(name) or next((thing for thing in found if thing is not None), None)


def get(kind, identifier):
    """What a constructor's argument such as ``loss=`` or ``kernel_initializer=`` means.

    Args:
        kind: one of `KINDS`.
        identifier: a name, what `serialize` gave, a class, an instance, a function, or None.

    None and functions are returned as they are: the kind's own package says what they mean.
    Raises ValueError for an unknown name, TypeError for anything that cannot be of this kind.
    """
    found = identifier
    if isinstance(identifier, str):
        found = find(kind, identifier)
        if found is None:
            raise unknown(kind, identifier)
    elif isinstance(identifier, dict):
        found = deserialize(identifier, kind)
    if isinstance(found, type) and issubclass(found, _bases.get(kind, object)):
        found = found()
    base = _bases.get(kind)
    if found is None or base is None or isinstance(found, base):
        return found
    if isinstance(found, type) or isinstance(found, tuple(_bases.values())) or not callable(found):
        article = "an" if base.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{KINDS[kind]} {identifier!r} is neither a name nor {article} {base.__name__}")
    return found


def unknown(kind, name):
    """The ValueError for a name that nobody registered; `kind` may be None."""
    what = KINDS.get(kind, "class or function")
    hint = closest(name, names(kind)) if kind is not None else ""
    return ValueError(
        f"unknown {what} {name!r}{hint}. One of your own is given in custom_objects={{{name!r}: ...}} or registered by "
        "register_keras_serializable; what Keras has and scratchnet has not: docs/keras.md"
    )


# ---- somebody's own ----


class CustomObjectScope:
    """Within ``with CustomObjectScope({"name": class_or_function}):``, the names mean these.

    Scopes can stand in one another; the inner one wins. Raises TypeError for anything but a dict.
    """

    def __init__(self, custom_objects):
        if not isinstance(custom_objects, (dict, type(None))):
            raise TypeError(f"custom_objects must be a dict from name to class or function, got {custom_objects!r}")
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self):
        self._before = _scope.set({**_scope.get(), **self.custom_objects})
        return self

    def __exit__(self, *exception):
        _scope.reset(self._before)


custom_object_scope = CustomObjectScope


def get_custom_objects():
    """The dict of all names that are known everywhere; what is put into it is known at once."""
    return _own_objects


def register_keras_serializable(package="Custom", name=None):
    """A decorator that makes a class or function of your own known everywhere as ``package>name``.

    Raises ValueError for a class without `get_config`.
    """

    def decorator(thing):
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(f"register_keras_serializable: the class {thing.__name__} has no get_config()")
        registered_name = f"{package}>{name or thing.__name__}"
        _own_objects[registered_name] = thing
        _own_names[thing] = registered_name
        return thing

    return decorator


def get_registered_name(obj):
    """The name under which a class or function is written down."""
    return _own_names.get(obj, getattr(obj, "__name__", None))


def get_registered_object(name, custom_objects=None, module_objects=None):
    """The class or function of that name, or None: from the scope, what is registered, or one of the two dicts."""
    for table in (_scope.get(), _own_objects, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


# ---- to JSON ----


def serialize(value):
    """`value` as JSON can hold it, so that `deserialize` gives it back.

    What only stands for something else, an activation for a function of your own, says so by `written_as`.
    A lambda is written as its code, as Keras does it, which is never run here: see `deserialize`.
    Raises TypeError for what cannot be written: an open file, any object without `get_config`.
    """
    value = getattr(value, "written_as", value)
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [serialize(entry) for entry in value]
    if isinstance(value, tuple):  # JSON knows lists only
        return {"class_name": "__tuple__", "items": [serialize(entry) for entry in value]}
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: serialize(entry) for key, entry in value.items()}
        return {"class_name": "__dict__", "items": [[serialize(key), serialize(v)] for key, v in value.items()]}
    if isinstance(value, bytes):
        return {"class_name": "__bytes__", "config": {"value": value.decode()}}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, slice):
        span = {key: serialize(getattr(value, key)) for key in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": span}
    if isinstance(value, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return np.dtype(value).name
    if hasattr(value, "get_config") and not isinstance(value, type) and id(value) not in _homes:
        return _serialize_instance(value)
    return _serialize_function(value)


def _serialize_instance(value):
    cls, config = type(value), value.get_config()
    if not isinstance(config, dict):
        raise TypeError(f"{cls.__name__}.get_config() must return a dict, got {config!r}")
    kind, name = _homes.get(id(cls), (None, cls.__name__))
    if kind is not None:
        config = _with_lists(config)  # the library's constructors take either
    if kind is None:
        meet(name, cls)
    written = {
        "module": cls.__module__ if kind is None else _module(kind),
        "class_name": name,
        "config": {key: serialize(entry) for key, entry in config.items()},
        "registered_name": get_registered_name(cls) if kind is None else None,
    }
    build_config = value.get_build_config() if hasattr(value, "get_build_config") else None
    return written if build_config is None else {**written, "build_config": build_config}


def _serialize_function(value):
    kind, name = _homes.get(id(value), (None, None))
    if kind is None:
        name = get_registered_name(value) if callable(value) else None
    if is_cloning() and kind is None and name is not None:
        name = f"{name} {id(value)}"  # two of one name are two
    if name == "<lambda>" and hasattr(value, "__code__"):
        return lambdas.written(value)
    if name is None or name == "<lambda>":
        raise TypeError(
            f"{value!r} cannot be saved: only numbers, strings, arrays, lists, dicts, functions with a name, and "
            "objects with get_config() can"
        )
    if kind is None:
        meet(name, value)
    return {
        "module": value.__module__ if kind is None else _module(kind),
        "class_name": "type" if isinstance(value, type) else "function",
        "config": name,
        "registered_name": name,
    }


def _module(kind):
    return f"scratchnet.{'optimizers.' if kind == 'schedules' else ''}{kind}"


def _with_lists(value):
    if isinstance(value, dict):
        return {key: _with_lists(entry) for key, entry in value.items()}
    return [_with_lists(entry) for entry in value] if isinstance(value, (list, tuple)) else value


# ---- and back ----


def deserialize(config, kind=None, custom_objects=None):
    """What `serialize`, Keras 3's `serialize_keras_object`, or version 0.1.0 of this library wrote down.

    Args:
        config: the dict, or a list of them; with a `kind` also a name, without one also a dict of them. Anything else
            is returned as it is.
        kind: where a dict without "module" (version 0.1.0) or a name belongs: one of `KINDS`.
        custom_objects: dict from name to class or function, for all that is nested too.

    Raises ValueError for a name that nobody registered, and for a saved lambda, which would have to be run, unless the
    custom objects say what "<lambda>" is.
    """
    with CustomObjectScope(custom_objects):
        return _deserialize(config, kind)


def _deserialize(config, kind=None):
    if isinstance(config, str) and kind is not None:
        return get(kind, config)
    if isinstance(config, (list, tuple)):
        return type(config)(_deserialize(entry, kind) for entry in config)
    if not isinstance(config, dict):
        return config
    name = config.get("class_name")
    if name is None:
        if kind is not None:
            raise ValueError(f"{KINDS[kind]}: expected a dict with 'class_name' and 'config', got {config!r}")
        return {key: _deserialize(entry) for key, entry in config.items()}
    if name in _PLAIN:
        return _PLAIN[name](config)
    inner = config.get("config", {})
    if name in ("function", "type"):
        return _named(config, inner, kind)
    if not isinstance(inner, dict):
        raise ValueError(f"the config of a {name} must be a dict, got {inner!r}")
    found = _named(config, name, kind)
    if not hasattr(found, "from_config"):
        return found(**inner) if isinstance(found, type) else found
    thing = found.from_config(dict(inner))
    if config.get("build_config") and hasattr(thing, "build_from_config"):
        thing.build_from_config(config["build_config"])
    return thing


def clone(thing):
    """A thing like `thing`, with new parameters; classes and functions of your own need not be registered."""
    before = _met.set({})
    try:
        written, own = serialize(thing), _met.get()
    finally:
        _met.reset(before)
    return deserialize(written, custom_objects=own)


def is_cloning():
    """Whether what is written is only read again in this process, so that functions need no name of their own."""
    return _met.get() is not None


def meet(name, thing):
    """Said by whoever is written down by a name that is not the library's."""
    if _met.get() is not None:
        _met.get()[name] = thing


def is_serialized(value):
    """Whether `value` is a dict of `serialize` or Keras 3, which needs no `kind`."""
    return isinstance(value, dict) and "class_name" in value and ("module" in value or value["class_name"] in _PLAIN)


def _named(config, name, kind):
    """The class or function that a written dict means."""
    registered_name = config.get("registered_name") or name
    for own_name in (registered_name, name, str(registered_name).rpartition(">")[2]):
        found = get_registered_object(own_name)
        if found is not None:
            return found
    kinds = _kinds(config, name, kind)
    if len(kinds) > 1:
        raise ValueError(f"{name!r} may be one of {kinds}: the dict needs a 'module', such as 'scratchnet.{kinds[0]}'")
    tables = (_functions, _classes) if config["class_name"] == "function" else (_classes, _functions)
    for table in tables:
        for k in kinds:
            found = _library_s(k, name, (table,))
            if found is not None:
                return found
    of_any_package = [thing for known, thing in _own_objects.items() if known.rpartition(">")[2] == name]
    if len(of_any_package) == 1:  # as Keras 3.6 wrote a registered function: without its package
        return of_any_package[0]
    raise unknown(kinds[0] if kinds else kind, name)


def _kinds(config, name, kind):
    """Of which kinds the library's own thing can be that a written dict means; none if it is not the library's."""
    module = str(config.get("module") or "")
    root, *parts = module.split(".")
    if root not in ("", "scratchnet", "keras", "tensorflow", "builtins"):
        return []
    named = [part for part in parts if part in KINDS]
    if named:
        return named[-1:]  # of "optimizers.schedules" the last
    if module in ("keras", "keras.models") or "keras.src.models" in module:
        return ["layers"]  # a model is one
    if kind is not None:
        return [kind]
    known = {k: names(k) for k in KINDS}  # which imports what is left, functions too
    functions = [k for k in KINDS if name in _functions[k]] if config["class_name"] == "function" else []
    return functions or [k for k in KINDS if name in known[k]]


def _lambda(config):
    found = get_registered_object("<lambda>")
    if found is None:
        raise ValueError(
            "a saved lambda would have to be run to be read; give the function in custom_objects={'<lambda>': ...}"
        )
    return found


_PLAIN = {
    "__tuple__": lambda config: tuple(_deserialize(entry) for entry in config["items"]),
    "__dict__": lambda config: {_deserialize(key): _deserialize(entry) for key, entry in config["items"]},
    "__numpy__": lambda config: np.array(config["config"]["value"], dtype=config["config"]["dtype"]),
    "__tensor__": lambda config: np.array(config["config"]["value"], dtype=config["config"]["dtype"]),
    "__bytes__": lambda config: config["config"]["value"].encode(),
    "__ellipsis__": lambda config: ...,
    "__slice__": lambda config: slice(*(_deserialize(config["config"][key]) for key in ("start", "stop", "step"))),
    "__lambda__": _lambda,
    "DTypePolicy": lambda config: config["config"]["name"],
}

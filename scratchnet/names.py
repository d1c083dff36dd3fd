"""Names of layers, weights and figures: ``dense``, ``dense_1``, ``dense_2``; and those of arguments."""

import inspect
import re

_name_counts = {}


def unique_name(stem):
    """``dense``, ``dense_1``, ``dense_2``, ...: as many names as are asked for, each once."""
    count = _name_counts.get(stem, 0)
    _name_counts[stem] = count + 1
    return stem if count == 0 else f"{stem}_{count}"


def clear_names():
    """Start counting the automatic names from the beginning again (Keras's `clear_session`)."""
    _name_counts.clear()


def snake_case(class_name):
    """``MaxPooling2D`` -> ``max_pooling2d``, ``LSTM`` -> ``lstm``, ``ConvLSTM2D`` -> ``conv_lstm2d``, as in Keras."""
    words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def check_name(owner, name):
    """`name` if it can stand in a key such as "dense/kernel", or a ValueError that names the `owner`."""
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"{owner}: a name must be a non-empty string without '/', got {name!r}")
    return name


def defined_in(namespace):
    """The names that a module, whose ``globals()`` these are, defines and does not only import: for its completion."""
    own = namespace["__name__"]
    return [name for name, value in namespace.items() if name[0] != "_" and getattr(value, "__module__", None) == own]


def arguments_of(function):
    """The names of a function's arguments, in their order, but for ``*args`` and ``**kwargs``.

    Hundreds of functions are asked while the library is imported, and `inspect.signature` takes ten times as long.
    """
    if not inspect.isfunction(function) or vars(function):  # which may say that it stands for another
        parameters = inspect.signature(function).parameters.values()
        return tuple(p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    code = function.__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]

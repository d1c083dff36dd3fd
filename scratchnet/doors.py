"""Packages that import what they offer when somebody asks for it.

    __getattr__ = door(__name__, {"core": ("Dense", "Embedding"), "rnn": ("GRU", "LSTM")}, refusal(__name__))

A program with a few layers need not wait until two hundred are imported. A type checker, which runs nothing, reads the
imports that stand beside it, under ``if TYPE_CHECKING``.
"""

import importlib
import sys


def door(package, parts, refuse):
    """The `__getattr__` of `package`.

    Args:
        parts: dict from the name of a module in the package to the names that are handed on from it. The modules can be
            asked for, too. With a dot in it, it is the whole name of a module elsewhere.
        refuse: the `__getattr__` for all other names, `scratchnet.missing.refusal`.
    """
    homes = {name: part for part, names in parts.items() for name in (part, *names)}

    def __getattr__(name):
        part = homes.get(name)
        if part is None:
            return refuse(name, depth=2)
        module = importlib.import_module(part if "." in part else f"{package}.{part}")
        found = module if name == part else getattr(module, name)
        setattr(sys.modules[package], name, found)  # Python asks once
        return found

    return __getattr__


def opened(package, parts):
    """What imports all `parts` of a package, for a `scratchnet.registry` in which a name is not found."""
    return lambda: [importlib.import_module(f"{package}.{part}") for part in parts]

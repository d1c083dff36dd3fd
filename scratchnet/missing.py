"""What is said where a package of the library is asked for a name that it does not have.

    __getattr__ = refusal(__name__)

Python asks a package's `__getattr__` in three ways. ``layers.GRUU`` and ``hasattr(layers, "GRUU")`` expect an
AttributeError. ``from scratchnet.layers import GRUU`` expects one first, while it looks for a module of that name, and
then replaces a second one by an ImportError of its own, without our sentence; there we raise the ImportError ourselves.
"""

import opcode
import sys

_IMPORT_FROM = opcode.opmap["IMPORT_FROM"]


def refusal(package, reasons=None):
    """The `__getattr__` of `package`: it tells the closest of the public names, or why there is none.

    `reasons`: dict from a name of Keras's to why it is not there.

    A package with a `__getattr__` of its own ends it by ``refuse(name, depth=2)``.
    """

    def __getattr__(name, depth=1):
        if name.startswith("_"):  # Python's own questions, such as __path__ or __wrapped__
            raise AttributeError(f"{package} has no {name!r}")
        reason = (reasons or {}).get(name)
        known = getattr(sys.modules[package], "__all__", ())
        message = f"{package} has no {name!r}{f': {reason}' if reason else closest(name, known)}"
        message += ". What Keras has and scratchnet has not: docs/keras.md"
        if _imports_from(sys._getframe(depth)) and f"{package}.{name}" not in sys.modules:
            raise ImportError(message, name=package)
        raise AttributeError(message)

    return __getattr__


def closest(name, known):
    """``"; closest: GRU, GRUCell"``, or nothing where no known name is like it; capitals do not matter."""
    import difflib  # most programs make no mistakes, and need not wait for it

    spelled = {}
    for candidate in known:
        spelled.setdefault(candidate.lower(), candidate)
    found = difflib.get_close_matches(str(name).lower(), list(spelled), n=3, cutoff=0.6)
    return f"; closest: {', '.join(spelled[key] for key in found)}" if found else ""


def _imports_from(frame):
    """Whether `frame` is at a ``from package import name``."""
    return 0 <= frame.f_lasti < len(frame.f_code.co_code) and frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM

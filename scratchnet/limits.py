"""How many numbers the parameters may have that are made while a file's architecture is being built.

An architecture is a few words, ``{"units": 1000000000}``, and building it takes what the words say. A reader knows how
many numbers the file holds for them, and no honest model needs more.
"""

import contextlib
import contextvars
import math

_left = contextvars.ContextVar("numbers that parameters may still have", default=None)


@contextlib.contextmanager
def at_most(numbers):
    """Within the block, parameters of at most so many numbers in all can be made."""
    token = _left.set([numbers])
    try:
        yield
    finally:
        _left.reset(token)


def spend(shape):
    """Called before a parameter of `shape` is made. Raises ValueError if that is more than the block allows."""
    left = _left.get()
    if left is not None:
        left[0] -= math.prod(shape)
        if left[0] < 0:
            raise ValueError(f"a parameter of shape {tuple(shape)} is more than the file has numbers for")

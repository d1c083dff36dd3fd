"""Ranks that are to compute one batch together must run the same program, on the same model and the same data.

Before they begin they compare what they have, and an error on all of them names whatever differs. Otherwise the sums
would be those of two different models, or a rank would wait for a message that never comes.
"""

import functools
from collections.abc import Callable
from typing import TypeVar

from scratchnet.parallel.ranks import current_ranks

Method = TypeVar("Method", bound=Callable)


def together(method: Method) -> Method:
    """A decorator for a method that all ranks call together; an error on one of them ends the others, too."""

    @functools.wraps(method)
    def call(*args, **kwargs):
        with current_ranks().operation(method.__name__):
            return method(*args, **kwargs)

    return call


def check_agreement(what, facts, ranks=None):
    """Raise ValueError, on all ranks, where the `facts` (a dict of texts and numbers) differ from those of rank 0."""
    everybody = (ranks or current_ranks()).gather(what, facts)
    differing = []
    for key in dict.fromkeys(key for found in everybody for key in found):
        values = [found.get(key) for found in everybody]
        other = next((rank for rank, value in enumerate(values) if value != values[0]), None)
        if other is not None:
            differing.append(f"{key}: {values[0]} on rank 0, {values[other]} on rank {other}")
    if differing:
        raise ValueError(f"{what}: the ranks do not agree: {'; '.join(differing)}")

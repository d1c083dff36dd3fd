"""Starting afresh: seeds, and the counters of automatic names."""

import random as python_random

import numpy as np

from scratchnet import streams as seeds
from scratchnet.names import clear_names


def set_random_seed(seed: int) -> None:
    """Make everything that follows repeatable: parameters, shuffling, Dropout, Python's and NumPy's own generators.

    Raises ValueError unless `seed` is an integer of at least 0 (and below 2**32, which NumPy's old generator needs).
    """
    if isinstance(seed, (int, np.integer)) and seed >= 2**32:
        raise ValueError(f"the seed must be below 2**32, got {seed}")
    seeds.set_seed(seed)
    python_random.seed(int(seed))
    np.random.seed(int(seed))


def clear_session(free_memory=True):
    """Start counting the automatic names of layers and models from the beginning again.

    `free_memory`: taken as Keras's; nothing else is kept that would have to be freed.
    """
    clear_names()

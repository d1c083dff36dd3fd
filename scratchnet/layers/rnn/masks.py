"""Masks of sequences."""

from scratchnet.structure import flatten


def of_steps(mask):
    """The (first) mask as (N, T): of one with further axes, a step counts if anything of it does. None stays None."""
    mask = flatten(mask)[0]
    if mask is None or len(mask.shape) <= 2:
        return mask
    return mask.reshape(*mask.shape[:2], -1).any(axis=-1)

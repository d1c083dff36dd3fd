"""Which batches an epoch goes through, where it does not go through all of them.

With ``steps_per_epoch`` an epoch may be shorter than a pass over the data. Then the next epoch goes on where it
stopped, and the one that reaches the end of the data is what is left. Of 5 batches, 2 to an epoch:

    pass   0 1 | 2 3 | 4   0 1 | ...
    epoch   0     1    2    3

An epoch's place in its pass depends on its number alone, so a fit that goes on after an interruption finds it again.
"""

import sys
import warnings


def place_in_pass(epoch, steps_per_epoch, batches):
    """``(epochs, part)``: how many epochs before `epoch` (from 0) its pass began, and its batches of the pass, a range.

    Args:
        steps_per_epoch: None: the whole pass.
        batches: of a pass; None if nobody knows: then what comes is counted.
    """
    if batches is None:
        return 0, range(steps_per_epoch or sys.maxsize)
    steps = steps_per_epoch or batches
    place = epoch % -(-batches // steps)  # an epoch for each `steps` batches, and one for the rest
    return place, range(place * steps, min((place + 1) * steps, batches))


def warn_of_the_end(what, count, wanted):
    """Say that an epoch is shorter than it was meant to be."""
    if count < wanted:
        warnings.warn(
            f"the {what} data ended after {count} batches of {wanted}; give a generator that goes on for ever, or "
            "fewer steps",
            stacklevel=3,
        )

"""Images with their channels in front, (N, C, H, W), as PyTorch and older programs keep them.

A layer is written for channels last. What has `ChannelsFirstToo` among its bases can be asked for
``data_format="channels_first"`` as well: the axis of the channels goes to the end on the way in and to the front on the
way out, and in between works the layer as it is written, with all that it calls.

    y = first(f(last(x)))                    dx = last^-1(df(first^-1(dy))) = first(df(last(dy)))

To move an axis is a permutation, whose adjoint is the permutation backwards: so backward reads as forward does. Nothing
is copied by it, but compiled kernels copy what is not in order; channels last are quicker here.
"""

import copy
import functools

import numpy as np

from scratchnet.layers.activated import backward_behind, forward_behind
from scratchnet.layers.base import Layer
from scratchnet.names import arguments_of

_WITH_AXES = ("build", "compute_output_shape", "forward", "backward")
_BEHIND = {"forward": forward_behind, "backward": backward_behind}


class ChannelsFirstToo(Layer):
    """Base of layers that keep `data_format`, and are written for channels last.

    `axes` are the letters of the axes of space ("HW"); None: all but those of samples and channels.
    """

    axes = None
    data_format = "channels_last"
    ends_in_activation = False  # whether what comes out is f(z), along whichever axis of it f looks
    activates_rows = False  # whether the layer as it is written applies f to rows: right if f looks along the last axis

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in _WITH_AXES:
            if name in vars(cls):
                setattr(cls, name, _either_way(vars(cls)[name]))

    def error(self, message, kind=ValueError):
        told = f"{message} (shapes are told with the channels last)" if vars(self).get("_is_twin") else message
        return super().error(told, kind)

    def _may_activate_within(self):
        f = self.activation
        if f.is_elementwise or self.data_format == "channels_first":
            return f.is_elementwise
        return f.is_by_row or not self.activates_rows

    def _with_channels_last(self):
        """The same layer, with the same weights, as it is written."""
        twin = copy.copy(self)
        twin.data_format, twin._is_twin = "channels_last", True
        return twin


def _either_way(method):
    """`method`, whose first argument and (first) result are arrays or shapes, for either data format."""
    name, first = method.__name__, arguments_of(method)[1]

    @functools.wraps(method)
    def of_either(self, *args, **kwargs):
        if name in _BEHIND and self.ends_in_activation and not self._may_activate_within():
            return _BEHIND[name](of_either, self, *args, **kwargs)
        if self.data_format == "channels_last":
            return method(self, *args, **kwargs)
        twin, rank = self._with_channels_last(), None if self.axes is None else len(self.axes)
        given, *args = args if args else (kwargs.pop(first),)
        result = method(twin, _each(given, _to_last, rank), *args, **kwargs)
        if name == "build":  # the weights are shared; what else is found out while building is taken over
            found = {key: value for key, value in vars(twin).items() if key not in ("data_format", "_is_twin")}
            return vars(self).update(found)
        if name == "compute_output_shape":
            return _each(result, _to_first, rank)
        moved, rest = result
        return _each(moved, _to_first, rank), rest

    return of_either


def _each(given, move, rank):
    """`move` of an array, of a shape, or of each in a list; None, the adjoint of nothing, stays."""
    if isinstance(given, list) or (isinstance(given, tuple) and any(np.ndim(entry) for entry in given)):
        return [_each(entry, move, rank) for entry in given]
    return None if given is None else move(given, rank)


def _to_last(given, rank):
    """(N, C, S...) -> (N, S..., C), for `rank` axes of space."""
    shape = given if isinstance(given, tuple) else given.shape
    rank = len(shape) - 2 if rank is None else rank
    if len(shape) < rank + 2 or rank < 1:  # not what the layer expects: it says so itself
        return given
    if isinstance(given, tuple):
        return *given[: -rank - 1], *given[-rank:], given[-rank - 1]
    return np.moveaxis(given, -rank - 1, -1)


def _to_first(given, rank):
    """`_to_last` backwards; what has no axes of space (an image's mean) stays."""
    shape = given if isinstance(given, tuple) else given.shape
    rank = len(shape) - 2 if rank is None else rank
    if len(shape) < rank + 2 or rank < 1:
        return given
    if isinstance(given, tuple):
        return *given[: -rank - 1], given[-1], *given[-rank - 1 : -1]
    return np.moveaxis(given, -1, -rank - 1)

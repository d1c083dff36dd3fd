"""Where the channels stand: functions are written for channels last, and take data_format="channels_first" as well."""

import functools
import inspect

from scratchnet import config
from scratchnet.ops.operation import shape_of
from scratchnet.ops.shapes import moveaxis


def either_way(*names, ndim=None, behind=0):
    """A decorator: of arguments with channels first, the channels are moved behind, and those of the result back.

    Args:
        names: the arguments that have channels.
        ndim: how many axes of theirs are neither the batch nor the channels, where the batch may be missing.
        behind: how many axes of the result stand behind its channels; None for a result without channels.
    """
    axis = 1 if ndim is None else -ndim - 1

    def decorate(function):
        signature = inspect.signature(function)

        @functools.wraps(function)
        def of_either(*args, **kwargs):
            arguments = signature.bind(*args, **kwargs).arguments
            data_format = arguments.get("data_format") or config.image_data_format()
            if data_format not in ("channels_last", "channels_first"):
                raise ValueError(
                    f'{function.__name__}: data_format must be "channels_last" or "channels_first", got {data_format!r}'
                )
            arguments["data_format"] = "channels_last"
            if data_format == "channels_last":
                return function(**arguments)
            for name in names:
                if len(shape_of(arguments[name])) > (ndim or 1):  # what has fewer axes is told by the function
                    arguments[name] = moveaxis(arguments[name], axis, -1)
            y = function(**arguments)
            return y if behind is None else moveaxis(y, -1 - behind, axis - behind)

        return of_either

    return decorate

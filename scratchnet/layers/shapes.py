"""The shapes that a layer takes: one letter for each axis, such as "NHWC", and what is said where one does not fit."""

import numpy as np


class Shapes:
    """The part of a layer that checks the shapes of its inputs, and names itself in errors."""

    def unpack(self, x, letters, **expected):
        """The sizes of the axes of `x`, one for each of `letters` (such as "NHWC"): the first line of a forward.

        `expected` fixes some of them, such as ``C=32``. Raises ValueError for another rank or size or an unbuilt layer
        and TypeError for another dtype than the parameters'.
        """
        if not self.built:
            raise self.error("called before it was built: call the layer on data, or build(input_shape), first")
        shape = np.shape(x)
        self.check_shape(shape, letters, **expected)
        parameter = next(iter(self.params.values()), None)
        if parameter is not None and x.dtype != parameter.dtype:
            raise self.error(f"expected {parameter.dtype} like its parameters, got {x.dtype}", TypeError)
        return shape

    def check_shape(self, shape, letters, **expected):
        """Raise ValueError unless `shape` has one axis for each letter and the sizes that `expected` gives.

        A ``*`` among the letters stands for any number of axes.
        """
        if not isinstance(shape, tuple):
            raise self.error(f"expected one input of shape {_wanted(letters, expected)}, got {len(shape)} inputs")
        axes = letters.replace("*", " " * (len(shape) - len(letters) + 1))
        if len(shape) != len(axes):
            channel = axes[-1] in "CD" and len(shape) == len(axes) - 1 > 1
            hint = "; an axis of size 1 is added by x[..., None]" if channel else ""
            found = f"{len(shape)} axes: {shape}{hint}"
            raise self.error(f"expected an input of shape {_wanted(letters, expected)}, got {found}")
        for letter, size in zip(axes, shape):
            if letter in expected and size != expected[letter]:
                found = f"{shape}: {letter} is {size}"
                raise self.error(f"expected an input of shape {_wanted(letters, expected)}, got {found}")
            if size is not None and size < 1:
                axis = "" if letter == " " else f": {letter} is {size}"
                raise self.error(f"got an empty input of shape {shape}{axis}")

    def error(self, message, kind=ValueError):
        """An exception to raise, which names the layer."""
        return kind(f'{type(self).__name__} "{self.name}": {message}')


def _wanted(letters, expected):
    """How an error tells the shape that there should be."""
    return "(" + ", ".join("..." if a == "*" else str(expected.get(a, a)) for a in letters) + ")"

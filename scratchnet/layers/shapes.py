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
        as_given = letters

        def wanted():
            return "(" + ", ".join("..." if a == "*" else str(expected.get(a, a)) for a in as_given) + ")"

        if not isinstance(shape, tuple):
            raise self.error(f"expected one input of shape {wanted()}, got {len(shape)} inputs")
        letters = letters.replace("*", " " * (len(shape) - len(letters) + 1))
        if len(shape) != len(letters):
            channel = letters[-1] in "CD" and len(shape) == len(letters) - 1 > 1
            hint = "; an axis of size 1 is added by x[..., None]" if channel else ""
            raise self.error(f"expected an input of shape {wanted()}, got {len(shape)} axes: {shape}{hint}")
        for letter, size in zip(letters, shape):
            if letter in expected and size != expected[letter]:
                raise self.error(f"expected an input of shape {wanted()}, got {shape}: {letter} is {size}")
            if size is not None and size < 1:
                axis = "" if letter == " " else f": {letter} is {size}"
                raise self.error(f"got an empty input of shape {shape}{axis}")

    def error(self, message, kind=ValueError):
        """An exception to raise, which names the layer."""
        return kind(f'{type(self).__name__} "{self.name}": {message}')

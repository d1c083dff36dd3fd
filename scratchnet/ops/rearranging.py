"""Axes by their names, after Rogozhnikov, "Einops", 2022.

    rearrange(x, "n (h a) (w b) c -> n h w (a b c)", a=2, b=2)

says in one line what takes a reshape, a transpose and a reshape: the axes on the left are taken apart where names stand
in parentheses, put into the order of the right, and joined where names stand in parentheses there.
"""

import math
import re

from scratchnet.ops.operation import shape_of
from scratchnet.ops.shapes import reshape, transpose


def rearrange(tensor, pattern, **axes_lengths):
    """`tensor` with its axes as the right side of `pattern` says, given those of the left.

    Args:
        axes_lengths: of names in parentheses on the left, all but one of each pair.

    Raises ValueError for an invalid pattern, or one that does not fit the shape.
    """
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"rearrange: a pattern is 'left -> right', got {pattern!r}")
    left, right = map(_groups, sides)
    names, wanted = sum(left, []), sum(right, [])
    shape = shape_of(tensor)
    if sorted(names) != sorted(wanted) or len(set(names)) != len(names):
        raise ValueError(f"rearrange: both sides of {pattern!r} must have the same names, each once")
    if len(left) != len(shape):
        raise ValueError(f"rearrange: {pattern!r} has {len(left)} axes on the left, the tensor the shape {shape}")
    sizes = dict(axes_lengths)
    for group, size in zip(left, shape):
        _find_sizes(group, size, sizes, pattern)
    unknown = [name for name in names if sizes[name] is None]
    if len(unknown) > 1:
        raise ValueError(f"rearrange: of {pattern!r} only one size may be unknown, got {unknown}")

    def in_shape(axes):
        parts = [sizes[name] for name in axes]
        return -1 if None in parts else math.prod(parts)

    x = reshape(tensor, [in_shape([name]) for name in names])
    return reshape(transpose(x, [names.index(name) for name in wanted]), [in_shape(group) for group in right])


def _groups(side):
    """``"n (h w)"`` as ``[["n"], ["h", "w"]]``."""
    tokens = re.findall(r"\(([^()]*)\)|(\w+)", side)
    if re.sub(r"\([\w\s]*\)|\w+|\s", "", side):
        raise ValueError(f"rearrange: expected names, and names in parentheses, got {side!r}")
    return [inner.split() if not name else [name] for inner, name in tokens]


def _find_sizes(group, size, sizes, pattern):
    """Put the size of each name of a group that makes an axis of `size` into `sizes`."""
    missing = [name for name in group if name not in sizes]
    known = math.prod(sizes[name] for name in group if name in sizes)
    if len(missing) > 1:
        raise ValueError(f"rearrange: of {missing} in {pattern!r} all sizes but one must be given")
    if size is not None and (size % known if missing else size != known):
        raise ValueError(f"rearrange: {group} in {pattern!r} does not fit an axis of size {size}")
    if missing:
        sizes[missing[0]] = None if size is None else size // known

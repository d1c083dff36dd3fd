"""Inputs with an axis of size 1 at the end too few or too many: (N, 28, 28) for (28, 28, 1), (N,) for (1,)."""

import numpy as np

from scratchnet.graph.symbolic import is_symbolic
from scratchnet.ops import expand_dims, squeeze
from scratchnet.ops.operation import shape_of
from scratchnet.structure import flatten, map_structure


def with_rank(x, shape):
    """`x` with an axis of size 1 at its end added or dropped, where only that is missing to the `shape` of an input."""
    if x is None:
        return None
    given = shape_of(x)
    if len(given) == len(shape) - 1 and shape[-1] == 1 and given:
        wanted, change = (*given, 1), expand_dims if is_symbolic(x) else np.expand_dims
    elif len(given) == len(shape) + 1 and given[-1] == 1:
        wanted, change = given[:-1], squeeze if is_symbolic(x) else np.squeeze
    else:
        return x
    return change(x, -1) if fits(wanted, shape) else x


def with_ranks(inputs, tensors):
    """The `inputs` of a call, in whatever structure, as `with_rank` makes them for a model's symbolic inputs."""
    if isinstance(inputs, list) and all(map(_has_rank, inputs, tensors)) or len(flatten(inputs)) != len(tensors):
        return inputs
    shapes = iter([tensor.shape for tensor in tensors])
    return map_structure(lambda x: with_rank(x, next(shapes)), inputs)


def _has_rank(x, tensor):
    return isinstance(x, np.ndarray) and x.ndim == len(tensor.shape)


def fits(given, shape):
    """Whether an input of this shape may be given such arrays; the batch may have any size."""
    return len(given) == len(shape) and all(None in pair or len(set(pair)) == 1 for pair in zip(given[1:], shape[1:]))


def hint_of_one_sample(given, shape):
    """What to do about one sample where a batch is expected: the end of a sentence."""
    if given == shape[1:]:
        return "; one sample needs a batch axis: x[None]"
    return "; one sample needs a batch axis: x[None, ..., None]" if (*given, 1) == shape[1:] else ""

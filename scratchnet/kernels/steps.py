"""What forward hands over to backward in kernels that go in steps: every value of the equations, at every step.

Steps are in the order of processing. A state has one entry more than there are steps: h[0] is the initial state, and
step t reads h[t] and writes h[t + 1]. The compiled kernels compute derivatives from the values of the activations, so
they leave the pre-activations None.
"""

import math
from typing import NamedTuple

import numpy as np

COMPILED_ACTIVATIONS = "linear", "relu", "tanh", "sigmoid", "hard_sigmoid"
CALLED_ACTIVATIONS = (  # in float32, by steps that are compiled; all others' steps are left to NumPy
    "leaky_relu", "elu", "celu", "selu", "softsign", "softplus", "squareplus", "log_sigmoid", "exponential",
    "sparse_sigmoid", "hard_shrink", "soft_shrink",
)  # fmt: skip

_APART = 256  # bytes: four lines of a cache
_OF_A_LINE = 16  # numbers


def separate(count, shape, dtype):
    """`count` empty arrays, as ``np.empty((count, *shape), dtype)``, but not at equal distances in memory.

    T N U is often a power of two. Arrays that far from each other would have the same places in a processor's cache,
    and all gates of a step would drive each other out: 5 % of an LSTM's time.
    """
    size = math.prod(shape)
    stride = size + _APART // np.dtype(dtype).itemsize
    room = np.empty(count * stride, dtype)
    return [room[k * stride : k * stride + size].reshape(shape) for k in range(count)]


def transposed(matrix):
    """`matrix` with its columns as rows, which lie one after the other in memory.

    Some rows at a time, whose numbers fill lines of the cache: of a large matrix NumPy by itself reads a whole column,
    and by the second number of a line the first has been driven out. It takes 2 to 4 times as long.
    """
    columns = np.empty(matrix.shape[::-1], matrix.dtype)
    for row in range(0, len(matrix), _OF_A_LINE):
        columns[:, row : row + _OF_A_LINE] = matrix[row : row + _OF_A_LINE].T
    return columns


class SimpleRNNSteps(NamedTuple):
    z: np.ndarray | None  # (T, N, U)
    h: np.ndarray  # (T + 1, N, U)


class LSTMSteps(NamedTuple):
    z: np.ndarray | None  # (T, N, 4U), in the order i, f, g, o
    i: np.ndarray  # (T, N, U)
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray  # (T + 1, N, U)
    tanh_c: np.ndarray  # (T, N, U), activation(c[1:]): the tanh, unless the layer was told otherwise
    h: np.ndarray  # (T + 1, N, U)


class LSTMStep(NamedTuple):
    """A single step; of which axes there are in front of the units, the kernel knows nothing."""

    z: np.ndarray  # (..., 4U), in the order i, f, g, o
    i: np.ndarray  # (..., U)
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c_prev: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray  # activation(c)
    h: np.ndarray


class GRUSteps(NamedTuple):
    s: np.ndarray | None  # (T, N, 3U), the pre-activations in the order z, r, g
    z: np.ndarray  # (T, N, U)
    r: np.ndarray
    g: np.ndarray
    q: np.ndarray  # (T, N, U): h[:-1] R_g + b_R, which r multiplies; or r h[:-1], which R_g multiplies
    h: np.ndarray  # (T + 1, N, U)


class RoutingSteps(NamedTuple):
    """Routing by agreement has no states, but iterations: each has its coefficients and what they led to."""

    c: np.ndarray  # (R, I, N, J)
    s: np.ndarray  # (R, N, J, D)
    v: np.ndarray  # (R, N, J, D)

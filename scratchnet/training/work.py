"""How much a batch gives to compute, by counting: what decides whether another thread is worth its while.

Two threads take turns at the interpreter's lock for every line of Python that is not in a kernel. That costs a step
more than half a millisecond, whatever the layers are; besides, each part reads all weights, and has a gradient of each.
What is gained is half of the time of the kernels: so a small model is quicker on one thread. A clock would say so best;
but into how many parts a batch goes decides how its sums are rounded, and that must not depend on what else the machine
is doing. So multiply-adds are counted, from the shapes alone.
"""

import itertools
import math

from scratchnet.structure import flatten

LEAST = 10_000_000  # multiply-adds forward that a thread is worth being given: 1 to 2 ms there and back
LEAST_HELPED = 5_000_000  # of `products_of` a batch, for which a helper is worth having: `scratchnet.kernels.helper`
_WEIGHTS = 200_000  # as many, for each of these: two threads in one product read a matrix of a dense layer once
_MOST_ROWS = 512  # of batches that are joined
_OF_AN_ELEMENT = 8  # multiply-adds that an element of an output costs besides: an activation, a normalization, memory
_UNKNOWN = 32  # what is taken for a length that is not known


def parts_worth(work, weights):
    """How many parts there should be of so many multiply-adds with so many weights, at most; a float."""
    return max(1.0, work / (LEAST * (1 + weights / _WEIGHTS)))


def batches_worth(rows, work):
    """How many batches of so many rows, each of so many multiply-adds, one thread should compute as one.

    Where each of them is little to compute, most of their time would go into the lines of Python around the kernels.
    """
    return max(1, int(min(LEAST / max(rows * work, 1), _MOST_ROWS / rows)))


def multiply_adds(model):
    """Of one sample through `model`, forward; infinite where the shapes are not known."""
    graph = getattr(model, "graph", None)
    return math.inf if graph is None else sum(_of_node(node) for node in graph.nodes)


def products_of(model):
    """Those of them in matrix products that two threads can share: a convolution's are not, it is one kernel."""
    graph = getattr(model, "graph", None)
    return math.inf if graph is None else sum(_products_of_node(node) for node in graph.nodes)


def _of_node(node):
    if (inner := _inner(node)) is not None:
        return sum(_of_node(inside) for inside in inner.nodes)
    outputs = [_positions_and_features(tensor) for tensor in flatten(node.outputs)]
    return _in_products(node) + _OF_AN_ELEMENT * sum(positions * features for positions, features in outputs)


def _products_of_node(node):
    if (inner := _inner(node)) is not None:
        return sum(_products_of_node(inside) for inside in inner.nodes)
    return 0 if hasattr(node.layer, "kernel_size") else _in_products(node)


def _inner(node):
    """The graph of a model that is a layer here; None of any other layer."""
    return getattr(node.layer, "graph", None)


def _in_products(node):
    """A matrix is used once for each position (pixel, time step) of what comes in or goes out; rows are looked up."""
    if node.layer is None:
        return 0
    weights = sum(p.size for name, p in node.layer.params.items() if p.ndim > 1 and not name.endswith("embeddings"))
    tensors = flatten(node.inputs), flatten(node.outputs)
    return weights * max(_positions_and_features(tensor)[0] for tensor in itertools.chain(*tensors))


def _positions_and_features(tensor):
    *positions, features = [_UNKNOWN if size is None else size for size in (1, *tensor.shape[1:])]
    return math.prod(positions), features

"""How much a batch gives to compute, by counting: what decides whether another thread is worth its while.

Two threads take turns at the interpreter's lock for every line of Python that is not in a kernel. That costs a step
more than half a millisecond, whatever the layers are; besides, each part reads all weights, and has a gradient of each.
What is gained is half of the time of the kernels: so a small model is quicker on one thread. Where all but a little is
in kernels that two threads can share, that thread has another one to help it, and takes the batch in one part. In a
large model, whose parts are long, all else is halved, too, and each thread has fewer numbers to read. A clock would say
best what is quicker; but into how many parts a batch goes decides how its sums are rounded, and that must not depend on
what else the machine is doing. So multiply-adds are counted, from the shapes alone.
"""

import itertools
import math

import numpy as np

from scratchnet.kernels.steps import CALLED_ACTIVATIONS, COMPILED_ACTIVATIONS
from scratchnet.layers.activations.activation import ELU, Activation, LeakyReLU, ReLU, Softmax
from scratchnet.layers.activations.prelu import PReLU
from scratchnet.layers.attention.additive_attention import AdditiveAttention
from scratchnet.layers.attention.attention import SoftLookup
from scratchnet.layers.attention.heads import Heads
from scratchnet.layers.convolutional.conv1d import Conv1D
from scratchnet.layers.convolutional.conv1d_transpose import Conv1DTranspose
from scratchnet.layers.convolutional.conv2d import Conv2D
from scratchnet.layers.convolutional.conv2d_transpose import Conv2DTranspose
from scratchnet.layers.convolutional.depthwise_conv import DepthwiseConvolution
from scratchnet.layers.convolutional.separable_conv import SeparableConvolution
from scratchnet.layers.core.embedding import Embedding
from scratchnet.layers.normalization.batch_normalization import BatchNormalization
from scratchnet.layers.normalization.group_normalization import GroupNormalization
from scratchnet.layers.normalization.layer_normalization import LayerNormalization
from scratchnet.layers.normalization.rms_normalization import RMSNormalization
from scratchnet.layers.normalization.unit_normalization import UnitNormalization
from scratchnet.layers.pooling.base_pooling import Pooling2D
from scratchnet.layers.pooling.global_pooling import GlobalPooling
from scratchnet.layers.pooling.through_images import PoolingThroughImages
from scratchnet.layers.regularization.dropout import RandomLayer
from scratchnet.layers.reshaping.flatten import Flatten
from scratchnet.layers.reshaping.reshape import Reshape
from scratchnet.layers.reshaping.up_sampling2d import UpSampling2D
from scratchnet.layers.rnn.recurrent import Recurrent
from scratchnet.structure import flatten

LEAST = 13_000_000  # multiply-adds forward that a thread is worth being given: 1 to 2 ms there and back
LEAST_HELPED = 8_000_000  # of `shared_of` a batch, for which a helper is worth having: `scratchnet.kernels.helper`
MOST_HELPED = 180_000_000  # of a batch, up to which one part and a helper are quicker than two parts,
_MOST_ALONE = 12_000_000  # if no more of it is not shared
_WEIGHTS = 200_000  # as many, for each of these: two threads in one product read a matrix of a dense layer once
_LEAST_APART = 30_000_000  # of all batches in use, for which it pays that each thread takes some of them,
_MUCH = 600_000_000  # and more than a helper in each of them
_JOINED = 600_000_000  # of batches that are joined, at most, and as many for each `_WEIGHTS`: about ten milliseconds
_MOST_ROWS = 512  # of them
_MOST_NUMBERS = 1 << 20  # that a layer puts out for them: what the next one reads should still be in the cache
_FEWEST = 16  # features: products of fewer take as long, since vectors are as wide, be they filled or not
_OF_AN_ELEMENT = 8  # multiply-adds that an element of an output costs besides: an activation, a normalization, memory
_OF_A_GRADIENT = 16  # that a number of a table's gradient costs a step: it is cleared, and mostly that is all
_OF_A_STEP = 16  # that a number that goes in or out of a time step costs beside its kernel: it is laid out, and summed
_UNKNOWN = 32  # what is taken for a length that is not known


def parts_worth(work, weights):
    """How many parts there should be of so many multiply-adds with so many weights, at most; a float."""
    return max(1.0, work / (LEAST * (1 + weights / _WEIGHTS)))


def is_helped(work, shared, weights):
    """Whether one part with a helper is quicker than two parts.

    Args:
        work, shared: multiply-adds of the batch, and those of them that are shared.
        weights: how many numbers the parameters are, which each part would read.
    """
    return LEAST_HELPED <= shared and work - shared <= _MOST_ALONE and work <= MOST_HELPED * (1 + weights / _WEIGHTS)


def way_in_use(work, shared, weights, can_help):
    """``(one, helped)``: whether one thread is to compute all batches in use, and whether a helper shares its kernels.

    Two threads that take batches in turn wait for the interpreter's lock, longer than small kernels take; a helper
    needs no lock, but what is not shared it leaves to the other.

    Args:
        work, shared: multiply-adds of all the batches.
        weights: how many numbers the parameters are, see `parts_worth`.
        can_help: whether there is a helper.
    """
    is_shared = LEAST_HELPED <= shared and work - shared <= _MOST_ALONE
    helped = can_help and is_shared and work <= _MUCH * (1 + weights / _WEIGHTS)
    return helped or work < _LEAST_APART, helped


def batches_worth(rows, work, numbers, weights):
    """How many batches of so many rows, each of so many multiply-adds, one thread should compute as one.

    Where each of them is little to compute, most of their time would go into the lines of Python around the kernels;
    and where there are many `weights`, into reading them, which is done once for all that is computed as one.
    With more at a time what a layer puts out, at most so many `numbers` for a row, would no longer be in the cache when
    the next one reads it.
    """
    most_rows = min(_MOST_ROWS, _MOST_NUMBERS / max(numbers, 1))
    return max(1, int(min(_JOINED * (1 + weights / _WEIGHTS) / max(rows * work, 1), most_rows / rows)))


def multiply_adds(model):
    """Of one sample through `model`, forward; infinite where the shapes are not known."""
    return _counted(model, _of_node, sum, math.inf)


def shared_of(model):
    """Those of them in kernels that two threads can share."""
    return _counted(model, _shared_of_node, sum, math.inf)


def shared_in_use(model):
    """As `shared_of`, where nobody goes back: there most kernels are, small ones before and behind them, too."""
    return _counted(model, _shared_in_use_of_node, sum, math.inf)


def shared_of_tables(model):
    """As `shared_of`, but whatever the batch: a table in which rows are looked up has a gradient as large as itself."""
    graph = getattr(model, "graph", None)
    return 0 if graph is None else _OF_A_GRADIENT * sum(_in_tables(node) for node in graph.nodes)


def weights_of(model):
    """How many numbers the parameters of the model are."""
    graph = getattr(model, "graph", None)
    counted = {} if graph is None else graph.counted  # which is kept: to walk through all layers takes a while
    if weights_of not in counted:
        counted[weights_of] = sum(parameter.size for parameter in model.params.values())
    return counted[weights_of]


def most_numbers(model):
    """How many numbers one of its layers puts out for a sample, at most; 0 where the shapes are not known."""
    return _counted(model, _numbers_of_node, lambda counts: max(counts, default=0), 0)


def _counted(model, of_node, together, unknown):
    """What `of_node` counts of each node, together; `unknown` where there is no graph. The graph keeps it."""
    graph = getattr(model, "graph", None)
    if graph is None:
        return unknown
    if of_node not in graph.counted:
        graph.counted[of_node] = together(of_node(node) for node in graph.nodes)
    return graph.counted[of_node]


def _numbers_of_node(node):
    if (inner := _inner(node)) is not None:
        return max((_numbers_of_node(inside) for inside in inner.nodes), default=0)
    return max(math.prod(_positions_and_features(tensor)) for tensor in flatten(node.outputs))


def _of_node(node):
    if (inner := _inner(node)) is not None:
        return sum(_of_node(inside) for inside in inner.nodes)
    if isinstance(node.layer, Embedding):  # of which the mean may be taken at once
        elements = math.prod(_sizes(node.inputs)) * node.layer.output_dim
    elif isinstance(node.layer, (BatchNormalization, GroupNormalization)):  # so may that of what it puts out
        elements = math.prod(_sizes(node.inputs))
    else:
        elements = sum(math.prod(_sizes(tensor)) for tensor in flatten(node.outputs))
    return _in_products(node) + _in_scores(node) + _OF_AN_ELEMENT * elements


def _shared_of_node(node):
    return _shared(node, _THERE_AND_BACK, goes_back=True)


def _shared_in_use_of_node(node):
    return _shared(node, _IN_USE, goes_back=False)


def _shared(node, kinds, goes_back):
    """`kinds`: of layers all of whose kernels are shared."""
    if (inner := _inner(node)) is not None:
        return sum(_shared(inside, kinds, goes_back) for inside in inner.nodes)
    layer = node.layer
    if _is_all_shared(layer, kinds):
        return _of_node(node)
    products = _in_products(node) if _is_shared(layer) else 0
    if isinstance(layer, Heads) or isinstance(layer, SoftLookup) and (layer.scores_are_products or _is_additive(layer)):
        products += _in_scores(node)
    if products == 0 or not isinstance(layer, (*_CONVOLUTIONS, Recurrent)):
        return products  # bias, activation and all else are not shared
    beside = _beside_steps(node) if goes_back and isinstance(layer, Recurrent) else 0
    return max(_of_node(node) - beside, 0)


def _beside_steps(node):
    """What NumPy has to do with all time steps of a recurrent layer, before its kernel and behind it.

    That is twice as much where something is dropped.
    """
    x, weights = flatten(node.inputs)[0], node.layer.params["kernel"]
    steps, D = _positions_and_features(x)
    return _OF_A_STEP * steps * (D + weights.shape[-1]) * (2 if node.layer.drops else 1)


def _is_all_shared(layer, kinds):
    """Whether a layer is of one of these kinds, and computed by compiled kernels."""
    if any(p.dtype != np.float32 for p in getattr(layer, "params", {}).values()):
        return False
    if isinstance(layer, _ACTIVATIONS):  # one's own is computed by NumPy
        return layer.activation.entry is not None
    return isinstance(layer, kinds)


def _is_shared(layer):
    """Whether a layer's kernels are: of convolutions not those of groups, and no time steps that NumPy computes."""
    if layer is None or any(p.dtype != np.float32 for p in layer.params.values()):
        return False
    if hasattr(layer, "kernel_size"):
        return isinstance(layer, _CONVOLUTIONS) and getattr(layer, "groups", 1) == 1
    if not isinstance(layer, Recurrent):  # of a class of one's own an activation may be anything
        return True
    functions = layer.activation, getattr(layer, "recurrent_activation", layer.activation)
    return all(f.name in (*COMPILED_ACTIVATIONS, *CALLED_ACTIVATIONS) for f in functions)


def _in_tables(node):
    if (inner := _inner(node)) is not None:
        return sum(_in_tables(inside) for inside in inner.nodes)
    is_learnt = isinstance(node.layer, Embedding) and node.layer.trainable
    return node.layer.params["embeddings"].size if is_learnt else 0


_CONVOLUTIONS = Conv1D, Conv2D, Conv1DTranspose, Conv2DTranspose, DepthwiseConvolution, SeparableConvolution
_ACTIVATIONS = ELU, Activation, LeakyReLU, ReLU, Softmax
_THERE_AND_BACK = (
    *(Embedding, Flatten, GlobalPooling, GroupNormalization, LayerNormalization, PReLU, Pooling2D),
    *(PoolingThroughImages, RMSNormalization, Reshape, UpSampling2D),
)
_IN_USE = (*_THERE_AND_BACK, BatchNormalization, RandomLayer, UnitNormalization)


def _inner(node):
    """The graph of a model that is a layer here; None of any other layer."""
    return getattr(node.layer, "graph", None)


def _in_products(node):
    """A matrix is used once for each position (pixel, time step) of what comes in or goes out; rows are looked up."""
    if node.layer is None:
        return 0
    layers = node.layer, *getattr(node, "behind", ())  # that are computed together
    params = [pair for layer in layers for pair in layer.params.items()]
    matrices = [p for name, p in params if p.ndim > 1 and not name.endswith("embeddings")]
    fewest = 1 if hasattr(node.layer, "depth_multiplier") else _FEWEST  # what is depthwise is no product
    weights = sum(p.size // p.shape[-1] * max(p.shape[-1], fewest) for p in matrices)
    tensors = flatten(node.inputs), flatten(node.outputs)
    return weights * max(_positions_and_features(tensor)[0] for tensor in itertools.chain(*tensors))


def _in_scores(node):
    """Of attention: every query meets every key, and every weight a value."""
    layer = node.layer
    if not isinstance(layer, (Heads, SoftLookup)):
        return 0
    query, value, *_ = (_sizes(tensor) for tensor in flatten(node.inputs) * 2)  # of a sequence with itself one alone
    if isinstance(layer, SoftLookup):
        D, E = query[-1], value[-1]
        pairs = math.prod(query[1:-1]) * value[-2]
        return pairs * (_OF_AN_ELEMENT * D + E if _is_additive(layer) else D + E)
    _, scores = layer.output_shapes(query, value)
    D, E = (dense.params["kernel"].shape[-1] for dense in (layer.query_dense, layer.value_dense))
    return math.prod(scores[1:]) * (D + E)


def _is_additive(layer):
    return isinstance(layer, AdditiveAttention) or getattr(layer, "score_mode", None) == "concat"


def _positions_and_features(tensor):
    *positions, features = _sizes(tensor)
    return math.prod(positions), features


def _sizes(tensor):
    """Of a sample, behind a 1 for the samples."""
    return tuple(_UNKNOWN if size is None else size for size in (1, *tensor.shape[1:]))

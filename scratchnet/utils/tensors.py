"""Questions about tensors."""

from scratchnet import config
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.structure import flatten


def standardize_dtype(dtype):
    """The name of a dtype, a NumPy dtype or a type; None is `config.floatx()`. Raises ValueError for another dtype."""
    return config.floatx() if dtype is None else config.check_dtype(dtype)


def is_keras_tensor(x):
    """Whether `x` is a symbolic tensor, which stands for values that do not exist yet."""
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor):
    """The symbolic inputs that `tensor` depends on, each once."""
    sources, seen, waiting = [], {tensor}, [tensor]
    while waiting:
        current = waiting.pop()
        if current.node is None:
            sources.append(current)
            continue
        for source in reversed(flatten(current.node.inputs)):
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return sources

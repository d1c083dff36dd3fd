"""The least time that the multiply-adds of a model need: a floor under every step, whoever computes it."""

import math

import numpy as np
from _shared import milliseconds
from layer_models import MODELS
from missions import make

_NOT_KERNELS = ("embeddings", "bias")  # though they have several axes


def multiply_adds(name, training):
    """Of one sample through one of the models: forward, and with `training` backward as well.

    Only the products with kernels count; rows of an embedding are looked up. Backward is twice forward (a product for
    the input's adjoint, one for the kernel's), without the adjoint of the data.
    """
    import scratchnet

    total, of_data = 0, None
    for node in make(name, scratchnet, models=MODELS).nodes:
        layer = node.layer
        kernels = {key: p.size for key, p in layer.params.items() if p.ndim > 1 and key not in _NOT_KERNELS}
        x, y = ((tensor if isinstance(tensor, list) else [tensor])[0].shape for tensor in (node.inputs, node.outputs))
        if type(layer).__name__ == "CapsuleLayer":  # every matrix once
            times = 1
        elif type(layer).__name__ == "PrimaryCapsules":  # of a pixel's channels several capsules are made
            times = math.prod(y[1:]) // layer.filters
        elif any(key.endswith("recurrent_kernel") for key in kernels):  # used once for every step, of a map every pixel
            times = x[1] * math.prod(y[1:-1]) if len(x) > 3 else x[1]
        else:  # for every position of the output, or of the input where that is spread
            times = math.prod((x if "Transpose" in type(layer).__name__ else y)[1:-1])
        total += sum(kernels.values()) * times
        if of_data is None and kernels:
            of_data = next(iter(kernels.values())) * times
    return 3 * total - of_data if training else total


def sgemm_gflops(threads, size=2048, turns=7):
    """Billions of operations (a multiply-add is two) per second in NumPy's product of two large float32 matrices."""
    from threadpoolctl import threadpool_limits

    a = np.random.default_rng(0).standard_normal((size, size), dtype="float32")
    with threadpool_limits(threads, user_api="blas"):
        best = min(milliseconds(lambda: a @ a) for _ in range(turns))
    return 2 * size**3 / best / 1e6


def least_milliseconds(name, call, gflops):
    """How long the multiply-adds of one batch take at that rate."""
    return 2 * multiply_adds(name, training=call == "fit") * MODELS[name][2] / gflops / 1e6

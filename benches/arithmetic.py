"""The least time that the multiply-adds of a model need: a floor under every step, whoever computes it."""

import math

import numpy as np
from _shared import milliseconds
from missions import MISSIONS, make


def multiply_adds(name, training):
    """Of one sample through a model of `missions`: forward, and with `training` backward as well.

    Only matrix products and convolutions count. Backward is twice forward (a product for the input's adjoint, one for
    the kernel's), without the adjoint of the data.
    """
    import scratchnet

    model = make(name, scratchnet)
    _, _, _, data = MISSIONS[name]
    shape, total, of_data = (None, *data(1)[0].shape[1:]), 0, None
    for layer in model.layers:
        out = layer.compute_output_shape(shape)
        kernels = {key: param.size for key, param in layer.params.items() if param.ndim > 1}
        # each kernel is used once for every time step, or for every position of the output
        times = shape[1] if "recurrent_kernel" in kernels else math.prod(out[1:-1])
        total += sum(kernels.values()) * times
        if of_data is None and kernels:
            of_data = kernels["kernel"] * times
        shape = out
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
    return 2 * multiply_adds(name, training=call == "fit") * MISSIONS[name][2] / gflops / 1e6

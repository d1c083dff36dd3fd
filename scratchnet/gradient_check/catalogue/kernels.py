"""loops = numpy = numba for every kernel, forward and backward, in float64 (1e-12) and float32 (1e-5)."""

import numpy as np

from scratchnet import activations, kernels
from scratchnet.gradient_check.differences import relative_error
from scratchnet.gradient_check.report import Report, Row


def check_kernels(rng, compile=True):
    """Compare the backends; yields a report for each kernel, dtype and backend.

    Without `compile`, those of Numba's kernels are left out that are not compiled yet: their reports have no rows.
    """
    others = ["numpy", "numba"] if kernels.numba_is_installed() else ["numpy"]
    for dtype, bound in ((np.float64, 1e-12), (np.float32, 1e-5)):
        for name, call in _kernel_calls(rng, dtype):
            with kernels.using_backend("loops"):
                expected = call()
            for backend in others:
                report = Report(f"kernel {name} {np.dtype(dtype).name}", [])
                with kernels.using_backend(backend):
                    found = call() if compile or backend != "numba" else kernels.if_compiled(call)
                if found is not None:
                    errors = [relative_error(r, e) for r, e in zip(found, expected) if e is not None]
                    report.rows.append(Row(f"{backend} against loops", max(errors), bound, 0.0))
                yield report


def _kernel_calls(rng, dtype):
    def normal(*shape):
        return rng.standard_normal(shape).astype(dtype)

    T, N, U = 4, 3, 2
    xW, R, bias, da = normal(T, N, 4 * U), normal(U, 4 * U), normal(4 * U), normal(T, N, U)
    h0, c0, dh, dc = normal(4, N, U)
    act, rec = activations.tanh, activations.sigmoid
    normals = normal(N * 4 * U)

    def adam():
        p, g, m, v = normals.copy(), xW[0].ravel(), xW[1].ravel() * dtype(0.1), np.square(xW[2].ravel())
        kernels.adam_update(p, g, m, v, 0.01, 0.9, 0.999, 1e-7)
        return p, m, v

    yield "adam_update", adam
    left, right = normal(5, 7), normal(19, 7).T
    yield "matmul", lambda: [kernels.matmul(left, right)]
    x, dy_pad = normal(2, 6, 5, 3), ((1, 0), (1, 1))
    for C, F in ((3, 4), (1, 4), (8, 1)):
        x_c, w, b = normal(2, 6, 5, C), normal(3, 2, C, F), normal(F)
        for strides, dilation in (((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (2, 1))):
            args = (strides, dy_pad, dilation)
            with kernels.using_backend("numpy"):
                y = kernels.conv2d_forward(x_c, w, b, *args)
            dy = normal(*y.shape)
            yield "conv2d_forward", lambda a=args, x=x_c, w=w, b=b: [kernels.conv2d_forward(x, w, b, *a)]
            yield "conv2d_dx", lambda a=args, x=x_c, w=w, d=dy: [kernels.conv2d_dx(d, w, x.shape, *a)]
            yield "conv2d_dkernel", lambda a=args, x=x_c, w=w, d=dy: [kernels.conv2d_dkernel(d, x, w.shape, *a)]
    pool = ((3, 2), (2, 2), dy_pad)
    with kernels.using_backend("numpy"):
        y, argmax = kernels.max_pool2d_forward(x, *pool)
    dy = normal(*y.shape)
    yield "max_pool2d_forward", lambda: kernels.max_pool2d_forward(x, *pool)
    yield "max_pool2d_backward", lambda: [kernels.max_pool2d_backward(dy, argmax, x.shape, *pool)]
    yield "average_pool2d_forward", lambda: [kernels.average_pool2d_forward(x, *pool)]
    yield "average_pool2d_backward", lambda: [kernels.average_pool2d_backward(dy, x.shape, *pool)]
    yield "upsample2d_forward", lambda: [kernels.upsample2d_forward(x, (2, 3))]
    yield "upsample2d_backward", lambda: [kernels.upsample2d_backward(x, (2, 1))]

    def lstm():
        steps = kernels.lstm_forward(xW, R, bias, h0, c0, act, rec)
        return *steps[1:], *kernels.lstm_backward(da, dh, dc, R, steps, act, rec)

    def simple_rnn():
        steps = kernels.simple_rnn_forward(xW[..., :U], R[:, :U], bias[:U], h0, act)
        return steps.h, *kernels.simple_rnn_backward(da, dh, R[:, :U], steps, act)

    def gru():
        steps = kernels.gru_forward(xW[..., : 3 * U], R[:, : 3 * U], bias[: 3 * U], bias[U:], h0, act, rec, True)
        return *steps[1:], *kernels.gru_backward(da, dh, R[:, : 3 * U], steps, act, rec, True)

    yield "lstm", lstm
    yield "gru", gru
    yield "simple_rnn", simple_rnn

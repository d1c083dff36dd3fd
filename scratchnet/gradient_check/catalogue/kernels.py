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
        for name, call in _calls(rng, dtype):
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


def without_a_case():
    """The names of the operations that nothing here compares."""
    names = {name for name, _ in _calls(np.random.default_rng(0), np.float64)}
    compared = names | {f"{name}_{way}" for name in names for way in ("forward", "backward")}
    return sorted({name for operations in kernels.OPERATIONS.values() for name in operations} - compared)


def _calls(rng, dtype):
    """Pairs of the name of an operation, or of two that go there and back, and a call that returns arrays."""

    def normal(*shape):
        return rng.standard_normal(shape).astype(dtype)

    yield from _calls_of_windows(normal)
    yield from _calls_of_rows(normal, rng)
    yield from _calls_of_steps(normal, dtype)


def _calls_of_steps(normal, dtype):
    """What goes on step by step: sequences, and training itself."""
    T, N, U = 4, 3, 2
    xW, R, bias, da = normal(T, N, 4 * U), normal(U, 4 * U), normal(4 * U), normal(T, N, U)
    h0, c0, dh, dc = normal(4, N, U)
    act, rec = activations.tanh, activations.sigmoid
    normals = normal(N * 4 * U)

    def adam():
        p, g, m, v = normals.copy(), xW[0].ravel(), xW[1].ravel() * dtype(0.1), np.square(xW[2].ravel())
        kernels.adam_update(p, g, m, v, 0.01, 0.9, 0.999, 1e-7)
        return p, m, v

    def lstm():
        steps = kernels.lstm_forward(xW, R, bias, h0, c0, act, rec)
        return *steps[1:], *kernels.lstm_backward(da, dh, dc, R, steps, act, rec)

    def lstm_step():
        step = kernels.lstm_step_forward(xW[0], c0, act, rec)
        return *step, *kernels.lstm_step_backward(dh, dc, step, act, rec)

    def simple_rnn():
        steps = kernels.simple_rnn_forward(xW[..., :U], R[:, :U], bias[:U], h0, act)
        return steps.h, *kernels.simple_rnn_backward(da, dh, R[:, :U], steps, act)

    def gru():
        steps = kernels.gru_forward(xW[..., : 3 * U], R[:, : 3 * U], bias[: 3 * U], bias[U:], h0, act, rec, True)
        return *steps[1:], *kernels.gru_backward(da, dh, R[:, : 3 * U], steps, act, rec, True)

    yield "adam_update", adam
    yield "lstm", lstm
    yield "lstm_step", lstm_step
    yield "gru", gru
    yield "simple_rnn", simple_rnn


def _calls_of_windows(normal):
    """Products, and what looks at images."""
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
    places = normal(2, 7, 3)
    yield "global_average_forward", lambda: [kernels.global_average_forward(places)]
    yield "global_average_backward", lambda: [kernels.global_average_backward(places[0], 4)]
    yield "global_max_forward", lambda: [kernels.global_max_forward(places)]
    yield "global_max_backward", lambda: [kernels.global_max_backward(places[:, 0], places, places.max(axis=1))]


def _calls_of_rows(normal, rng):
    """What goes over rows, or over channels."""
    (x, dy), (mean, s, a, b), (gamma, beta) = normal(2, 2, 5, 3), normal(4, 2, 3), normal(2, 3)
    s = np.exp(s)
    yield "channel_moments", lambda: kernels.channel_moments(x)
    yield "normalize_forward", lambda: [kernels.normalize_forward(x, mean, s, gamma, beta)]
    yield "channel_products", lambda: kernels.channel_products(dy, x, mean, s)
    yield "normalize_backward", lambda: [kernels.normalize_backward(dy, x, mean, s, gamma, a, b)]
    rows, drows, g = normal(4, 6), normal(4, 6), normal(2, 6)
    u_hat, dv, index = normal(5, 2, 3, 4), normal(2, 3, 4), rng.integers(0, 3, 4)

    def normalize_rows():
        y, means, stds = kernels.normalize_rows_forward(rows, *g, 1e-3)
        return y, means, stds, *kernels.normalize_rows_backward(drows, rows, means, stds, g[0])

    def normalize_groups():
        y, means, stds = kernels.normalize_groups_forward(x, gamma, beta, 3, 1e-3)
        return y, means, stds, *kernels.normalize_groups_backward(dy, x, means, stds, gamma)

    def softmax():
        y = kernels.softmax_forward(rows, 0.5)
        return y, kernels.softmax_backward(drows, y, 0.5)

    def routing():
        steps = kernels.routing_forward(u_hat, 3)
        return *steps, kernels.routing_backward(dv, u_hat, steps, True)

    yield "normalize_rows", normalize_rows
    yield "normalize_groups", normalize_groups
    yield "softmax", softmax
    yield "routing", routing
    yield "take_rows", lambda: [kernels.take_rows(rows, index)]
    yield "add_rows", lambda: [kernels.add_rows(drows, index, 3)]
    yield "erfc", lambda: [kernels.erfc(rows)]

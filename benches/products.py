"""Where the matrix product of the compiled backend is slower than BLAS: over a grid of shapes that layers make.

    python benches/products.py                                  # float32, every 20th shape: a minute
    python benches/products.py --dtype float64 --every 1        # all 8,000: a quarter of an hour
    python benches/products.py --isa avx2                       # or avx512, or sse42: without AVX

A B is a layer's forward, A Bᵀ its dx, Aᵀ B its dW. Each shape is multiplied by `kernels.matmul`, Python's lines
included, and by `np.matmul`, in turns, on one thread; what counts is processor time, so that a busy machine does no
harm. A ratio is the smaller of two, that of the medians of the turns and that of the quickest: noise shows in one.
"""

import argparse
import random
import statistics
import time

import numpy as np
from _shared import positive, restart_held_to
from machine import ISAS

from scratchnet import kernels
from scratchnet.evaluation.style import text_table
from scratchnet.parallel import Workers

ROWS = (1, 2, 4, 8, 16, 28, 32, 64, 96, 128, 256, 1792, 3584)
FEATURES = (1, 8, 10, 16, 28, 32, 64, 96, 128, 256, 512, 784, 1024, 2048, 5408)
MOST = 150_000_000  # multiply-adds of a shape
AT_LEAST = 400_000  # nanoseconds of a reading


def every_shape():
    """``(order, M, K, N)`` of (M, K) by (K, N)."""
    for M in ROWS:
        for K in FEATURES:
            for N in FEATURES:
                if M * K * N <= MOST:
                    yield from (("A B", M, K, N), ("A Bt", M, K, N), ("At B", K, M, N))


def ratio(order, M, K, N, dtype, turns):
    """How many times as long as BLAS's ours takes, and the microseconds of both."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((M, K)).astype(dtype), rng.standard_normal((K, N)).astype(dtype)
    a, b = np.asfortranarray(a) if order == "At B" else a, np.asfortranarray(b) if order == "A Bt" else b
    sides = kernels.matmul, np.matmul
    calls = max(1, int(AT_LEAST / min(max(_nanoseconds(f, a, b, 2), 1) for f in sides)))
    ours, theirs = zip(*([_nanoseconds(f, a, b, calls) for f in sides] for _ in range(turns)))
    medians = statistics.median(ours), statistics.median(theirs)
    return min(medians[0] / medians[1], min(ours) / min(theirs)), medians[0] / 1e3, medians[1] / 1e3


def _nanoseconds(multiply, a, b, calls):
    began = time.thread_time_ns()
    for _ in range(calls):
        multiply(a, b)
    return (time.thread_time_ns() - began) / calls


def main(arguments=None):
    """Read the command line, measure, print what is slower, the worst first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--every", type=positive, default=20, help="which part of the shapes (default: %(default)s)")
    parser.add_argument("--turns", type=positive, default=7)
    parser.add_argument("--show", type=positive, default=30, help="how many of the worst (default: %(default)s)")
    parser.add_argument("--isa", choices=ISAS, default="native")
    options = parser.parse_args(arguments)
    restart_held_to(options.isa)
    shapes = sorted(every_shape())
    random.Random(0).shuffle(shapes)
    with kernels.using_backend("numba"), Workers(1):  # which holds BLAS to one thread
        rows = [(*ratio(*shape, options.dtype, options.turns), *shape) for shape in shapes[:: options.every]]
    slower = sorted((row for row in rows if row[0] > 1.05), reverse=True)
    headings = "order", "shape", "ours us", "BLAS us", "ours / BLAS"
    cells = [(o, f"{M} x {K} x {N}", f"{u:.1f}", f"{v:.1f}", f"{r:.2f}") for r, u, v, o, M, K, N in slower]
    print(text_table(headings, cells[: options.show], width=100))
    middle = statistics.geometric_mean(row[0] for row in rows)
    print(
        f"{len(slower)} of {len(rows)} shapes take over 1.05 of the time of BLAS; geometric mean of all: {middle:.2f}"
    )


if __name__ == "__main__":
    main()

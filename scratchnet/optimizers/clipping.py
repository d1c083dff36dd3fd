"""Gradients that are too large: each entry cut, or each gradient, or all together, made shorter.

    clipvalue           g = clip(g, -value, value)
    clipnorm            g = g min(1, norm / |g|)        for each parameter by itself
    global_clipnorm     the same, where |g| is the length of all gradients together

(Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.) A length belongs to a
whole parameter, and is asked for first. What it makes of the entries is computed where these are used, stretch by
stretch: so no array of shorter gradients goes to memory and comes back.
"""

import numpy as np

from scratchnet import kernels
from scratchnet.optimizers.arrays import SMALLEST_SHARE, STRETCH, compiled, cut, total_of


def squares_of(parts, run=map, shares=1):
    """The sum of the squares of each gradient: key -> float. It is the same for any number of shares.

    Args:
        parts: list of dicts of arrays in C order, which are summed: the gradients of the parts of a batch.
        run, shares: as of `Optimizer.update`.
    """
    sizes = {key: gradient.size for key, gradient in parts[0].items()}
    stretches = [(key, slice(at, at + STRETCH)) for key, size in sizes.items() for at in range(0, size, STRETCH)]
    shares = max(1, min(shares, sum(sizes.values()) // SMALLEST_SHARE))

    def of_share(first):
        own = stretches[first::shares]
        return [_sum_of_squares(total_of([cut(part[key], place) for part in parts])) for key, place in own]

    found = list(run(of_share, range(shares)))
    squares = dict.fromkeys(sizes, 0.0)
    for number, (key, _) in enumerate(stretches):
        squares[key] += found[number % shares][number // shares]
    return squares


def factors_for(squares, largest):
    """By what each gradient is multiplied whose norm is larger than `largest`: key -> number below 1."""
    norms = {key: float(np.sqrt(square)) for key, square in squares.items()}
    return {key: largest / norm for key, norm in norms.items() if norm > largest}


def shorter(grad, factor):
    """``factor grad``; None stands for 1."""
    if factor is None:
        return grad
    return kernels.scaled_gradient(grad, factor) if compiled(grad) else grad * grad.dtype.type(factor)


def cut_to(grad, largest):
    """`grad` with its entries in [-largest, largest]."""
    return kernels.cut_gradient(grad, largest) if compiled(grad) else np.clip(grad, -largest, largest)


def _sum_of_squares(a):
    return kernels.squared_norm(a) if compiled(a) else float(np.vdot(a, a))

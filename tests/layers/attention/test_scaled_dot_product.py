"""Scaled dot products against their equations, written out."""

import numpy as np
import pytest

from scratchnet.gradient_check import numeric_gradient, relative_error
from scratchnet.layers import Dropout
from scratchnet.layers.attention.scaled_dot_product import attention_backward, attention_forward

RNG = np.random.default_rng(8)
q, k, v = (RNG.standard_normal(shape) for shape in ((2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2)))
MAY = RNG.random((2, 1, 4, 6)) > 0.4
MAY[0, 0, 1] = False  # a query that may look nowhere


def definition(may, blind):
    y = np.zeros((2, 3, 4, 2))
    for n, h, t in np.ndindex(2, 3, 4):
        seen = [s for s in range(6) if may is None or may[n, 0, t, s]]
        if not seen:
            y[n, h, t] = blind * v[n, h].mean(axis=0)
            continue
        weights = np.exp([q[n, h, t] @ k[n, h, s] / np.sqrt(5) for s in seen])
        y[n, h, t] = sum(w * v[n, h, s] for w, s in zip(weights, seen)) / weights.sum()
    return y


@pytest.mark.parametrize("may", [None, MAY], ids=["all", "masked"])
@pytest.mark.parametrize("nothing", [True, False])
def test_it_is_what_the_equations_say(may, nothing):
    y, cache = attention_forward(q, k, v, may, Dropout(0), False, blind_sees_nothing=nothing)
    np.testing.assert_allclose(y, definition(may, blind=not nothing))
    dy = RNG.standard_normal(y.shape)
    dP = RNG.standard_normal(cache.P.shape)

    def value():
        y, cache = attention_forward(q, k, v, may, Dropout(0), False, blind_sees_nothing=nothing)
        return float(np.sum(y * dy) + np.sum(cache.P * dP))

    adjoints = attention_backward(dy, dP, cache, Dropout(0))
    for x, dx in zip((q, k, v), adjoints):
        assert relative_error(numeric_gradient(value, x), dx) < 1e-7

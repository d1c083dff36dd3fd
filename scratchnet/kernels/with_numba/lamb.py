"""LAMB in two passes: the means and the lengths of step and parameter, and then the step.

The step u is computed in both: to write it down and read it again would take as long as to read m and v.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.team import by_rows

_BLOCK = 8192  # elements that are added up: all sums are the same ones with a team and without
_WORK = 16  # multiply-adds that take as long as a parameter


def lamb_update(param, grad, m, v, learning_rate, beta_1, beta_2, epsilon, of_m, of_v):
    """``u = m / of_m / (sqrt(v / of_v) + epsilon)``; arrays are flat."""
    t = param.dtype.type
    numbers = t(1 / of_m), t(1 / of_v), t(epsilon)
    sums = np.empty((2, -(-param.size // _BLOCK)), param.dtype)
    arguments = param, grad, m, v, t(1 - beta_1), t(1 - beta_2), *numbers, sums
    by_rows(_means, sums.shape[1], _WORK * param.size, *arguments, multiple=1)
    of_w, of_u = np.sqrt(sums.sum(axis=1))
    ratio = of_w / of_u if of_w > 0 and of_u > 0 else 1
    by_rows(_step, param.size, _WORK * param.size, param, m, v, t(ratio * learning_rate), *numbers)


@njit
def _means(first, stop, param, grad, m, v, not_beta_1, not_beta_2, for_m, for_v, epsilon, sums):
    for block in range(first, stop):
        at = slice(block * _BLOCK, min((block + 1) * _BLOCK, param.size))
        w_b, g_b, m_b, v_b = param[at], grad[at], m[at], v[at]
        of_w = of_u = param.dtype.type(0)
        for k in range(w_b.size):
            w, g = w_b[k], g_b[k]
            m_k = m_b[k] + (g - m_b[k]) * not_beta_1
            v_k = v_b[k] + (g * g - v_b[k]) * not_beta_2
            m_b[k] = m_k
            v_b[k] = v_k
            u = m_k * for_m / (math.sqrt(v_k * for_v) + epsilon)
            of_w += w * w
            of_u += u * u
        sums[0, block], sums[1, block] = of_w, of_u


@njit
def _step(first, stop, param, m, v, rate, for_m, for_v, epsilon):
    param, m, v = param[first:stop], m[first:stop], v[first:stop]
    for k in range(param.size):
        param[k] -= rate * (m[k] * for_m / (math.sqrt(v[k] * for_v) + epsilon))

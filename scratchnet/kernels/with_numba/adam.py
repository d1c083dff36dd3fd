"""Adam in one pass: four arrays are read and three written once, so memory sets the pace (28 bytes a parameter)."""

import math

from scratchnet.kernels.with_numba.compile import njit


def adam_update(param, grad, m, v, learning_rate, beta_1, beta_2, epsilon):
    t = param.dtype.type  # scalars of the parameters' dtype: float64 ones would make the loop compute in float64
    _update(param, grad, m, v, t(learning_rate), t(1 - beta_1), t(1 - beta_2), t(epsilon))


@njit
def _update(param, grad, m, v, learning_rate, one_minus_beta_1, one_minus_beta_2, epsilon):
    for k in range(param.size):
        g = grad[k]
        m_k = m[k] + (g - m[k]) * one_minus_beta_1
        v_k = v[k] + (g * g - v[k]) * one_minus_beta_2
        m[k] = m_k
        v[k] = v_k
        param[k] -= learning_rate * m_k / (math.sqrt(v_k) + epsilon)

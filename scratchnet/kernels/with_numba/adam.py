"""Adam in one pass: four arrays are read and three written once, so memory sets the pace (28 bytes a parameter).

With a team each thread has half. Of a gradient that two threads have computed by rows, that is about the half which
lies in its own cache; reading all of it, from the other processor's, one thread took three times as long as alone.
"""

import math

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.optimizer_steps import one_pass


def adam_update(param, grad, m, v, learning_rate, beta_1, beta_2, epsilon):
    one_pass(_update, param, (grad, m, v), (learning_rate, 1 - beta_1, 1 - beta_2, epsilon))


@njit
def _update(first, stop, param, grad, m, v, learning_rate, one_minus_beta_1, one_minus_beta_2, epsilon):
    param, grad, m, v = param[first:stop], grad[first:stop], m[first:stop], v[first:stop]
    for k in range(param.size):
        g = grad[k]
        m_k = m[k] + (g - m[k]) * one_minus_beta_1
        v_k = v[k] + (g * g - v[k]) * one_minus_beta_2
        m[k] = m_k
        v[k] = v_k
        param[k] -= learning_rate * m_k / (math.sqrt(v_k) + epsilon)

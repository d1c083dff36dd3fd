"""Adam as it is defined, one parameter after the other."""

import math


def adam_update(param, grad, m, v, learning_rate, beta_1, beta_2, epsilon):
    """One step of Adam on flat arrays, in place; `learning_rate` is already corrected for the bias of the averages."""
    for k in range(param.size):
        m[k] += (grad[k] - m[k]) * (1 - beta_1)  # the running mean of the gradient
        v[k] += (grad[k] * grad[k] - v[k]) * (1 - beta_2)  # and of its square
        param[k] -= learning_rate * m[k] / (math.sqrt(v[k]) + epsilon)

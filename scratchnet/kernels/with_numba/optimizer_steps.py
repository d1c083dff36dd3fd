"""Steps of optimizers in one pass over the parameters, the gradients and what is kept of these.

Each is the rule in the file of its optimizer, for one element after the other, in the same order and with the same
rounding: its bits are those of NumPy, which takes a pass over memory for each sign of the rule. Arrays are flat, and
with a team each thread has half of them.
"""

import functools

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain
from scratchnet.kernels.with_numba.team import by_rows

_WORK = 16  # multiply-adds that take as long as a parameter

_exact = njit(reorder=False, fuse=False)


def one_pass(step, param, arrays, numbers, *switches):
    """``step(first, stop, param, *arrays, *numbers, *switches)`` for all elements, by two threads with a team."""
    numbers = _numbers(param.dtype.type, *numbers)
    by_rows(step, param.size, _WORK * param.size, param, *arrays, *numbers, *switches)


@functools.lru_cache(maxsize=16)  # the same for all parameters of a step
def _numbers(t, *numbers):
    """In the dtype of the parameters: float64 ones would make the loop compute in float64."""
    return tuple(map(t, numbers))


def sgd_update(param, grad, velocity, learning_rate, momentum, nesterov):
    """`velocity` is None without momentum."""
    one_pass(_sgd, param, (grad, velocity), (-learning_rate, momentum), nesterov)


@_exact
def _sgd(first, stop, param, grad, velocity, minus_learning_rate, momentum, nesterov):
    param, grad = param[first:stop], grad[first:stop]
    if velocity is None:
        for k in range(param.size):
            param[k] += grad[k] * minus_learning_rate
    else:
        velocities = velocity[first:stop]  # a name of its own: the oldest Numba must see that `velocity` stays None
        for k in range(param.size):
            step = grad[k] * minus_learning_rate
            velocity_k = velocities[k] * momentum + step
            velocities[k] = velocity_k
            param[k] += velocity_k * momentum + step if nesterov else velocity_k


def rmsprop_update(param, grad, v, mean, velocity, learning_rate, rho, momentum, epsilon):
    """`mean` is None unless centered, `velocity` is None without momentum."""
    one_pass(_rmsprop, param, (grad, v, mean, velocity), (learning_rate, rho, 1 - rho, momentum, epsilon))


@_exact
def _rmsprop(first, stop, param, grad, v, mean, velocity, learning_rate, rho, not_rho, momentum, epsilon):
    param, grad, v, zero = param[first:stop], grad[first:stop], v[first:stop], param.dtype.type(0)
    if mean is not None:
        means = mean[first:stop]
    if velocity is not None:
        velocities = velocity[first:stop]
    for k in range(param.size):
        g = grad[k]
        variance = v[k] * rho + g * g * not_rho
        v[k] = variance
        if mean is not None:
            mean_k = means[k] * rho + g * not_rho
            means[k] = mean_k
            variance -= mean_k * mean_k
            variance = zero if variance < 0 else variance  # rounding can make it negative
        step = g * learning_rate / np.sqrt(variance + epsilon)
        if velocity is not None:
            step += velocities[k] * momentum
            velocities[k] = step
        param[k] -= step


def adagrad_update(param, grad, accumulator, learning_rate, epsilon):
    one_pass(_adagrad, param, (grad, accumulator), (learning_rate, epsilon))


@_exact
def _adagrad(first, stop, param, grad, accumulator, learning_rate, epsilon):
    param, grad, accumulator = param[first:stop], grad[first:stop], accumulator[first:stop]
    for k in range(param.size):
        g = grad[k]
        a = accumulator[k] + g * g
        accumulator[k] = a
        param[k] -= g * learning_rate / np.sqrt(a + epsilon)


def adadelta_update(param, grad, a, d, learning_rate, rho, epsilon):
    one_pass(_adadelta, param, (grad, a, d), (learning_rate, rho, 1 - rho, epsilon))


@_exact
def _adadelta(first, stop, param, grad, a, d, learning_rate, rho, not_rho, epsilon):
    param, grad, a, d = param[first:stop], grad[first:stop], a[first:stop], d[first:stop]
    for k in range(param.size):
        g, d_k = grad[k], d[k]
        a_k = a[k] * rho + not_rho * g * g
        step = -np.sqrt(d_k + epsilon) / np.sqrt(a_k + epsilon) * g
        a[k] = a_k
        d[k] = d_k * rho + not_rho * step * step
        param[k] += learning_rate * step


def amsgrad_update(param, grad, m, v, v_hat, step_size, beta_1, beta_2, epsilon):
    one_pass(_amsgrad, param, (grad, m, v, v_hat), (step_size, 1 - beta_1, 1 - beta_2, epsilon))


@_exact
def _amsgrad(first, stop, param, grad, m, v, v_hat, step_size, not_beta_1, not_beta_2, epsilon):
    param, grad, m, v, v_hat = param[first:stop], grad[first:stop], m[first:stop], v[first:stop], v_hat[first:stop]
    for k in range(param.size):
        g, largest = grad[k], v_hat[k]
        m_k = m[k] + (g - m[k]) * not_beta_1
        v_k = v[k] + (g * g - v[k]) * not_beta_2
        largest = largest if largest > v_k else v_k
        m[k], v[k], v_hat[k] = m_k, v_k, largest
        param[k] -= m_k * step_size / (np.sqrt(largest) + epsilon)


def nadam_update(param, grad, m, v, learning_rate, beta_1, beta_2, epsilon, of_m, of_grad, of_v):
    """``m_hat = of_m m + of_grad g``, ``v_hat = v / of_v``"""
    one_pass(_nadam, param, (grad, m, v), (learning_rate, 1 - beta_1, 1 - beta_2, epsilon, of_m, of_grad, of_v))


@_exact
def _nadam(first, stop, param, grad, m, v, learning_rate, not_beta_1, not_beta_2, epsilon, of_m, of_grad, of_v):
    param, grad, m, v = param[first:stop], grad[first:stop], m[first:stop], v[first:stop]
    for k in range(param.size):
        g = grad[k]
        m_k = m[k] + (g - m[k]) * not_beta_1
        v_k = v[k] + (g * g - v[k]) * not_beta_2
        m[k], v[k] = m_k, v_k
        m_hat = m_k * of_m + g * of_grad
        param[k] -= m_hat * learning_rate / (np.sqrt(v_k / of_v) + epsilon)


def adamax_update(param, grad, m, u, step_size, beta_1, beta_2, epsilon):
    one_pass(_adamax, param, (grad, m, u), (step_size, 1 - beta_1, beta_2, epsilon))


@_exact
def _adamax(first, stop, param, grad, m, u, step_size, not_beta_1, beta_2, epsilon):
    param, grad, m, u = param[first:stop], grad[first:stop], m[first:stop], u[first:stop]
    for k in range(param.size):
        g = grad[k]
        m_k = m[k] + (g - m[k]) * not_beta_1
        kept, size = beta_2 * u[k], abs(g)
        u_k = kept if kept > size else size
        m[k], u[k] = m_k, u_k
        param[k] -= step_size * m_k / (u_k + epsilon)


def lion_update(param, grad, m, learning_rate, beta_1, beta_2):
    one_pass(_lion, param, (grad, m), (learning_rate, beta_1, 1 - beta_1, beta_2, 1 - beta_2))


@_exact
def _lion(first, stop, param, grad, m, learning_rate, beta_1, not_beta_1, beta_2, not_beta_2):
    param, grad, m = param[first:stop], grad[first:stop], m[first:stop]
    for k in range(param.size):
        g, m_k = grad[k], m[k]
        direction = m_k * beta_1 + g * not_beta_1
        step = -learning_rate if direction < 0 else direction  # which may be 0 or NaN
        param[k] -= learning_rate if direction > 0 else step
        m[k] = m_k * beta_2 + g * not_beta_2


def ftrl_update(param, grad, a, z, learning_rate, l1, two_l2, two_shrinkage, beta):
    """With a learning_rate_power of -1/2."""
    one_pass(_ftrl, param, (grad, a, z), (learning_rate, l1, two_l2, two_shrinkage, beta))


@_exact
def _ftrl(first, stop, param, grad, a, z, learning_rate, l1, two_l2, two_shrinkage, beta):
    param, grad, a, z = param[first:stop], grad[first:stop], a[first:stop], z[first:stop]
    for k in range(param.size):
        g, w, a_k = grad[k], param[k], a[k]
        new_a = a_k + g * g
        root = np.sqrt(new_a)
        z_k = z[k] + (g + two_shrinkage * w - (root - np.sqrt(a_k)) / learning_rate * w)
        clipped = -l1 if z_k < -l1 else z_k
        clipped = l1 if clipped > l1 else clipped
        a[k], z[k] = new_a, z_k
        param[k] = (clipped - z_k) / (root / learning_rate + two_l2 + beta / learning_rate)


def decay_weights(param, share):
    """``param -= share * param``"""
    one_pass(_decay, param, (), (share,))


@_exact
def _decay(first, stop, param, share):
    param = param[first:stop]
    for k in range(param.size):
        param[k] -= param[k] * share


def average_weights(average, param, momentum):
    """``average = momentum average + (1 - momentum) param``"""
    one_pass(_average, average, (param,), (momentum, 1 - momentum))


@_exact
def _average(first, stop, average, param, momentum, not_momentum):
    average, param = average[first:stop], param[first:stop]
    for k in range(param.size):
        average[k] = average[k] * momentum + param[k] * not_momentum


def scaled_gradient(grad, factor):
    """``grad * factor``"""
    grad = plain(grad)
    scaled = np.empty_like(grad)
    one_pass(_scaled, scaled.reshape(-1), (grad.reshape(-1),), (factor,))
    return scaled


@_exact
def _scaled(first, stop, scaled, grad, factor):
    scaled, grad = scaled[first:stop], grad[first:stop]
    for k in range(grad.size):
        scaled[k] = grad[k] * factor


def cut_gradient(grad, largest):
    """``clip(grad, -largest, largest)``"""
    grad = plain(grad)
    cut = np.empty_like(grad)
    one_pass(_cut, cut.reshape(-1), (grad.reshape(-1),), (largest,))
    return cut


@_exact
def _cut(first, stop, cut, grad, largest):
    cut, grad = cut[first:stop], grad[first:stop]
    for k in range(grad.size):
        g = grad[k]
        g = largest if g > largest else g
        cut[k] = -largest if g < -largest else g

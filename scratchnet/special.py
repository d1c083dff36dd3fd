"""Functions that NumPy has not: erf and the quantiles of the normal distribution.

Both are quotients of polynomials, one for the middle and others for the tails, right to the last digits of float64:
W. J. Cody, "Rational Chebyshev approximations for the error function", 1969, and M. J. Wichura, "Algorithm AS 241: the
percentage points of the normal distribution", 1988. They compute in the dtype they are given.
"""

import math

import numpy as np

# erf(x) = x P(x^2) / Q(x^2) up to 0.46875, highest power first
_ERF_P = (
    1.85777706184603153e-1,
    3.16112374387056560,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_ERF_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
# erfc(x) = exp(-x^2) P(x) / Q(x) from there to 4
_ERFC_P = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
_ERFC_Q = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
# erfc(x) = exp(-x^2) / x (1 / sqrt(pi) - v P(v) / Q(v)), v = 1 / x^2, beyond
_TAIL_P = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_TAIL_Q = (
    1.0, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)  # fmt: skip


_BLOCK = 32768  # numbers at a time: some fifty passes over them, which stay in the cache


def _polynomial(coefficients, x):
    """Horner's rule, the highest power first."""
    y = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        y *= x
        y += c
    return y


def _by_blocks(function, x):
    """``function(x)`` of an array of any size, block after block."""
    x = np.asarray(x)
    flat = x.reshape(-1)
    y = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        y[block] = function(flat[block])
    return y.reshape(x.shape)


def erf(x):
    """``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 to x."""
    return _by_blocks(_erf, x)


def erfc(x):
    """``1 - erf(x)``, which keeps its digits where it is small."""
    return _by_blocks(_erfc, x)


def _erf(x):
    y = np.abs(x)
    return np.where(y <= 0.46875, _erf_of_small(x), np.sign(x) * (1 - _erfc_of_large(y)))


def _erfc(x):
    y = np.abs(x)
    tail = _erfc_of_large(y)
    return np.where(y <= 0.46875, 1 - _erf_of_small(x), np.where(x < 0, 2 - tail, tail))


def _erf_of_small(x):
    """erf of numbers between -0.46875 and 0.46875."""
    s = np.minimum(np.abs(x), 0.46875) ** 2
    return x * _polynomial(_ERF_P, s) / _polynomial(_ERF_Q, s)


def _erfc_of_large(y):
    """erfc of numbers from 0.46875 on; beyond 100 it is 0 in any case."""
    y = np.minimum(y, 100)
    near = np.clip(y, 0.46875, 4)
    z = _polynomial(_ERFC_P, near) / _polynomial(_ERFC_Q, near)
    beyond = y > 4
    if beyond.any():
        far = y[beyond]
        v = 1 / (far * far)
        z[beyond] = (1 / math.sqrt(math.pi) - v * _polynomial(_TAIL_P, v) / _polynomial(_TAIL_Q, v)) / far
    return np.exp(-y * y) * z


_CENTRE_P = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
    1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080,
)  # fmt: skip
_CENTRE_Q = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
    5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
)  # fmt: skip
_SIDE_P = (
    7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
    3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734,
)  # fmt: skip
_SIDE_Q = (
    1.05075007164441684324e-9, 5.4759380849953449460e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1.0,
)  # fmt: skip
_FAR_P = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720,
)  # fmt: skip
_FAR_Q = (
    2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
)  # fmt: skip


def normal_quantile(p):
    """The x below which the part p of the standard normal distribution lies; -inf and inf for 0 and 1."""
    return _quantile(p - 0.5, np.minimum(p, 1 - p))


def erfinv(x):
    """The y with ``erf(y) = x``."""
    return _quantile(x / 2, (1 - np.abs(x)) / 2) / math.sqrt(2)


def _quantile(q, outside):
    """`normal_quantile` of 1/2 + q, where the part `outside` lies beyond, on the nearer side."""
    r = np.clip(0.180625 - q * q, 0, None)
    centre = q * _polynomial(_CENTRE_P, r) / _polynomial(_CENTRE_Q, r)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.sqrt(-np.log(outside))
    side, far = np.clip(r, 1, 5) - 1.6, np.clip(r, 5, 30) - 5
    side = _polynomial(_SIDE_P, side) / _polynomial(_SIDE_Q, side)
    far = _polynomial(_FAR_P, far) / _polynomial(_FAR_Q, far)
    tail = np.where(r <= 5, side, np.where(np.isinf(r), r, far))
    return np.where(np.abs(q) <= 0.425, centre, np.sign(q) * tail)


def bessel_i1(x):
    """The modified Bessel function of order 1, the derivative of `numpy.i0`, in the dtype of x.

    I_1(x) = 1 / pi * integral from 0 to pi of  e^(x cos t) cos t dt: a periodic function, of which a few evenly spaced
    values tell the integral to the last digit (Trefethen and Weideman 2014); the larger x, the more.
    """
    x = np.asarray(x)
    count = 32 + int(9 * np.sqrt(np.abs(x).max(initial=0.0)))
    t = (np.arange(count) + 0.5) * (np.pi / count)
    return sum(np.exp(x * c) * c for c in np.cos(t).astype(x.dtype)) / count

"""Elementwise functions, compiled: what activations and losses are made of, relu alone, and erfc.

`math.exp`, `math.tanh` and `math.erfc` are calls for one number at a time. In float32 they are replaced by quotients of
polynomials, which vectorise and are right to a few units in the last place; float64, in which gradients are proved,
keeps the exact ones.
"""

import math

import numpy as np

from scratchnet.kernels.with_numba.compile import njit, plain

_FLOATS = (np.dtype("float32"), np.dtype("float64"))
_F = np.float32
_LOG2_E = _F(1.4426950408889634)
# ln 2 = high + low, and n * high is exact for every |n| < 2^9: the rest of z / ln 2 keeps all its digits
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440054690581e-4)
_HALF_LN2, _TWO_LOG2_E = _F(math.log(2) / 2), _F(2 / math.log(2))
_LIMIT = _F(87)  # up to it e^z, and from minus it on, is a normal float32
# What is added to it loses all behind the point, and the last bits hold the integer, and 127 besides: the exponent of
# the float32 1, so that moved to where exponents are they are a power of two.
_SHIFT, _FRACTION_BITS = _F(1.5 * 2**23 + 127), np.int32(23)
_BITS_OF_ROOT_HALF = np.array(math.sqrt(0.5), _F).view(np.int32)[()]
_SMALLEST, _LARGEST, _NAN = np.finfo(_F).tiny, np.finfo(_F).max, _F(np.nan)
_ONE_NEARLY = _F(10)  # from it on tanh is 1 in float32
_ZERO, _HALF, _ONE, _TWO, _SIX = _F(0), _F(0.5), _F(1), _F(2), _F(6)
_ODD = tuple(_F(1 / k) for k in range(1, 16, 2))  # 1, 1/3, 1/5, ...
_TENTH, _IN_120, _IN_15, _TWO_FIFTHS = _F(1 / 10), _F(1 / 120), _F(1 / 15), _F(2 / 5)
_VANISHES = _F(9.3)  # from it on erfc is 0 in float32
_TWELVE_BITS = np.int32(-1 << 12)  # of the 24 of a float32's fraction
# The polynomial of `erfc32`, highest power first
_ERFC = tuple(map(_F, (
    -2.586483119e-2, 9.776528456e-2, -1.050303191e-1, -1.623571564e-2, 8.711350473e-3, 9.142135400e-2, 2.187599923e-1,
    3.588453607e-1, 5.000052213e-1,
)))  # fmt: skip


@njit(inner=True)
def copy(x, y):
    """``y = x``, rows of numbers."""
    for n in range(len(y)):
        x_n, y_n = x[n], y[n]
        for k in range(y_n.size):
            y_n[k] = x_n[k]


@njit(inner=True)
def add(x, y):
    """``y += x``, rows of numbers."""
    for n in range(len(y)):
        x_n, y_n = x[n], y[n]
        for k in range(y_n.size):
            y_n[k] += x_n[k]


@njit(inner=True)
def add_columns(x, total):
    """``total += x.sum(axis=0)``"""
    for n in range(len(x)):
        row = x[n]
        for k in range(total.size):
            total[k] += row[k]


@njit(reorder=False, inner=True)
def exp_parts(z, low=_ZERO):
    """``(p, q, s)`` with e^(z - low) = s (q + p) / (q - p), of which a sigmoid need not take the quotient.

    z = n ln 2 + r with |r| <= ln 2 / 2, s = 2^n, and p / q = tanh(r / 2) = r / 2 * (1 + r^2 / 60) / (1 + r^2 / 10), the
    beginning of its continued fraction: as e^x = (1 + tanh(x / 2)) / (1 - tanh(x / 2)), that is e^r to 8 digits.
    """
    z = -_LIMIT if z < -_LIMIT else z  # NaN stays NaN
    z = _LIMIT if z > _LIMIT else z
    shifted = z * _LOG2_E + _SHIFT
    n = shifted - _SHIFT
    r = ((z - n * _LN2_HIGH) - low) - n * _LN2_LOW
    r2 = r * r
    p, q = r * (_HALF + r2 * _IN_120), _ONE + r2 * _TENTH
    return p, q, _power_of_two(shifted)


@njit(reorder=False, inner=True)
def _power_of_two(shifted):
    """2^n for ``shifted = n + _SHIFT``, put together from its bits."""
    return np.int32(_F(shifted).view(np.int32) << _FRACTION_BITS).view(_F)


@njit(reorder=False, inner=True)
def exp32(z):
    """e^z in float32, for z that is not above 87."""
    p, q, s = exp_parts(z)
    return _ZERO if z < -_LIMIT else s * (_ONE + (p + p) / (q - p))  # (q + p) / (q - p), rounded once less


@njit(reorder=False, inner=True)
def expm1_32(z):
    """e^z - 1 in float32, to its last digits also where z is small, for z that is not above 87."""
    p, q, s = exp_parts(z)
    return ((s - _ONE) * q + (s + _ONE) * p) / (q - p)


@njit(reorder=False, inner=True)
def log_1p_power(z):
    """log(1 + e^-|z|) in float32, as 2 artanh(e / (2 + e)), whose series has few terms up to 1/3."""
    p, q, power = exp_parts(-z if z > _ZERO else z)  # e = power (q + p) / (q - p)
    e = power * (q + p)
    s = e / (_TWO * (q - p) + e)
    x = s * s
    series = _ODD[6] + x * _ODD[7]
    series = _ODD[4] + x * (_ODD[5] + x * series)
    series = _ODD[2] + x * (_ODD[3] + x * series)
    return _TWO * s * (_ONE + x * (_ODD[1] + x * series))


@njit(reorder=False, inner=True)
def logistic32(z, t):
    """max(z, 0) - z t + log(1 + e^-|z|): of large z the difference leaves little, and comes first."""
    above_0 = z if z > _ZERO else _ZERO  # `max` would be compiled as a function
    return (above_0 - z * t) + log_1p_power(z)


@njit(reorder=False, inner=True)
def log32(x):
    """log(x) in float32, for normal positive x; of all others NaN.

    x = 2^n m with m between the roots of 1/2 and of 2, and log(m) = 2 artanh((m - 1) / (m + 1)).
    """
    bits = _F(x).view(np.int32)
    n = (bits - _BITS_OF_ROOT_HALF) >> _FRACTION_BITS
    m = np.int32(bits - (n << _FRACTION_BITS)).view(_F)
    exponent = _F(n)
    log_of_m = _TWO * artanh_series((m - _ONE) / (m + _ONE))
    found = exponent * _LN2_HIGH + (exponent * _LN2_LOW + log_of_m)
    return found if (x >= _SMALLEST) & (x <= _LARGEST) else _NAN


@njit(reorder=False, inner=True)
def artanh_series(s):
    """artanh(s) for |s| up to 0.172: five terms of its series."""
    x = s * s
    series = _ODD[3] + x * _ODD[4]
    return s + s * (x * (_ODD[1] + x * (_ODD[2] + x * series)))


@njit(reorder=False, inner=True)
def cut(x, least, most):
    x = least if x < least else x  # NaN stays NaN
    return most if x > most else x


@njit(reorder=False, inner=True)
def sigmoid32(z):
    p, q, s = exp_parts(z)
    power = s * (q + p)
    return power / (power + (q - p))  # e^z / (e^z + 1)


@njit(reorder=False, inner=True)
def tanh32(z):
    """The tangent of a sum, n ln 2 / 2 and r, of which the first has the tangent (s - 1) / (s + 1), with s = 2^n.

    The second is p / q = r (1 + r^2 / 15) / (1 + 2 r^2 / 5), as in `exp_parts`. So nothing is cancelled. The larger n,
    the flatter is tanh: n ln 2 / 2 need not be known to more digits than a float32 has.
    """
    z = -_ONE_NEARLY if z < -_ONE_NEARLY else z  # NaN stays NaN
    z = _ONE_NEARLY if z > _ONE_NEARLY else z
    shifted = z * _TWO_LOG2_E + _SHIFT
    r = z - (shifted - _SHIFT) * _HALF_LN2
    r2 = r * r
    p, q, s = r + r * (r2 * _IN_15), _ONE + r2 * _TWO_FIFTHS, _power_of_two(shifted)
    less, more = s - _ONE, s + _ONE
    return (less * q + more * p) / (more * q + less * p)


@njit(reorder=False, inner=True)
def tanh_or_relu(z, relu):
    """tanh(z); max(z, 0) unless `relu` is None, which is known when this is compiled."""
    if relu is None:
        return tanh32(z)
    return max(z, _ZERO)


@njit(inner=True)
def through_tanh_or_relu(dy, y, relu):
    """dz of ``y = tanh_or_relu(z, relu)``."""
    if relu is None:
        return dy * (_ONE - y * y)
    return dy if y > _ZERO else _ZERO


def relu(z, out=None, most=np.inf):
    """``np.clip(z, 0, most, out=out)``, which takes several times as long: it asks of each number whether it is NaN."""
    if z.dtype not in _FLOATS or out is not None and not out.flags.carray:
        y = np.maximum(z, 0, out=out)
        return y if most == np.inf else np.minimum(y, z.dtype.type(most), out=out)
    y = np.empty_like(z, order="C") if out is None else out
    _relu(plain(z).reshape(-1), z.dtype.type(most), y.reshape(-1))
    return y


def relu_backward(dy, y, most=np.inf):
    """dy where 0 < y < most, or without a limit 0 < y, else 0; without an array of what is true in between."""
    if dy.dtype not in _FLOATS or dy.dtype != y.dtype or dy.shape != y.shape:
        return dy * ((y > 0) & ((y < most) | (most == np.inf)))
    dz = np.empty_like(dy, order="C")
    _relu_backward(plain(dy).reshape(-1), plain(y).reshape(-1), dy.dtype.type(most), dz.reshape(-1))
    return dz


@njit
def _relu(z, most, y):
    zero = y.dtype.type(0)
    for k in range(y.size):
        value = zero if z[k] <= zero else z[k]  # NaN stays NaN
        y[k] = most if value > most else value


@njit
def _relu_backward(dy, y, most, dz):
    zero, has_no_limit = dz.dtype.type(0), most == np.inf
    for k in range(dz.size):
        d, value = dy[k], y[k]
        dz[k] = d if (value > zero) & ((value < most) | has_no_limit) else zero


def erfc(x):
    y = np.empty_like(x, order="C")
    (_erfc32 if x.itemsize == 4 else _erfc64)(plain(x).reshape(-1), y.reshape(-1))
    return y


@njit
def _erfc64(x, y):
    for k in range(y.size):
        y[k] = math.erfc(x[k])


@njit(reorder=False)
def _erfc32(x, y):
    for k in range(y.size):
        y[k] = erfc32(x[k], power_of_square(x[k]))


@njit(reorder=False, inner=True)
def power_of_square(x):
    """e^(-x^2) in float32. A square of 80, rounded, would be off by 4e-6, and so would be the result, of itself.

    x^2 = near^2 + (x - near) (x + near): the square of 12 bits of x is exact, and the rest is small.
    """
    z = abs(x)
    z = _VANISHES if z > _VANISHES else z
    near = np.int32(_F(z).view(np.int32) & _TWELVE_BITS).view(_F)
    p, q, s = exp_parts(-near * near, (z - near) * (z + near))
    return s * (_ONE + (p + p) / (q - p))


@njit(reorder=False, inline="always")
def erfc32(x, power):
    """erfc(x), given ``power = e^(-x^2)``: for z = |x| it is ``(1 - z t P(t)) power`` with t = 1 / (1 + z / 2).

    P is a polynomial, fitted so that what stands in front of the power is never off by more than 4e-8 of itself.
    """
    z = abs(x)
    t, c = _ONE / (_ONE + _HALF * z), _ERFC
    high = (((c[0] * t + c[1]) * t + c[2]) * t + c[3]) * t + c[4]
    series = (((high * t + c[5]) * t + c[6]) * t + c[7]) * t + c[8]
    of_z = _ZERO if z > _VANISHES else (_ONE - z * t * series) * power
    return _TWO - of_z if x < _ZERO else of_z

"""The random numbers of `scratchnet.streams`, compiled: what a layer makes of Philox's bits is made while they are hot.

The bits are those of `numpy.random.Philox`, which draws number by number; a counter here need not wait for the one
before it. Masks are the same to the bit. Normals are float32, right to a few units in the last place: logarithm, root
and cosine of one number at a time would take several times as long as the bits.
"""

import math

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from scratchnet.kernels.with_numba.compile import njit
from scratchnet.kernels.with_numba.team import by_rows

_BLOCK = 256  # uniforms at a time, which stay in the cache
_A_COUNTER = 4  # as many numbers
_WORK = 16  # multiply-adds that take about as long as a number

_U, _F = np.uint64, np.float32
_MULTIPLIERS = _U(0xD2E7470EE14C6C93), _U(0xCA5A826395121157)
_ROUNDS = 10
_WEYL = _U(0x9E3779B97F4A7C15), _U(0xBB67AE8584CAA73B)  # what is added to the key behind every round
_NONE, _UNUSED_BITS, _UNIT = _U(0), _U(11), 2.0**-53
_FRACTION_BITS, _BITS_OF_ROOT_2 = _U(52), np.array(math.sqrt(2)).view(_U)[()]
_TWO, _FOUR, _TWO_LN2 = _F(2), _F(4), _F(2 * math.log(2))
_ATANH = tuple(_F(1 / k) for k in (3, 5, 7, 9))
_SIN = tuple(_F((-1) ** (k // 2) * (2 * math.pi) ** k / math.factorial(k)) for k in (1, 3, 5, 7, 9, 11))  # of 2 pi t


def mask_rows(key, first_row, rows, size, rate, value):
    """(rows, size): 0 where the uniform is below the rate, `value` where it is not."""
    mask = np.empty((rows, size), value.dtype)
    with np.errstate(over="ignore"):  # of the key, in plain Python
        by_rows(_mask_rows, rows, _WORK * mask.size, key, first_row, float(rate), value, mask)
    return mask


def normal_rows(key, first_row, rows, size, mean, stddev):
    """(rows, size), float32."""
    y = np.empty((rows, size), _F)
    with np.errstate(over="ignore"):
        by_rows(_normal_rows, rows, 2 * _WORK * y.size, key, first_row, _F(mean), _F(stddev), y)
    return y


@njit
def _mask_rows(first, stop, key, first_row, rate, value, mask):
    D = mask.shape[1]
    counters = -(-D // _A_COUNTER)
    u, zero = np.empty(_BLOCK), mask.dtype.type(0)
    for n in range(first, stop):
        for start in range(0, D, _BLOCK):
            target = mask[n, start : start + _BLOCK]
            _draw(key, (first_row + n) * counters + start // _A_COUNTER, target.size, u)
            for k in range(target.size):
                target[k] = value if u[k] >= rate else zero


@njit
def _normal_rows(first, stop, key, first_row, mean, stddev, y):
    D = y.shape[1]
    counters = -(-2 * D // _A_COUNTER)
    u, v = np.empty(_BLOCK), np.empty(_BLOCK + _A_COUNTER)
    for n in range(first, stop):
        row = (first_row + n) * counters
        for start in range(0, D, _BLOCK):
            target = y[n, start : start + _BLOCK]
            second, before = divmod(D + start, _A_COUNTER)  # the others of a row stand behind its first D
            _draw(key, row + start // _A_COUNTER, target.size, u)
            _draw(key, row + second, before + target.size, v)
            _box_muller(u, v[before:], mean, stddev, target)


@njit(inner=True)
def _draw(key, counter, size, u):
    """Uniforms in [0, 1) of the counters behind `counter`, at least `size`."""
    key_0, key_1, counter, k = key[0], key[1], _U(counter), 0
    while k < size:  # of a loop over a range LLVM takes three turns at a time, and has too few registers
        counter += _U(1)
        a, b, c, d = _philox(key_0, key_1, counter)
        u[k], u[k + 1], u[k + 2], u[k + 3] = _uniform(a), _uniform(b), _uniform(c), _uniform(d)
        k += _A_COUNTER


@njit(inner=True)
def _uniform(bits):
    return np.int64(bits >> _UNUSED_BITS) * _UNIT


@intrinsic
def _compiled_product(typing_context, a, b):
    """The upper and the lower 64 bits of a b."""

    def generate(context, builder, signature, arguments):
        half, whole = ir.IntType(64), ir.IntType(128)
        product = builder.mul(*(builder.zext(argument, whole) for argument in arguments))
        high = builder.trunc(builder.lshr(product, ir.Constant(whole, 64)), half)
        return context.make_tuple(builder, signature.return_type, (high, builder.trunc(product, half)))

    return types.UniTuple(types.uint64, 2)(types.uint64, types.uint64), generate


def _python_product(a, b):
    whole = int(a) * int(b)
    return _U(whole >> 64), _U(whole & (1 << 64) - 1)


_product = _python_product if numba.config.DISABLE_JIT else _compiled_product


@njit(inner=True)
def _philox(key_0, key_1, counter):
    """The four numbers of a counter, of which the upper 192 bits are 0."""
    a, b, c, d = counter, _NONE, _NONE, _NONE
    for _ in range(_ROUNDS):
        high_0, low_0 = _product(_MULTIPLIERS[0], a)
        high_1, low_1 = _product(_MULTIPLIERS[1], c)
        a, b, c, d = high_1 ^ b ^ key_0, low_1, high_0 ^ d ^ key_1, low_0
        key_0, key_1 = key_0 + _WEYL[0], key_1 + _WEYL[1]
    return a, b, c, d


@njit(reorder=False, inner=True)
def _box_muller(u, v, mean, stddev, y):
    """``mean + stddev sqrt(-2 ln(1 - u)) cos(2 pi v)``

    What is small in the end is made of differences in float64, which are exact, and only then rounded to float32.

    * 1 - u = m / 2^n with m between the roots of 1/2 and of 2. ln m = 2 artanh(s) with s = (m - 1) / (m + 1), which is
      at most 0.172, so that five terms of the series are enough.
    * cos(2 pi v) = sin(2 pi t) with t = |v - 1/2| - 1/4, between -1/4 and 1/4.
    """
    for k in range(y.size):
        bits = np.float64(1.0 - u[k]).view(_U)
        n = (_BITS_OF_ROOT_2 - bits) >> _FRACTION_BITS
        f = _F(_U(bits + (n << _FRACTION_BITS)).view(np.float64) - 1.0)
        s = f / (_TWO + f)
        s2 = s * s
        artanh = s + s * (s2 * (_ATANH[0] + s2 * (_ATANH[1] + s2 * (_ATANH[2] + s2 * _ATANH[3]))))
        radius = math.sqrt(_F(np.int32(n)) * _TWO_LN2 - _FOUR * artanh)
        t = _F(abs(v[k] - 0.5) - 0.25)
        t2 = t * t
        sin = t * (_SIN[0] + t2 * (_SIN[1] + t2 * (_SIN[2] + t2 * (_SIN[3] + t2 * (_SIN[4] + t2 * _SIN[5])))))
        y[k] = mean + stddev * (radius * sin)

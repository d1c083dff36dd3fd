"""Operations on each element: arithmetic, exponentials, trigonometry, rounding, comparison, logic.

One line an operation: its name, z = f(x), and beside it the adjoint dx = dz f'(x); for two operands dx1 and dx2.
Operands broadcast against each other as in NumPy.

Where a function has a kink, the derivative is Keras's: the first of two equal operands of `maximum` and `minimum` gets
all, `clip` passes at its bounds, ``abs'(0) = 0``; ``sqrt'(0)`` is infinite. Only ``x1 ** 0`` differs: its derivative is
0 everywhere, where Keras has nan at 0.
"""

import math

import numpy as np

from scratchnet import special
from scratchnet.kernels.by_channels import times
from scratchnet.ops import dtypes
from scratchnet.ops.dtypes import floats, kept, numbers, promoted
from scratchnet.ops.operation import operation


def _unary(name, f, dx, dtypes=floats):
    return operation(f, name, x=dx, dtypes=dtypes)


def _binary(name, f, dx1, dx2, dtypes=promoted):
    return operation(f, name, x1=dx1, x2=dx2, dtypes=dtypes)


def _squared(x2):
    return x2.ndim == 0 and x2 == 2  # x ** 2, which np.power computes many times slower than x * x


def _power(x1, x2):
    return x1 * x1 if _squared(x2) else np.power(x1, x2)


def _power_dx1(dz, x1, x2):
    if _squared(x2):
        return dz * (2 * x1)
    return dz * (x2 * np.power(x1, np.where(x2 == 0, 1, x2 - 1)))


def _power_dx2(dz, x1, z):
    x1 = np.broadcast_to(x1, z.shape)
    return dz * z * np.log(x1, where=x1 > 0, out=np.zeros_like(z))  # x1 ** x2 has no neighbours in x2 where x1 < 0


def _mod_dx2(dz, x1, x2):
    return -dz * (x1 // x2)  # z = x1 - x2 (x1 // x2)


def _fmod_dx2(dz, x1, x2):
    return -dz * np.trunc(x1 / x2)  # as mod, but towards 0


def _divide_dx2(dz, x2, z):
    return -dz * z / x2


def _multiply_dx1(dz, x2):
    return times(dz, x2)


def _multiply_dx2(dz, x1):
    return times(dz, x1)


def _divide_no_nan(x1, x2):
    out = np.zeros(np.broadcast_shapes(x1.shape, x2.shape), x1.dtype)
    return np.divide(x1, x2, where=x2 != 0, out=out)


def _divide_no_nan_dx1(dz, x2):
    return _divide_no_nan(dz, x2)


def _divide_no_nan_dx2(dz, x2, z):
    return -_divide_no_nan(dz * z, x2)


def _logaddexp_dx1(dz, x1, z):
    return dz * np.exp(x1 - z)  # z = log(exp(x1) + exp(x2))


def _logaddexp_dx2(dz, x2, z):
    return dz * np.exp(x2 - z)


def _arctan2_dx1(dz, x1, x2):
    return dz * x2 / (x1 * x1 + x2 * x2)


def _arctan2_dx2(dz, x1, x2):
    return -dz * x1 / (x1 * x1 + x2 * x2)


def _fmax_dx2(dz, x1, z):
    return dz * (x1 != z)  # of numbers and nan the number; of equal ones the first


def _sinc_dx(dz, x, z):
    away = np.where(x == 0, 1, x)
    return dz * np.where(x == 0, 0, (np.cos(np.pi * x) - z) / away)  # z = sin(pi x) / (pi x)


# fmt: off
# ---- arithmetic ----
#                               z = f(x1, x2)             dx1                          dx2
add      = _binary("add",       lambda x1, x2: x1 + x2,   lambda dz: dz,               lambda dz: dz, numbers)
subtract = _binary("subtract",  lambda x1, x2: x1 - x2,   lambda dz: dz,               lambda dz: -dz, numbers)
multiply = _binary("multiply",  lambda x1, x2: times(x1, x2), _multiply_dx1,           _multiply_dx2)
divide   = _binary("divide",    lambda x1, x2: x1 / x2,   lambda dz, x2: dz / x2,      _divide_dx2, floats)
power    = _binary("power",     _power,                   _power_dx1,                  _power_dx2, numbers)
mod      = _binary("mod",       lambda x1, x2: x1 % x2,   lambda dz: dz,               _mod_dx2, numbers)
true_divide = divide
floor_divide  = _binary("floor_divide",  lambda x1, x2: x1 // x2, None, None, numbers)
fmod     = _binary("fmod",      lambda x1, x2: np.fmod(x1, x2), lambda dz: dz,         _fmod_dx2, numbers)
divide_no_nan = _binary("divide_no_nan", _divide_no_nan, _divide_no_nan_dx1, _divide_no_nan_dx2, floats)

#                                 z = f(x)                          dx
negative   = _unary("negative",   lambda x: -x,                     lambda dz: -dz, kept)
absolute   = _unary("absolute",   lambda x: np.abs(x),              lambda dz, x: dz * np.sign(x), kept)
fabs       = _unary("fabs",       lambda x: np.abs(x),              lambda dz, x: dz * np.sign(x))
square     = _unary("square",     lambda x: x * x,                  lambda dz, x: dz * (2 * x), numbers)
sqrt       = _unary("sqrt",       lambda x: np.sqrt(x),             lambda dz, z: dz / (2 * z))
rsqrt      = _unary("rsqrt",      lambda x: 1 / np.sqrt(x),         lambda dz, z: dz * z * z * z / -2)
cbrt       = _unary("cbrt",       lambda x: np.cbrt(x),             lambda dz, z: dz / (3 * z * z))
reciprocal = _unary("reciprocal", lambda x: 1 / x,                  lambda dz, z: -dz * z * z)
i0         = _unary("i0",         lambda x: np.i0(x).astype(x.dtype), lambda dz, x: dz * special.bessel_i1(x))
abs = absolute

# ---- exponentials and logarithms ----
exp   = _unary("exp",   lambda x: np.exp(x),    lambda dz, z: dz * z)
exp2  = _unary("exp2",  lambda x: np.exp2(x),   lambda dz, z: dz * z * math.log(2))
expm1 = _unary("expm1", lambda x: np.expm1(x),  lambda dz, z: dz * (z + 1))
log   = _unary("log",   lambda x: np.log(x),    lambda dz, x: dz / x)
log2  = _unary("log2",  lambda x: np.log2(x),   lambda dz, x: dz / (x * math.log(2)))
log10 = _unary("log10", lambda x: np.log10(x),  lambda dz, x: dz / (x * math.log(10)))
log1p = _unary("log1p", lambda x: np.log1p(x),  lambda dz, x: dz / (1 + x))
erf   = _unary("erf",   special.erf,            lambda dz, x: dz * (2 / math.sqrt(math.pi)) * np.exp(-x * x))
erfc  = _unary("erfc",  special.erfc,       lambda dz, x: dz * (-2 / math.sqrt(math.pi)) * np.exp(-x * x))
erfinv = _unary("erfinv", special.erfinv,      lambda dz, z: dz * (math.sqrt(math.pi) / 2) * np.exp(z * z))
logaddexp = _binary("logaddexp", lambda x1, x2: np.logaddexp(x1, x2), _logaddexp_dx1, _logaddexp_dx2, floats)

# ---- trigonometry ----
sin     = _unary("sin",     lambda x: np.sin(x),     lambda dz, x: dz * np.cos(x))
cos     = _unary("cos",     lambda x: np.cos(x),     lambda dz, x: -dz * np.sin(x))
tan     = _unary("tan",     lambda x: np.tan(x),     lambda dz, z: dz * (1 + z * z))
arcsin  = _unary("arcsin",  lambda x: np.arcsin(x),  lambda dz, x: dz / np.sqrt(1 - x * x))
arccos  = _unary("arccos",  lambda x: np.arccos(x),  lambda dz, x: -dz / np.sqrt(1 - x * x))
arctan  = _unary("arctan",  lambda x: np.arctan(x),  lambda dz, x: dz / (1 + x * x))
sinh    = _unary("sinh",    lambda x: np.sinh(x),    lambda dz, x: dz * np.cosh(x))
cosh    = _unary("cosh",    lambda x: np.cosh(x),    lambda dz, x: dz * np.sinh(x))
arcsinh = _unary("arcsinh", lambda x: np.arcsinh(x), lambda dz, x: dz / np.sqrt(x * x + 1))
arccosh = _unary("arccosh", lambda x: np.arccosh(x), lambda dz, x: dz / np.sqrt(x * x - 1))
arctanh = _unary("arctanh", lambda x: np.arctanh(x), lambda dz, x: dz / (1 - x * x))
sinc    = _unary("sinc",    lambda x: np.sinc(x),    _sinc_dx)
deg2rad = _unary("deg2rad", lambda x: np.deg2rad(x), lambda dz: dz * (math.pi / 180))
rad2deg = _unary("rad2deg", lambda x: np.rad2deg(x), lambda dz: dz * (180 / math.pi))
arctan2 = _binary("arctan2", lambda x1, x2: np.arctan2(x1, x2), _arctan2_dx1, _arctan2_dx2, floats)
hypot   = _binary("hypot",   lambda x1, x2: np.hypot(x1, x2), lambda dz, x1, z: dz * x1 / z,
                  lambda dz, x2, z: dz * x2 / z, floats)

# ---- the larger, the smaller, what lies within bounds ----
maximum = _binary("maximum", lambda x1, x2: np.maximum(x1, x2), lambda dz, x1, x2: dz * (x1 >= x2),
                  lambda dz, x1, x2: dz * (x1 < x2))
minimum = _binary("minimum", lambda x1, x2: np.minimum(x1, x2), lambda dz, x1, x2: dz * (x1 <= x2),
                  lambda dz, x1, x2: dz * (x1 > x2))

fmax = _binary("fmax", lambda x1, x2: np.fmax(x1, x2), lambda dz, x1, z: dz * (x1 == z), _fmax_dx2)
fmin = _binary("fmin", lambda x1, x2: np.fmin(x1, x2), lambda dz, x1, z: dz * (x1 == z), _fmax_dx2)

# ---- steps: constant but for jumps, so that there is no derivative ----
floor = _unary("floor", lambda x: np.floor(x), None)
ceil  = _unary("ceil",  lambda x: np.ceil(x),  None)
trunc = _unary("trunc", lambda x: np.trunc(x), None, kept)
sign  = _unary("sign",  lambda x: np.sign(x),  None, numbers)
heaviside = _binary("heaviside", lambda x1, x2: np.heaviside(x1, x2), None, None, floats)
nextafter = _binary("nextafter", lambda x1, x2: np.nextafter(x1, x2), None, None, floats)
gcd = _binary("gcd", lambda x1, x2: np.gcd(x1, x2), None, None)
lcm = _binary("lcm", lambda x1, x2: np.lcm(x1, x2), None, None)

# ---- comparison ----
equal         = _binary("equal",         lambda x1, x2: x1 == x2, None, None)
not_equal     = _binary("not_equal",     lambda x1, x2: x1 != x2, None, None)
less          = _binary("less",          lambda x1, x2: x1 < x2,  None, None)
less_equal    = _binary("less_equal",    lambda x1, x2: x1 <= x2, None, None)
greater       = _binary("greater",       lambda x1, x2: x1 > x2,  None, None)
greater_equal = _binary("greater_equal", lambda x1, x2: x1 >= x2, None, None)
isnan    = _unary("isnan",    lambda x: np.isnan(x),    None)
isinf    = _unary("isinf",    lambda x: np.isinf(x),    None)
isposinf = _unary("isposinf", lambda x: np.isposinf(x), None)
isneginf = _unary("isneginf", lambda x: np.isneginf(x), None)
isfinite = _unary("isfinite", lambda x: np.isfinite(x), None)
signbit  = _unary("signbit",  lambda x: np.signbit(x),  None)

# ---- logic: whatever is not 0 is true ----
logical_and = _binary("logical_and", lambda x1, x2: x1 & x2, None, None, dtypes.booleans)
logical_or  = _binary("logical_or",  lambda x1, x2: x1 | x2, None, None, dtypes.booleans)
logical_xor = _binary("logical_xor", lambda x1, x2: x1 ^ x2, None, None, dtypes.booleans)
logical_not = _unary("logical_not",  lambda x: ~x,           None, dtypes.booleans)

# ---- bits of integers ----
def _bits(name, f, dtypes=promoted):
    return operation(f, name, x=None, y=None, dtypes=dtypes)


bitwise_and = _bits("bitwise_and", lambda x, y: x & y)
bitwise_or  = _bits("bitwise_or",  lambda x, y: x | y)
bitwise_xor = _bits("bitwise_xor", lambda x, y: x ^ y)
bitwise_left_shift  = left_shift  = _bits("bitwise_left_shift",  lambda x, y: x << y, numbers)
bitwise_right_shift = right_shift = _bits("bitwise_right_shift", lambda x, y: x >> y, numbers)
bitwise_invert = bitwise_not = _unary("bitwise_invert", lambda x: ~x, None, kept)
# fmt: on


@operation(x=None, dtypes=numbers)
def round(x, decimals=0):
    """To the nearest number with so many decimals; halves to the even one."""
    return np.round(x, decimals)


def _with_bounds(operands):
    x, *bounds = operands
    if isinstance(x, np.ndarray) and x.dtype.kind in "iu":  # a bound that x cannot reach is the last number it can
        info = np.iinfo(x.dtype)
        bounds = [min(max(b, info.min), info.max) if type(b) is int else b for b in bounds]
    return numbers([x, *bounds])


@operation(
    x=lambda dz, x, x_min, x_max: dz * ((x >= x_min) & (x <= x_max)),
    x_min=lambda dz, x, x_min: dz * (x < x_min),
    x_max=lambda dz, x, x_max: dz * (x > x_max),
    dtypes=_with_bounds,
)
def clip(x, x_min, x_max):
    """x where it lies between x_min and x_max, else the bound."""
    return np.minimum(np.maximum(x, x_min), x_max)


@operation(x=lambda dz, x: dz * np.isfinite(x), dtypes=kept)
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with numbers in the place of nan and the infinities (by default the largest ones of the dtype)."""
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@operation(x1=None, x2=None)
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether ``|x1 - x2| <= atol + rtol |x2|``."""
    return np.isclose(x1, x2, rtol, atol, equal_nan)


def ldexp(x1, x2):
    """``x1 * 2 ** x2``."""
    return multiply(x1, exp2(x2))


def logaddexp2(x1, x2):
    """``log2(2 ** x1 + 2 ** x2)``, safe from overflow."""
    return divide(logaddexp(multiply(x1, math.log(2)), multiply(x2, math.log(2))), math.log(2))

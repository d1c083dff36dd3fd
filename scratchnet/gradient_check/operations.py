"""Checking the operations of `scratchnet.ops`: `check_operation`, and a case for every entry of the table.

Each operand is checked by central differences in float64, with the options that its adjoint depends on; operations of
two operands in all ways of broadcasting. An entry with a derivative and without a case is an error.
"""

import itertools

import numpy as np

from scratchnet.gradient_check.check import SMOOTH
from scratchnet.gradient_check.differences import STEP, numeric_gradient
from scratchnet.gradient_check.report import Report, compare
from scratchnet.ops.operation import TABLE, is_float

# Both alike, one missing axes in front, an axis of size 1 on either side, on both, and a single number.
BROADCAST = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 4), (3, 1)), ((1, 4), (3, 4)), ((3, 1), (1, 4)), ((2, 3), ())]


def check_operation(operation, operands, options=None, bound=SMOOTH, step=STEP, seed=0):
    """Compare an operation's backward pass with differences of its forward pass in every entry of its float operands.

    Args:
        operation: an entry of the table.
        operands: float64 arrays, integer arrays, or None, as `Operation.forward` takes them.
        options: the rest of the arguments; those left out have their defaults.

    Returns a `Report` with a row for each operand that has a derivative. Raises AssertionError where backward changes
    dz, gives an adjoint of another shape or dtype, or differs where it is added into what is there.
    """
    operands = [np.array(a, order="C") if is_float(a) else a for a in operands]
    _, options = operation.bind([operands] if operation.sequence else [], _call(operation, operands, options or {}))
    needs = [is_float(a) and operation.differentiable(k) for k, a in enumerate(operands)]
    z, kept = operation.forward(operands, options, needs)
    dz = np.random.default_rng(seed).standard_normal(z.shape)
    given = dz.copy()
    adjoints = operation.backward(dz, kept)

    def value():
        return float(np.sum(operation.value(operands, options) * dz))

    rows = []
    for k, (a, need) in enumerate(zip(operands, needs)):
        if not need:
            continue
        name = f"{operation.operand_names[0]}[{k}]" if operation.sequence else operation.operand_names[k]
        if adjoints[k].shape != a.shape or adjoints[k].dtype != a.dtype:
            raise AssertionError(f"{operation.name}: d{name} is {adjoints[k].dtype} {adjoints[k].shape}, not {a.shape}")
        rows.append(compare(name, numeric_gradient(value, a, step), adjoints[k], bound, step))
        alone = operation.forward(operands, options, [j == k for j in range(len(operands))])[1]
        if not np.array_equal(operation.backward(dz, alone)[k], adjoints[k]):
            raise AssertionError(f"{operation.name}: d{name} differs if it is the only one that is wanted")
        if operation.adds_into(k):
            dx = np.ones(a.shape)
            operation.add_adjoint(k, dx, dz, kept)
            if not np.allclose(dx - 1, adjoints[k], rtol=0, atol=1e-12):
                raise AssertionError(f"{operation.name}: d{name} is added otherwise than it is returned")
    if not np.array_equal(dz, given):
        raise AssertionError(f"{operation.name}: backward changes dz")
    return Report(operation.name, rows)


def _call(operation, operands, options):
    """Keyword arguments of a call."""
    return options if operation.sequence else {**dict(zip(operation.operand_names, operands)), **options}


def cases(rng):
    """``{name: [(operands, options), ...]}`` for every operation that has a derivative.

    Values keep away from kinks and ties; those of two operands from each other.
    """
    found = {}

    def case(name, *operands, **options):
        found.setdefault(name, []).append((list(operands), options))

    _elementwise(rng, case)
    _reductions(rng, case)
    _products(rng, case)
    _matrices(rng, case)
    _windows(rng, case)
    _shapes(rng, case)
    _selection(rng, case)
    _signals(rng, case)
    return found


def apart(rng, shape, low=-2.0, high=2.0):
    """Different values from low to high in random order, none of which is 0."""
    count = int(np.prod(shape, dtype=int))
    values = low + (high - low) * (np.arange(count) + 0.45) / count
    return np.where(np.abs(values) < 0.02, 0.05, values)[rng.permutation(count)].reshape(shape)


_POSITIVE = (0.2, 3.0)
_DOMAINS = {
    **dict.fromkeys(("sqrt", "rsqrt", "cbrt", "log", "log2", "log10", "log1p", "reciprocal"), _POSITIVE),
    **dict.fromkeys(("arcsin", "arccos", "arctanh", "erfinv"), (-0.9, 0.9)),
    "arccosh": (1.2, 3.0),
    "tan": (-1.2, 1.2),
    "relu6": (-4.0, 9.1),
    "hard_sigmoid": (-4.0, 4.1),
}
_UNARY = """
    negative absolute fabs square sqrt rsqrt cbrt reciprocal exp exp2 expm1 log log2 log10 log1p erf erfc erfinv sin cos
    tan arcsin arccos arctan sinh cosh arcsinh arccosh arctanh sinc deg2rad rad2deg nan_to_num copy relu relu6
    leaky_relu elu selu sigmoid hard_sigmoid tanh softsign softplus silu gelu softmax log_softmax
    celu mish linear log_sigmoid squareplus sparse_plus sparse_sigmoid sparsemax hard_silu hard_tanh hard_shrink
    soft_shrink tanh_shrink i0
"""
_BINARY = """
    add subtract multiply divide divide_no_nan mod fmod maximum minimum fmax fmin logaddexp arctan2 hypot
"""


def _elementwise(rng, case):
    for name in _UNARY.split():
        case(name, apart(rng, (3, 4), *_DOMAINS.get(name, (-2.0, 2.0))))
        if "max" not in name:
            case(name, np.array(1.3 if name == "arccosh" else 0.3))
    case("leaky_relu", apart(rng, (3, 4)), negative_slope=0.3)
    case("elu", apart(rng, (3, 4)), alpha=0.7)
    case("celu", apart(rng, (3, 4)), alpha=0.7)
    case("relu", apart(rng, (3, 4)), negative_slope=0.3, max_value=1.1, threshold=0.3)
    case("squareplus", apart(rng, (3, 4)), b=2)
    case("hard_shrink", apart(rng, (3, 4)), threshold=0.7)
    case("soft_shrink", apart(rng, (3, 4)), threshold=0.7)
    case("threshold", apart(rng, (3, 4)), threshold=-0.3, default_value=2.0)
    case("gelu", apart(rng, (3, 4)), approximate=False)
    case("sparsemax", apart(rng, (2, 3, 4), -1.93, 1.71), axis=1)  # no two at a distance of 1, where it has a kink
    for name in ("softmax", "log_softmax"):
        case(name, apart(rng, (2, 3, 4)), axis=1)
        case(name, apart(rng, (2, 3, 4)), axis=(1, 2))
    case("cast", apart(rng, (3, 4)), dtype="float64")
    for first, second in BROADCAST:
        for name in _BINARY.split():
            case(name, apart(rng, first), apart(rng, second, 0.31, 1.77))
        case("where", rng.random(first[:1] + (1,)) < 0.5, apart(rng, first), apart(rng, second))
        case("power", apart(rng, first, *_POSITIVE), apart(rng, second, -1.7, 2.1))
    for exponent in (2, 3.0, 0, -1, [2, 3, 0, -1]):  # numbers, so that x1 may be negative
        case("power", apart(rng, (3, 4)), exponent)
    case("where", rng.random((2, 3)) < 0.5, apart(rng, (2, 3)), apart(rng, ()))
    case("where", np.array(True), apart(rng, (2, 3)), apart(rng, (2, 1)))
    case("clip", apart(rng, (3, 4)), np.array(-0.91), np.array(0.87))
    case("clip", apart(rng, (3, 4)), apart(rng, (4,), -1.1, -0.3), apart(rng, (3, 1), 0.3, 1.1))


def _reductions(rng, case):
    for axis, keepdims in itertools.product((None, 0, 1, -1, (0, 2), [1, 2], (0, 1, 2)), (False, True)):
        for name in ("sum", "mean", "max", "min", "prod"):
            case(name, apart(rng, (2, 3, 4), -1.5, 1.6), axis=axis, keepdims=keepdims)
    x = apart(rng, (2, 3))
    x[0, 1] = x[1, 2] = 0.0
    case("prod", x, axis=1)
    case("max", apart(rng, (2, 3)), axis=1, initial=0.1)


def _products(rng, case):
    shapes = [
        ((3, 4), (4, 2)), ((4,), (4, 2)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (4,)),
        ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((4,), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)),
        ((2, 3, 4), (1, 4, 2)),
    ]  # fmt: skip
    for first, second in shapes:
        case("matmul", rng.standard_normal(first), rng.standard_normal(second))
    subscripts = {
        "ij,jk->ik": ((2, 3), (3, 4)),
        "ij,jk": ((2, 3), (3, 4)),
        "bij,bjk->bik": ((2, 3, 4), (2, 4, 3)),
        "ij->ji": ((2, 3),),
        "ij->": ((2, 3),),
        "ii->i": ((3, 3),),
        "ii": ((3, 3),),
        "iji->j": ((3, 2, 3),),
        "i,j->ij": ((2,), (3,)),
        "ij,k->i": ((2, 3), (4,)),
        "...ij,...jk->...ik": ((2, 3, 4), (4, 5)),
        "...i,...i": ((2, 3, 4), (3, 1)),
        "ij,jk,kl->il": ((2, 3), (3, 4), (4, 2)),
        "bqhd,bkhd->bhqk": ((2, 3, 2, 4), (2, 5, 2, 4)),
    }
    for term, shapes in subscripts.items():
        case("einsum", *(rng.standard_normal(shape) for shape in shapes), subscripts=term)


def _matrices(rng, case):
    for shape in ((3, 3), (2, 3, 3)):
        x = rng.standard_normal(shape) + 3 * np.eye(3)
        for name in ("inv", "det", "log_abs_det"):
            case(name, x)
        for b in (shape, (*shape[:-1], 2), shape[:-1]):
            case("solve", x, rng.standard_normal(b))
    for shape in ((3, 3), (2, 2, 4), (2, 4, 2)):
        case("singular_values", rng.standard_normal(shape))
    case("cholesky", np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.2], [0.5, -0.2, 2.0]]))
    for shape in ((3, 3), (2, 4, 3)):
        case("qr_in_one", rng.standard_normal(shape))
    for shape in ((3, 3), (2, 4, 3), (2, 3, 4)):
        case("svd_in_one", rng.standard_normal(shape))
        case("pinv", rng.standard_normal(shape))
    case("eigh_in_one", rng.standard_normal((2, 3, 3)))


def _windows(rng, case):
    x = apart(rng, (2, 5, 4, 2))
    for padding in ("valid", "same"):
        for strides, dilation in (((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (1, 2))):
            options = {"strides": strides, "padding": padding, "dilation": dilation}
            case("conv2d", x, rng.standard_normal((3, 2, 2, 3)), **options)
            case("conv2d", x, rng.standard_normal((2, 2, 1, 4)), **options)
            case("conv2d_transpose", x, rng.standard_normal((3, 2, 3, 2)), **options)
            if strides == (2, 1):
                case("conv2d_transpose", x, rng.standard_normal((3, 2, 3, 2)), **options, output_padding=(1, 0))
            options = {"strides": (1, *strides), "padding": padding, "dilation": (2 // strides[0], *dilation)}
            volumes = apart(rng, (1, 3, 4, 4, 2))
            case("conv3d", volumes, rng.standard_normal((2, 2, 2, 1, 2)), **options)
            case("conv3d_transpose", volumes, rng.standard_normal((2, 2, 2, 3, 2)), **options)
        for size, strides in (((2, 2), (2, 2)), ((3, 2), (2, 1))):
            for name in ("max_pool2d", "average_pool2d"):
                case(name, x, pool_size=size, strides=strides, padding=padding)
    for size, interpolation in (((3, 7), "bilinear"), ((7, 2), "nearest"), ((6, 6), "bicubic")):
        case("resize_images", x, size=size, interpolation=interpolation, antialias=size[1] < 4)


def _shapes(rng, case):
    def x(*shape):
        return rng.standard_normal(shape)

    case("reshape", x(2, 3, 4), newshape=(4, -1))
    case("ravel", x(2, 3))
    for axis in (0, -1, (0, 2)):
        case("expand_dims", x(2, 3), axis=axis)
    for axis in (None, 1, (1, 3)):
        case("squeeze", x(2, 1, 3, 1), axis=axis)
    for axes in (None, (1, 2, 0), (0, -1, 1)):
        case("transpose", x(2, 3, 4), axes=axes)
    case("swapaxes", x(2, 3, 4), axis1=0, axis2=-1)
    case("moveaxis", x(2, 3, 4), source=0, destination=2)
    case("moveaxis", x(2, 3, 4), source=(0, 1), destination=(-1, 0))
    case("broadcast_to", x(3, 1), shape=(2, 3, 4))
    for axis in (None, 0, [0, 2]):
        case("flip", x(2, 3, 4), axis=axis)
    case("roll", x(2, 3), shift=2)
    case("roll", x(2, 3), shift=(1, -1), axis=(0, 1))
    for axis, endpoint in ((0, True), (1, False), (-1, True)):
        case("between", x(2, 3), x(3), num=4, axis=axis, endpoint=endpoint)
    case("distance", x(2, 3), x(3), steps=4)
    case("rot90", x(2, 3))
    case("rot90", x(2, 3, 4), k=-1, axes=(1, 2))
    case("concatenate", x(2, 3), x(1, 3), x(4, 3))
    case("concatenate", x(2, 3), x(2, 2), axis=-1)
    case("stack", x(2, 3), x(2, 3))
    case("stack", x(2, 3), x(2, 3), x(2, 3), axis=-2)
    for repeats in (2, (2, 3), (2, 1, 3), [3]):
        case("tile", x(2, 3), repeats=repeats)
    for repeats, axis in ((2, None), (3, 1), ([1, 0, 2], -1)):
        case("repeat", x(2, 3), repeats=repeats, axis=axis)
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
        case("pad", x(3, 4), pad_width=((1, 0), (2, 1)), mode=mode)
        case("pad", x(3, 4), pad_width=2, mode=mode)
    case("pad", x(3, 4), pad_width=((0, 0), (2, 1)), mode="constant", constant_values=3.0)


def _selection(rng, case):
    def x(*shape):
        return rng.standard_normal(shape)

    keys = [
        0, -1, slice(None, None, 2), (slice(None), 1), (Ellipsis, 0), (None, slice(1, 2)), (0, Ellipsis, None),
        (slice(None), slice(None, None, -1)), [0, 0, 1], (slice(None), [0, 2, 0]), np.array([True, False, True]),
    ]  # fmt: skip
    for key in keys:
        case("get_item", x(3, 4, 2), key=key)
    case("slice_update", x(3, 4), x(2, 2), start_indices=(1, 2))
    case("slice_update", x(3, 4), x(2, 2), start_indices=(-1, 3))
    for axis, indices in itertools.product((None, 0, 1, -1), ([0, 1, 0], [[2, 0], [1, 1]], 1, [-1, 0])):
        case("take", x(3, 3, 3), np.array(indices), axis=axis)
    case("take_along_axis", x(3, 4), np.array([[0, 0], [1, 3], [-1, 2]]), axis=1)
    case("take_along_axis", x(3, 4), np.array([[0, 1, 2, 0]]), axis=0)
    case("take_along_axis", x(3, 4), np.array([0, 5, 5]), axis=None)
    for axis in (0, -1):
        case("sort", apart(rng, (3, 4)), axis=axis)
    for axis in (0, -1):
        case("cumsum", x(2, 3), axis=axis, dtype=None)
        case("cumprod", x(2, 3), axis=axis, dtype=None)
    zeros = x(4, 2)
    zeros[1] = zeros[2, 0] = 0.0
    case("cumprod", zeros, axis=0, dtype=None)
    for offset, axis1, axis2 in ((0, 0, 1), (1, 0, 2), (-1, 2, 0)):
        case("diagonal", x(3, 4, 3), offset=offset, axis1=axis1, axis2=axis2)
    for k in (0, 1, -2):
        case("diag", x(3), k=k)
        case("tril", x(2, 3, 4), k=k)
        case("triu", x(3, 3), k=k)
    places = np.array([[0, 1], [2, 0], [1, 1]])
    case("scatter", places, x(3), shape=(3, 2))
    case("scatter", places[[0, 1, 0], :1], x(3, 2), shape=(4, 2))
    for reduction in (None, "add", "mul", "max", "min"):
        case("scatter_update", x(3, 2), places, x(3), reduction=reduction)
        case("scatter_update", x(3, 2), places[:2, :1], x(2, 2), reduction=reduction)
    case("scatter_update", x(3, 2), np.array([[0], [2], [0], [0]]), x(4, 2), reduction="mul")
    case("segment_sum", x(4, 2), np.array([0, 2, 0, 1]))
    case("segment_prod", zeros, np.array([0, 1, 1, 0]))
    case("segment_max", x(4, 2), np.array([0, 2, 0, 1]))
    case("segment_min", x(4, 2), np.array([0, 2, 0, 1]), num_segments=3)
    case("segment_sum", x(4, 2), np.array([0, 2, 0, 1]), num_segments=5)
    for name in ("segment_sum", "segment_prod", "segment_max", "segment_min"):
        case(name, x(5, 2), np.array([0, -1, 0, 1, -1]), num_segments=2)


def _signals(rng, case):
    def x(*shape):
        return rng.standard_normal(shape)

    for axes, inverse in itertools.product(((-1,), (-2, -1)), (False, True)):
        case("fourier_transform", x(3, 4, 2), axes=axes, inverse=inverse)
    for n in (5, 6):
        case("rfft", x(2, n), n=n)
        case("irfft", x(2, n // 2 + 1, 2), n=n)
    case("add_up_sequences", x(2, 3, 4), stride=2)
    options = {"kernel": (2, 3), "dilation": (2, 1), "stride": (1, 2)}
    case("gather_windows", x(2, 2, 4, 6), size=(4, 6), **options)
    case("scatter_windows", x(2, 2, 2, 3, 2, 2), size=(4, 6), **options)
    case("ctc_values", np.array([[1, 2, 0], [2, 2, 1]]), x(2, 6, 4))
    case("custom_gradient", x(2, 3), x(3), function=lambda a, b: (a * b, lambda dz: [dz * b, (dz * a).sum(axis=0)]))


def without_a_case(found):
    """The names of operations that have a derivative and no case: there must be none."""
    return [
        name
        for name, operation in TABLE.items()
        if name not in found and any(operation.differentiable(k) for k in range(len(operation.operand_names)))
    ]


def check_operations(rng):
    """Every entry of the table of operations. Raises LookupError for one without a case."""
    found = cases(rng)
    if forgotten := without_a_case(found):
        raise LookupError(f"operations without a gradient check: {', '.join(forgotten)}")
    for name, calls in found.items():
        for operands, options in calls:
            report = check_operation(TABLE[name], operands, options)
            report.subject = f"{name}({', '.join(f'{k}={v}' for k, v in options.items())})"
            yield report

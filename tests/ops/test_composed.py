"""Functions that are written with operations: what is traced is what is computed, and it has the right derivative.

The few lines of `Traced` are all that an operation asks of a symbolic tensor.
"""

import math

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.gradient_check import numeric_gradient, relative_error
from scratchnet.ops.operation import is_float


class Traced:
    """A tensor without values that remembers which operation it comes out of; `tape` is the list of all."""

    def __init__(self, tape, shape, dtype, use=None):
        self.tape, self.shape, self.dtype, self.use = tape, shape, dtype, use
        tape.append(self)

    def __scratchnet_operation__(self, operation, operands, options):
        spec = operation.output_spec(operands, options)
        found = Traced(self.tape, spec.shape, spec.dtype, (operation, operands, options))
        found.trials = spec.trials
        return found


def flat(z):
    return list(z) if isinstance(z, (list, tuple)) else [z]


def run(function, xs, dzs):
    """``(zs, dxs)`` of a function by its trace, with the batch unknown, each operation forward and back."""
    tape = []
    inputs = [Traced(tape, (None, *x.shape[1:]) if x.ndim else (), x.dtype) for x in xs]
    outputs = flat(function(*inputs))
    values, kept, adjoints = dict(zip(inputs, xs)), {}, {}

    def arrays(operands):
        return [values[a] if isinstance(a, Traced) else a for a in operands]

    for tensor in tape[len(inputs) :]:
        operation, operands, options = tensor.use
        needs = [isinstance(a, Traced) and is_float(values[a]) for a in operands]
        values[tensor], kept[tensor] = operation.forward(arrays(operands), options, needs)
        known = zip(tensor.shape, values[tensor].shape)
        assert len(tensor.shape) == values[tensor].ndim and all(n in (None, m) for n, m in known), operation
        assert values[tensor].dtype == tensor.dtype
    for z, dz in zip(outputs, dzs):
        if dz is not None:
            adjoints[z] = adjoints.get(z, 0) + dz
    for tensor in reversed(tape[len(inputs) :]):
        if tensor in adjoints:
            operation, operands, _ = tensor.use
            for a, d in zip(operands, operation.backward(np.asarray(adjoints[tensor]), kept[tensor])):
                if d is not None:
                    adjoints[a] = adjoints.get(a, 0) + d
    return [values[z] for z in outputs], [adjoints.get(x) for x in inputs]


def check(function, *xs):
    """Trace, compute and differentiate `function` of arrays whose first axis is a batch."""
    xs = [np.array(x) for x in xs]
    zs = [np.asarray(z) for z in flat(function(*xs))]
    rng = np.random.default_rng(1)
    dzs = [rng.normal(size=z.shape) if is_float(z) else None for z in zs]
    traced, dxs = run(function, xs, dzs)
    for z, t in zip(zs, traced):
        np.testing.assert_allclose(t, z, rtol=1e-13, atol=1e-13)

    def value():
        return sum(float(np.sum(z * dz)) for z, dz in zip(flat(function(*xs)), dzs) if dz is not None)

    for x, dx in zip(xs, dxs):
        if is_float(x) and any(dz is not None for dz in dzs):
            assert relative_error(numeric_gradient(value, x), dx) < 1e-7


RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4))
IMAGE = RNG.normal(size=(2, 3, 4, 2))
SIGNAL = RNG.normal(size=(2, 11))
LOGITS = RNG.normal(size=(2, 4, 4))
POSITIVE = RNG.uniform(0.2, 2.0, (3, 4))
PROBABILITIES = RNG.uniform(0.1, 0.9, (3, 4))
ONE_HOT = np.eye(4)[[0, 3, 1]]


def products_and_sums(a, b):
    return {"p": ops.multiply(a["p"], b["p"]), "s": ops.add(a["s"], b["s"])}


FUNCTIONS = {
    "var": lambda: check(lambda x: ops.var(x, (0, 2), keepdims=True), IMAGE),
    "std": lambda: check(lambda x: ops.std(x, -1), X),
    "ptp": lambda: check(lambda x: ops.ptp(x, 1), X),
    "average": lambda: check(lambda x, w: ops.average(x, 1, ops.square(w)), X, X + 3),
    "average with weights of an axis": lambda: check(lambda x: ops.average(x, -1, [1.0, 2.0, 3.0, 0.5]), X),
    "logsumexp": lambda: check(lambda x: ops.logsumexp(x, (1, -1)), IMAGE),
    "logsumexp with keepdims": lambda: check(lambda x: ops.logsumexp(x, -1, keepdims=True), X),
    **{
        f"norm {order}": lambda order=order: check(lambda x: ops.norm(x, order, -1), X)
        for order in (None, 1, 2, 3, math.inf)
    },
    "norm of matrices": lambda: check(lambda x: ops.norm(x, 1, (1, 2)), IMAGE),
    "quantile": lambda: check(lambda x: ops.quantile(x, [0.3, 0.5], -1), X),
    "median": lambda: check(lambda x: ops.median(x, (1, 2), keepdims=True), IMAGE),
    "sort of all": lambda: check(lambda x: ops.sort(x, None), X),
    "top_k": lambda: check(lambda x: ops.top_k(x, 2), X),
    "diff": lambda: check(lambda x: ops.diff(x, 2), X),
    "trapezoid": lambda: check(lambda y, x: ops.trapezoid(y, x), X, X**2),
    "cumsum of all": lambda: check(lambda x: ops.cumsum(x), X),
    "trace": lambda: check(lambda x: ops.trace(x, 1, 1, 2), IMAGE),
    "diagflat": lambda: check(lambda x: ops.diagflat(x), X),
    "tensordot": lambda: check(lambda a, b: ops.tensordot(a, b, ((1, 3), (1, 3))), IMAGE, IMAGE),
    "dot": lambda: check(lambda a: ops.dot(a, np.arange(12.0).reshape(3, 2, 2)), IMAGE),
    "inner": lambda: check(lambda a, b: ops.inner(a, b), X, X + 1),
    "outer": lambda: check(lambda a, b: ops.outer(a, b), X, X + 1),
    "vdot": lambda: check(lambda a, b: ops.vdot(a, b), X, X + 1),
    "kron": lambda: check(lambda a: ops.kron(np.ones((2, 2)), ops.take(a, 0, 0)), IMAGE[0]),
    "cross": lambda: check(lambda a, b: ops.cross(a, b), X[:, :3], X[:, 1:]),
    "split": lambda: check(lambda x: ops.split(x, [1, 3], -1), X),
    "unstack": lambda: check(lambda x: ops.unstack(x, axis=1), X),
    "slice": lambda: check(lambda x: ops.slice(x, (0, 1), (-1, 2)), X),
    "select": lambda: check(lambda x: ops.select([ops.less(x, 0.0), ops.less(x, 1.0)], [x, ops.square(x)], 3.0), X),
    "hstack": lambda: check(lambda a, b: ops.hstack([a, b]), X, X + 1),
    "append": lambda: check(lambda a, b: ops.append(a, b, 1), X, X + 1),
    "segment_sum": lambda: check(lambda x: ops.segment_sum(ops.transpose(x), [0, 1, 0, 2]), X),
    "glu": lambda: check(lambda x: ops.glu(x), X),
    "relu": lambda: check(lambda x: ops.relu(x), X),
    "moments": lambda: check(lambda x: ops.moments(x, [0, 1, 2]), IMAGE),
    "normalize": lambda: check(lambda x: ops.normalize(x), X),
    "normalize of order 1": lambda: check(lambda x: ops.normalize(x, 1, order=1), X),
    "batch_normalization": lambda: check(
        lambda x, v: ops.batch_normalization(x, [0.5, 1.0], ops.mean(v, (0, 1, 2)), -1, [1.0, 2.0], [3.0, 4.0]),
        IMAGE,
        IMAGE**2,
    ),
    "layer_normalization": lambda: check(
        lambda x: ops.layer_normalization(x, np.full((4, 2), 2.0), np.ones((4, 2)), axis=(2, 3)), IMAGE
    ),
    "rms_normalization": lambda: check(lambda x: ops.rms_normalization(x, [1.0, 2.0, 3.0, 4.0]), X),
    "binary_crossentropy": lambda: check(
        lambda p, t: ops.binary_crossentropy(t, p), PROBABILITIES, PROBABILITIES[::-1]
    ),
    "binary_crossentropy from logits": lambda: check(lambda x: ops.binary_crossentropy(PROBABILITIES[:1], x, True), X),
    "categorical_crossentropy": lambda: check(lambda p, t: ops.categorical_crossentropy(t, p), PROBABILITIES, ONE_HOT),
    "categorical_crossentropy from logits": lambda: check(
        lambda x, t: ops.categorical_crossentropy(t, x, from_logits=True), X, ONE_HOT
    ),
    "sparse_categorical_crossentropy": lambda: check(
        lambda p, t: ops.sparse_categorical_crossentropy(t, p), PROBABILITIES, np.array([[0], [3], [1]])
    ),
    "sparse_categorical_crossentropy from logits": lambda: check(
        lambda x, t: ops.sparse_categorical_crossentropy(t, x, True, axis=1), IMAGE, np.zeros((2, 4, 2), int)
    ),
    "cdist": lambda: check(lambda x, y: ops.cdist(x, y), IMAGE[:, 0], IMAGE[:, 1]),
    "corrcoef": lambda: check(lambda x: ops.corrcoef(ops.transpose(x)), X),
    "psnr": lambda: check(lambda a, b: ops.psnr(a, b, 2.0), X, X**2),
    "depth_to_space": lambda: check(lambda x: ops.depth_to_space(ops.concatenate([x, ops.negative(x)], -1), 2), IMAGE),
    "space_to_depth": lambda: check(
        lambda x: ops.space_to_depth(ops.slice(x, (0, 0, 0, 0), (-1, 2, -1, -1)), 2), IMAGE
    ),
    "slogdet": lambda: check(lambda x: ops.slogdet(ops.matmul(x, ops.transpose(x, (0, 2, 1)))), IMAGE[:, :2, :, 0]),
    "logdet": lambda: check(lambda x: ops.logdet(ops.matmul(x, ops.transpose(x, (0, 2, 1)))), IMAGE[:, :2, :, 0]),
    "cholesky": lambda: check(
        lambda x: ops.cholesky(ops.matmul(x, ops.transpose(x, (0, 2, 1))), True), IMAGE[:, :2, :, 0]
    ),
    "conv": lambda: check(lambda x: ops.conv(x, np.ones((2, 2, 3))), X[..., None] * [1.0, 2.0]),
    "adaptive_average_pool": lambda: check(lambda x: ops.adaptive_average_pool(x, (3, 2)), IMAGE),
    "adaptive_max_pool": lambda: check(lambda x: ops.adaptive_max_pool(x, 2, "channels_first"), IMAGE),
    "max_pool": lambda: check(lambda x: ops.max_pool(x, 2), IMAGE),
    "scan": lambda: check(lambda x: ops.scan(lambda c, s: (ops.multiply(c, s), s), 1.0, ops.transpose(x))[0], X),
    "nanmean": lambda: check(lambda x: ops.nanmean(x, -1), X),
    "nanvar": lambda: check(lambda x: ops.nanvar(x, -1), X),
    "in_top_k": lambda: check(lambda p, t: ops.in_top_k(t, p, 2), X, np.array([0, 1, 2])),
    "dot_product_attention": lambda: check(
        lambda q, k, v: ops.dot_product_attention(q, k, v, is_causal=True, attn_logits_soft_cap=5.0),
        IMAGE,
        IMAGE + 1,
        -IMAGE,
    ),
    "fft": lambda: check(lambda a, b: ops.fft((a, b)), X, X + 1),
    "fft2": lambda: check(lambda a, b: ops.fft2((a, b)), IMAGE[..., 0], IMAGE[..., 1]),
    "ifft2": lambda: check(lambda a, b: ops.ifft2((a, b)), IMAGE[..., 0], IMAGE[..., 1]),
    "rfft": lambda: check(lambda x: ops.rfft(x, 6), X),
    "irfft": lambda: check(lambda a, b: ops.irfft((a, b), 5), X, X + 1),
    "stft": lambda: check(lambda x: ops.stft(x, 4, 2, 6), SIGNAL),
    "istft": lambda: check(lambda x: ops.istft(ops.stft(x, 4, 3, 4), 4, 3, 4, length=8), SIGNAL),
    "unfold": lambda: check(lambda x: ops.unfold(x, (2, 1), padding=(1, 0), stride=(2, 1)), IMAGE),
    "fold": lambda: check(lambda x: ops.fold(ops.unfold(x, 2, (1, 1), 1), (4, 2), 2, padding=1), IMAGE),
    "rearrange": lambda: check(lambda x: ops.rearrange(x, "n h (w a) c -> n (a c) (h w)", a=2), IMAGE),
    "ctc_loss": lambda: check(
        lambda x, t, n, m: ops.ctc_loss(t, x, n, m, 3),
        LOGITS,
        np.array([[1, 2], [1, 0]]),
        np.array([2, 1]),
        np.array([3, 4]),
    ),
    "correlate": lambda: check(lambda a: ops.correlate(ops.sum(a, 0), [1.0, 2.0, 4.0], "same"), X),
    "vander": lambda: check(lambda x: ops.vander(ops.sum(x, 0), 3), X),
    "nanquantile": lambda: check(lambda x: ops.nanquantile(ops.where(ops.less(x, 0.0), math.nan, x), [0.3, 1], 1), X),
    "nanmedian": lambda: check(lambda x: ops.nanmedian(x, (1, 2), keepdims=True), IMAGE),
    "associative_scan": lambda: check(lambda x: ops.associative_scan(ops.multiply, x, axis=1), X),
    "associative_scan from the end": lambda: check(
        lambda x, y: list(ops.associative_scan(products_and_sums, {"p": x, "s": y}, True, -1).values()), X, X + 1
    ),
    "i0": lambda: check(lambda x: ops.i0(x), X),
    "multi_hot": lambda: check(lambda t: ops.multi_hot(t, 4), np.array([[0, 1], [2, 2]])),
    "allclose": lambda: check(lambda a, b: ops.allclose(a, b), X, X),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_traced_as_computed_and_differentiated(name):
    FUNCTIONS[name]()


# ---- values ----


def test_cross_entropies_are_those_of_their_definitions():
    p, t = PROBABILITIES, ONE_HOT
    np.testing.assert_allclose(ops.binary_crossentropy(t, p), -(t * np.log(p) + (1 - t) * np.log(1 - p)))
    logits = np.log(p / (1 - p))
    np.testing.assert_allclose(ops.binary_crossentropy(t, logits, from_logits=True), ops.binary_crossentropy(t, p))
    expected = -np.log((p / p.sum(axis=-1, keepdims=True))[[0, 1, 2], [0, 3, 1]])
    np.testing.assert_allclose(ops.categorical_crossentropy(t, p), expected)
    np.testing.assert_allclose(ops.categorical_crossentropy(t.T, p.T, axis=0), expected)
    np.testing.assert_allclose(ops.categorical_crossentropy(t, np.log(p), from_logits=True), expected)
    np.testing.assert_allclose(ops.sparse_categorical_crossentropy([0, 3, 1], p), expected)
    np.testing.assert_allclose(ops.sparse_categorical_crossentropy([[0], [3], [1]], np.log(p), True), expected)


def test_cross_entropies_stay_finite():
    for t, p in (([1.0, 0.0], [0.0, 1.0]), ([1.0, 0.0], [1.0, 0.0])):
        assert np.isfinite(ops.binary_crossentropy(t, p)).all()
        assert np.isfinite(ops.categorical_crossentropy(t, p))
    assert np.isfinite(ops.binary_crossentropy([0.0, 1.0], [1e4, -1e4], from_logits=True)).all()


def test_cross_entropies_do_not_broadcast():
    with pytest.raises(ValueError, match=r"a target of shape \(3,\) does not belong to an output of shape \(3, 4\)"):
        ops.categorical_crossentropy(np.ones(3), X)
    with pytest.raises(ValueError, match=r"a target of shape \(4,\) does not belong to an output of shape \(3,\)"):
        ops.sparse_categorical_crossentropy(np.ones(4, int), X)


def test_normalizations():
    np.testing.assert_allclose(np.linalg.norm(ops.normalize(X), axis=-1), 1)
    np.testing.assert_allclose(np.abs(ops.normalize(X, 0, order=1)).sum(axis=0), 1)
    assert not ops.normalize(np.zeros((2, 2))).any()
    for order in (0, -1, "fro", 1.5):
        with pytest.raises(ValueError, match="normalize: order must be an integer of at least 1"):
            ops.normalize(X, order=order)
    z = ops.layer_normalization(IMAGE, axis=(1, 2, 3))
    np.testing.assert_allclose([z.mean(axis=(1, 2, 3)), z.std(axis=(1, 2, 3))], [[0, 0], [1, 1]], atol=1e-6)
    z = ops.batch_normalization(IMAGE, IMAGE.mean((0, 1, 2)), IMAGE.var((0, 1, 2)), 3, offset=[1.0, 2.0], epsilon=0.0)
    np.testing.assert_allclose(z.mean((0, 1, 2)), [1, 2])
    np.testing.assert_allclose((ops.rms_normalization(X, epsilon=0.0) ** 2).mean(axis=-1), 1)
    with pytest.raises(TypeError, match="'rms_scaling' is not supported"):
        ops.layer_normalization(X, rms_scaling=True)


def test_pixels_and_channels():
    x = np.arange(16.0).reshape(1, 2, 2, 4)
    y = ops.depth_to_space(x, 2)
    np.testing.assert_array_equal(y[0, :, :, 0], [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]])
    np.testing.assert_array_equal(ops.space_to_depth(y, 2), x)
    for call, said in (
        (lambda: ops.depth_to_space(x, 3), "4 channels are no multiple of 3 x 3"),
        (lambda: ops.space_to_depth(x, 3), "2 x 2 pixels are no blocks of 3 x 3"),
        (lambda: ops.space_to_depth(x, 2, "NHWC"), "channels_first"),
        (lambda: ops.space_to_depth(x[0], 2), r"got the shape \(2, 2, 4\)"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_distances_and_correlations():
    np.testing.assert_allclose(ops.cdist(X, X[:2]), np.linalg.norm(X[:, None] - X[None, :2], axis=-1))
    np.testing.assert_allclose(ops.corrcoef(X), np.corrcoef(X))
    np.testing.assert_allclose(ops.psnr([1.0, 2.0], [1.0, 3.0], 10.0), 20 - 10 * np.log10(0.5))


def test_attention_is_that_of_its_equation():
    q, k, v = (RNG.normal(size=(2, T, 4, 3)) for T in (5, 6, 6))
    scores = np.einsum("nthd,nshd->nhts", q, k) / np.sqrt(3)
    mask = RNG.random((2, 1, 5, 6)) < 0.7
    mask[..., 0] = True
    weights = ops.softmax(np.where(mask, scores + 0.5 * scores, -np.inf))
    expected = np.einsum("nhts,nshd->nthd", weights, v)
    np.testing.assert_allclose(ops.dot_product_attention(q, k, v, bias=0.5 * scores, mask=mask), expected)
    one, two = (ops.dot_product_attention(q, k[:, :, :n], v[:, :, :n]) for n in (1, 2))
    np.testing.assert_allclose(one, ops.dot_product_attention(q, k[:, :, [0] * 4], v[:, :, [0] * 4]))
    np.testing.assert_allclose(two, ops.dot_product_attention(q, k[:, :, [0, 0, 1, 1]], v[:, :, [0, 0, 1, 1]]))
    causal = ops.dot_product_attention(q, q, q, is_causal=True)
    np.testing.assert_allclose(causal[:, :2], ops.dot_product_attention(q[:, :2], q[:, :2], q[:, :2], is_causal=True))
    with pytest.raises(ValueError, match="have four axes"):
        ops.dot_product_attention(X, X, X)


def test_gated_linear_units():
    np.testing.assert_allclose(ops.glu(X), X[:, :2] / (1 + np.exp(-X[:, 2:])))
    with pytest.raises(ValueError, match=r"axis 0 of shape \(3, 4\) has no two halves"):
        ops.glu(X, 0)


def test_an_axis_that_is_not_known_cannot_be_split():
    batch = Traced([], (None, 4), np.dtype("float32"))
    with pytest.raises(ValueError, match=r"the size of axis 0 of shape \(None, 4\) is not known"):
        ops.split(batch, 2, 0)
    with pytest.raises(ValueError, match="the batch stays whole"):
        ops.unstack(batch)

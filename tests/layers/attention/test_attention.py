"""Attention and AdditiveAttention: gradients, masks, dropout, options in models."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import AdditiveAttention, Attention, Dense, Embedding, Input
from scratchnet.models import Model

RNG = np.random.default_rng(4)
Q, V, K = (RNG.standard_normal(shape) for shape in ((3, 4, 2), (3, 5, 3), (3, 5, 2)))
Q_MASK, V_MASK = RNG.random((3, 4)) > 0.4, RNG.random((3, 5)) > 0.4
V_MASK[:, 0] = True
LAYERS = [
    (Attention, {}),
    (Attention, {"use_scale": True}),
    (Attention, {"score_mode": "concat"}),
    (Attention, {"score_mode": "concat", "use_scale": True}),
    (AdditiveAttention, {}),
    (AdditiveAttention, {"use_scale": False}),
]


def made(cls, xs, **options):
    layer = cls(dtype="float64", **options)
    layer.ensure_built([x.shape for x in xs])
    for w in layer.params.values():
        w[...] = RNG.standard_normal(w.shape)
    return layer


def as_model(layer, xs, **call):
    """The layer with what it is told at this use."""
    tensors = [Input(batch_shape=(None, *x.shape[1:]), dtype="float64") for x in xs]
    return Model(tensors, layer(tensors, **call), dtype="float64")


@pytest.mark.parametrize(("cls", "options"), LAYERS)
@pytest.mark.parametrize("xs", [[Q, K], [Q, V, K]], ids=["values are keys", "keys"])
def test_gradients(cls, options, xs):
    layer = made(cls, xs, **options)
    for report in (
        check_layer(layer, xs),
        check_layer(layer, xs, mask=[Q_MASK, V_MASK]),
        check_layer(as_model(layer, xs, use_causal_mask=True, return_attention_scores=True), xs, bound=1e-6),
        check_parts(layer, xs),
    ):
        assert report.passed, report


@pytest.mark.parametrize(("cls", "options"), LAYERS)
def test_sequences_of_sequences(cls, options):
    deeper = [x[:, None] + np.zeros((1, 2, 1, 1)) for x in (Q, V, K)]
    layer = made(cls, deeper, **options)
    check_layer(layer, deeper, bound=1e-6).raise_if_failed()
    np.testing.assert_allclose(layer(deeper)[:, 1], layer([Q, V, K]))


@pytest.mark.parametrize(("cls", "options"), LAYERS)
@pytest.mark.parametrize("further", [(), (2,)], ids=["sequences", "sequences of sequences"])
def test_single_precision_computes_the_same(cls, options, further):
    xs = [x.reshape(3, *[1] * len(further), *x.shape[1:]) + np.zeros((*further, 1, 1)) for x in (Q, V, K)]
    double = made(cls, xs, **options)
    single = cls(dtype="float32", **options)
    single.ensure_built([x.shape for x in xs])
    for name, w in single.params.items():
        w[...] = double.params[name]
    results = []
    for layer, dtype in ((double, "float64"), (single, "float32")):
        y, cache = layer.forward([x.astype(dtype) for x in xs])
        dx, grads = layer.backward(np.cos(y), cache)
        results.append([y, *dx, *[grads[name] for name in sorted(grads)]])
    for expected, found in zip(*results):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("cls", [Attention, AdditiveAttention])
def test_dropout_leaves_out_weights_and_its_gradient_is_right_in_parts(cls):
    layer = made(cls, [Q, V, K], dropout=0.4, seed=3)
    (y, kept), _ = layer.forward([Q, V, K], training=True, return_attention_scores=True)
    assert (kept == 0).any()
    np.testing.assert_allclose(y, kept @ V)
    for report in (check_layer(layer, [Q, V, K], training=True), check_parts(layer, [Q, V, K])):
        assert report.passed, report
    np.testing.assert_allclose(layer([Q, V, K], return_attention_scores=True)[1].sum(axis=-1), 1)


def test_a_frozen_layer_has_no_gradients():
    layer = made(Attention, [Q, K], use_scale=True)
    layer.trainable = False
    check_layer(layer, [Q, K]).raise_if_failed()


def test_each_query_takes_a_mean_of_what_it_may_see():
    y, P = Attention(dtype="float64")([Q, V, K], use_causal_mask=True, return_attention_scores=True)
    np.testing.assert_allclose(y[:, 0], V[:, 0])  # the first query sees the first value alone
    np.testing.assert_array_equal(P[:, np.triu_indices(4, 1, 5)[0], np.triu_indices(4, 1, 5)[1]], 0)
    y, P = Attention(dtype="float64")([Q, V, K], mask=[Q_MASK, V_MASK], return_attention_scores=True)
    assert (P[~np.broadcast_to(V_MASK[:, None], P.shape)] == 0).all()
    assert (y[~Q_MASK] == 0).all()
    np.testing.assert_allclose(P.sum(axis=-1), 1)
    only_values = Attention(dtype="float64")([Q, V, K], mask=[None, V_MASK])
    np.testing.assert_array_equal(only_values[Q_MASK], y[Q_MASK])


def test_the_mask_of_the_queries_goes_on():
    tokens = Input((4,), dtype="int32")
    x = Embedding(6, 3, mask_zero=True)(tokens)
    y = Attention()([x, Dense(3)(x)])
    assert y.masked
    model = Model(tokens, y)
    found = model.predict(np.array([[1, 2, 0, 0]]), verbose=0)
    assert (found[0, 2:] == 0).all()
    assert (found[0, :2] != 0).all()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"a list, \[query, value\] or \[query, value, key\]"):
        Attention()(Q)
    with pytest.raises(ValueError, match="there must be a key for each value, got 4 keys and 5 values"):
        Attention()([Q, V, Q])
    with pytest.raises(ValueError, match="D is 3"):
        Attention()([Q, V])
    with pytest.raises(ValueError, match='score_mode must be "dot" or "concat"'):
        Attention(score_mode="cosine")
    with pytest.raises(TypeError, match="cannot be called with 'causal'"):
        Attention()([Q, K], causal=True)


def test_configuration():
    layer = Attention(use_scale=True, score_mode="concat", dropout=0.2, seed=7)
    assert Attention.from_config(layer.get_config()).get_config() == layer.get_config()
    config = AdditiveAttention(dropout=0.1).get_config()
    assert config.keys() == {"name", "trainable", "dtype", "use_scale", "dropout", "seed"}

"""MultiHeadAttention: gradients with every option, masks, models, files, and training a small Transformer."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import Dense, Embedding, Input, Masking, MultiHeadAttention
from scratchnet.models import Model, clone_model, load_model
from scratchnet.utils import set_random_seed

RNG = np.random.default_rng(6)
Q, V, K = (RNG.standard_normal(shape) for shape in ((3, 4, 3), (3, 5, 2), (3, 5, 4)))
PAIRS = RNG.random((3, 4, 5)) > 0.3


def made(xs, **options):
    layer = MultiHeadAttention(2, 3, dtype="float64", **options)
    layer.ensure_built([x.shape for x in xs])
    for w in layer.params.values():
        w[...] = RNG.standard_normal(w.shape)
    return layer


def as_model(layer, xs, **call):
    tensors = [Input(batch_shape=(None, *x.shape[1:]), dtype="float64") for x in xs]
    return Model(tensors, layer(*tensors, **call), dtype="float64")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_bias": False},
        {"value_dim": 2, "output_shape": 5},
        {"output_shape": (2, 3)},
        {"sliding_window": 2},
        {"use_gate": True},
        {"kernel_regularizer": "l2", "bias_regularizer": "l1"},
    ],
    ids=str,
)
def test_gradients(options):
    layer = made([Q, V, K], **options)
    for report in (check_layer(layer, [Q, V, K], bound=1e-6), check_parts(layer, [Q, V, K])):
        assert report.passed, report


@pytest.mark.parametrize("xs", [[Q, K], [Q, V, K]], ids=["values are keys", "keys"])
def test_gradients_behind_masks(xs):
    layer = made(xs, dropout=0.2, seed=1)
    masks = [RNG.random(x.shape[:2]) > 0.3 for x in xs]
    report = check_layer(layer, xs, training=True, mask=masks, bound=1e-6)
    assert report.passed, report
    model = as_model(layer, xs, use_causal_mask=True, return_attention_scores=True)
    report = check_layer(model, xs, training=True, bound=1e-6)
    assert report.passed, report


def test_a_mask_that_is_an_input():
    tensors = [Input(batch_shape=(None, *x.shape[1:]), dtype="float64") for x in (Q, V, K, PAIRS)]
    query, value, key, pairs = tensors
    layer = made([Q, V, K])
    model = Model(tensors, layer(query, value, key, attention_mask=pairs), dtype="float64")
    expected = layer(Q, V, K, attention_mask=PAIRS)
    np.testing.assert_array_equal(model.predict([Q, V, K, PAIRS.astype(float)], verbose=0), expected)
    same = as_model(layer, [Q, V, K], attention_mask=PAIRS[:1])
    np.testing.assert_allclose(same.predict([Q[:1], V[:1], K[:1]], verbose=0), expected[:1])


@pytest.mark.parametrize("axes", [None, 1, (2,), (-3, 2)], ids=str)
def test_axes(axes):
    x, other = RNG.standard_normal((2, 3, 2, 4)), RNG.standard_normal((2, 3, 2, 4))
    layer = made([x, other], attention_axes=axes)
    report = check_layer(as_model(layer, [x, other], return_attention_scores=True), [x, other], bound=1e-6)
    assert report.passed, report
    y, P = layer(x, other, return_attention_scores=True)
    assert [y.shape, P.shape] == layer.compute_output_shape([x.shape, other.shape], return_attention_scores=True)
    places = tuple(range(3, P.ndim)) if axes in (None, (-3, 2)) else (4,)
    np.testing.assert_allclose(P.sum(axis=places if len(places) == 1 else (4, 5)), 1)


def test_one_head_of_identities_is_scaled_dot_product_attention():
    x = RNG.standard_normal((2, 4, 3))
    layer = MultiHeadAttention(1, 3, use_bias=False, kernel_initializer="zeros", dtype="float64")
    layer(x, x)
    for w in layer.params.values():
        w.reshape(3, 3)[...] = np.eye(3)
    A = np.exp(x @ x.swapaxes(1, 2) / np.sqrt(3))
    np.testing.assert_allclose(layer(x, x), A / A.sum(axis=-1, keepdims=True) @ x)


def test_kernels_start_as_those_of_the_matrices_they_are():
    layer = MultiHeadAttention(8, 32)
    layer(np.zeros((1, 2, 64)), np.zeros((1, 2, 64)))
    limit = np.sqrt(6 / (64 + 8 * 32))
    for name, kernel in layer.params.items():
        if name.endswith("kernel"):
            assert 0.98 * limit < np.abs(kernel).max() <= limit, name


def test_masks_of_tensors_come_with_them():
    x = Input((4, 3))
    masked = Masking()(x)
    layer = MultiHeadAttention(1, 2)
    y = layer(masked, masked)
    assert y.masked
    data = RNG.standard_normal((1, 4, 3)).astype("float32")
    data[0, 2:] = 0
    mask = np.array([[True, True, False, False]])
    found = Model(x, y).predict(data, verbose=0)
    np.testing.assert_allclose(found, layer(data, data, query_mask=mask, value_mask=mask), rtol=1e-5)
    short = layer(data[:, :2], data[:, :2])
    np.testing.assert_allclose(found[:, :2], short, rtol=1e-5)


def test_masks_of_tensors_may_be_given():
    x, m = Input((4, 3)), Input((4,), dtype="bool")
    layer = MultiHeadAttention(1, 2)
    model = Model([x, m], layer(x, x, key=x, key_mask=m))
    data = RNG.standard_normal((2, 4, 3)).astype("float32")
    mask = np.array([[True, True, False, False], [True] * 4])
    expected = layer(data, data, key=data, key_mask=mask)
    np.testing.assert_allclose(model.predict([data, mask], verbose=0), expected, rtol=1e-5)


def test_models_keep_what_a_layer_is_told(tmp_path):
    model = as_model(made([Q, Q]), [Q, Q], use_causal_mask=True, return_attention_scores=True)
    expected = model.predict([Q, Q], verbose=0)
    assert np.triu(expected[1], 1).sum() == 0
    model.save(tmp_path / "model.keras")
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (load_model(tmp_path / "model.keras"), clone):
        for a, b in zip(other.predict([Q, Q], verbose=0), expected):
            np.testing.assert_allclose(a, b, atol=1e-12)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="num_heads must be a positive integer, got 0"):
        MultiHeadAttention(0, 3)
    with pytest.raises(ValueError, match="output_shape must be a positive integer, got 0.5"):
        MultiHeadAttention(1, 3, output_shape=0.5)
    with pytest.raises(ValueError, match="value and key must be equal in all axes but the last"):
        MultiHeadAttention(1, 3)(Q, V, Q)
    with pytest.raises(ValueError, match="attention_axes .* must be axes between"):
        MultiHeadAttention(1, 3, attention_axes=2)(Q, V)
    with pytest.raises(ValueError, match=r"a mask of shape \(3, 4, 4\) does not fit scores of shape \(3, 1, 4, 5\)"):
        MultiHeadAttention(1, 3)(Q, V, attention_mask=np.ones((3, 4, 4)))
    x = np.ones((1, 2, 2, 3))
    with pytest.raises(ValueError, match="give an attention_mask"):
        MultiHeadAttention(1, 3)(x, x, use_causal_mask=True)


def test_shapes_may_be_given_one_by_one():
    layer = MultiHeadAttention(2, 3)
    assert layer.compute_output_shape((None, 4, 5), (None, 6, 7), key_shape=(None, 6, 8)) == (None, 4, 5)
    layer.build((None, 4, 5), (None, 6, 7), (None, 6, 8))
    assert layer.params["key/kernel"].shape == (8, 2, 3)
    layer(np.ones((1, 4, 5)), np.ones((1, 6, 7)), np.ones((1, 6, 8)))


def test_configuration_has_keras_keys():
    layer = MultiHeadAttention(2, 3, dropout=0.1, output_shape=4, seed=5)
    config = layer.get_config()
    assert config["value_dim"] == 3
    assert "flash_attention" not in config
    assert MultiHeadAttention.from_config(config).get_config() == config


@pytest.mark.parametrize(
    "axes, shape, found", [(None, (2, 4, 5), (1,)), (None, (2, 3, 4, 5), (1, 2)), (-2, (2, 3, 4, 5), (2,))]
)
def test_the_configuration_of_a_built_layer_says_along_which_axes_it_looks(axes, shape, found):
    layer = MultiHeadAttention(2, 3, attention_axes=axes)
    layer(np.ones(shape, "float32"), np.ones(shape, "float32"))
    assert layer.get_config()["attention_axes"] == found
    assert MultiHeadAttention.from_config(layer.get_config()).get_config() == layer.get_config()


def test_it_learns_to_copy_from_where_it_is_told():
    """Each query names one of four places; attention has to find the key of that name and bring its value."""
    set_random_seed(0)
    rng = np.random.default_rng(0)
    places = rng.integers(0, 4, (256, 1))
    values = rng.integers(0, 5, (256, 4))
    query, tokens, names = (Input((length,), dtype="int32") for length in (1, 4, 4))
    seen = MultiHeadAttention(2, 8)(Embedding(4, 8)(query), Embedding(5, 8)(tokens), Embedding(4, 8)(names))
    model = Model([query, tokens, names], Dense(5, activation="softmax")(seen))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 0.02
    data = [places, values, np.tile(np.arange(4), (256, 1))]
    target = np.take_along_axis(values, places, 1)
    model.fit(data, target, epochs=15, batch_size=64, verbose=0)
    assert model.evaluate(data, target, verbose=0)[1] == 1


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda layer: layer.build((None, 3, 4), 5), "shapes are tuples, got"),
        (lambda layer: layer.build((None, 3, 4)), "expected query and value, and perhaps key and attention_mask"),
        (lambda layer: layer.build((None, 4), (None, 4)), r"expected three inputs of shape \(N, T, ..., features\)"),
        (lambda layer: layer.forward([np.ones((1, 3, 4))] * 2), "called before it was built"),
    ],
)
def test_what_it_cannot_attend_to_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build(MultiHeadAttention(2, 3))

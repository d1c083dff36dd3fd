"""keras.backend's functions: the settings of Keras 3, and the names and arguments of Keras 2."""

import numpy as np
import pytest

from scratchnet import backend as K
from scratchnet import layers, ops

X = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def test_the_names_that_programs_use_are_operations():
    for (
        name
    ) in "exp sqrt square sum mean max min var std maximum minimum abs log equal cast shape reshape tanh".split():
        assert getattr(K, name) is getattr(ops, name)
    assert K.pow(2.0, 3.0) == 8


def test_shapes():
    assert K.int_shape(X) == (2, 3, 4) and K.ndim(X) == 3 and K.dtype(X) == "float32" and K.count_params(X) == 24
    assert K.int_shape(layers.Input((5,))) == (None, 5)
    assert (
        K.flatten(X).shape == (24,) and K.batch_flatten(X).shape == (2, 12) and K.expand_dims(X).shape == (2, 3, 4, 1)
    )
    assert K.batch_flatten(layers.Input((5, 2))).shape == (None, 10)
    np.testing.assert_array_equal(K.permute_dimensions(X, (2, 0, 1)), X.transpose(2, 0, 1))
    np.testing.assert_array_equal(K.repeat(X[0], 2), np.repeat(X[0][:, None], 2, axis=1))
    np.testing.assert_array_equal(K.repeat_elements(X, 3, axis=1), np.repeat(X, 3, axis=1))
    np.testing.assert_array_equal(K.reverse(X, (0, 2)), X[::-1, :, ::-1])
    np.testing.assert_array_equal(K.concatenate([X, X]), np.concatenate([X, X], axis=-1))
    np.testing.assert_array_equal(K.temporal_padding(X, (1, 2)), np.pad(X, ((0, 0), (1, 2), (0, 0))))
    np.testing.assert_array_equal(K.spatial_2d_padding(X[None]), np.pad(X[None], ((0, 0), (1, 1), (1, 1), (0, 0))))
    resized = K.resize_images(X[None], 2, 3, "channels_last")
    np.testing.assert_array_equal(resized, X[None].repeat(2, axis=1).repeat(3, axis=2))
    with pytest.raises(ValueError, match="two axes"):
        K.repeat(X, 2)
    with pytest.raises(ValueError, match="channels_last"):
        K.resize_images(X[None], 2, 2, "channels_first")
    with pytest.raises(ValueError, match="interpolation='bilinear'"):
        K.resize_images(X[None], 2, 2, "channels_last", "bilinear")


def test_what_is_made():
    assert K.constant(2, shape=(2, 3)).tolist() == [[2, 2, 2]] * 2 and K.constant([1]).dtype == "float32"
    assert K.zeros((2,), name="z").tolist() == [0, 0] and K.ones((2,), "int32").dtype == "int32"
    assert K.zeros_like(X, name="z").shape == K.ones_like(X).shape == X.shape
    assert K.eye(2).tolist() == [[1, 0], [0, 1]] and K.arange(3).dtype == "int32"
    assert K.cast_to_floatx([1, 2]).dtype == "float32"
    np.testing.assert_array_equal(K.random_normal((2, 3), seed=1), K.random_normal((2, 3), seed=1))
    assert 0 <= K.random_uniform((100,), seed=1).min() < K.random_uniform((100,), seed=1).max() < 1
    assert abs(K.random_bernoulli((1000,), 0.3, seed=1).mean() - 0.3) < 0.05
    assert set(np.unique(K.dropout(np.ones(50, np.float32), 0.5, seed=1)).tolist()) == {0, 2}


def test_functions_with_arguments_of_their_own():
    np.testing.assert_array_equal(K.argmax(X), X.argmax(axis=-1))
    np.testing.assert_array_equal(K.argmin(X, 0), X.argmin(axis=0))
    np.testing.assert_array_equal(K.clip(X, None, 0.5), np.minimum(X, 0.5))
    np.testing.assert_array_equal(K.clip(X, 0.5, -3.0), np.full_like(X, 0.5))
    np.testing.assert_allclose(K.cumsum(X), X.cumsum(axis=0))
    np.testing.assert_allclose(K.cumprod(X), X.cumprod(axis=0))
    np.testing.assert_array_equal(K.gather(X, [1, 1]), X[[1, 1]])
    np.testing.assert_allclose(K.hard_sigmoid(np.array([-3.0, 1.0, 3.0])), [0, 0.7, 1])
    assert K.in_top_k(np.eye(3), [0, 2, 2], 1).tolist() == [True, False, True]
    np.testing.assert_allclose((K.l2_normalize(X, -1) ** 2).sum(axis=-1), np.ones((2, 3)), rtol=1e-6)
    np.testing.assert_allclose((K.l2_normalize(X) ** 2).sum(), 1, rtol=1e-6)
    np.testing.assert_array_equal(K.one_hot([1], 3), [[0, 1, 0]])
    np.testing.assert_allclose(K.relu(np.array([-2.0, 1.0, 9.0]), 0.1, 6.0), [-0.2, 1, 6])
    np.testing.assert_array_equal(K.bias_add(X, np.ones(4, np.float32)), X + 1)
    z = K.batch_normalization(X, X.mean((0, 1)), X.var((0, 1)), np.ones(4), np.full(4, 2.0))
    np.testing.assert_allclose(z.mean((0, 1)), np.ones(4), rtol=1e-5)
    np.testing.assert_array_equal(K.map_fn(lambda row: row * 2, X), X * 2)


@pytest.mark.parametrize(
    ("x", "y", "axes", "expected"),
    [
        ((2, 3), (2, 3), None, "ab,ab->a"),
        ((2, 3), (2, 3), 1, "ab,ab->a"),
        ((2, 3, 4), (2, 4, 5), None, "abc,acd->abd"),
        ((2, 3, 4), (2, 3, 5), 1, "abc,abd->acd"),
        ((2, 3, 4), (2, 5, 4), (2, 2), "abc,adc->abd"),
        ((2, 3, 4), (2, 4), None, "abc,ac->ab"),
        ((2, 3), (2, 3, 4, 5), (1, 1), "ab,abcd->acd"),
    ],
)
def test_batch_dot(x, y, axes, expected):
    a, b = np.random.default_rng(0).normal(size=x), np.random.default_rng(1).normal(size=y)
    z = np.einsum(expected, a, b)
    np.testing.assert_allclose(K.batch_dot(a, b, axes), z[:, None] if z.ndim == 1 else z)


def test_batch_dot_wants_a_batch():
    with pytest.raises(ValueError, match="a batch and another axis"):
        K.batch_dot(np.ones(3), np.ones(3))


def test_choices():
    np.testing.assert_array_equal(K.switch(X[..., :1] > 0, X, lambda: -X), np.where(X[..., :1] > 0, X, -X))
    np.testing.assert_array_equal(K.switch(X[:, 0, 0] > 0, X, 0 * X), np.where(X[:, :1, :1] > 0, X, 0))
    assert K.in_train_phase(lambda: 1, 2, training=True) == 1 and K.in_train_phase(1, 2, training=False) == 2
    with pytest.raises(TypeError, match="no global phase"):
        K.in_train_phase(1, 2)


def test_values_of_weights():
    layer = layers.Dense(2)
    layer.build((None, 3))
    K.set_value(layer.bias, [1.0, 2.0])
    assert K.get_value(layer.bias).tolist() == K.eval(layer.bias).tolist() == [1, 2]
    K.batch_set_value([(layer.bias, [3.0, 4.0])])
    assert K.batch_get_value([layer.bias])[0].tolist() == [3, 4]
    with pytest.raises(TypeError, match="no weight of a layer"):
        K.set_value(X, X)


def test_settings_and_dtypes():
    assert (K.floatx(), K.epsilon(), K.image_data_format(), K.backend()) == ("float32", 1e-7, "channels_last", "numpy")
    assert K.is_keras_tensor(layers.Input((2,))) and not K.is_keras_tensor(X) and not K.is_sparse(X)
    assert K.is_float_dtype("float32") and K.is_int_dtype("uint8") and K.standardize_dtype(None) == "float32"
    assert K.result_type("int32", "float32") == K.result_type() == "float32"
    assert [K.get_uid("thing"), K.get_uid("thing")] == [1, 2]
    K.clear_session()
    assert K.get_uid("thing") == 1


def test_on_symbolic_tensors_they_are_nodes_of_a_model():
    from scratchnet.models import Model

    x = layers.Input((3, 4))
    y = K.l2_normalize(K.batch_dot(x, K.permute_dimensions(x, (0, 2, 1))), axis=-1)
    model = Model(x, [y, K.relu(x, 0.1), K.switch(K.greater(x, 0.0), x, K.zeros_like(x))])
    products = X @ X.transpose(0, 2, 1)
    expected = products / np.linalg.norm(products, axis=-1, keepdims=True)
    found = model.predict(X, verbose=0)
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1], np.where(X > 0, X, 0.1 * X), rtol=1e-6)
    np.testing.assert_array_equal(found[2], np.maximum(X, 0))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("gradients", "backward"),
        ("random_normal_variable", "K.variable"),
        ("placeholder", "Input"),
        ("learning_phase", "training"),
    ],
)
def test_what_there_is_not_is_refused_by_name(name, why):
    with pytest.raises(TypeError, match=f"backend.{name}: .*{why}"):
        getattr(K, name)()
    with pytest.raises(AttributeError, match="has no 'functoin'"):
        K.functoin  # noqa: B018

"""A program that was written for `tf.keras` runs with another import line."""

import numpy as np
import pytest

import scratchnet
import scratchnet as tf
from scratchnet.tf import concat, random, reduce_mean

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def test_keras_is_the_library_itself():
    assert tf.keras is scratchnet and tf.keras.layers.Dense is scratchnet.layers.Dense


def test_a_program():
    tf.random.set_seed(3)
    inputs = tf.keras.Input((3,), dtype=tf.float32)
    x = tf.keras.layers.Dense(4, activation=tf.nn.relu)(inputs)
    x = tf.keras.layers.Lambda(lambda t: tf.concat([t[:, tf.newaxis], tf.expand_dims(t, 1)], axis=1))(x)
    x = tf.keras.layers.Lambda(lambda t: tf.reduce_mean(t, axis=1))(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(x))
    model.compile(tf.optimizers.SGD(0.1), loss=lambda t, p: tf.reduce_mean(tf.square(t - p), axis=-1))
    dataset = tf.data.Dataset.from_tensor_slices((X, X[:, :1])).shuffle(8).batch(4).prefetch(tf.data.AUTOTUNE)
    losses = model.fit(dataset, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_arguments_as_tensorflow_has_them():
    np.testing.assert_array_equal(concat([X, X], 1), np.concatenate([X, X], 1))
    np.testing.assert_allclose(reduce_mean(X, [0, 1], keepdims=True), X.mean(keepdims=True), rtol=1e-6)
    np.testing.assert_array_equal(tf.transpose(X, perm=[1, 0]), X.T)
    np.testing.assert_array_equal(tf.clip_by_value(X, clip_value_min=0.2, clip_value_max=0.5), np.clip(X, 0.2, 0.5))
    np.testing.assert_allclose(tf.matmul(X, X, transpose_b=True), X @ X.T, rtol=1e-6)
    np.testing.assert_allclose(tf.linalg.matmul(X, X, transpose_a=True), X.T @ X, rtol=1e-6)
    np.testing.assert_array_equal(tf.one_hot([1], 3, on_value=5.0, off_value=2.0), [[2, 5, 2]])
    np.testing.assert_array_equal(tf.gather(X, [2, 0]), X[[2, 0]])
    np.testing.assert_array_equal(tf.reverse(X, [1]), X[:, ::-1])
    assert [part.shape for part in tf.split(X, [1, 2], axis=1)] == [(8, 1), (8, 2)]
    assert [part.shape for part in tf.split(X, 2)] == [(4, 3), (4, 3)]
    assert tf.constant([1, 2], tf.float32, shape=(3, 2)).shape == (3, 2) and tf.fill([2], 7).tolist() == [7, 7]
    assert tf.range(3).tolist() == [0, 1, 2] and tf.rank(X) == 2 and tf.size(X) == 24 and tf.is_tensor(tf.identity(X))
    np.testing.assert_allclose(tf.add_n([X, X, X]), 3 * X)
    np.testing.assert_allclose(np.square(tf.nn.l2_normalize(X, 1)).sum(1), np.ones(8), rtol=1e-6)
    np.testing.assert_allclose(tf.math.reduce_std(X), X.std(), rtol=1e-6)


def test_images_and_windows_with_tensorflow_s_numbers():
    x, kernel = np.random.default_rng(1).normal(size=(2, 6, 8, 3)), np.ones((3, 3, 3, 2))
    np.testing.assert_array_equal(
        tf.nn.conv2d(x, kernel, strides=[1, 2, 2, 1], padding="VALID"), tf.keras.ops.conv(x, kernel, 2, "valid")
    )
    for pool, whole in ((tf.nn.max_pool2d, np.max), (tf.nn.avg_pool2d, np.mean)):
        y = pool(x, ksize=2, strides=[1, 2, 2, 1], padding="VALID")
        assert y[1, 0, 1, 2] == pytest.approx(whole(x[1, :2, 2:4, 2]))
    window = tf.nn.pool(x, (2, 2), "MAX", strides=(2, 2), padding="SAME")
    np.testing.assert_array_equal(window, tf.nn.max_pool(x, 2, 2, "SAME"))
    assert tf.nn.pool(x, (3, 3), "AVG").shape == (2, 4, 6, 3)
    patches = tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID")
    np.testing.assert_array_equal(patches[0, 1, 2], x[0, 2:4, 4:6].reshape(-1))
    np.testing.assert_array_equal(tf.image.flip_left_right(x), x[:, :, ::-1])
    np.testing.assert_array_equal(tf.image.flip_up_down(x[0]), x[0, ::-1])
    assert tf.nn.bias_add(X, [1, 2, 3])[0, 2] == X[0, 2] + 3 and tf.nn.l2_loss([3.0, 4.0]).numpy() == 12.5


def test_cross_entropies_of_logits():
    labels = np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2, 0, 1]]
    expected = -np.log(np.exp(X) / np.exp(X).sum(1, keepdims=True))[labels == 1]
    np.testing.assert_allclose(tf.nn.softmax_cross_entropy_with_logits(labels, X), expected, rtol=1e-5)
    np.testing.assert_allclose(tf.nn.sparse_softmax_cross_entropy_with_logits(labels.argmax(1), X), expected, rtol=1e-5)
    p = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(
        tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=X),
        -labels * np.log(p) - (1 - labels) * np.log(1 - p),
        rtol=1e-4,
        atol=1e-6,
    )


def test_random_numbers():
    tf.random.set_seed(1)
    first = random.normal((2, 3), mean=5.0), random.uniform((4,), 2, 9, dtype=tf.int32), random.uniform([3])
    tf.random.set_seed(1)
    np.testing.assert_array_equal(tf.random.normal((2, 3), mean=5.0), first[0])
    assert first[1].dtype == np.int32 and 2 <= first[1].min() and first[1].max() < 9 and first[2].max() < 1


def test_a_function_needs_no_compiling():
    @tf.function
    def twice(x):
        return 2 * x

    assert twice(3) == 6 and tf.function(jit_compile=True)(twice)(3) == 6


def test_what_is_tensorflow_s_own_is_refused():
    with pytest.raises(TypeError, match="tf.GradientTape is TensorFlow's own. scratchnet trains by fit"):
        tf.GradientTape()
    with pytest.raises(AttributeError, match=r"tf\.nn\.ctc_loss is not here: .* scratchnet.ops has the operations"):
        _ = tf.nn.ctc_loss
    with pytest.raises(AttributeError, match="scratchnet has no 'raw_ops'"):
        _ = tf.raw_ops


def test_data_sets_of_tensorflow():
    signature = (tf.TensorSpec(shape=(2,), dtype=tf.float32), tf.TensorSpec(shape=(), dtype=tf.int32))
    data = tf.data.Dataset.from_generator(lambda: iter([([1, 2], 0.0), ([3, 4], 1.0)]), output_signature=signature)
    x, y = next(iter(data.batch(2)))
    assert x.dtype == np.float32 and y.dtype == np.int32 and y.tolist() == [0, 1]
    assert tf.data.experimental.cardinality(data).numpy() == tf.data.UNKNOWN_CARDINALITY
    assert tf.data.experimental.cardinality(tf.data.Dataset.range(3)).numpy() == 3


def test_what_programs_ask_of_the_machine():
    assert tf.config.list_physical_devices("GPU") == [] and len(tf.config.list_physical_devices()) == 1
    assert tf.config.run_functions_eagerly(True) is None and tf.executing_eagerly()
    tf.get_logger().setLevel("ERROR")

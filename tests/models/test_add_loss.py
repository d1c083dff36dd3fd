"""model.add_loss: terms of the graph's own tensors, in functional models."""

import copy

import numpy as np
import pytest

from scratchnet import backend as K
from scratchnet import losses, ops
from scratchnet.gradient_check import check_parts
from scratchnet.layers import Dense, Input, Lambda
from scratchnet.models import Model, Sequential, clone_model, load_model
from scratchnet.utils import set_random_seed


def vae():
    """As Keras 2's example writes it."""
    original_dim, latent_dim = 6, 2
    inputs = Input(shape=(original_dim,), name="encoder_input")
    x = Dense(8, activation="relu")(inputs)
    z_mean, z_log_var = Dense(latent_dim, name="z_mean")(x), Dense(latent_dim, name="z_log_var")(x)

    def sampling(args):
        mean, log_var = args
        epsilon = K.random_normal(shape=(K.shape(mean)[0], K.int_shape(mean)[1]))
        return mean + K.exp(0.5 * log_var) * epsilon

    z = Lambda(sampling, output_shape=(latent_dim,), name="z")([z_mean, z_log_var])
    outputs = Dense(original_dim, activation="sigmoid")(Dense(8, activation="relu")(z))
    model = Model(inputs, outputs, name="vae_mlp")
    reconstruction_loss = losses.binary_crossentropy(inputs, outputs) * original_dim
    kl_loss = K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1) * -0.5
    model.add_loss(K.mean(reconstruction_loss + kl_loss))
    return model


def data(rows=40):
    return np.random.default_rng(0).uniform(0, 1, (rows, 6)).astype("float32")


def test_a_variational_autoencoder_trains_without_targets():
    set_random_seed(1)
    model, x = vae(), data()
    model.compile(optimizer="adam")
    history = model.fit(x, epochs=20, batch_size=20, verbose=0, validation_data=(x, None)).history
    assert history["loss"][-1] < history["loss"][0] and "val_loss" in history
    assert model.evaluate(x, verbose=0) == pytest.approx(history["val_loss"][-1], abs=0.3)


def regularized(dtype="float32"):
    x = Input((4,), dtype=dtype)
    h = Dense(3, activation="tanh", name="h", dtype=dtype)(x)
    model = Model(x, Dense(2, name="out", dtype=dtype)(h))
    unused = Dense(1, name="critic", dtype=dtype)(h)
    model.add_loss([ops.mean(h**2), ops.sum(unused, axis=-1) / 40])
    return model


def test_the_terms_have_the_gradient_of_what_they_are_made_of():
    x, y = data()[:, :4], np.zeros((40, 2), "float32")
    model = regularized()
    assert "critic" in [layer.name for layer in model.layers]
    model.compile("sgd", "mse")
    before = {key: w.copy() for key, w in model.params.items()}
    h = np.tanh(x @ before["h/kernel"])
    expected = np.mean((h @ before["out/kernel"]) ** 2) + np.mean(h**2) + np.sum(h @ before["critic/kernel"]) / 40
    assert model.evaluate(x, y, batch_size=40, verbose=0) == pytest.approx(expected, rel=1e-5)
    model.fit(x, y, batch_size=40, verbose=0)
    np.testing.assert_allclose(model.params["critic/bias"], before["critic/bias"] - 0.01, rtol=1e-5)
    assert check_parts(regularized("float64"), x.astype("float64")).passed


def test_it_is_saved_copied_and_cloned(tmp_path):
    model, x, y = regularized(), data()[:, :4], np.zeros((40, 2), "float32")
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.npz")
    value = model.evaluate(x, y, verbose=0)
    clone = clone_model(model, input_tensors=Input((4,)))
    for other in (load_model(tmp_path / "m.npz"), copy.deepcopy(model), clone_model(model), clone):
        other.set_weights(model.get_weights())
        assert other.evaluate(x, y, verbose=0) == pytest.approx(value, rel=1e-6)


def test_what_is_no_tensor_of_the_graph_is_refused():
    model = regularized()
    with pytest.raises(TypeError, match="add_loss takes a symbolic tensor of the model's graph, got 3.0"):
        model.add_loss(3.0)
    with pytest.raises(ValueError, match="the graph is disconnected"):
        model.add_loss(ops.mean(Input((3,))))
    with pytest.raises(TypeError, match="symbolic tensor"):
        Sequential([Dense(2)]).add_loss(ops.mean(Input((3,))))


def test_a_function_of_what_is_within():
    x = Input((4,))
    h = Dense(3, activation="relu")(x)
    model = Model(x, Dense(2)(h))
    within = K.function([model.input], [model.layers[1].output, h * 2])
    values = data()[:, :4]
    first, doubled = within([values])
    np.testing.assert_allclose(first, np.maximum(values @ model.get_weights()[0], 0), rtol=1e-5)
    np.testing.assert_allclose(doubled, 2 * first)
    np.testing.assert_array_equal(K.function(model.input, h)(values), first)
    with pytest.raises(ValueError, match="disconnected"):
        K.function([Input((3,))], [h])

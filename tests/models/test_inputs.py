"""Optional inputs, which may be missing; inputs in structures."""

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.gradient_check import check_layer
from scratchnet.models import Model, load_model

X, O = np.arange(8.0).reshape(4, 2).astype("float32"), np.ones((4, 2), "float32")


class Beside(layers.Layer):
    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = (
            layers.Dense(2, kernel_initializer="ones", dtype=kwargs.get("dtype"), name=name)
            for name in ("first", "second")
        )

    def call(self, x, y=None):
        return self.first(x) if y is None else self.first(x) + self.second(y)


def model(as_dict=True, **kwargs):
    x, o = layers.Input((2,), name="x", **kwargs), layers.Input((2,), name="o", optional=True, **kwargs)
    y = layers.Dense(2, kernel_initializer="ones", **kwargs)(Beside(**kwargs)(x, o))
    return Model({"x": x, "o": o} if as_dict else [x, o], y)


def test_an_optional_input_may_be_none():
    with_both, without = X.sum(1) + 2, X.sum(1)
    for m, both, one in (
        (model(), {"x": X, "o": O}, {"x": X, "o": None}),
        (model(False), [X, O], [X, None]),
    ):
        np.testing.assert_array_equal(m(both), np.repeat(2 * with_both[:, None], 2, 1))
        np.testing.assert_array_equal(m(one), np.repeat(2 * without[:, None], 2, 1))
        np.testing.assert_array_equal(m.predict(one, verbose=0), m(one))
        np.testing.assert_array_equal(m.predict(one, batch_size=3, verbose=0), m(one, training=True))
        np.testing.assert_array_equal(m.predict_on_batch(one), m(one))


def test_a_fit_without_it_leaves_its_parameters():
    m = model()
    m.compile("sgd", "mse")
    before = [w.numpy().copy() for w in m.weights]
    data = {"x": X, "o": None}
    assert m.fit(data, O, epochs=2, batch_size=3, verbose=0).history["loss"][0] > m.evaluate(data, O, verbose=0)
    moved = {w.path: np.any(w.numpy() != old) for w, old in zip(m.weights, before)}
    assert [moves for path, moves in moved.items() if "second" in path] == [False, False]
    assert sum(moved.values()) == 4
    m.fit((({"x": X, "o": o}, O) for o in (None, O, None)), steps_per_epoch=3, verbose=0)
    m.fit([O, X], O, verbose=0)


def test_gradients_without_it_are_those_of_the_layer_without_it():
    m = model(False, dtype="float64")
    x = np.random.default_rng(0).normal(size=(3, 2))

    class Without(layers.Layer):
        def build(self, input_shape):
            self.built = True

        def compute_output_shape(self, input_shape):
            return input_shape

        def forward(self, x, training=False):
            return m.forward([x, None], training)

        def backward(self, dy, cache, needs_dx=True):
            dxs, _ = m.backward(dy, cache, needs_dx)
            assert dxs is None or dxs[1] is None
            return (dxs[0] if needs_dx else None), {}

    assert check_layer(Without(dtype="float64"), x).passed
    y, cache = m.forward([x, None])
    _, grads = m.backward(np.ones_like(y), cache)
    assert grads.keys() == m.trainable_params.keys()
    assert m.backward(np.ones_like(y), cache, needs_dx=False)[0] is None


def test_it_comes_back_from_a_file(tmp_path):
    m = model()
    m.save(tmp_path / "m.keras")
    loaded = load_model(tmp_path / "m.keras", custom_objects={"Beside": Beside})
    assert [layer.optional for layer in loaded.input_layers] == [False, True]
    np.testing.assert_array_equal(loaded({"x": X, "o": None}), m({"x": X, "o": None}))


def test_masks_of_what_is_there_go_on():
    x, o = layers.Input((3,), dtype="int32"), layers.Input((3, 2), optional=True)
    y = Beside()(layers.Embedding(4, 2, mask_zero=True, embeddings_initializer="ones")(x), o)
    m = Model([x, o], y)
    tokens = np.array([[1, 2, 0]])
    assert m([tokens, None])._keras_mask.tolist() == m([tokens, np.ones((1, 3, 2))])._keras_mask.tolist()
    y, cache = m.forward([tokens, None], mask=[None, None])
    assert y.shape == (1, 3, 2) and len(cache.inputs) == 1


def test_what_cannot_be_missing():
    m = model(False)
    with pytest.raises(ValueError, match="input 'x' is None; only one that was made by Input\\(optional=True\\)"):
        m([None, O])
    with pytest.raises(TypeError, match="x must be arrays, got NoneType"):
        m.predict([None, O], verbose=0)
    o = layers.Input((2,), name="o", optional=True)
    for needs in (lambda o: layers.Dense(2)(o), lambda o: o + 1, lambda o: Beside()(o)):
        with pytest.raises(ValueError, match="the input 'o' is None, and .* needs it; an optional input is read by"):
            Model([layers.Input((2,), name="x"), o], needs(o))([X, None])


def test_without_it_the_output_must_be_of_the_same_shape():
    class Wider(layers.Layer):
        def call(self, x, y=None):
            return x if y is None else layers.concatenate([x, y])

    x, o = layers.Input((2,)), layers.Input((2,), optional=True)
    m = Model([x, o], Wider()(x, o))
    with pytest.raises(ValueError, match="returned an output of shape \\(4, 2\\), .* promised \\(None, 4\\)"):
        m([X, None])


def test_inputs_in_structures_are_taken_apart():
    a, b, c = (layers.Input((2,), name=name) for name in "abc")
    m = Model({"a": a, "rest": [b, {"c": c}]}, layers.add([a, b, c]))
    assert m.input_shape == [(None, 2)] * 3 and m.output_shape == (None, 2)
    np.testing.assert_array_equal(m({"a": X, "rest": [X, {"c": O}]}), 2 * X + O)
    with pytest.raises(ValueError, match="expected a list of 2 inputs, got dict"):
        m.predict({"a": X, "rest": {"b": X, "c": O}}, verbose=0)
    with pytest.raises(ValueError, match="expected a dict with the inputs"):
        m.predict({"a": X, "rest": [X, {"d": O}]}, verbose=0)


def test_inputs_that_are_nested_otherwise_are_taken_one_by_one():
    tokens, h, c = layers.Input((1, 2)), layers.Input((3,)), layers.Input((3,))
    y, *states = layers.LSTM(3, return_sequences=True, return_state=True)(tokens, initial_state=[h, c])
    decoder = Model([tokens, h, c], [layers.Dense(2)(y), *states])
    x, states = np.ones((4, 1, 2), "float32"), (np.full((4, 3), 0.5, "float32"), np.ones((4, 3), "float32"))
    wanted = decoder.predict([x, *states], verbose=0)
    for found in (decoder.predict([x, states], verbose=0), decoder([x, list(states)]), decoder((x, states))):
        for one, other in zip(found, wanted):
            np.testing.assert_allclose(one, other, rtol=1e-6)
    again = Model([tokens, h, c], decoder([tokens, [h, c]]))
    np.testing.assert_allclose(again.predict([x, *states], verbose=0)[0], wanted[0], rtol=1e-6)
    decoder.compile("sgd", ["mse", None, None])
    decoder.fit([x, states], wanted[0], verbose=0)
    with pytest.raises(ValueError, match="expected 3 inputs, got 2"):
        decoder.predict([x, states[:1]], verbose=0)

"""Models with `call`: building, data of all kinds, files by path, summaries, what is refused."""

import copy
import pickle

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.gradient_check import check_layer
from scratchnet.layers import BatchNormalization, Dense, Dropout, Embedding, Input, Layer
from scratchnet.models import Model, Sequential, clone_model, load_model
from scratchnet.utils import set_random_seed


def data(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


class TwoTowers(Model):
    """A dict of inputs, a list of outputs; a Sequential and a functional model within."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.left = Sequential([Dense(4, activation="tanh"), Dense(units)])
        x = Input((2,))
        self.right = Model(x, Dense(units)(x) + 1, name="right")
        self.towers = {"top": Dense(1)}

    def call(self, inputs):
        joined = self.left(inputs["a"]) * self.right(inputs["b"])
        return [self.towers["top"](joined), ops.sum(joined, axis=-1)]


def towers_data():
    return {"a": data(32, 5), "b": data(32, 2, seed=1)}, [data(32, 1, seed=2), data(32, seed=3)]


def trained(model, epochs=2):
    x, y = towers_data()
    model.compile("adam", ["mse", "mse"])
    history = model.fit(x, y, epochs=epochs, verbose=0).history
    return history["loss"]


def test_a_model_is_built_by_its_first_data_and_learns():
    model = TwoTowers()
    assert not model.built and len(model.weights) == 2  # of the functional model within
    losses = trained(model, 5)
    assert losses[-1] < losses[0]
    assert model.built and model.count_params() == 5 * 4 + 4 + 4 * 3 + 3 + 2 * 3 + 3 + 3 + 1
    y = model.predict(towers_data()[0], verbose=0)
    assert [a.shape for a in y] == [(32, 1), (32,)]
    result = model(towers_data()[0])
    np.testing.assert_allclose(result[1].numpy(), y[1], rtol=1e-5, atol=1e-6)
    assert [layer.name for layer in model.layers] == [model.left.name, "right", model.towers["top"].name]
    assert list(model.params)[0] == f"left/{model.left.layers[0].name}/kernel"
    assert model.get_layer("right") is model.right


def test_gradients_are_proved():
    from scratchnet import config

    config.set_floatx("float64")
    try:
        model = TwoTowers()
        x, _ = towers_data()
        report = check_layer(model, {key: a[:3].astype(np.float64) for key, a in x.items()}, bound=1e-6)
        assert report.passed, report
    finally:
        config.set_floatx("float32")


@pytest.mark.parametrize("way", ["deepcopy", "pickle", "file", "clone"])
def test_copies(way, tmp_path):
    model, x = TwoTowers(name="towers"), towers_data()[0]
    trained(model)
    before = model.predict(x, verbose=0)
    if way == "file":
        model.save(tmp_path / "m.npz")
        other = load_model(tmp_path / "m.npz", {"TwoTowers": TwoTowers})
    elif way == "clone":
        other = clone_model(model)
        other.set_weights(model.get_weights())
    else:
        other = copy.deepcopy(model) if way == "deepcopy" else pickle.loads(pickle.dumps(model))
    for a, b in zip(other.predict(x, verbose=0), before):
        np.testing.assert_array_equal(a, b)
    trained(other)
    for a, b in zip(model.predict(x, verbose=0), before):
        np.testing.assert_array_equal(a, b)


def test_weights_are_saved_by_path(tmp_path):
    model, other = TwoTowers(), TwoTowers()
    trained(model)
    model.save_weights(tmp_path / "w.npz")
    with pytest.raises(ValueError, match="before it is built"):
        other.load_weights(tmp_path / "w.npz")
    other(towers_data()[0])
    other.load_weights(tmp_path / "w.npz")
    for a, b in zip(model.get_weights(), other.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_the_summary_lists_the_layers(capsys):
    model = TwoTowers()
    model.summary()
    printed = capsys.readouterr().out
    assert "right (Model)" in printed and "?" in printed
    model(towers_data()[0])
    model.summary()
    printed = capsys.readouterr().out
    assert 'Model: "two_towers' in printed and "right (Model)" in printed and "Total params: 52" in printed


def test_integers_stay_integers_and_lengths_may_differ():
    class Reader(Model):
        def __init__(self):
            super().__init__()
            self.embedding, self.top = Embedding(10, 4), Dense(1)

        def call(self, tokens):
            return self.top(ops.mean(self.embedding(tokens), axis=1))

    model = Reader()
    model.compile("sgd", "mse")
    tokens = np.random.default_rng(0).integers(0, 10, (16, 5))
    model.fit(tokens, data(16, 1), verbose=0)
    assert model.predict(tokens[:, :3], verbose=0).shape == (16, 1)
    np.testing.assert_allclose(model.predict(tokens[:, :3], verbose=0), model(tokens[:, :3]), rtol=1e-5)


def test_build_by_a_shape_and_by_a_nested_model():
    class Doubled(Model):
        def __init__(self, inner=None):
            super().__init__()
            self.inner = inner or Dense(3)

        def call(self, x, training=False):
            return self.inner(x) * 2

    model = Doubled(Doubled())
    model.build((None, 4))
    assert model.output_shape == (None, 3) and model.count_params() == 15
    assert model.compute_output_shape((7, 4)) == (7, 3)
    x = data(3, 4)
    np.testing.assert_allclose(model(x), model.inner.inner(x) * 4, rtol=1e-6)
    outer = Sequential([Input((4,)), Doubled(), Dense(1)])
    assert outer.output_shape == (None, 1)


def test_a_loss_that_call_adds_needs_no_targets():
    class Denoiser(Model):
        def __init__(self):
            super().__init__()
            self.noise, self.dense = Dropout(0.2, seed=3), Dense(4)

        def call(self, x):
            y = self.dense(self.noise(x))
            self.add_loss(ops.sum(ops.square(y - x), axis=-1) / 64)
            return y

    set_random_seed(0)
    model, x = Denoiser(), data(32, 4)
    model.compile("adam")
    losses = model.fit(x, epochs=5, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.evaluate(x, batch_size=32, verbose=0) == pytest.approx(float(sum(_losses(model, x))), rel=1e-5)


def _losses(model, x):
    model(x)
    return model.losses


def test_an_attribute_that_changes_between_fits_is_seen():
    class Weighted(Model):
        def __init__(self):
            super().__init__()
            self.beta, self.blocks = 1.0, [Dense(2)]

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            self.add_loss(self.beta * ops.mean(x**2))
            return x

    model, x = Weighted(), data(8, 2)
    model.compile("sgd")
    model.fit(x, verbose=0)
    before = model.evaluate(x, verbose=0)
    model.beta = 5.0
    assert model.evaluate(x, verbose=0) == pytest.approx(5 * before, rel=1e-5)
    model.blocks.append(Dense(2))
    model.compile("sgd")
    model.fit(x, verbose=0)
    assert len(model.weights) == 4
    model.blocks[0] = Dense(2, trainable=False)
    model.compile("sgd")
    model.fit(x, verbose=0)
    assert len(model.trainable_weights) == 2


def test_an_error_in_training_names_the_line_within():
    class Logarithm(Layer):
        def call(self, x):
            return ops.log(x)

    class Broken(Model):
        def __init__(self):
            super().__init__()
            self.logarithm, self.dense = Logarithm(name="logarithm"), Dense(1)

        def call(self, x):
            return self.dense(self.logarithm(x))

    model = Broken()
    model.compile("sgd", "mse")
    with pytest.raises(FloatingPointError, match="operation 'log', File .*test_subclass.py.*ops.log.*'logarithm'"):
        model.fit(-np.ones((4, 2)), np.ones((4, 1)), verbose=0)


def test_what_is_refused():
    with pytest.raises(TypeError, match="Model needs inputs and outputs"):
        Model()

    class Stepper(Model):
        def call(self, x):
            return x

        def train_step(self, data):
            return {}

    with pytest.raises(TypeError, match="defines train_step.*GradientTape.*cannot be traced: put"):
        Stepper().compile("sgd", "mse")

    class OnlyStepper(Model):
        def train_step(self, data):
            return {}

    with pytest.raises(TypeError, match="OnlyStepper: the class defines train_step.*take turns by train_on_batch"):
        OnlyStepper()

    class Forgetful(Model):
        def __init__(self):
            self.dense = Dense(2)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(TypeError, match=r"Forgetful.__init__ must call super\(\).__init__"):
        Forgetful()


def test_a_subclass_may_make_its_graph_itself():
    class Graphed(Model):
        def __init__(self, units=2):
            x = Input((3,))
            super().__init__(inputs=x, outputs=Dense(units)(x))
            self.units = units

    model = Graphed(4)
    assert model.predict(data(2, 3), verbose=0).shape == (2, 4)
    model.compile("sgd", "mse")
    model.fit(data(8, 3), data(8, 4), verbose=0)
    assert clone_model(model).output_shape == (None, 4)


@pytest.mark.parametrize("form", ["asks", "does not ask", "does not ask, within a model", "tells"])
def test_layers_within_train_where_call_asks_for_training_as_in_keras(form):
    class Asking(Model):
        def __init__(self):
            super().__init__()
            self.normalize, self.dense = BatchNormalization(), Dense(2)

        def call(self, x, training=None):
            return self.dense(self.normalize(x))

    class NotAsking(Asking):
        def call(self, x):
            return self.dense(self.normalize(x))

    class Telling(Asking):
        def call(self, x):
            return self.dense(self.normalize(x, training=True))

    kind = {"asks": Asking, "tells": Telling}.get(form, NotAsking)
    model = inner = kind()
    if "within" in form:
        model = Sequential([Input((3,)), inner])
    x = data(32, 3) + 5
    model.compile("sgd", "mse")
    inner(x)
    y = inner.predict(x, verbose=0)
    loss = model.fit(x, y + 1, batch_size=32, verbose=0).history["loss"][0]
    moved = (inner.normalize.moving_mean.numpy() != 0).any()
    assert moved == (form != "does not ask")
    if form != "tells":
        assert (loss == pytest.approx(1, rel=1e-5)) == (not moved)

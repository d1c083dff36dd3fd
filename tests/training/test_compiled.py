"""compile: what is refused, and what needs it."""

import gc
import json

import numpy as np
import pytest

import scratchnet
from scratchnet import callbacks, optimizers, registry
from scratchnet.layers import Dense, Input, Layer
from scratchnet.metrics import Mean, MeanAbsoluteError
from scratchnet.models import Model, Sequential, load_model, model_from_json
from scratchnet.utils import set_random_seed


@pytest.fixture(autouse=True)
def default_threads():
    yield
    scratchnet.set_num_threads(None)


def classifier(*, seed=0, extra=(), loss="sparse_categorical_crossentropy", optimizer="adam"):
    set_random_seed(seed)
    model = Sequential([Input((5,)), Dense(8, activation="tanh"), *extra, Dense(3, activation="softmax")])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def data(count=90, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 5)) + y[:, None]).astype("float32"), y


def test_keras_arguments_that_are_missing_are_named():
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'"):
        classifier().fit(*data(), epoch=3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'losses'"):
        classifier().compile("adam", losses="mse")
    with pytest.raises(TypeError, match="Keras's argument 'lora_rank' is not implemented"):
        Dense(3, lora_rank=2)
    with pytest.raises(TypeError, match="no argument 'unit'"):
        Dense(3, unit=4)
    with pytest.raises(ImportError, match="GRRU"):
        from scratchnet.layers import GRRU  # noqa: F401


def test_fit_before_compile_and_calls_before_build():
    model = Sequential([Dense(3)])
    with pytest.raises(ValueError, match="fit before compile"):
        model.fit(np.ones((2, 4)), np.ones((2, 3)), verbose=0)
    with pytest.raises(ValueError, match="evaluate before compile"):
        model.evaluate(np.ones((2, 4)), np.ones((2, 3)), verbose=0)
    with pytest.raises(ValueError, match="before it was built"):
        Dense(3).forward(np.ones((2, 4), "float32"))
    with pytest.raises(ValueError, match="needs targets"):
        classifier().fit(np.ones((2, 5)), verbose=0)


def test_an_optimizer_trains_one_model_only():
    x, y = data(8)
    for forget in (False, True):
        optimizer = optimizers.Adam()
        first, second = classifier(optimizer=optimizer), classifier(optimizer=optimizer)
        first.fit(x, y, verbose=0)
        if forget:
            del first
            gc.collect()
        with pytest.raises(ValueError, match="the optimizer has trained .* give each model its own"):
            second.fit(x, y, verbose=0)
        with pytest.raises(ValueError, match="give each model its own"):
            classifier(optimizer=optimizer)
        assert int(optimizer.iterations) == 1


def test_what_one_model_was_compiled_with_compiles_another():
    x, y = data(8)
    first, second = classifier(), classifier()
    first.fit(x, y, verbose=0)
    second.compile_from_config(first.get_compile_config())
    second.fit(x, y, verbose=0)
    assert second.optimizer is not first.optimizer and int(second.optimizer.iterations) == 1
    with pytest.raises(ValueError, match="x is a pair of which the second may be y"):
        second.fit((x, y), verbose=0)


def test_a_callback_that_compiles_in_the_midst_of_a_fit_is_told():
    class Compiles(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.compile("sgd", "sparse_categorical_crossentropy")

    model, (x, y) = classifier(), data(8)
    with pytest.raises(ValueError, match="a callback has compiled or changed the model while fit was running"):
        model.fit(x, y, epochs=2, verbose=0, callbacks=[Compiles()])
    model.fit(x, y, epochs=1, verbose=0, callbacks=[Compiles()])  # in the end it does no harm


def test_an_unknown_metric_is_told_by_compile_wherever_it_stands():
    model = classifier()
    for metrics in (["acuracy"], [["acuracy"]], {"dense": "acuracy"}, {"dense": ["mae", "acuracy"]}):
        for argument in ("metrics", "weighted_metrics"):
            with pytest.raises(ValueError, match="unknown metric 'acuracy'"):
                model.compile("sgd", "sparse_categorical_crossentropy", **{argument: metrics})
    with pytest.raises(TypeError, match="metrics must be a list or dict"):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics="accuracy")
        model.evaluate(*data(8), verbose=0)


def test_one_output_has_one_weight_and_no_metric_is_none():
    x, y = data(8)
    model = classifier()
    once = model.evaluate(x, y, verbose=0)[0]
    for weights in (2.0, [2.0]):
        model.compile("sgd", "sparse_categorical_crossentropy", loss_weights=weights, metrics=[None])
        assert model.evaluate(x, y, verbose=0) == pytest.approx(2 * once)
    with pytest.raises(ValueError, match="loss_weights must be a list or dict, got 'heavy'"):
        model.compile("sgd", "sparse_categorical_crossentropy", loss_weights="heavy")
        model.fit(x, y, verbose=0)


def test_a_model_without_an_optimizer_is_evaluated_but_not_trained():
    x, y = data(8)
    model, trained = classifier(optimizer=None), classifier()
    assert model.compiled and model.optimizer is None and optimizers.get(None) is None
    assert model.evaluate(x, y, verbose=0) == trained.evaluate(x, y, verbose=0)
    assert model.trace(x, y).step == 0
    for train in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="compiled with optimizer=None: it evaluates and predicts, but cannot be"):
            train(x, y)


class Metered(Layer):
    def __init__(self):
        super().__init__()
        self.within = Mean(name="within")

    def call(self, x):
        return x


class Holding(Model):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.b, self.listed = Mean(name="b"), [Mean(name="listed")]
        self.a = Mean(name="a")


def test_metrics_are_those_of_compile_then_those_of_the_model_and_its_layers():
    """In the order of Keras 3.15, where one object stands for all of compile's."""
    inputs = Input((2,))
    model = Holding(inputs, Dense(1)(Metered()(inputs)))
    held = ["b", "listed", "a", "within"]
    assert [metric.name for metric in model.metrics] == held and len(model.metrics_variables) == 8
    given = MeanAbsoluteError(name="mae")
    model.compile("sgd", "mse", metrics=[given])
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert [metric.name for metric in model.metrics] == ["loss", "mae", *held]
    assert model.metrics_names == ["loss", "mae", *held]


@registry.register_keras_serializable(package="compiled")
class Scaled(Model):
    """Compiled in its own way."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(1)

    def call(self, x):
        return self.dense(x)

    def compile(self, rule, scale=1.0):
        super().compile(optimizer=rule, loss="mse")
        self.scale = scale

    def get_compile_config(self):
        return {"rule": self.optimizer, "scale": self.scale}

    def compile_from_config(self, config):
        assert isinstance(config["rule"], dict)
        self.compile(registry.deserialize(config["rule"]), config["scale"])


@pytest.mark.parametrize("ending", ["npz", "keras"])
def test_a_class_that_says_itself_how_it_is_compiled_is_asked(tmp_path, ending):
    model = Scaled()
    model(np.ones((2, 3)))
    model.compile(optimizers.Adam(0.02), scale=3.0)
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    model.save(tmp_path / f"scaled.{ending}")
    other = load_model(tmp_path / f"scaled.{ending}")
    assert other.scale == 3.0 and int(other.optimizer.iterations) == 1
    assert float(other.optimizer.learning_rate) == pytest.approx(0.02)


@pytest.mark.parametrize("ending", ["npz", "keras"])
def test_a_compile_of_ones_own_that_wants_other_arguments_does_not_keep_a_file_from_being_loaded(tmp_path, ending):
    @registry.register_keras_serializable(package="compiled")
    class OfTwo(Scaled):
        get_compile_config, compile_from_config = Model.get_compile_config, Model.compile_from_config

    model = OfTwo()
    model(np.ones((2, 3)))
    model.compile("sgd")
    model.save(tmp_path / f"two.{ending}")
    with pytest.warns(UserWarning, match="the model is not compiled, its settings cannot be used"):
        assert not load_model(tmp_path / f"two.{ending}").compiled


def test_json_says_how_a_model_is_compiled():
    model = Sequential([Input((2,)), Dense(1)])
    assert "compile_config" not in json.loads(model.to_json())
    model.compile(optimizers.SGD(0.3), "mse", metrics=["mae"])
    other = model_from_json(model.to_json())
    assert float(other.optimizer.learning_rate) == pytest.approx(0.3) and other.loss == "mse"


def test_the_loss_so_far_is_the_first_of_the_metrics():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 5)), rng.integers(0, 3, 10)
    model, seen = classifier(), []
    assert [metric.name for metric in model.metrics] == ["loss"] and model.metrics[0].result() == 0
    watch = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((float(model.metrics[0].result()), logs["loss"]))
    )
    model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[watch])
    assert len(seen) == 2 and all(a == b for a, b in seen)
    figures = model.evaluate(x, y, verbose=0, return_dict=True)
    found = {metric.name: float(metric.result()) for metric in model.metrics}
    assert found == model.get_metrics_result() == figures
    model.reset_metrics()
    assert model.metrics[0].result() == 0
    outer = Sequential([model, Dense(1)])
    assert outer.metrics == [] and outer.metrics_names == []
    outer.compile("sgd", "mse")
    assert [metric.name for metric in outer.metrics] == ["loss"] == outer.metrics_names
    with pytest.raises(TypeError, match="counts itself, in fit and evaluate"):
        model.metrics[0].update_state(1.0, 1.0)


def test_metrics_without_names_are_counted_as_in_keras():
    model, x = Sequential([Input((2,)), Dense(1, "sigmoid")]), np.random.default_rng(0).random((8, 2))
    first, second = scratchnet.metrics.AUC(), scratchnet.metrics.AUC()
    assert second.name == f"{first.name[:3]}_{int(first.name[4:] or 0) + 1}"
    model.compile("sgd", "mse", metrics=[first, second, "AUC"])
    assert {first.name, second.name, "AUC"} <= model.fit(x, np.arange(8) % 2, verbose=0).history.keys()

"""Names, custom objects, and the dicts in which things are written: of this library, of Keras 3, of version 0.1.0."""

import json

import numpy as np
import pytest

from scratchnet import activations, initializers, layers, losses, metrics, models, optimizers, registry
from scratchnet.layers import Dense, Layer


class Half(initializers.Initializer):
    def __init__(self, value=0.5):
        self.v = value

    def values(self, shape, rng):
        return np.full(shape, self.v)


class Slower(optimizers.schedules.LearningRateSchedule):
    def __init__(self, start):
        self.s = start

    def __call__(self, step):
        return self.s / (1 + step)


class Offset(losses.Loss):
    def __init__(self, by, **kwargs):
        super().__init__(**kwargs)
        self.b = by

    def values(self, y_true, y_pred):
        e = y_pred - y_true - self.b
        return np.square(e).mean(axis=-1), e

    def gradient(self, dvalues, cache):
        return cache * (dvalues * 2 / cache.shape[-1])


class Count(metrics.Metric):
    def reset_state(self):
        self.n = 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.n += len(y_true)

    def result(self):
        return float(self.n)


class Outer(Layer):
    """Holds a layer."""

    def __init__(self, inside, **kwargs):
        super().__init__(**kwargs)
        self.inner = inside

    def compute_output_shape(self, input_shape):
        return self.inner.compute_output_shape(input_shape)

    def build(self, input_shape):
        self.inner.ensure_built(input_shape)

    def forward(self, x, training=False):
        return self.inner.forward(x, training=training)


def off(y_true, y_pred):
    return np.abs(y_true - y_pred).mean(axis=-1)


twice = activations.Activation("twice", lambda z, out=None: 2 * z, lambda dy, y: 2 * dy, keeps="y")
OWN = {"Half": Half, "Slower": Slower, "Offset": Offset, "Count": Count, "off": off, "twice": twice}


def compiled():
    model = models.Sequential([layers.Input((3,)), Dense(2, twice, kernel_initializer=Half(0.25)), Dense(1)])
    model.compile(optimizers.Adam(Slower(0.5)), Offset(0.125), metrics=[Count(), off])
    return model


def test_everything_of_ones_own_is_found_however_deep_it_stands(tmp_path):
    model = compiled()
    model.save(tmp_path / "m.npz")
    again = models.load_model(tmp_path / "m.npz", OWN)
    assert again.layers[0].kernel_initializer.v == 0.25 and again.layers[0].activation is twice
    assert again.optimizer.learning_rate == 0.5 and again.loss.b == 0.125
    x, y = np.ones((4, 3)), np.ones((4, 1))
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    with registry.custom_object_scope(OWN):
        models.load_model(tmp_path / "m.npz")
    for name in OWN:
        with pytest.raises(ValueError, match=f"'{name}'.*custom_objects"):
            models.load_model(tmp_path / "m.npz", {key: value for key, value in OWN.items() if key != name})


def test_what_is_registered_needs_no_custom_objects():
    with pytest.raises(ValueError, match="has no get_config"):
        registry.register_keras_serializable()(type("Bare", (), {}))
    try:
        registry.register_keras_serializable("pack")(Half)
        registry.register_keras_serializable(name="distance")(off)
        assert registry.get_registered_name(Half) == "pack>Half" and registry.get_registered_object("pack>Half") is Half
        assert registry.get_registered_name(Slower) == "Slower" and registry.get_registered_object("Slower") is None
        layer = Dense(2, kernel_initializer=Half(0.25))
        written = json.loads(json.dumps(layers.serialize(layer)))
        assert layers.deserialize(written).kernel_initializer.v == 0.25
        assert registry.serialize(off)["registered_name"] == "Custom>distance"
        assert registry.deserialize(registry.serialize(off)) is off
        assert isinstance(initializers.get("pack>Half"), Half)
    finally:
        for name in ("pack>Half", "Custom>distance"):
            registry._own_names.pop(registry.get_custom_objects().pop(name))
    registry.get_custom_objects()["Half"] = Half
    try:
        assert isinstance(initializers.get("Half"), Half)
    finally:
        del registry.get_custom_objects()["Half"]


def test_scopes_stand_in_one_another_and_end():
    with registry.CustomObjectScope({"a": Half}):
        with registry.custom_object_scope({"b": Slower}):
            assert registry.get_registered_object("a") is Half and registry.get_registered_object("b") is Slower
        assert registry.get_registered_object("b") is None
    assert registry.get_registered_object("a") is None
    assert registry.get_registered_object("x", {"x": 1}) == registry.get_registered_object("x", None, {"x": 1}) == 1
    with pytest.raises(TypeError, match="custom_objects must be a dict"):
        registry.CustomObjectScope([Half])


def test_dicts_of_keras_3_are_read():
    dense = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {
            "name": "d",
            "trainable": True,
            "dtype": {
                "module": "keras",
                "class_name": "DTypePolicy",
                "config": {"name": "float64"},
                "registered_name": None,
            },
            "units": 3,
            "activation": "relu",
            "use_bias": True,
            "kernel_initializer": {
                "module": "keras.initializers",
                "class_name": "HeNormal",
                "config": {"seed": 7},
                "registered_name": None,
            },
            "bias_initializer": {
                "module": "keras.initializers",
                "class_name": "Zeros",
                "config": {},
                "registered_name": None,
            },
            "kernel_regularizer": None,
        },
        "registered_name": None,
        "build_config": {"input_shape": [None, 4]},
    }
    layer = registry.deserialize(dense)
    assert (layer.units, layer.dtype, layer.kernel_initializer.seed) == (3, "float64", 7)
    rate = {
        "module": "keras.optimizers.schedules",
        "class_name": "CosineDecay",
        "config": {"initial_learning_rate": 1.0, "decay_steps": 10},
    }
    adam = registry.deserialize({"module": "keras.optimizers", "class_name": "Adam", "config": {"learning_rate": rate}})
    assert adam.learning_rate == 1.0
    mse = {"module": "builtins", "class_name": "function", "config": "mean_squared_error", "registered_name": "x"}
    assert registry.deserialize(mse, "losses") is losses.mean_squared_error
    own = {"module": None, "class_name": "Half", "config": {"value": 0.25}, "registered_name": "Custom>Half"}
    assert registry.deserialize(own, custom_objects={"Half": Half}).v == 0.25
    assert registry.deserialize(own, custom_objects={"Custom>Half": Half}).v == 0.25
    with pytest.raises(ValueError, match="a saved lambda"):
        registry.deserialize({"class_name": "__lambda__", "config": {"value": ["code", None, None]}})


def test_the_library_s_class_is_not_taken_for_one_of_the_same_name():
    written = {"module": "__main__", "class_name": "Dense", "config": {"units": 3}, "registered_name": "Dense"}
    with pytest.raises(ValueError, match="'Dense'.*custom_objects"):
        registry.deserialize(written, "layers")


def test_a_dict_without_module_needs_a_kind_only_where_the_name_is_not_unique():
    assert isinstance(registry.deserialize({"class_name": "Dense", "config": {"units": 3}}), Dense)
    with pytest.raises(ValueError, match=r"may be one of \['losses', 'metrics'\]"):
        registry.deserialize({"class_name": "MeanSquaredError", "config": {}})
    assert isinstance(registry.deserialize({"class_name": "MeanSquaredError"}, "metrics"), metrics.MeanSquaredError)


def test_what_is_no_description_is_returned_or_refused():
    assert registry.deserialize([1, "a", None]) == [1, "a", None]
    dense = Dense(3)
    assert registry.deserialize(dense) is dense and registry.deserialize({"a": [dense]})["a"][0] is dense
    with pytest.raises(ValueError, match="loss: expected a dict with 'class_name'"):
        losses.get({})
    with pytest.raises(ValueError, match="the config of a Dense must be a dict"):
        registry.deserialize({"module": "scratchnet.layers", "class_name": "Dense", "config": 3})


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_registered_name_is_found(kind):
    for name in registry.names(kind):
        assert registry.find(kind, name) is not None
        if kind == "optimizers":
            assert registry.find(kind, name.upper()) is registry.find(kind, name)


def test_get_takes_names_classes_configs_and_instances():
    for given in ("Huber", "huber", losses.Huber, losses.Huber(), {"class_name": "Huber", "config": {}}):
        assert isinstance(registry.get("losses", given), losses.Huber)
    assert registry.get("losses", None) is None and registry.get("losses", off) is off
    for wrong in (3, Dense(3), Dense):
        with pytest.raises(TypeError, match="loss .* is neither a name nor a Loss"):
            registry.get("losses", wrong)
    with pytest.raises(ValueError, match="unknown loss 'hubar'; closest: Huber.*custom_objects={'hubar'"):
        registry.get("losses", "hubar")


def test_a_layer_within_a_layer_of_ones_own():
    layer = Outer(Dense(2, kernel_initializer=Half(0.25), name="inside"))
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))), {"Outer": Outer, "Half": Half})
    assert again.inner.name == "inside" and again.inner.kernel_initializer.v == 0.25


def test_models_are_layers_of_the_registry():
    model = models.Sequential([layers.Input((3,)), Dense(2, name="a")], name="s")
    assert registry.find("layers", "Functional") is registry.find("layers", "Model") is models.Model
    wrapped = layers.TimeDistributed(model, name="t")
    assert layers.deserialize(layers.serialize(wrapped)).layer.get_config() == model.get_config()


def test_values_that_json_does_not_know_come_back():
    for value in (b"bytes", ..., slice(1, None, 2), (1, slice(None)), {"a": [b"b"]}):
        assert registry.deserialize(json.loads(json.dumps(registry.serialize(value)))) == value


def test_a_function_that_keras_3_6_wrote_without_its_package():
    registry.register_keras_serializable("pack")(off)
    try:
        written = {"module": "builtins", "class_name": "function", "config": "off", "registered_name": "function"}
        assert registry.deserialize(written) is off
        assert registry.deserialize({**written, "config": "pack>off"}) is off
    finally:
        registry._own_names.pop(registry.get_custom_objects().pop("pack>off"))
    written = {**written, "config": "kl_divergence"}  # a metric has that name as well, but no function
    assert registry.deserialize(written) is losses.kl_divergence


def test_a_config_that_is_no_dict_is_told_by_the_class():
    class Odd(Layer):
        def get_config(self):
            return ["units", 3]

    with pytest.raises(TypeError, match=r"Odd.get_config\(\) must return a dict, got \['units', 3\]"):
        registry.serialize(Odd())
    assert registry.serialize(np.dtype("float32")) == registry.serialize(np.float32) == "float32"

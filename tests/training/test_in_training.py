"""What is computed together in training: the gradients of the layers one by one, and only where nobody looks."""

from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    Input,
    MaxPooling2D,
    ReLU,
    UpSampling2D,
)
from scratchnet.models import Model, Sequential
from scratchnet.training import joined as module
from scratchnet.training.dense import ActivatedDense
from scratchnet.training.in_training import (
    BoundedNormalization,
    PooledConvolution,
    UpsampledConvolution,
    in_training,
)
from scratchnet.training.in_use import in_use
from scratchnet.utils import set_random_seed
from tests.training.there_and_back import there_and_back

IS_FOLLOWED = module._is_followed  # before conftest.py puts something in its place
pytestmark = pytest.mark.skipif(not kernels.numba_is_installed(), reason="of the compiled kernels")


@pytest.fixture(autouse=True)
def compiled():
    with kernels.using_backend("numba"):
        yield


def classifier(*middle, size=(9, 8, 3), dtype="float32"):
    set_random_seed(3)
    last = Flatten(dtype=dtype), Dense(4, activation="softmax", dtype=dtype)
    model = Sequential([Input(size, dtype=dtype), *middle, *last])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def pair(*options, filters=16, dtype="float32", **more):
    return Conv2D(filters, 3, *options, activation="relu", dtype=dtype, **more), MaxPooling2D(dtype=dtype)


def data(size=(9, 8, 3), count=50, dtype="float32"):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, *size)).astype(dtype), rng.integers(0, 4, count)


def joined(model):
    return [node for node in in_training(model).nodes if isinstance(node, (PooledConvolution, UpsampledConvolution))]


def enlarged(*options, dtype="float32", **more):
    return UpSampling2D((2, 3), dtype=dtype), Conv2D(*options, dtype=dtype, **more)


PAIRS = {
    "alone": lambda dtype: pair(dtype=dtype),
    "strides": lambda dtype: pair(2, padding="same", dtype=dtype),
    "dilation, no bias": lambda dtype: pair(dilation_rate=2, use_bias=False, dtype=dtype),
    "groups": lambda dtype: pair(filters=6, groups=3, dtype=dtype),
    "enlarged": lambda dtype: (
        *pair(padding="same", dtype=dtype),
        *enlarged(3, 3, padding="same", activation="sigmoid", dtype=dtype),
    ),
    "enlarged twice": lambda dtype: (
        *pair(dtype=dtype),
        *enlarged(8, 3, activation="relu", dtype=dtype),
        *enlarged(1, (3, 4), use_bias=False, dtype=dtype),
    ),
    "behind another": lambda dtype: (*pair(padding="same", dtype=dtype), *pair(filters=32, dtype=dtype)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_its_gradient_is_that_of_differences_and_parts_add_up(name):
    size = (14, 12, 3)
    model = in_training(classifier(*(layers := PAIRS[name]("float64")), size=size, dtype="float64"))
    assert len(model.nodes) == len(layers) // 2 + 2
    x, _ = data(size, 6, "float64")
    for report in (check_layer(model, x, training=True, max_entries=100, layouts=False), check_parts(model, x)):
        assert report.passed, report


@pytest.mark.parametrize("name", PAIRS)
def test_gradients_are_those_of_the_layers_one_by_one(name):
    size = (14, 12, 3)
    model = classifier(*PAIRS[name]("float32"), size=size)
    x, _ = data(size)
    (y, cache), (expected, others) = (m.forward(x, training=True) for m in (in_training(model), model))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-6 if "enlarged" in name else 0)
    dy = np.random.default_rng(1).normal(size=y.shape).astype("float32")
    for needs_dx in (True, False):
        dx, grads = in_training(model).backward(dy, cache, needs_dx)
        wanted_dx, wanted = model.backward(dy, others, needs_dx)
        assert grads.keys() == wanted.keys()
        for key in wanted:
            np.testing.assert_allclose(grads[key], wanted[key], rtol=0, atol=1e-5 * np.abs(wanted[key]).max())
        if needs_dx:
            np.testing.assert_allclose(dx, wanted_dx, rtol=0, atol=1e-5 * np.abs(wanted_dx).max())


def test_fit_trains_them_together_and_to_the_same_weights():
    found = {}
    for eagerly in (True, False, False):
        model = classifier(*pair())
        model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=eagerly)
        x, y = data()
        model.fit(x, y, epochs=2, verbose=0)
        model.train_on_batch(x, y)
        found.setdefault(eagerly, []).append(model.get_weights())
    for one, other, layer_by_layer in zip(*found[False], *found[True]):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, layer_by_layer, rtol=0, atol=1e-5)


def test_memory_is_of_the_pooled_numbers_alone():
    model = in_training(classifier(*pair()))
    x, _ = data()
    cache = model.forward(x, training=True)[1].nodes[0]
    assert cache.x is x and cache.places.dtype == np.uint8 and cache.places.shape == (50, 3, 3, 16)
    assert cache.geometry == ((1, 1), ((0, 0), (0, 0)), (1, 1))


@pytest.mark.parametrize("size, count", [((10, 8, 3), 1), ((9, 8, 3), 0), ((None, 8, 3), 0)])
def test_a_pooling_that_would_pad_is_not_joined(size, count):
    x = Input(size)
    model = Model(x, MaxPooling2D(padding="same")(Conv2D(16, 3, padding="same", activation="relu")(x)))
    assert len(joined(model)) == count


@pytest.mark.parametrize(
    "middle",
    [
        (Conv2D(16, 3), MaxPooling2D()),
        (Conv2D(16, 3), Activation("relu"), MaxPooling2D()),
        (Conv2D(16, 3, activation="tanh"), MaxPooling2D()),
        (Conv2D(16, 3, activation="relu"), MaxPooling2D(3)),
        (Conv2D(16, 3, activation="relu"), AveragePooling2D(2)),
        (Conv2D(16, 3, activation="relu", activity_regularizer="l2"), MaxPooling2D()),
        (Conv2D(16, 3, activation="relu", trainable=False), MaxPooling2D()),
        (type("Mine", (Conv2D,), {})(16, 3, activation="relu"), MaxPooling2D()),
        (Conv2D(16, 3, activation="relu"), type("Mine", (MaxPooling2D,), {})()),
        (UpSampling2D(), Conv2D(2, 3)),  # of three channels
        (Conv2D(8, 3), UpSampling2D(), Conv2D(2, 3, trainable=False)),
        (Conv2D(8, 3), UpSampling2D(), Conv2D(2, 3, activity_regularizer="l2")),
        (Conv2D(8, 3), UpSampling2D(), Activation("relu")),
    ],
)
def test_anything_else_stays_as_it_is(middle):
    assert not joined(classifier(*middle))


@pytest.mark.parametrize("training", [True, False])
def test_an_image_of_which_nothing_would_be_left_is_refused_as_by_the_pooling(training):
    x = Input((None, None, 3))
    model = Model(x, MaxPooling2D()(Conv2D(16, 3, activation="relu")(x)))
    runs = in_training(model) if training else in_use(model)
    assert runs is not model
    with pytest.raises(ValueError, match="MaxPooling2D.* smaller than the window"):
        runs.forward(np.ones((2, 6, 3, 3), "float32"), training=training)


def test_the_other_backends_go_layer_by_layer():
    model = classifier(*pair())
    with kernels.using_backend("numpy"):
        assert in_training(model) is model


# ---- dense layers ----

LAYERS = {
    "relu": {"activation": "relu"},
    "relu, no bias": {"activation": "relu", "use_bias": False},
    "tanh": {"activation": "tanh"},
    "linear, no bias": {"use_bias": False},
}


def dense(rows, name, dtype="float32"):
    set_random_seed(5)
    x = Input((rows, 40), dtype=dtype)
    h = Dense(64, dtype=dtype, **LAYERS[name])(x)
    return Model(x, Dense(24, activation="tanh", dtype=dtype)(h))  # a linear one would be joined to the other


@pytest.mark.parametrize("name", LAYERS)
def test_a_dense_layers_gradient_is_that_of_differences_and_parts_add_up(name):
    model = in_training(dense(3, name, "float64"))
    assert [type(node) for node in model.nodes[-2:]] == [ActivatedDense, ActivatedDense]
    x, _ = data((3, 40), 6, "float64")
    for report in (check_layer(model, x, training=True, max_entries=100, layouts=False), check_parts(model, x)):
        assert report.passed, report


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("rows", [1, 200])  # in one piece and in several, see `scratchnet.kernels.with_numba.affine`
def test_a_dense_layer_in_one_pass_is_the_layer(name, rows):
    model = dense(rows, name)
    x, _ = data((rows, 40))
    (y, cache), (expected, others) = (m.forward(x, training=True) for m in (in_training(model), model))
    np.testing.assert_array_equal(y, expected)
    dy = np.random.default_rng(1).normal(size=y.shape).astype("float32")
    for needs_dx in (True, False):
        dx, grads = in_training(model).backward(dy, cache, needs_dx)
        wanted_dx, wanted = model.backward(dy, others, needs_dx)
        assert grads.keys() == wanted.keys() and (dx is None) == (not needs_dx)
        for one, other in [(grads[key], wanted[key]) for key in wanted] + [(dx, wanted_dx)] * needs_dx:
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * np.abs(other).max())


def test_a_dense_layer_that_does_more_stays_as_it_is():
    for more in ({"trainable": False}, {"activity_regularizer": "l2"}):
        model = Sequential([Input((3, 8)), Dense(4, activation="relu", **more)])
        assert in_training(model) is model
    mine = type("Mine", (Dense,), {})
    model = Sequential([Input((3, 8)), mine(4)])
    assert in_training(model) is model


def test_a_layer_that_is_frozen_while_fit_is_running_has_no_gradient():
    model = classifier(*pair())
    twin, (x, _) = in_training(model), data()
    y, cache = twin.forward(x, training=True)
    model.layers[0].trainable = False
    _, grads = twin.backward(np.ones_like(y), cache, needs_dx=False)
    assert [key.split("/")[-1] for key in grads] == ["kernel", "bias"]  # of the dense layer
    dx, again = twin.backward(np.ones_like(y), cache)
    assert dx.shape == x.shape and again.keys() == grads.keys()


# ---- batch normalization ----

BEHIND = {
    "relu": lambda dtype: [ReLU(dtype=dtype)],
    "relu6": lambda dtype: [Activation("relu6", dtype=dtype)],
    "a bounded relu": lambda dtype: [ReLU(0.5, dtype=dtype)],
    "relu, pooling": lambda dtype: [ReLU(dtype=dtype), MaxPooling2D(dtype=dtype)],
    "relu6, pooling": lambda dtype: [ReLU(6, dtype=dtype), MaxPooling2D(dtype=dtype)],
    "pooling": lambda dtype: [MaxPooling2D(dtype=dtype)],
}


def normalized(name, channels, dtype="float32", **more):
    """A model whose second layer is a normalization whose gamma and beta are not 1 and 0."""
    behind = BEHIND[name](dtype)
    model = classifier(
        Conv2D(channels, 1, use_bias=False, dtype=dtype),
        BatchNormalization(dtype=dtype, **more),
        *behind,
        size=(7, 6, 3),
        dtype=dtype,
    )
    rng = np.random.default_rng(4)
    for value in model.layers[1].params.values():
        value[:] = rng.normal(0.2, 1, value.shape)
    return model


@pytest.mark.parametrize("name", BEHIND)
def test_a_normalizations_gradient_is_that_of_differences_and_parts_add_up(name):
    model = in_training(normalized(name, 5, "float64"))
    assert [type(node) for node in model.nodes[1:-2]] == [BoundedNormalization]
    x, _ = data((7, 6, 3), 6, "float64")
    for report in (check_layer(model, x, training=True, max_entries=100, layouts=False), check_parts(model, x)):
        assert report.passed, report


@pytest.mark.parametrize("name", BEHIND)
@pytest.mark.parametrize("channels", [1, 16, 70])
@pytest.mark.parametrize("more", [{}, {"scale": False}, {"center": False}])
def test_a_normalization_with_what_is_behind_it_is_the_layers(name, channels, more):
    model = normalized(name, channels, **more)
    x, _ = data((7, 6, 3))
    x[0, 1, 2] = 1e3  # far beyond any bound
    (y, cache), (expected, others) = (m.forward(x, training=True) for m in (in_training(model), model))
    np.testing.assert_array_equal(y, expected)
    dy = np.random.default_rng(1).normal(size=y.shape).astype("float32")
    dx, grads = in_training(model).backward(dy, cache)
    wanted_dx, wanted = model.backward(dy, others)
    assert grads.keys() == wanted.keys()
    greatest = max(np.abs(d).max() for d in wanted.values())  # stretching the filter changes nothing: terms cancel
    for one, other in [(grads[key], wanted[key]) for key in wanted] + [(dx, wanted_dx)]:
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * max(greatest, np.abs(other).max()))


def test_fit_moves_the_averages_of_a_normalization_and_to_the_same_weights():
    found = {}
    for eagerly in (True, False, False):
        model = normalized("relu, pooling", 16)
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=eagerly)
        model.fit(*data((7, 6, 3)), epochs=2, verbose=0)
        found.setdefault(eagerly, []).append(model.get_weights())
    for one, other, layer_by_layer in zip(*found[False], *found[True]):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, layer_by_layer, rtol=0, atol=1e-5)


def test_of_a_normalization_the_input_is_kept_and_a_byte_for_each_number_that_is_pooled():
    model = in_training(normalized("relu, pooling", 16))
    cache = model.forward(data((7, 6, 3))[0], training=True)[1].nodes[1]
    assert cache.own.x.shape == (50, 7, 6, 16)
    assert cache.places.dtype == np.uint8 and cache.places.shape == (50, 3, 3, 16)


@pytest.mark.parametrize("name", ["relu", "relu, pooling", "pooling"])
def test_nan_passes_a_normalization_as_it_passes_the_layers(name):
    model, (x, _) = normalized(name, 16), data((7, 6, 3))
    x[3, 2, 1, 0] = np.nan
    for one, other in zip(*(there_and_back(m, x) for m in (in_training(model), model))):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))


@pytest.mark.parametrize(
    "middle",
    [
        (BatchNormalization(), Conv2D(16, 3)),
        (BatchNormalization(axis=1), ReLU()),
        (BatchNormalization(renorm=True), ReLU()),
        (BatchNormalization(trainable=False), ReLU()),
        (BatchNormalization(), Activation("tanh")),
        (BatchNormalization(), ReLU(negative_slope=0.1)),
        (BatchNormalization(), MaxPooling2D(3)),
        (BatchNormalization(), AveragePooling2D(2)),
        (type("Mine", (BatchNormalization,), {})(), ReLU()),
        (BatchNormalization(), ReLU(activity_regularizer="l2")),
    ],
)
def test_a_normalization_with_something_else_stays_as_it_is(middle):
    nodes = in_training(classifier(*middle)).nodes
    assert not any(isinstance(node, BoundedNormalization) for node in nodes)


def test_a_pooled_normalization_refuses_an_image_of_which_nothing_would_be_left():
    x = Input((None, None, 3))
    model = in_training(Model(x, MaxPooling2D()(BatchNormalization()(x))))
    with pytest.raises(ValueError, match="MaxPooling2D.* smaller than the window"):
        model.forward(np.ones((2, 1, 3, 3), "float32"), training=True)


# ---- who wants to see every layer ----


@pytest.mark.parametrize("k, name", [(0, "forward"), (0, "backward"), (1, "forward"), (1, "backward")])
def test_what_stands_in_the_place_of_a_layers_own_is_called(k, name, monkeypatch):
    model, seen = classifier(*pair()), []
    own = getattr(model.layers[k], name)

    def watched(*args, **kwargs):
        seen.append(name)
        return own(*args, **kwargs)

    monkeypatch.setattr(model.layers[k], name, watched)
    assert not joined(model)
    model.train_on_batch(*data())
    assert seen
    monkeypatch.undo()
    monkeypatch.setattr(type(model.layers[k]), name, lambda *args, **kwargs: own(*args[1:], **kwargs))
    assert not joined(model)


def test_explain_sees_every_layer():
    model = classifier(*pair())
    assert len(model.trace(*data(), training=True)) == 4


def test_a_debugger_meets_every_layer(monkeypatch):
    monkeypatch.setattr(module, "_is_followed", IS_FOLLOWED)
    nobody = SimpleNamespace(DEBUGGER_ID=0, get_tool=lambda number: None)
    somebody = SimpleNamespace(DEBUGGER_ID=0, get_tool=lambda number: "pdb")
    model = classifier(*pair())
    with kernels.using_backend("numba"):
        for trace, monitoring, goes_by_layers in (
            (None, nobody, False),
            (None, None, False),
            (len, nobody, True),
            (len, None, True),
            (None, somebody, True),
        ):
            monkeypatch.setattr(module.sys, "gettrace", lambda found=trace: found)
            monkeypatch.setattr(module.sys, "monitoring", monitoring, raising=False)
            assert (in_training(model) is model) == goes_by_layers

import json

import numpy as np
import pytest

from scratchnet import config, layers, ops
from scratchnet.gradient_check import check_layer
from scratchnet.models import Sequential, load_model

F64 = {"dtype": "float64"}
RNG = np.random.default_rng(0)
SPACE = {"1D": (6,), "2D": (6, 5), "3D": (4, 3, 5)}


def last(x):
    return np.moveaxis(x, 1, -1)


def first(x):
    return np.moveaxis(x, -1, 1) if x.ndim > 2 else x


def makers():
    for ending in SPACE:
        yield ending, f"Conv{ending}", (3, 2)
        yield ending, f"Conv{ending}Transpose", (3, 2)
        yield ending, f"MaxPooling{ending}", (2,)
        yield ending, f"AveragePooling{ending}", (2,)
        yield ending, f"GlobalMaxPooling{ending}", ()
        yield ending, f"GlobalAveragePooling{ending}", (None, True)
        yield ending, f"ZeroPadding{ending}", (1,)
        if ending != "3D":
            yield ending, f"DepthwiseConv{ending}", (2,)
            yield ending, f"SeparableConv{ending}", (3, 2)
        if ending != "1D":
            yield ending, f"Cropping{ending}", (1,)
            yield ending, f"UpSampling{ending}", (2,)
            yield ending, "Flatten", ()


def make(name, arguments, data_format):
    cls = getattr(layers, name)
    if name.startswith("Global"):
        return cls(data_format, *arguments[1:], **F64)
    return cls(*arguments, data_format=data_format, **F64)


@pytest.mark.parametrize(("ending", "name", "arguments"), list(makers()))
def test_it_is_the_same_layer_with_an_axis_moved(ending, name, arguments):
    x = RNG.standard_normal((3, 2, *SPACE[ending]))
    layer, other = (make(name, arguments, data_format) for data_format in ("channels_first", "channels_last"))
    layer.build(input_shape=x.shape)
    other.build(last(x).shape)
    assert [w.shape for w in layer.weights] == [w.shape for w in other.weights]
    other.set_weights(layer.get_weights())
    y, cache = layer.forward(x)
    expected, other_cache = other.forward(last(x))
    np.testing.assert_array_equal(y, first(expected))
    assert layer.compute_output_shape(x.shape) == y.shape and layer(x).shape == y.shape
    assert layer.compute_output_shape(input_shape=(None, *x.shape[1:]))[1:] == y.shape[1:]
    dy = RNG.standard_normal(y.shape)
    dx, grads = layer.backward(dy, cache)
    other_dx, other_grads = other.backward(last(dy) if dy.ndim > 2 else dy, other_cache)
    np.testing.assert_array_equal(dx, first(other_dx))
    for key in grads:
        np.testing.assert_array_equal(grads[key], other_grads[key])
    settings = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(settings).get_config()
    assert settings["data_format"] == "channels_first" and json.loads(json.dumps(again)) == settings


@pytest.mark.parametrize(
    "activation, axis",
    [("softmax", -1), (layers.Softmax(axis=1), 1), (lambda z: ops.softmax(z, axis=2), 2)],
    ids=["name", "layer", "function"],
)
@pytest.mark.parametrize(
    "name, arguments, ending",
    [
        *(("Conv1D", (4, 2), "1D"), ("SeparableConv1D", (4, 2), "1D"), ("Conv2D", (4, 2), "2D")),
        *(("Conv2DTranspose", (4, 2), "2D"), ("DepthwiseConv2D", (2,), "2D"), ("Conv3D", (3, 2), "3D")),
    ],
)
def test_an_activation_looks_along_an_axis_of_what_comes_out(name, arguments, ending, activation, axis):
    x = RNG.standard_normal((3, 2, *SPACE[ending]))
    kinds = [{"activation": activation}, {}]
    layer, linear = (getattr(layers, name)(*arguments, data_format="channels_first", **kind, **F64) for kind in kinds)
    y, _ = layer(x), linear.build(x.shape)
    linear.set_weights(layer.get_weights())
    z = linear(x)
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    np.testing.assert_allclose(y, e / e.sum(axis=axis, keepdims=True), rtol=1e-12)
    check_layer(layer, x).raise_if_failed()
    model = Sequential([layers.Input(x.shape[1:], dtype="float64"), layer])
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-12)


def test_convolutional_lstms_with_states_of_either_format():
    x, h, c = (RNG.standard_normal(shape) for shape in ((2, 3, 2, 4, 5), (2, 3, 4, 5), (2, 3, 4, 5)))
    options = {"padding": "same", "return_sequences": True, "return_state": True, **F64}
    layer = layers.ConvLSTM2D(3, 2, data_format="channels_first", **options)
    other = layers.ConvLSTM2D(3, 2, **options)
    found = layer([x, h, c])
    moved = [np.moveaxis(x, 2, -1), last(h), last(c)]
    other.build([a.shape for a in moved])
    other.set_weights(layer.get_weights())
    expected = other(moved)
    np.testing.assert_allclose(found[0], np.moveaxis(expected[0], -1, 2), rtol=1e-12)
    for a, b in zip(found[1:], expected[1:]):
        np.testing.assert_allclose(a, first(b), rtol=1e-12)
    check_layer(layer, [x, h, c], max_entries=10, directions=3).raise_if_failed()
    assert layer.compute_output_shape([a.shape for a in (x, h, c)]) == [a.shape for a in found]
    _, cache = layer.forward([x, h, c])
    dxs, _ = layer.backward([np.ones_like(found[0]), None, None], cache)
    assert [d.shape for d in dxs] == [x.shape, h.shape, c.shape]


def test_a_stateful_one_goes_on():
    layer = layers.ConvLSTM1D(2, 2, padding="same", data_format="channels_first", stateful=True, **F64)
    x = RNG.standard_normal((2, 3, 1, 4))
    once = layer(x)
    assert not np.allclose(layer(x), once)
    layer.reset_state()
    np.testing.assert_array_equal(layer(x), once)


def test_whole_maps_are_dropped():
    x = np.ones((4, 5, 3, 2))
    y = layers.SpatialDropout2D(0.5, data_format="channels_first", seed=0, **F64)(x, training=True)
    assert set(np.unique(y)) == {0, 2} and np.array_equal(y, y[:, :, :1, :1] * np.ones((1, 1, 3, 2)))


def test_a_model_learns_saves_and_loads(tmp_path):
    model = Sequential(
        [
            layers.Input((2, 6, 6)),
            layers.Conv2D(4, 3, activation="relu", data_format="channels_first"),
            layers.BatchNormalization(axis=1),
            layers.MaxPooling2D(2, data_format="channels_first"),
            layers.Flatten(data_format="channels_first"),
            layers.Dense(2, activation="softmax"),
        ]
    )
    assert model.layers[0].output.shape == (None, 4, 4, 4) and model.layers[2].output.shape == (None, 4, 2, 2)
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = RNG.standard_normal((8, 2, 6, 6)).astype("float32"), np.arange(8) % 2
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(load_model(tmp_path / "m.npz").predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.fixture
def channels_first():
    config.set_image_data_format("channels_first")
    yield
    config.set_image_data_format("channels_last")


def test_the_default_is_the_settings(channels_first):
    assert config.image_data_format() == "channels_first"
    layer = layers.Conv2D(3, 2)
    assert layer(np.ones((1, 2, 4, 5))).shape == (1, 3, 3, 4)
    assert repr(layer) == f"Conv2D(name={layer.name!r}, filters=3, kernel_size=(2, 2))"
    assert layers.Resizing(2, 3)(np.ones((1, 3, 4, 4))).shape == (1, 3, 2, 3)


def test_errors_say_how_shapes_are_told():
    layer = layers.Conv2D(1, 3, data_format="channels_first")
    with pytest.raises(ValueError, match=r"\(1, 4, 2, 5\) .* \(3, 3\) \(shapes are told with the channels last\)"):
        layer.compute_output_shape((1, 5, 4, 2))
    with pytest.raises(ValueError, match="got 3 axes"):
        layer(np.ones((1, 2, 4)))
    with pytest.raises(ValueError, match="expected one input of shape"):
        layer.compute_output_shape([(1, 2, 4, 4), (1, 2, 4, 4)])

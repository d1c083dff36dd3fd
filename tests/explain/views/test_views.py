import inspect

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.explain.check import check_everything
from scratchnet.explain.payload import Payload
from scratchnet.explain.views import GENERIC, VIEWS, goes_back_by_itself, view_of
from scratchnet.explain.views.base import mathml
from scratchnet.layers import Dense, Input
from scratchnet.models import Model, Sequential
from scratchnet.structure import flatten, map_structure

pytestmark = pytest.mark.usefixtures("by_numpy")

LINES = [(cls, line) for cls, view in VIEWS.items() for line in (*view.forward, *view.backward)]


@pytest.mark.parametrize("cls, line", LINES, ids=lambda v: getattr(v, "__name__", getattr(v, "quantity", "")))
def test_the_line_of_every_equation_stands_in_the_source_once(cls, line):
    assert inspect.getsource(line.function).count(line.snippet) == 1
    assert mathml(line.equation).startswith("<math")


def test_an_equation_becomes_mathml():
    text = mathml("dW_{a,b} = sum_{i,j} x_{i+1}^T tanh' ( z )")
    assert "<msub><mrow><mi>d</mi><mi>W</mi></mrow><mrow><mi>a</mi><mo>,</mo><mi>b</mi></mrow></msub>" in text
    assert "<munder><mo>∑</mo>" in text and "<msubsup><mi>x</mi>" in text and "tanh′" in text
    assert mathml("x^2 < 1").count("<msup>") == 1 and "&lt;" in mathml("x < 1")


def test_a_class_with_a_forward_of_its_own_is_shown_as_any_layer():
    class Own(Dense):
        def forward(self, x, training=False):
            return super().forward(x, training)

    assert view_of(Own(2)) is GENERIC and view_of(None) is GENERIC and view_of(Dense(2)).kind == "dense"


def test_of_a_class_with_a_backward_of_its_own_the_page_says_so():
    class Wrong(Dense):
        def backward(self, dy, cache, needs_dx=True):
            return super().backward(2 * dy, cache, needs_dx)

    assert goes_back_by_itself(Wrong(2))
    assert not any(map(goes_back_by_itself, (Dense(2), layers.Lambda(abs), None)))


def traced(layer, *shapes, training=False, integers=False):
    rng = np.random.default_rng(0)
    inputs = [Input(shape, dtype="int32" if integers else "float32") for shape in shapes]
    y = layer(inputs if len(inputs) > 1 else inputs[0])
    y = layers.Flatten()(y)
    model = Model(inputs, Dense(2)(y))
    model.compile("sgd", "mse")
    xs = [rng.integers(0, 3, (2, *s)) if integers else rng.standard_normal((2, *s)).astype(np.float32) for s in shapes]
    return model.trace(xs, np.ones((2, 2), np.float32), training=training)[0]


@pytest.mark.parametrize(
    "layer, shape",
    [
        (layers.Dense(3, activation="sigmoid"), (4,)),
        (layers.Dense(3, activation="softmax"), (5, 4)),
        (layers.EinsumDense("abc,cd->abd", (None, 3), activation="relu"), (5, 4)),
        (layers.Conv2D(2, 3, strides=2, padding="same", activation="relu"), (6, 6, 2)),
        (layers.Conv2D(4, 2, groups=2, activation="gelu"), (5, 5, 2)),
        (layers.Conv2DTranspose(2, 3, strides=2, activation="tanh"), (3, 3, 2)),
        (layers.Conv1D(2, 3, padding="causal", activation="elu"), (6, 2)),
        (layers.DepthwiseConv2D(2, activation="relu"), (5, 5, 2)),
        (layers.SeparableConv2D(3, 2, activation="relu"), (5, 5, 2)),
    ],
)
def test_dz_leads_to_the_gradients_of_the_layer(layer, shape):
    call = traced(layer, shape)
    np.testing.assert_allclose(layer.activation.forward(np.array(call.z))[0], call.y, rtol=1e-5, atol=1e-6)
    twin, _ = layer.without_last_activation()
    dx, grads = twin.backward(np.array(call.dz), twin.forward(call.x)[1])
    np.testing.assert_allclose(dx, call.dx, rtol=1e-4, atol=1e-6)
    for name, d in call.grads.items():
        np.testing.assert_allclose(grads[name], d, rtol=1e-4, atol=1e-6)


def test_a_separable_convolution_shows_what_is_between_its_halves():
    layer = layers.SeparableConv2D(3, 2, depth_multiplier=2)
    call = traced(layer, (4, 4, 2))
    P, dP = call.params["pointwise_kernel"][0, 0], call.grads["pointwise_kernel"][0, 0]
    np.testing.assert_allclose(call.h @ P + call.params["bias"], call.z, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(call.dz @ P.T, call.dh, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.einsum("nijk,nijf->kf", call.h, call.dz), dP, rtol=1e-4, atol=1e-6)
    x = Input((4, 4, 2))
    model = Model(x, layers.SeparableConv2D(3, 2, name="separable")(x))
    assert set(model.trace(np.ones((1, 4, 4, 2), np.float32))["separable"].inside) == {"z", "h"}


@pytest.mark.parametrize("name, shape", [("Conv1D", (5, 3)), ("SeparableConv2D", (4, 4, 2))])
def test_an_activation_along_another_axis_is_shown_too(name, shape):
    call = traced(getattr(layers, name)(3, 2, activation=layers.Softmax(axis=1)), shape)
    np.testing.assert_allclose(call.y, np.exp(call.z) / np.exp(call.z).sum(axis=1, keepdims=True), rtol=1e-5)
    assert call.cache.padding and call.dz.shape == call.z.shape


@pytest.mark.parametrize("make", [layers.Conv2D, layers.SeparableConv2D, layers.ConvLSTM2D])
def test_channels_in_front_have_no_picture_of_their_own(make):
    shape = (2, 2, 4, 4) if make is layers.ConvLSTM2D else (2, 4, 4)
    layer = make(3, 2, data_format="channels_first", name="first")
    model = Sequential([Input(shape), layer, layers.Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    meta = Payload(model.trace(np.ones((1, *shape), np.float32), np.ones((1, 1), np.float32))).meta
    assert meta["calls"][0]["view"] == "generic" and meta["calls"][0]["replay"] is None


@pytest.mark.parametrize(
    "layer, shapes",
    [
        (layers.Flatten(), [(2, 3)]),
        (layers.Permute((2, 1)), [(2, 3)]),
        (layers.RepeatVector(3), [(4,)]),
        (layers.UpSampling2D(2), [(2, 2, 3)]),
        (layers.ZeroPadding1D(1), [(2, 3)]),
        (layers.Cropping1D(1), [(4, 3)]),
        (layers.Concatenate(), [(2, 3), (2, 1)]),
    ],
)
def test_a_number_that_is_moved_knows_where_it_comes_from(layer, shapes):
    call = traced(layer, *shapes)
    numbers = np.concatenate([[0.0], *(np.ravel(x[:1]) for x in flatten(call.x))])
    np.testing.assert_array_equal(numbers[call.source], call.y[:1])


def test_what_is_interpolated_comes_from_several_places():
    assert traced(layers.UpSampling2D(2, interpolation="bilinear"), (2, 2, 1)).inside == {}


def test_the_mask_of_dropout_is_shown_where_there_is_one():
    assert traced(layers.Dropout(0.5), (8,)).inside == {}
    call = traced(layers.Dropout(0.5), (8,), training=True)
    np.testing.assert_array_equal(call.x * call.mask, call.y)
    assert traced(layers.SpatialDropout1D(0.5), (4, 3), training=True).mask.shape == (2, 4, 3)


def test_pooling_knows_the_winners():
    call = traced(layers.MaxPooling2D(2), (4, 4, 1))
    assert call.argmax.shape == call.y.shape and call.view.options(call.layer, call)["mean"] is False
    assert traced(layers.AveragePooling2D(2), (4, 4, 1)).inside == {}


def test_a_softmax_by_itself():
    call = traced(layers.Softmax(), (4,))
    np.testing.assert_allclose(call.dz, call.y * (call.dy - (call.dy * call.y).sum(-1, keepdims=True)), atol=1e-6)


def test_normalizations_show_x_hat():
    plain = layers.LayerNormalization(), layers.BatchNormalization(), layers.LayerNormalization(scale=False)
    for layer in (*plain, layers.BatchNormalization(renorm=True)):
        call = traced(layer, (4,), training=True)
        gamma = call.params.get("gamma", 1)
        np.testing.assert_allclose(call.x_hat * gamma + call.params["beta"], call.y, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(call.dx_hat, call.dy * gamma, rtol=1e-6)
    call = traced(layers.GroupNormalization(2), (3, 4))
    assert call.x_hat.shape == (2, 3, 4) and "dx_hat" not in call.inside


def test_attention_shows_who_looks_where():
    call = traced(layers.Attention(), (3, 4), (5, 4))
    np.testing.assert_allclose(call.P.sum(-1), 1, rtol=1e-5)
    x = Input((3, 4))
    model = Model(x, Dense(1)(layers.MultiHeadAttention(2, 3, name="heads")(x, x)))
    call = model.trace(np.ones((2, 3, 4), np.float32))["heads"]
    assert call.P.shape == (2, 2, 3, 3) and call.v.shape == (2, 2, 3, 3)


def test_every_layer_with_a_view_is_a_layer_of_the_library():
    assert all(getattr(layers, cls.__name__) is cls for cls in VIEWS)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode="sum"), (3, 2)),
        (layers.RNN(layers.GRUCell(2)), (3, 2)),
        (layers.ConvLSTM1D(2, 2), (2, 3, 1)),
        (layers.Conv1DTranspose(2, 2), (3, 1)),
        (layers.SeparableConv1D(2, 2), (3, 2)),
        (layers.GlobalMaxPooling2D(), (3, 3, 2)),
        (layers.PReLU(), (3,)),
        (layers.Lambda(lambda x: x * 2), (3,)),
        (layers.GaussianNoise(0.1), (3,)),
        (layers.UnitNormalization(), (3,)),
        (layers.TimeDistributed(Sequential([Input((2,)), Dense(2)])), (3, 2)),
        (layers.Conv3DTranspose(1, 2), (2, 2, 2, 1)),
        (layers.Rescaling(0.5), (3,)),
    ],
)
def test_other_layers_are_shown_as_any_layer(layer, shape):
    rng = np.random.default_rng(0)
    model = Sequential([Input(shape), layer, layers.Flatten(), Dense(2)])
    model.compile("sgd", "mse")
    x = rng.standard_normal((1, *shape)).astype(np.float32)
    t = model.trace(x, np.ones((1, 2), np.float32))
    meta = Payload(t, check_everything(t)).meta
    assert meta["calls"][0]["kind"] == type(layer).__name__ and meta["calls"][0]["own"]["forward"] is not None
    assert all(check["verdict"] != "FAILED" for call in meta["calls"] for check in call["checks"].values())
    assert map_structure(np.shape, t.y) == (1, 2)

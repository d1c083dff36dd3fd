"""What is computed together where nobody will go back: the same numbers, and only where it is the same."""

import numpy as np
import pytest

from scratchnet import activations, kernels, ops
from scratchnet.layers import (
    GRU,
    LSTM,
    Activation,
    Add,
    AlphaDropout,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GroupNormalization,
    Input,
    LayerNormalization,
    Masking,
    Maximum,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    Minimum,
    MultiHeadAttention,
    Multiply,
    ReLU,
    RepeatVector,
    Reshape,
    SimpleRNN,
    SpatialDropout2D,
    Subtract,
    UpSampling2D,
    add,
    average,
    multiply,
)
from scratchnet.models import Model, Sequential, clone_model
from scratchnet.training.blocks import FeedForward, SelfAttention
from scratchnet.training.dense import ActivatedDense
from scratchnet.training.in_training import in_training
from scratchnet.training.in_use import (
    EnlargedConvolution,
    GRUStatesAlone,
    JoinedConvolution,
    JoinedNode,
    MaximaAlone,
    StateAlone,
    StatesAlone,
    in_use,
)
from scratchnet.training.vectors import MeanOfVectors
from scratchnet.utils import set_random_seed


def classifier(*middle, size=(9, 8, 3)):
    set_random_seed(3)
    model = Sequential([Input(size), *middle, Flatten(), Dense(4, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data(size=(9, 8, 3), count=50):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, *size)).astype("float32"), rng.integers(0, 4, count)


def joined(model):
    """What is computed together, but for dense layers, which are where there are compiled kernels."""
    found = [node for node in in_use(model).nodes if isinstance(node, JoinedNode)]
    return [node for node in found if type(node) is not ActivatedDense]


needs_numba = pytest.mark.skipif(not kernels.numba_is_installed(), reason="of the compiled kernels")


@needs_numba
def test_a_convolution_and_the_pooling_behind_it_predict_together_what_they_do_one_by_one():
    with kernels.using_backend("numba"):
        model = classifier(
            Conv2D(6, 3, activation="relu"),
            MaxPooling2D(),
            Conv2D(5, 2, padding="same", activation="relu"),
            MaxPooling2D(),
        )
        x, y = data()
        assert [str(node) for node in joined(model)] == [
            f"layers {model.layers[k].name} and {model.layers[k + 1].name}" for k in (0, 2)
        ]
        with kernels.row_by_row():  # as all batches of several are
            expected = model(x)
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
        loss, accuracy = model.evaluate(x, y, verbose=0)
        assert loss == pytest.approx(-np.log(expected[np.arange(len(y)), y]).mean(), rel=1e-6)
        assert accuracy == pytest.approx((expected.argmax(axis=1) == y).mean())


@needs_numba
@pytest.mark.parametrize(
    "normalization, behind, together",
    [
        (BatchNormalization(), Activation("relu"), True),
        (BatchNormalization(scale=False, axis=3), ReLU(6.0), True),
        (BatchNormalization(center=False), ReLU(), True),
        (BatchNormalization(scale=False, center=False), Activation("relu6"), True),
        (BatchNormalization(renorm=True), ReLU(0.5), True),
        (BatchNormalization(trainable=False), ReLU(negative_slope=0.1), True),
        (BatchNormalization(), ReLU(threshold=0.2), True),
        (BatchNormalization(), Activation("tanh"), True),
        (BatchNormalization(), Activation("softmax"), True),
        (BatchNormalization(), ReLU(activity_regularizer="l2"), False),
        (BatchNormalization(), Dropout(0.5), False),
    ],
)
def test_batch_normalization_and_the_activation_behind_it_predict_together_what_they_do_one_by_one(
    normalization, behind, together
):
    x, _ = data()
    with kernels.using_backend("numba"):
        model = Sequential([Input(x.shape[1:]), normalization, behind])
        rng = np.random.default_rng(4)
        normalization.set_weights([rng.uniform(0.5, 2, size=weight.shape) for weight in normalization.get_weights()])
        (node,) = joined(model)
        names = f"layers {normalization.name} and {behind.name}" if together else f"layer {normalization.name}"
        assert str(node) == names
        assert len(in_use(model).nodes) == len(model.nodes) - together
        expected = model(x, training=False)
        assert np.ptp(expected) > 0
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


@needs_numba
def test_normalization_that_goes_on_training_or_that_somebody_else_reads_is_not_joined():
    with kernels.using_backend("numba"):
        x = Input((8, 8, 3))
        model = Model(x, ReLU()(BatchNormalization()(x, training=True)))
        assert in_use(model) is model
        y = BatchNormalization()(x)
        for outputs in ([ReLU()(y), y], add([ReLU()(y), ReLU()(y)])):
            (node,) = joined(Model(x, outputs))
            assert not node.behind
        model = Model(x, outputs)
        images = data((8, 8, 3), 4)[0]
        np.testing.assert_array_equal(model.predict(images, verbose=0), model(images))


@needs_numba
def test_weights_are_shared_with_the_model_that_is_trained():
    with kernels.using_backend("numba"):
        model = classifier(Conv2D(6, 3, activation="relu"), MaxPooling2D())
        x, y = data()
        before = model.predict(x, verbose=0)
        model.fit(x, y, verbose=0)
        after = model.predict(x, verbose=0)
        assert np.abs(after - before).max() > 1e-3
        with kernels.row_by_row():
            np.testing.assert_array_equal(after, model(x))


class Written(Model):
    """A model with `call`, of layers that a functional one would join."""

    def __init__(self):
        super().__init__()
        self.convolve, self.pool = Conv2D(6, 3, activation="relu"), MaxPooling2D()
        self.flatten, self.classify = Flatten(), Dense(4, activation="softmax")

    def call(self, inputs):
        return self.classify(self.flatten(self.pool(self.convolve(inputs))))


def test_a_model_with_call_goes_layer_by_layer():
    model = Written()
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = data()
    p = model.predict(x, verbose=0)
    with kernels.row_by_row():
        np.testing.assert_array_equal(p, model(x))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(-np.log(p[np.arange(len(y)), y]).mean(), rel=1e-6)
    assert in_use(model) is model


@needs_numba
@pytest.mark.parametrize(
    "middle",
    [
        (Conv2D(6, 3, activation="relu"), AveragePooling2D(2)),
        (Conv2D(6, 3, activation="relu"), Activation("relu"), AveragePooling2D(2)),
        (Conv2D(6, 3), BatchNormalization(axis=1), ReLU()),
        (Conv2D(6, 3), BatchNormalization(activity_regularizer="l2"), ReLU()),
        (Conv2D(6, 3), type("MyNormalization", (BatchNormalization,), {})(), ReLU()),
        (Conv2D(6, 3), LayerNormalization(), Activation("relu")),
        (Conv2D(6, 3), type("MyPooling", (MaxPooling2D,), {})()),
        (MaxPooling2D(data_format="channels_first"),),
    ],
)
def test_anything_else_stays_as_it_is(middle):
    with kernels.using_backend("numba"):
        model = classifier(*middle)
        assert not joined(model)


@needs_numba
@pytest.mark.parametrize(
    "convolution, pooling",
    [
        (Conv2D(6, 3), MaxPooling2D()),
        (Conv2D(6, 3, activation="tanh"), MaxPooling2D()),
        (Conv2D(6, 3, activation="relu"), MaxPooling2D(3)),
        (Conv2D(8, 3, activation="relu"), MaxPooling2D(2, strides=1)),
        (Conv2D(8, 3, activation="relu"), MaxPooling2D(3, strides=2, padding="same")),
        (Conv2D(6, 3, activation="relu"), MaxPooling2D(padding="same")),
        (Conv2D(6, 3, activation="relu", activity_regularizer="l2"), MaxPooling2D()),
        (type("Mine", (Conv2D,), {})(6, 3, activation="relu"), MaxPooling2D()),
        (Reshape((72, 3)), MaxPooling1D(3, strides=2)),
        (Reshape((3, 8, 3, 3)), MaxPooling3D((3, 2, 1), padding="same")),
    ],
)
def test_a_pooling_that_no_convolution_does_tells_no_places(convolution, pooling):
    with kernels.using_backend("numba"):
        model, x = classifier(convolution, pooling), data()[0]
        (node,) = joined(model)
        assert type(node) is MaximaAlone and node.layer is pooling and not node.behind
        np.testing.assert_allclose(model.predict(x, verbose=0), model(x), rtol=0, atol=1e-6)


@needs_numba
@pytest.mark.parametrize("pooling", [MaxPooling1D(5), MaxPooling2D(5), MaxPooling3D(5)])
def test_a_pooling_that_tells_no_places_refuses_what_is_smaller_than_its_window(pooling):
    with kernels.using_backend("numba"):
        inputs = Input((None,) * len(pooling.pool_size) + (2,))
        model, x = Model(inputs, pooling(inputs)), np.ones((1, *(3,) * len(pooling.pool_size), 2), "float32")
        with pytest.raises(ValueError, match="smaller than the window"):
            model.predict(x, verbose=0)


@needs_numba
@pytest.mark.parametrize("twin_of", [in_use, in_training])
def test_what_somebody_else_reads_is_computed(twin_of):
    with kernels.using_backend("numba"):
        x = Input((8, 8, 3))
        z = Conv2D(4, 3, padding="same", activation="relu")(x)
        for outputs in ([MaxPooling2D()(z), z], add([MaxPooling2D()(z), MaxPooling2D()(z)])):
            nodes = [node for node in twin_of(Model(x, outputs)).nodes if isinstance(node, JoinedNode)]
            poolings = len(outputs) - 1 if isinstance(outputs, list) else 2
            assert [type(node) for node in nodes] == (poolings * [MaximaAlone] if twin_of is in_use else [])
            assert not any(node.behind for node in nodes)


def test_the_other_backends_do_not_pool_with_a_convolution():
    model = classifier(Conv2D(6, 3, activation="relu"), MaxPooling2D())
    with kernels.using_backend("numpy"):
        assert in_use(model) is model


@needs_numba
@pytest.mark.parametrize("shape", [(40,), (7, 24)])
@pytest.mark.parametrize(
    "activation, use_bias, trainable", [("relu", True, True), ("tanh", True, False), (None, False, True)]
)
def test_a_dense_layer_predicts_in_one_pass_what_it_says(shape, activation, use_bias, trainable):
    with kernels.using_backend("numba"):
        model = Sequential([Input(shape), Dense(33, activation=activation, use_bias=use_bias)])
        model.trainable = trainable
        assert [type(node) for node in in_use(model).nodes if isinstance(node, JoinedNode)] == [ActivatedDense]
        x = np.random.default_rng(0).normal(size=(50, *shape)).astype("float32")
        z = x @ model.weights[0] + (model.weights[1] if use_bias else 0)
        expected = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, None: lambda z: z}[activation](z)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=0, atol=1e-5)


@needs_numba
@pytest.mark.parametrize("dropout, trainable", [(0.0, True), (0.3, True), (0.0, False)])
def test_the_halves_of_a_transformers_block_predict_together_what_they_do_one_by_one(dropout, trainable):
    with kernels.using_backend("numba"):
        x = Input((7, 32))
        attention = MultiHeadAttention(2, 16, dropout=dropout)
        h = LayerNormalization()(add([x, attention(x, x)]))
        model = Model(x, LayerNormalization()(add([h, Dense(32)(Dense(48, activation="relu")(h))])))
        model.compile("sgd", "mse")
        model.trainable = trainable
        assert [(type(node), len(node.behind)) for node in joined(model)] == [(SelfAttention, 2), (FeedForward, 3)]
        sequences = np.random.default_rng(0).normal(size=(50, 7, 32)).astype("float32")
        np.testing.assert_allclose(model.predict(sequences, verbose=0), model(sequences), rtol=0, atol=1e-5)


def texts(*behind, **options):
    set_random_seed(3)
    model = Sequential([Input((6,), dtype="int32"), Embedding(11, 5, **options), *behind, Dense(1)])
    model.compile("sgd", "mse")
    return model


@needs_numba
def test_the_mean_of_vectors_is_predicted_and_trained_as_layer_by_layer():
    with kernels.using_backend("numba"):
        model, twin = texts(GlobalAveragePooling1D()), texts(GlobalAveragePooling1D())
        twin.compile("sgd", "mse", run_eagerly=True)
        assert [type(node) for node in joined(model)] == [MeanOfVectors]
        assert MeanOfVectors in map(type, in_training(model).nodes)
        x, y = np.random.default_rng(0).integers(0, 11, (50, 6)), np.ones((50, 1), "float32")
        for each in (model, twin):
            each.fit(x, y, epochs=3, shuffle=False, verbose=0)
        np.testing.assert_allclose(model.layers[0].params["embeddings"], twin.layers[0].params["embeddings"], atol=1e-6)
        np.testing.assert_allclose(model.predict(x, verbose=0), twin.predict(x, verbose=0), atol=1e-6)
        with pytest.raises(ValueError, match="token 11 is outside of 0 to 10"):
            model.predict(x + 1, verbose=0)


@needs_numba
@pytest.mark.parametrize(
    "behind, options",
    [
        ([GlobalAveragePooling1D()], {"mask_zero": True}),
        ([GlobalAveragePooling1D(keepdims=True)], {}),
        ([GlobalAveragePooling1D(data_format="channels_first")], {}),
        ([GlobalMaxPooling1D()], {}),
    ],
)
def test_of_other_vectors_the_mean_is_taken_by_itself(behind, options):
    with kernels.using_backend("numba"):
        assert not joined(texts(*behind, **options))


# ---- states alone ----


def sequences(*layers):
    set_random_seed(3)
    model = Sequential([Input((5, 3)), *layers])
    model.compile("sgd", "mse")
    return model


def check_states_alone(kind, layers, kept):
    """Of the layers those at the places `kept` keep states alone, and predict the same."""
    with kernels.using_backend("numba"):
        model = sequences(*layers)
        x = np.random.default_rng(0).normal(size=(50, 5, 3)).astype("float32")
        assert [node.layer for node in joined(model)] == [layers[k] for k in kept]
        assert all(type(node) is kind for node in joined(model))
        np.testing.assert_allclose(model.predict(x, verbose=0), model(x), rtol=0, atol=1e-6)


GATED = pytest.mark.parametrize("layer, kind", [(LSTM, StatesAlone), (GRU, GRUStatesAlone)])


@needs_numba
@GATED
@pytest.mark.parametrize("options", [{}, {"use_bias": False, "go_backwards": True}, {"activation": "relu"}])
def test_of_an_lstm_and_a_gru_nothing_but_the_states_is_kept(layer, kind, options):
    layers = layer(4, **options), RepeatVector(6), layer(7, return_sequences=True, **options), Dropout(0.5)
    check_states_alone(kind, layers, kept=(0, 2))


@needs_numba
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_gru_that_resets_before_the_product_keeps_its_states_alone(use_bias):
    layers = GRU(4, reset_after=False, use_bias=use_bias), RepeatVector(6), GRU(7, reset_after=False)
    check_states_alone(GRUStatesAlone, layers, kept=(0, 2))


@needs_numba
@pytest.mark.parametrize("options", [{}, {"activation": "relu", "use_bias": False}, {"go_backwards": True}])
def test_of_a_simple_rnn_nothing_but_the_last_state_is_kept(options):
    layers = SimpleRNN(8, **options), RepeatVector(6), SimpleRNN(8, return_sequences=True), SimpleRNN(16, **options)
    check_states_alone(StateAlone, layers, kept=(0, 3))


@needs_numba
def test_of_a_simple_rnn_that_repeats_one_step_and_returns_its_state_that_is_the_last_one():
    with kernels.using_backend("numba"):
        x = Input((3,))
        model = Model(x, SimpleRNN(8, return_state=True)(RepeatVector(4)(x)))
        values = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
        assert type(joined(model)[0]) is StateAlone
        for found, expected in zip(model.predict(values, verbose=0), model(values), strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@needs_numba
def test_a_simple_rnn_with_states_from_elsewhere_or_from_the_batch_before_stays_as_it_is():
    with kernels.using_backend("numba"):
        x, h = Input((5, 3)), Input((8,))
        going_on = Sequential([Input(batch_shape=(2, 5, 3)), SimpleRNN(8, stateful=True)])
        for model in (Model([x, h], SimpleRNN(8)([x, h])), going_on, sequences(Masking(), SimpleRNN(8))):
            assert in_use(model) is model


@needs_numba
@GATED
def test_of_a_layer_that_returns_its_states_they_are_the_last_ones(layer, kind):
    with kernels.using_backend("numba"):
        x = Input((5, 3))
        model = Model(x, layer(4, return_state=True)(x))
        values = np.random.default_rng(0).normal(size=(6, 5, 3)).astype("float32")
        assert len(joined(model)) == 1
        for found, expected in zip(model.predict(values, verbose=0), model(values)):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@needs_numba
@GATED
def test_a_layer_with_a_mask_or_states_from_elsewhere_stays_as_it_is(layer, kind):
    with kernels.using_backend("numba"):
        x, *states = Input((5, 3)), *(Input((4,)) for _ in layer(4).state_names)
        given = Model([x, *states], layer(4)([x, *states]))
        for model in (sequences(Masking(), layer(4)), sequences(type("Mine", (layer,), {})(4)), given):
            assert in_use(model) is model
    with kernels.using_backend("numpy"):
        model = sequences(layer(4))
        assert in_use(model) is model


@needs_numba
@GATED
def test_a_layer_that_goes_on_where_it_stopped_stays_as_it_is(layer, kind):
    with kernels.using_backend("numba"):
        model = Sequential([Input(batch_shape=(2, 5, 3)), layer(4, stateful=True)])
        assert in_use(model) is model


# ---- a normalization, which the convolution does ----


def moved(model):
    """The model with statistics, scales and shifts that hide nothing."""
    rng = np.random.default_rng(1)
    for layer in model.layers:
        for weights in (layer.params, layer.state):
            for name in weights.keys() & {"gamma", "beta", "moving_mean", "moving_variance", "bias"}:
                weights[name][...] = rng.uniform(0.3, 2, weights[name].shape)
    return model


def check_equal(model, x, count=1):
    """predict gives what the model gives node by node, to rounding, and joins as many nodes as are expected."""
    nodes = joined(model)
    assert len(nodes) == count
    expected = model(x)
    rounding = 1e-14 if isinstance(x, np.ndarray) and x.dtype == "float64" else 1e-6
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=rounding * np.abs(expected).max(), rtol=0)


CHAINS = {
    "scale and shift": (Conv2D(6, 3), BatchNormalization()),
    "no bias": (Conv2D(6, 3, 2, padding="same", use_bias=False), BatchNormalization(epsilon=0.1), Activation("relu")),
    "no scale": (Conv2D(6, 3, groups=3), BatchNormalization(scale=False, axis=3), ReLU(6.0)),
    "no shift": (Conv2D(6, 3, dilation_rate=2), BatchNormalization(center=False), Activation("tanh")),
    "renormalized": (Conv2D(6, 3), BatchNormalization(renorm=True), Activation("softmax")),
    "pooled": (Conv2D(6, 3, use_bias=False), BatchNormalization(), ReLU(), MaxPooling2D()),
    "without normalization": (Conv2D(6, 3), Activation("relu"), MaxPooling2D()),
    "depthwise": (DepthwiseConv2D(3, depth_multiplier=2), BatchNormalization(), ReLU(6.0)),
    "depthwise, no bias": (DepthwiseConv2D((2, 3), 2, use_bias=False), BatchNormalization(), Activation("relu")),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CHAINS)
def test_a_normalization_is_done_by_the_convolution_in_front_of_it(name, dtype):
    layers = [type(layer).from_config({**layer.get_config(), "dtype": dtype}) for layer in CHAINS[name]]
    model = moved(Sequential([Input((9, 8, 3), dtype=dtype), *layers], dtype=dtype))
    assert str(joined(model)[0]) == "layers " + " and ".join(
        layer.name for layer in layers[: len(layers) - (kernels.get_backend() != "numba" and "pool" in layers[-1].name)]
    )
    check_equal(model, data()[0].astype(dtype))


MEANS = {
    "of pixels by themselves": (Conv2D(6, 1), Activation("sigmoid"), GlobalAveragePooling2D()),
    "normalized": (Conv2D(6, 1, use_bias=False), BatchNormalization(), ReLU(6.0), GlobalAveragePooling2D()),
    "no activation": (Conv2D(6, 1), BatchNormalization(), GlobalAveragePooling2D()),
    "of windows": (Conv2D(6, 3, activation="relu"), GlobalAveragePooling2D()),
    "in steps": (Conv2D(6, 1, 2, activation="relu"), GlobalAveragePooling2D()),
    "in groups": (Conv2D(6, 1, groups=3, activation="tanh"), GlobalAveragePooling2D()),
    "depthwise": (DepthwiseConv2D(1, activation="relu"), GlobalAveragePooling2D()),
    "of all filters": (Conv2D(6, 1, activation="softmax"), GlobalAveragePooling2D()),
    "behind dropout": (Conv2D(6, 1, activation="gelu"), Dropout(0.5), GlobalAveragePooling2D()),
    "behind dropout of filters": (Conv2D(6, 1), ReLU(), SpatialDropout2D(0.5), GlobalAveragePooling2D()),
    "behind noise": (Conv2D(6, 1), GaussianNoise(1.0), GlobalAveragePooling2D()),
    "behind factors": (Conv2D(6, 1), Activation("elu"), GaussianDropout(0.5)),
    "behind dropout for selu": (Conv2D(6, 1, activation="selu"), AlphaDropout(0.5)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MEANS)
def test_the_mean_of_all_pixels_is_taken_with_the_convolution(name, dtype):
    layers = [type(layer).from_config({**layer.get_config(), "dtype": dtype}) for layer in MEANS[name]]
    model = moved(Sequential([Input((9, 8, 3), dtype=dtype), *layers], dtype=dtype))
    assert str(joined(model)[0]) == "layers " + " and ".join(layer.name for layer in layers)
    check_equal(model, data()[0].astype(dtype))


def averaged(model, layers, x):
    """That `layers`, which end in a mean, are computed together, and give what they do one by one."""
    (node,) = joined(moved(model))
    assert str(node) == "layers " + " and ".join(layer.name for layer in layers)
    check_equal(model, x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", [None, "linear", "relu", "relu6", "tanh", "gelu", "softmax", "mish"])
@pytest.mark.parametrize("kind", [BatchNormalization, GroupNormalization])
def test_the_mean_of_all_places_is_taken_with_the_normalization(kind, function, dtype):
    normalization = kind(3, dtype=dtype) if kind is GroupNormalization else kind(dtype=dtype)
    behind = [] if function is None else [Activation(function, dtype=dtype)]
    for size, mean in (((9, 8, 6), GlobalAveragePooling2D), ((40, 6), GlobalAveragePooling1D)):
        layers = [normalization, *behind, mean(dtype=dtype)]
        if kind is GroupNormalization and kernels.normalized_groups_mean is None:
            continue
        model = Sequential([Input(size, dtype=dtype), *layers], dtype=dtype)
        averaged(model, layers, data(size)[0].astype(dtype))


@needs_numba
@pytest.mark.parametrize("kind", [BatchNormalization, GroupNormalization])
def test_an_activation_that_looks_across_places_sees_them_as_they_are(kind):
    with kernels.using_backend("numba"):
        for function in (
            activations.softmax.with_parameters(axis=1),
            lambda z: z / (1 + ops.max(z, axis=2, keepdims=True)),
        ):
            normalization = kind(3) if kind is GroupNormalization else kind()
            layers = normalization, Activation(function), GlobalAveragePooling2D()
            check_equal(moved(Sequential([Input((9, 8, 6)), *layers])), data((9, 8, 6))[0])


@needs_numba
def test_groups_are_normalized_together_with_their_activation():
    with kernels.using_backend("numba"):
        for groups, function in ((-1, "relu"), (1, "elu"), (2, "softmax")):
            layers = GroupNormalization(groups), Activation(function)
            model = moved(Sequential([Input((9, 8, 6)), *layers, Flatten()]))
            assert str(joined(model)[0]) == "layers " + " and ".join(layer.name for layer in layers)
            check_equal(model, data((9, 8, 6))[0])
        assert not joined(Sequential([Input((9, 8, 6)), GroupNormalization(2), Flatten()]))


@needs_numba
@pytest.mark.parametrize("normalization", [BatchNormalization(), GroupNormalization(3)])
def test_behind_a_normalization_no_array_of_all_places_is_made(normalization, monkeypatch):
    with kernels.using_backend("numba"):
        kernels.load()
        monkeypatch.setattr(kernels, "normalize_groups_forward", None)
        monkeypatch.setattr(kernels, "global_average_forward", None)
        model = Sequential([Input((9, 8, 6)), normalization, ReLU(), GlobalAveragePooling2D()])
        model.predict(data((9, 8, 6))[0], verbose=0)


@needs_numba
def test_of_pixels_by_themselves_no_array_of_all_of_them_is_made(monkeypatch):
    with kernels.using_backend("numba"):
        kernels.load()
        monkeypatch.setattr(kernels, "conv2d_forward", None)
        monkeypatch.setattr(kernels, "conv2d_relu_forward", None)
        for activation in ("relu", "linear", "silu"):
            Sequential([Input((9, 8, 3)), Conv2D(6, 1, activation=activation), GlobalAveragePooling2D()]).predict(
                data()[0], verbose=0
            )


@pytest.mark.parametrize(
    "layers, count",
    [
        ((Conv2D(6, 1, activation="relu"), GlobalAveragePooling2D(keepdims=True)), 0),
        ((Conv2D(6, 1, activation="relu"), Dropout(0.5), Activation("tanh"), GlobalAveragePooling2D()), 1),
        ((Conv2D(6, 1, activation="relu"), Flatten(), Dropout(0.5)), 0),
    ],
)
def test_what_stands_elsewhere_is_computed_by_itself(layers, count):
    check_equal(Sequential([Input((9, 8, 3)), *layers]), data()[0], count)


def test_dropout_that_goes_on_in_use_is_not_passed_over():
    x = Input((9, 8, 3))
    model = Model(x, GlobalAveragePooling2D()(Dropout(0.5)(Conv2D(6, 1)(x), training=True)))
    assert not joined(model)


@pytest.mark.parametrize("backend", ["loops", "numpy"])
def test_every_backend_does_it(backend):
    with kernels.using_backend(backend):
        model = moved(Sequential([Input((4, 4, 2)), Conv2D(2, 2), BatchNormalization(), Activation("relu")]))
        check_equal(model, data((4, 4, 2), 3)[0])


def residual(inputs, merging=add):
    z = BatchNormalization()(Conv2D(3, 3, padding="same", use_bias=False)(inputs))
    return Activation("relu")(merging([inputs, z]))


def test_a_residual_block_is_one_node():
    inputs = Input((9, 8, 3))
    model = moved(Model(inputs, residual(residual(inputs))))
    x = data()[0]
    before = x.copy()
    check_equal(model, x, 2)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("convolution_comes_first", [True, False])
@pytest.mark.parametrize("merging", [Add, Maximum, Minimum, Multiply, Subtract])
def test_what_is_made_of_a_convolution_and_something_else_overwrites_it(merging, convolution_comes_first):
    a, b = Input((9, 8, 3)), Input((9, 8, 3))
    pair = [Conv2D(3, 1, activation="tanh")(a), b]
    y = merging()(pair if convolution_comes_first else pair[::-1])
    xs = [data()[0], data()[0] / 2]
    before = [x.copy() for x in xs]
    for outputs in (y, ReLU(0.3)(y), GlobalAveragePooling2D()(y), y + 1):
        check_equal(Model([a, b], outputs), xs)
    for x, old in zip(xs, before):
        np.testing.assert_array_equal(x, old)


def test_what_ones_own_activation_does_not_let_go_is_not_overwritten():
    x = Input((9, 8, 3))
    mean = activations.Activation(
        "mean",
        lambda z, out=None: np.broadcast_to(z.mean(axis=-1, keepdims=True), z.shape),
        lambda dy, y: dy,
        keeps="y",
    )
    check_equal(Model(x, add([Conv2D(3, 1, activation=mean)(x), x])), data()[0])


def test_of_two_convolutions_one_is_overwritten():
    x = Input((9, 8, 3))
    pooled = MaxPooling2D()(Conv2D(4, 3, padding="same", activation="relu")(x))
    y = Activation("relu")(add([pooled, Dropout(0.5)(Conv2D(4, 2, 2)(x))]))
    check_equal(Model(x, GlobalAveragePooling2D()(y)), data()[0], 2 if kernels.get_backend() == "numba" else 1)


@pytest.mark.parametrize(
    "merge",
    [
        lambda z, x: (multiply([z, GlobalAveragePooling2D(keepdims=True)(z)]), 0),  # read twice
        lambda z, x: (add([z, z]), 0),
        lambda z, x: (add([z, x, x]), 0),
        lambda z, x: (average([z, x]), 0),
        lambda z, x: ([add([z, x]), z], 0),
        lambda z, x: (multiply([z, GlobalAveragePooling2D(keepdims=True)(x)]), 1),  # which has other axes
        lambda z, x: (add([GlobalAveragePooling2D(keepdims=True)(x), z]), 1),
    ],
)
def test_what_somebody_else_reads_or_has_another_shape_is_not_overwritten(merge):
    x = Input((9, 8, 3))
    z = Conv2D(3, 1)(x)
    outputs, count = merge(z, x)
    model = Model(x, outputs)
    assert len(joined(model)) == count
    for found, expected in zip(model.predict(data()[0], verbose=0), model(data()[0])):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_sum_of_integers_is_a_float_behind_an_activation():
    a, b = Input((3,), dtype="int32"), Input((3,), dtype="int32")
    model = Model([a, b], Activation("sigmoid")(add([a, b])))
    x = np.arange(6, dtype="int32").reshape(2, 3)
    assert len(joined(model)) == 1
    np.testing.assert_array_equal(model.predict([x, x], verbose=0), model([x, x]))


def test_what_has_changed_since_is_seen_and_training_goes_on_as_ever():
    model = classifier(Conv2D(6, 3), BatchNormalization(momentum=0.5), Activation("relu"))
    twin = clone_model(model)
    twin.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    twin.set_weights(model.get_weights())
    x, y = data()
    for _ in range(2):
        check_equal(model, x)
        loss, accuracy = model.evaluate(x, y, verbose=0)
        p = model(x)
        assert loss == pytest.approx(-np.log(p[np.arange(len(y)), y]).mean(), rel=1e-5)
        assert accuracy == pytest.approx((p.argmax(axis=1) == y).mean())
        model.fit(x, y, shuffle=False, verbose=0)
        twin.fit(x, y, shuffle=False, verbose=0)
        for ours, others in zip(model.get_weights(), twin.get_weights()):
            np.testing.assert_array_equal(ours, others)
    normalization = model.layers[1]
    normalization.state["moving_mean"][...] += 3
    normalization.params["gamma"][...] *= -1
    check_equal(model, x)


def test_what_is_computed_together_is_found_again_until_the_model_is_another():
    first, second = Activation("relu"), Activation("relu")
    model = classifier(Conv2D(6, 3), first, BatchNormalization(), second)
    x, _ = data()
    graph = in_use(model).graph
    check_equal(model, x, 2)
    first.activation, second.activation = activations.tanh, activations.relu6  # looked up when used, as weights are
    check_equal(model, x, 2)
    assert in_use(model).graph is graph is not model.graph
    second.forward = second.forward  # somebody looks on
    check_equal(model, x, 2)
    assert in_use(model).graph is not graph


def test_what_the_convolution_cannot_do_stays_behind_it():
    inputs = Input((9, 8, 3))
    z = Conv2D(4, 3)(inputs)
    once = BatchNormalization()(z)
    for outputs in (
        BatchNormalization()(z, training=True),
        BatchNormalization(dtype="float64")(z),
        BatchNormalization()(Conv2D(4, 3, activation="relu")(inputs)),
        BatchNormalization()(Conv2D(4, 3, activity_regularizer="l2")(inputs)),
        [once, z],
        [once, Flatten()(z)],
        ops.relu(z),
    ):
        assert not any(isinstance(node, JoinedConvolution) for node in in_use(Model(inputs, outputs)).nodes)


# ---- an upsampling, and the convolution behind it ----


def decoder(*layers, size=(3, 4, 8)):
    set_random_seed(3)
    return Sequential([Input(size), *layers])


@needs_numba
@pytest.mark.parametrize(
    "behind, count",
    [
        ((Conv2D(1, 3, padding="same", activation="sigmoid"),), 1),
        ((Conv2D(8, 3, use_bias=False), ReLU(), MaxPooling2D()), 2),
        ((Conv2D(4, (3, 5)), BatchNormalization(), Activation("tanh")), 3),
    ],
)
def test_an_upsampling_and_what_is_behind_it_predict_together_what_they_do_one_by_one(behind, count):
    with kernels.using_backend("numba"):
        model = moved(decoder(UpSampling2D((2, 3)), *behind))
        node, *rest = joined(model)
        assert type(node) is EnlargedConvolution and len(rest) == len(behind) - count
        assert str(node) == "layers " + " and ".join(layer.name for layer in model.layers[: count + 1])
        check_equal(model, data((3, 4, 8))[0], 1 + len(rest))


@needs_numba
@pytest.mark.parametrize(
    "layers, count",
    [
        ((UpSampling2D(), Activation("relu")), 0),
        ((UpSampling2D(), BatchNormalization()), 1),
        ((UpSampling2D((1, 2)), Conv2D(2, 3)), 0),
        ((UpSampling2D(), Conv2D(2, 2)), 0),
        ((UpSampling2D(), Conv2D(9, 3)), 0),
        ((UpSampling2D(), Conv2D(2, 3, strides=2)), 0),
        ((UpSampling2D(), Conv2D(2, 3, dilation_rate=2)), 0),
        ((UpSampling2D(), Conv2D(2, 3, groups=2)), 0),
        ((UpSampling2D(), DepthwiseConv2D(3)), 0),
        ((UpSampling2D(interpolation="bilinear"), Conv2D(2, 3)), 0),
        ((UpSampling2D(activity_regularizer="l2"), Conv2D(2, 3)), 0),
        ((UpSampling2D(), type("Mine", (Conv2D,), {})(2, 3)), 0),
        ((type("Mine", (UpSampling2D,), {})(), Conv2D(2, 3)), 0),
    ],
)
def test_any_other_upsampling_stays_as_it_is(layers, count):
    with kernels.using_backend("numba"):
        model = decoder(*layers)
        assert not any(type(node) is EnlargedConvolution for node in joined(model))
        assert len(joined(model)) == count
        assert not any(len(node.behind) for node in joined(model))


def test_the_other_backends_copy_what_they_enlarge():
    model = decoder(UpSampling2D(), Conv2D(1, 3))
    with kernels.using_backend("numpy"):
        assert in_use(model) is model


@needs_numba
@pytest.mark.parametrize("joined", [in_use, in_training])
def test_enlarged_images_of_which_nothing_would_be_left_are_refused_as_by_the_convolution(joined):
    with kernels.using_backend("numba"):
        x = Input((None, None, 8))
        model = Model(x, Conv2D(1, 7)(UpSampling2D()(x)))
        assert joined(model) is not model
        with pytest.raises(ValueError, match="Conv2D.* smaller than the kernel"):
            joined(model).forward(np.ones((2, 3, 4, 8), "float32"), training=True)


def test_run_eagerly_is_layer_by_layer_in_use_too(monkeypatch):
    x, _ = data()
    model, seen = Sequential([Input(x.shape[1:]), BatchNormalization(), ReLU()]), []
    monkeypatch.setattr("scratchnet.training.evaluator.in_use", lambda model: seen.append(model) or in_use(model))
    for eagerly, count in ((False, 2), (True, 0)):
        model.compile(loss="mse", run_eagerly=eagerly)
        model.evaluate(x, x, verbose=0)
        model.predict(x, verbose=0)
        assert len(seen) == count
        seen.clear()


def test_what_stands_in_the_place_of_a_layers_own_is_called(monkeypatch):
    x, _ = data()
    model = Sequential([Input(x.shape[1:]), BatchNormalization(), ReLU()])
    assert in_use(model) is not model
    own, seen = model.layers[1].forward, []
    monkeypatch.setattr(model.layers[1], "forward", lambda *args, **kwargs: seen.append(args) or own(*args, **kwargs))
    model.predict(x, verbose=0)
    assert seen

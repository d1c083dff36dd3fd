"""What is computed together where nobody will go back: the same numbers, and only where it is the same."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPooling2D,
    ReLU,
    add,
)
from scratchnet.models import Model, Sequential
from scratchnet.training.in_use import JoinedNode, in_use
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
    return [node for node in in_use(model).nodes if isinstance(node, JoinedNode)]


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
        (BatchNormalization(trainable=False), ReLU(negative_slope=0.1), False),
        (BatchNormalization(), ReLU(threshold=0.2), False),
        (BatchNormalization(), ReLU(activity_regularizer="l2"), False),
        (BatchNormalization(), Activation("tanh"), False),
        (BatchNormalization(), Dropout(0.5), False),
    ],
)
def test_batch_normalization_and_the_relu_behind_it_predict_together_what_they_do_one_by_one(
    normalization, behind, together
):
    x, _ = data()
    with kernels.using_backend("numba"):
        model = Sequential([Input(x.shape[1:]), normalization, behind])
        rng = np.random.default_rng(4)
        normalization.set_weights([rng.uniform(0.5, 2, size=weight.shape) for weight in normalization.get_weights()])
        (node,) = joined(model)
        assert str(node) == "layers " + normalization.name + f" and {behind.name}" * together
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
            assert node.first is node.last
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
        np.testing.assert_array_equal(after, model(x))


@needs_numba
@pytest.mark.parametrize(
    "middle",
    [
        (Conv2D(6, 3), MaxPooling2D()),
        (Conv2D(6, 3, activation="tanh"), MaxPooling2D()),
        (Conv2D(6, 3, activation="relu"), MaxPooling2D(3)),
        (Conv2D(6, 3, activation="relu"), MaxPooling2D(2, strides=1)),
        (Conv2D(6, 3, activation="relu"), MaxPooling2D(padding="same")),
        (Conv2D(6, 3, activation="relu"), AveragePooling2D(2)),
        (Conv2D(6, 3), Activation("relu"), MaxPooling2D()),
        (BatchNormalization(axis=1), ReLU()),
        (BatchNormalization(activity_regularizer="l2"), ReLU()),
        (type("MyNormalization", (BatchNormalization,), {})(), ReLU()),
        (Conv2D(6, 3, activation="relu", activity_regularizer="l2"), MaxPooling2D()),
        (type("Mine", (Conv2D,), {})(6, 3, activation="relu"), MaxPooling2D()),
    ],
)
def test_anything_else_stays_as_it_is(middle):
    with kernels.using_backend("numba"):
        model = classifier(*middle)
        assert in_use(model) is model


@needs_numba
def test_what_somebody_else_reads_is_computed():
    with kernels.using_backend("numba"):
        x = Input((8, 8, 3))
        z = Conv2D(4, 3, padding="same", activation="relu")(x)
        for outputs in ([MaxPooling2D()(z), z], add([MaxPooling2D()(z), MaxPooling2D()(z)])):
            model = Model(x, outputs)
            assert in_use(model) is model


def test_the_other_backends_have_nothing_to_join():
    model = classifier(Conv2D(6, 3, activation="relu"), MaxPooling2D())
    with kernels.using_backend("numpy"):
        assert in_use(model) is model


@needs_numba
def test_other_channels_than_the_layer_was_built_for_are_told():
    with kernels.using_backend("numba"):
        model = classifier(Conv2D(6, 3, activation="relu"), MaxPooling2D())
        (node,) = joined(model)
        with pytest.raises(ValueError, match="conv2d"):
            node.forward(np.zeros((2, 9, 8, 4), "float32"), training=False)

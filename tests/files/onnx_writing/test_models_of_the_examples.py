"""The models of all examples, and networks that became known: onnxruntime predicts what they predict."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import scratchnet
from scratchnet import applications
from scratchnet import layers as L
from scratchnet.layers import Dense, GaussianKL, Input
from scratchnet.models import Sequential
from scratchnet.structure import flatten
from scratchnet.utils import set_random_seed
from tests.files.onnx_writing.comparing import RNG, check

EXAMPLES = Path(scratchnet.__file__).parents[1] / "examples"
needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not beside an installed package")


def autoencoders(example):
    recurrent = [model for kind in ("SimpleRNN", "LSTM") for model in example.build_recurrent(getattr(L, kind), kind)]
    return [*example.build_convolutional(), *recurrent]


def few_labels(example, head):
    return Sequential([Input((28, 28, 1)), example.RandomView(), example.build_strong(), head])


# For each example: its models.
MODELS = {
    "cifar10_anomalies": lambda e: e.build_model(),
    "cifar10_contrastive": lambda e: Sequential([Input((32, 32, 3)), e.random_view(), e.build_encoder()]),
    "cifar10_denoising": lambda e: [e.build_lstm(), e.build_convolutional()],
    "cifar10_hybrid": lambda e: [e.build_hybrid(), e.build_better_hybrid()],
    "cifar10_transfer": lambda e: e.build_cnn(),
    "explain_digit": lambda e: [e.cnn(), e.lstm()],
    "lstm_autoencoder": lambda e: e.build_model(10),
    "mnist_anomalies": lambda e: [*e.build_vae(3, 10), e.build_lstm(10)],
    "mnist_autoencoders": autoencoders,
    "mnist_capsules": lambda e: [*e.build_models(10), e.build_cnn(10)],
    "mnist_classifiers": lambda e: list(e.build_models().values()),
    "mnist_contrastive": lambda e: [e.build_encoder(), few_labels(e, Dense(10, activation="softmax"))],
    "mnist_masked": lambda e: e.build_autoencoder(e.build_encoder(), 0.3, 10),
    "mnist_vae": lambda e: [*e.build_models(3, 10), *e.build_models(3, 10, "conv")],
    "somebody_elses_network": lambda e: e.build_network(),
    "timeseries_anomalies": lambda e: e.build_model(64, 4, 10),
}


def still(model):
    """The model, without chance: the variance of what is drawn is nothing."""
    for node in model.graph.nodes:
        if isinstance(node.layer, GaussianKL):
            spread = node.inputs[1].node.layer
            spread.set_weights([np.zeros_like(spread.params["kernel"]), np.full_like(spread.params["bias"], -60)])
    return model


def inputs_of(model):
    return [RNG.random((3, *tensor.shape[1:]), dtype="float32") for tensor in model.inputs]


@needs_examples
def test_no_example_is_forgotten():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(MODELS)


@needs_examples
@pytest.mark.parametrize("name", MODELS)
def test_models_of_the_examples(tmp_path, name):
    set_random_seed(3)
    example = SimpleNamespace(**runpy.run_path(str(EXAMPLES / f"{name}.py")))
    for model in flatten(MODELS[name](example)):
        check(still(model), str(tmp_path / f"{model.name}.onnx"), *inputs_of(model))


NETWORKS = {
    "EfficientNetLite0": {"input_shape": (32, 32, 3)},
    "MobileNetV2": {"input_shape": (32, 32, 3), "alpha": 0.35},
    "ResNet20": {},
    "SqueezeNet": {"input_shape": (48, 48, 3)},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_that_became_known(tmp_path, name):
    set_random_seed(3)
    model = getattr(applications, name)(weights=None, **NETWORKS[name])
    for layer in model.layers:
        if "moving_variance" in layer.state:
            layer.state["moving_mean"][...] = RNG.normal(0, 0.1, layer.state["moving_mean"].shape)
            layer.state["moving_variance"][...] = RNG.uniform(0.5, 2, layer.state["moving_variance"].shape)
    check(model, str(tmp_path / "m.onnx"), *inputs_of(model))

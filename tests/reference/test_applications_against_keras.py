"""The networks that Keras has, too: its files of weights fit, and the predictions are the same."""

import numpy as np
import pytest

from scratchnet import applications
from tests.applications.torch_files import images

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]


def drawn(model):
    rng = np.random.default_rng(0)
    lows = {"gamma": (0.7, 1.3), "moving_variance": (0.5, 1.5), "moving_mean": (-0.1, 0.1), "beta": (-0.1, 0.1)}
    model.set_weights(
        [rng.uniform(*lows[v.name], v.shape) if v.name in lows else v.numpy() for v in model.weights]
    )  # fmt: skip
    return model


@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
@pytest.mark.parametrize("arguments", [{}, {"include_top": False, "pooling": "max", "input_shape": (64, 65, 3)}])
@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50"])
def test_keras_s_weights_give_keras_s_predictions(keras, tmp_path, name, arguments, ending):
    arguments = {"input_shape": (64, 64, 3), **arguments}
    theirs = drawn(getattr(keras.applications, name)(weights=None, **arguments))
    path = str(tmp_path / f"theirs{ending}")
    theirs.save_weights(path) if ending == ".weights.h5" else theirs.save(path)
    ours = getattr(applications, name)(weights=path, **arguments)
    assert ours.count_params() == theirs.count_params() and ours.name == theirs.name
    named = [[layer.name for layer in model.layers if "pooling2d" not in layer.name] for model in (ours, theirs)]
    assert named[0][1:] == named[1][1:]
    x = images(*arguments["input_shape"][:2])
    expected = theirs.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x, verbose=0), expected, atol=1e-4 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_pixels_are_prepared_alike(keras, mode):
    x = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype("float32")
    ours = applications.imagenet_utils.preprocess_input(x, mode=mode)
    theirs = keras.applications.imagenet_utils.preprocess_input(x.copy(), mode=mode)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)

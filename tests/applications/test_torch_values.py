"""The networks compute what PyTorch's do of the same weights, on images of even and odd sizes."""

from pathlib import Path

import numpy as np
import pytest

from scratchnet import applications
from tests.applications.torch_files import draw_weights, images

VALUES = np.load(Path(__file__).with_name("torch_values.npz"))
SIZES = {"EfficientNetLite0": (64, 47), "EfficientNetLite2": (33, 40), "SqueezeNet": (67, 64), "ResNet20": (32, 17)}


@pytest.mark.parametrize("name", SIZES)
def test_logits_are_those_of_pytorch(name):
    network, size = getattr(applications, name), SIZES[name]
    model = draw_weights(network(weights=None, input_shape=(*size, 3), classifier_activation=None))
    logits = model(images(*size))
    np.testing.assert_allclose(logits[:, :10], VALUES[name], rtol=1e-4, atol=1e-4 * np.abs(VALUES[name]).max())

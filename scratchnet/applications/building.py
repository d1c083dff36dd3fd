"""What all networks here do alike: check their arguments, begin with an image, end with classes or with features."""

import os

from scratchnet import activations
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers import Dense, Dropout, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from scratchnet.models import Model
from scratchnet.utils import get_source_inputs


def check_arguments(name, include_top, weights, pooling, classes, classifier_activation):
    """Raise ValueError for arguments that do not go together, or of which there is nothing."""
    if weights not in (None, "imagenet") and not os.path.isfile(weights):
        raise ValueError(f'{name}: weights must be None, "imagenet" or the path of a file, got {weights!r}')
    if pooling not in (None, "avg", "max"):
        raise ValueError(f'{name}: pooling must be None, "avg" or "max", got {pooling!r}')
    if not include_top or weights is None:
        return
    if weights == "imagenet" and classes != 1000:
        raise ValueError(
            f"{name}: the weights are those of 1,000 classes, not of {classes}: take include_top=False and a Dense "
            "layer of your own behind it"
        )
    if activations.get(classifier_activation).name not in ("softmax", "linear"):
        raise ValueError(
            f"{name}: with trained weights classifier_activation must be None or 'softmax', "
            f"got {classifier_activation!r}"
        )


def image_input(name, input_shape, input_tensor, include_top, weights, default_size, min_size):
    """The symbolic image that a network begins with.

    Without a shape it has the size that the network was made for, or, without the top, any size.
    """
    if input_tensor is not None and not isinstance(input_tensor, KerasTensor):
        raise TypeError(f"{name}: input_tensor must be a symbolic tensor, as Input makes it, got {input_tensor!r}")
    if input_tensor is not None:
        input_shape = input_tensor.shape[1:]
    elif input_shape is None:
        input_shape = (default_size, default_size, 3) if include_top else (None, None, 3)
    if len(input_shape) != 3:
        raise ValueError(f"{name}: input_shape must be (height, width, channels), got {tuple(input_shape)}")
    if any(side is not None and side < min_size for side in input_shape[:2]):
        raise ValueError(f"{name}: images must have {min_size} x {min_size} pixels or more, got {tuple(input_shape)}")
    if weights == "imagenet" and input_shape[2] != 3:
        raise ValueError(f"{name}: the trained weights are for 3 channels, got input_shape {tuple(input_shape)}")
    return Input(input_shape) if input_tensor is None else input_tensor


def pooled(x, pooling, names=("avg_pool", "max_pool")):
    """The maps as they are, or one number of each."""
    if pooling == "avg":
        return GlobalAveragePooling2D(name=names[0])(x)
    if pooling == "max":
        return GlobalMaxPooling2D(name=names[1])(x)
    return x


def top(x, include_top, pooling, classes, classifier_activation, names=("avg_pool", "max_pool"), dropout=0.0, **dense):
    """The classes' probabilities, or the features.

    Args:
        names: of the pooling layers.
        dropout: the share that is left out before the classes, in training.
        dense: more arguments of the last layer.
    """
    if not include_top:
        return pooled(x, pooling, names)
    x = pooled(x, "avg", names)
    if dropout:
        x = Dropout(dropout, name="top_dropout")(x)
    return Dense(classes, classifier_activation, name="predictions", **dense)(x)


def model_of(image, x, name):
    """The model from the image, or from what the image was made of, to x."""
    return Model(get_source_inputs(image), x, name=name)

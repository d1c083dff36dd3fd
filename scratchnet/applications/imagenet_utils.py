"""What networks for ImageNet share: how pixels are prepared, and what the thousand outputs mean.

The classes are those of the Large Scale Visual Recognition Challenge (Russakovsky et al. 2015), in the order of their
numbers in WordNet; `imagenet_classes.txt` has a line for each: the number, and the first of the names.
"""

from functools import cache
from pathlib import Path

import numpy as np

from scratchnet import config, ops
from scratchnet.graph.symbolic import is_symbolic
from scratchnet.ops.layouts import either_way

# By mode: the factor that takes pixels of 0 to 255 to the scale of mean and std; whether blue comes first; mean; std.
_MODES = {
    "caffe": (1.0, True, (103.939, 116.779, 123.68), None),
    "tf": (1 / 127.5, False, 1.0, None),
    "torch": (1 / 255, False, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


@either_way("x", ndim=2)
def preprocess_input(x, data_format=None, mode="caffe"):
    """Pixels as a network was trained to see them; a new array or tensor, x stays as it is.

    Args:
        x: (N, H, W, 3) or (H, W, 3), red first, 0 to 255; an array or a symbolic tensor.
        data_format: "channels_last", or "channels_first" for (N, 3, H, W) or (3, H, W).
        mode: "caffe": blue first, minus ImageNet's mean color; "tf": -1 to 1; "torch": 0 to 1, minus the mean, over
            the standard deviation of each color.

    Raises ValueError for another mode or data_format.
    """
    if mode not in _MODES:
        raise ValueError(f"preprocess_input: mode must be one of {', '.join(_MODES)}, got {mode!r}")
    factor, blue_first, mean, std = _MODES[mode]
    x = pixels(x)
    if blue_first:
        x = x[..., ::-1]
    x = x * factor - np.asarray(mean, x.dtype)
    return x if std is None else x / np.asarray(std, x.dtype)


def pixels(x):
    """`x`, an array or a symbolic tensor, in a dtype to compute in."""
    x = x if is_symbolic(x) else np.asarray(x)
    return x if np.dtype(x.dtype).kind == "f" else ops.cast(x, config.floatx())


def decode_predictions(preds, top=5):
    """The likeliest classes.

    Args:
        preds: (N, 1000), as a network for ImageNet predicts them.
        top: how many classes for each image.

    Returns:
        for each image a list of (number in WordNet, name, prediction), the likeliest first.

    Raises ValueError for predictions of another shape.
    """
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise ValueError(f"decode_predictions: expected predictions (N, 1000), got shape {preds.shape}")
    found = np.argsort(-preds, axis=1, kind="stable")[:, :top]
    return [[(*imagenet_classes()[c], pred[c]) for c in classes] for pred, classes in zip(preds, found)]


@cache
def imagenet_classes():
    """The 1,000 pairs of number and name, such as ("n02123045", "tabby")."""
    text = Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8")
    return tuple(tuple(line.split()) for line in text.splitlines())

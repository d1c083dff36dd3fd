"""Pictures as arrays, by Pillow."""

import os
import warnings

import numpy as np

from scratchnet import config
from scratchnet.interpolation import middle, resize
from scratchnet.optional import require

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False):
    """The picture in a file, as Pillow's `Image`.

    Args:
        path: a path, or an open binary file.
        color_mode: "rgb", "rgba" or "grayscale".
        target_size: (height, width) to resize to.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming".
        keep_aspect_ratio: whether the middle of that shape is cut out first, so that nothing is stretched.

    Raises ValueError for another color_mode or interpolation, TypeError for something that is no path.
    """
    Image = require("PIL.Image")
    if color_mode not in _MODES:
        raise ValueError(f'load_img: color_mode must be "grayscale", "rgb" or "rgba", got {color_mode!r}')
    if not isinstance(path, (str, bytes, os.PathLike)) and not hasattr(path, "read"):
        raise TypeError(f"load_img: expected a path or a binary file, got {path!r}")
    with Image.open(path) as file:
        mode = _MODES[color_mode]
        is_grey = color_mode == "grayscale" and file.mode in ("L", "I;16", "I")  # deeper than 8 bits may stay so
        img = file.copy() if is_grey else file.convert(mode)
    if target_size is None or img.size == (target_size[1], target_size[0]):
        return img
    if interpolation not in _RESAMPLING:
        raise ValueError(f"load_img: interpolation must be one of {', '.join(_RESAMPLING)}, got {interpolation!r}")
    box = None
    if keep_aspect_ratio:
        top, left, height, width = middle(img.size[1], img.size[0], target_size)
        box = (left, top, left + width, top + height)
    resampling = getattr(Image.Resampling, interpolation.upper())
    return img.resize((target_size[1], target_size[0]), resampling, box=box)


def img_to_array(img, data_format=None, dtype=None):
    """Pillow's `Image` as an array (H, W, C), of `config.floatx()` by default; C is 1 for a grey one.

    `data_format`: "channels_first" gives (C, H, W).
    """
    x = np.asarray(img, dtype=dtype or config.floatx())
    if x.ndim not in (2, 3):
        raise ValueError(f"img_to_array: expected a picture, got an array of shape {x.shape}")
    x = x[..., None] if x.ndim == 2 else x
    return x.transpose(2, 0, 1) if is_channels_first(data_format) else x


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """An array (H, W, C), C 1, 3 or 4, as Pillow's `Image`.

    Args:
        data_format: "channels_first" for (C, H, W).
        scale: whether the smallest value becomes 0 and the largest 255; otherwise they are taken as they are.
        dtype: in which this is computed, `config.floatx()` by default.
    """
    Image = require("PIL.Image")
    x = np.asarray(x, dtype=dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError(f"array_to_img: expected a single picture (H, W, C), got shape {x.shape}")
    x = x.transpose(1, 2, 0) if is_channels_first(data_format) else x
    if scale:
        x = x - x.min()
        x = x / (x.max() or 1) * 255
    if x.shape[2] == 1:
        deep = x.max() > 255
        return Image.fromarray(x[..., 0].astype("int32" if deep else "uint8"))
    if x.shape[2] not in (3, 4):
        raise ValueError(f"array_to_img: a picture has 1, 3 or 4 channels, got {x.shape[2]}")
    return Image.fromarray(x.astype("uint8"))


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Write an array as a picture; `array_to_img` says how.

    `file_format`: by default what the ending of `path` says. Other arguments go to Pillow's `Image.save`.
    """
    img = array_to_img(x, data_format, scale)
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = os.path.splitext(os.fspath(path))[1][1:]
    file_format = {"jpg": "jpeg"}.get((file_format or "").lower(), file_format)
    if img.mode == "RGBA" and (file_format or "").lower() == "jpeg":
        warnings.warn("save_img: JPEG has no transparency; the fourth channel is left out", stacklevel=2)
        img = img.convert("RGB")
    img.save(path, format=file_format or None, **kwargs)


def smart_resize(x, size, interpolation="bilinear", data_format="channels_last", **kwargs):
    """Images (..., H, W, C) as (..., *size, C), not stretched: the middle of that shape is cut out, then resized."""
    kwargs.pop("backend_module", None)  # Keras's own, for its own use
    if kwargs:
        raise TypeError(f"smart_resize has no argument {next(iter(kwargs))!r}")
    x = np.asarray(x)
    first = is_channels_first(data_format)
    x = np.moveaxis(x, -3, -1) if first else x
    top, left, height, width = middle(*x.shape[-3:-1], size)
    x = resize(x[..., top : top + height, left : left + width, :], size, interpolation)
    return np.moveaxis(x, -1, -3) if first else x


def is_channels_first(data_format):
    """Whether (C, H, W) is meant. Raises ValueError for an invalid layout."""
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(f'data_format must be "channels_last" or "channels_first", got {data_format!r}')
    return (data_format or config.image_data_format()) == "channels_first"

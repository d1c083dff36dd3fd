"""Operations on images (N, H, W, C), or on one image (H, W, C): the functions of `keras.ops.image`, by that name.

Another size, the patches that an image is made of, edges cut off or put on, and grey instead of colours; what needs a
look at the neighbours stands in `scratchnet.ops.pictures`.
"""

import numpy as np

from scratchnet import interpolation as resizing
from scratchnet.ops.convolution import depthwise_conv
from scratchnet.ops.creation import cast, saturate_cast
from scratchnet.ops.dtypes import floats, floatx
from scratchnet.ops.elementwise import multiply, round
from scratchnet.ops.layouts import either_way
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.pictures import (  # noqa: F401 (the names are for those who import this module)
    check_images,
    extract_patches_3d,
    gaussian_blur,
    hsv_to_rgb,
    rgb_to_hsv,
    sobel_edges,
    ssim,
)
from scratchnet.ops.reductions import sum
from scratchnet.ops.shapes import expand_dims, pad, reshape, squeeze, transpose
from scratchnet.ops.trial import Unfit

LUMINANCE = (0.2989, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _resize_dx(dz, images_shape, interpolation, antialias):
    return resizing.resize_adjoint(dz, images_shape[-3:-1], interpolation, antialias)


@operation(name="resize_images", images=_resize_dx, dtypes=floats, options=("size", "interpolation", "antialias"))
def _resize(images, size, interpolation, antialias):
    if interpolation not in resizing.INTERPOLATIONS:
        raise Unfit(f"interpolation={interpolation!r}, expected one of {', '.join(resizing.INTERPOLATIONS)}")
    return resizing.resize(images, size, interpolation, antialias)


@either_way("images", ndim=2)
def resize(
    images,
    size,
    interpolation="bilinear",
    antialias=False,
    crop_to_aspect_ratio=False,
    pad_to_aspect_ratio=False,
    fill_mode="constant",
    fill_value=0.0,
    data_format=None,
):
    """Images of another `size` (height, width); see `scratchnet.interpolation`.

    Of integers the result is rounded to such.

    crop_to_aspect_ratio, pad_to_aspect_ratio: first cut off, or put on (`fill_value`), what gives the new proportions.
    """
    *_, H, W, _ = check_images("resize", images)
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: crop_to_aspect_ratio or pad_to_aspect_ratio, not both")
    if fill_mode != "constant":
        raise ValueError(f'resize: only fill_mode="constant" is here, got {fill_mode!r}')
    height, width = size
    if not (isinstance(height, (int, np.integer)) and isinstance(width, (int, np.integer)) and height > 0 < width):
        raise ValueError(f"resize: size must be two positive integers, height and width, got {size!r}")
    if crop_to_aspect_ratio:
        top, left, h, w = resizing.middle(H, W, (height, width))
        images = images[..., top : top + h, left : left + w, :]
    elif pad_to_aspect_ratio:
        h, w = max(H, W * height // width), max(W, H * width // height)
        top, left = (h - H) // 2, (w - W) // 2
        images = _padded(images, (top, top), (left, left), fill_value)  # alike, as in Keras: of odd ones a row less
    resized = _resize(images, (int(height), int(width)), interpolation, bool(antialias))
    return saturate_cast(round(resized), images.dtype) if _are_integers(images) else resized


def _are_integers(images):
    return np.dtype(images.dtype).kind in "iu"


def _padded(images, rows, columns, value=0.0):
    """With so many rows (before, after) and columns more, all of `value`."""
    return pad(images, ((0, 0),) * (len(shape_of(images)) - 3) + (rows, columns, (0, 0)), constant_values=value)


@either_way("images", ndim=2)
def extract_patches(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """The patches of an image, each as one row: (N, H, W, C) -> (N, H', W', KH KW C).

    Args:
        size: of a patch, one number or (KH, KW).
        strides: from one patch to the next; by default `size`, so that no pixel is in two of them.
        dilation_rate: the distance of neighbours in a patch.
        padding: "valid", or "same" for patches that reach over the edges, where there are zeros.
    """
    *batch, H, W, C = check_images("extract_patches", images)
    KH, KW = _pair(size)
    strides = (KH, KW) if strides is None else _pair(strides)
    if not batch:
        return squeeze(extract_patches(expand_dims(images, 0), size, strides, dilation_rate, padding, data_format), 0)
    if (strides, _pair(dilation_rate), padding) == ((KH, KW), (1, 1), "valid") and None not in (H, W):
        rows, columns = H // KH, W // KW
        x = images[:, : rows * KH, : columns * KW]
        x = transpose(reshape(x, (-1, rows, KH, columns, KW, C)), (0, 1, 3, 2, 4, 5))
        return reshape(x, (-1, rows, columns, KH * KW * C))
    dtype = floatx() if _are_integers(images) else images.dtype
    each_pixel = np.tile(
        np.eye(KH * KW, dtype=dtype).reshape(KH, KW, 1, KH * KW), (1, 1, C, 1)
    )  # kernels with a single one
    x = depthwise_conv(images, each_pixel, strides, padding, "channels_last", dilation_rate)  # (N, H', W', C KH KW)
    rows, columns = shape_of(x)[1:3]
    x = transpose(reshape(x, (-1, rows, columns, C, KH * KW)), (0, 1, 2, 4, 3))
    return reshape(x, (-1, rows, columns, KH * KW * C))


@either_way("images", ndim=2)
def crop_images(
    images,
    top_cropping=None,
    left_cropping=None,
    bottom_cropping=None,
    right_cropping=None,
    target_height=None,
    target_width=None,
    data_format=None,
):
    """Without so many rows and columns at the edges; of each pair and its target, two say the third."""
    *_, H, W, _ = check_images("crop_images", images)
    top, bottom = _edges("crop_images", "cropping", (top_cropping, bottom_cropping), H, target_height, -1)
    left, right = _edges("crop_images", "cropping", (left_cropping, right_cropping), W, target_width, -1)
    return images[..., top : H - bottom, left : W - right, :]


@either_way("images", ndim=2)
def pad_images(
    images,
    top_padding=None,
    left_padding=None,
    bottom_padding=None,
    right_padding=None,
    target_height=None,
    target_width=None,
    data_format=None,
):
    """With so many rows and columns of zeros at the edges; of each pair and its target, two say the third."""
    *_, H, W, _ = check_images("pad_images", images)
    rows = _edges("pad_images", "padding", (top_padding, bottom_padding), H, target_height, 1)
    columns = _edges("pad_images", "padding", (left_padding, right_padding), W, target_width, 1)
    return _padded(images, rows, columns)


def _edges(name, what, edges, size, target, sign):
    """``(before, after)``, the one that is None found from ``size + sign (before + after) == target``."""
    before, after = edges
    if (before, after, target).count(None) != 1:
        raise ValueError(
            f"{name}: of the {what} before, the {what} after and the target size exactly two must be given, "
            f"got {before}, {after} and {target}"
        )
    if before is None:
        before = sign * (target - size) - after
    elif after is None:
        after = sign * (target - size) - before
    if before < 0 or after < 0:
        raise ValueError(f"{name}: {what} must be positive, got {before} and {after} of {size} pixels")
    if sign == -1 and size is not None and before + after >= size:
        raise ValueError(f"{name}: {what} of {before} and {after} leaves nothing of {size} pixels")
    return before, after


@either_way("images", ndim=2)
def rgb_to_grayscale(images, data_format=None):
    """The luminance of red, green and blue, as one channel; of integers without what is behind the point."""
    C = check_images("rgb_to_grayscale", images)[-1]
    if C != 3:
        raise ValueError(f"rgb_to_grayscale: images have three channels, got {C}")
    grey = sum(multiply(images, LUMINANCE), -1, keepdims=True)
    return cast(grey, images.dtype) if _are_integers(images) else grey

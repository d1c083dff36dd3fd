"""Colours, edges, blur, and how alike two images are; (N, H, W, C), or (H, W, C). `scratchnet.ops.image` offers them.

The structural similarity compares two images window by window (a Gaussian w of a few pixels): their means mu, variances
and their covariance,

    ssim = (2 mu_x mu_y + c1) (2 cov_xy + c2) / ((mu_x^2 + mu_y^2 + c1) (var_x + var_y + c2))

which is 1 only where both are the same. Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error
visibility to structural similarity", 2004. As a loss, ``1 - ssim``, it blurs less than the mean squared error.
"""

import builtins
import math

import numpy as np

from scratchnet.ops.convolution import depthwise_conv
from scratchnet.ops.elementwise import (
    absolute,
    add,
    clip,
    divide,
    equal,
    greater,
    mod,
    multiply,
    subtract,
)
from scratchnet.ops.layouts import either_way
from scratchnet.ops.operation import shape_of
from scratchnet.ops.reductions import max, mean, min
from scratchnet.ops.selection import get_item, take, where
from scratchnet.ops.shapes import expand_dims, pad, reshape, squeeze, stack, transpose


def check_images(name, images):
    """The shape of `images`. Raises ValueError for another number of axes."""
    shape = shape_of(images)
    if len(shape) not in (3, 4):
        raise ValueError(f"{name}: images are (N, H, W, C) or (H, W, C), got the shape {shape}")
    return shape


def _of_batches(f, *images):
    """`f` of images with a batch axis, which single ones are given and which is taken away again."""
    if len(shape_of(images[0])) == 4:
        return f(*images)
    return squeeze(f(*(expand_dims(x, 0) for x in images)), 0)


# ---- colours ----


@either_way("images", ndim=2)
def rgb_to_hsv(images, data_format=None):
    """Hue (of the circle of colours red, green, blue; from 0 to 1), saturation and value of colours from 0 to 1."""
    check_images("rgb_to_hsv", images)
    red, green, blue = (get_item(images, (..., k)) for k in range(3))
    value, span = max(images, -1), subtract(max(images, -1), min(images, -1))
    sixths = multiply(where(greater(span, 0), span, 1.0), 6.0)
    hue = where(
        equal(value, green),
        add(divide(subtract(blue, red), sixths), 1 / 3),
        add(divide(subtract(red, green), sixths), 2 / 3),
    )
    hue = where(equal(value, red), divide(subtract(green, blue), sixths), hue)
    hue = where(greater(span, 0), mod(hue, 1.0), 0.0)
    saturation = where(greater(value, 0), divide(span, where(greater(value, 0), value, 1.0)), 0.0)
    return stack([hue, saturation, value], -1)


@either_way("images", ndim=2)
def hsv_to_rgb(images, data_format=None):
    """The colours that `rgb_to_hsv` makes hue, saturation and value of."""
    check_images("hsv_to_rgb", images)
    hue, saturation, value = (get_item(images, (..., k)) for k in range(3))
    hue = multiply(hue, 6.0)
    # How far each colour is from its third of the circle: 0 for its own hue, 1 in the middle of the two others.
    shares = [
        clip(subtract(absolute(subtract(hue, 3.0)), 1.0), 0.0, 1.0),
        clip(subtract(2.0, absolute(subtract(hue, 2.0))), 0.0, 1.0),
        clip(subtract(2.0, absolute(subtract(hue, 4.0))), 0.0, 1.0),
    ]
    return stack([multiply(value, add(1.0, multiply(saturation, subtract(share, 1.0)))) for share in shares], -1)


# ---- what a small window sees ----


def _bell(size, sigma):
    weights = np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / sigma) ** 2)
    return weights / weights.sum()


def _filtered(x, kernel, padding):
    """Each channel of x with the one kernel (KH, KW)."""
    kernel = np.repeat(kernel[..., None, None], shape_of(x)[-1], 2)
    return depthwise_conv(
        x, kernel.astype(np.float64 if x.dtype == "float64" else np.float32), 1, padding, "channels_last"
    )


@either_way("images", ndim=2)
def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    """Each pixel the mean of those around it, weighted by a bell as wide as `sigma`; beyond the edges all is 0.

    kernel_size, sigma: along the width and the height.
    """
    check_images("gaussian_blur", images)
    across, down = map(_bell, kernel_size, sigma)
    kernel = np.outer(down, across)
    return _of_batches(lambda x: _filtered(x, kernel, "same"), images)


@either_way("volumes", ndim=3)
def extract_patches_3d(volumes, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """The patches of volumes, each as one row: (N, D, H, W, C) -> (N, D', H', W', KD KH KW C); N may be missing.

    Arguments as of `extract_patches`, for three axes.
    """
    if len(shape_of(volumes)) == 4:
        x = extract_patches_3d(expand_dims(volumes, 0), size, strides, dilation_rate, padding, data_format)
        return squeeze(x, 0)
    if len(shape_of(volumes)) != 5:
        raise ValueError(f"extract_patches_3d: volumes are (N, D, H, W, C) or (D, H, W, C), got {shape_of(volumes)}")
    N, *sizes, C = shape_of(volumes)
    size, dilation = ((n,) * 3 if isinstance(n, int) else tuple(n) for n in (size, dilation_rate))
    strides = size if strides is None else (strides,) * 3 if isinstance(strides, int) else tuple(strides)
    x, counts = volumes, []
    for axis, (n, k, s, d) in enumerate(zip(sizes, size, strides, dilation)):
        span, place = (k - 1) * d + 1, 2 * axis + 1  # each axis before has become two
        if padding == "same":
            missing = builtins.max((-(-n // s) - 1) * s + span - n, 0)
            edges = [(0, 0)] * len(shape_of(x))
            edges[place] = (missing // 2, missing - missing // 2)
            x, n = pad(x, edges), n + missing
        starts = np.arange(0, n - span + 1, s)
        x = take(x, (starts[:, None] + d * np.arange(k)).astype(np.int32), place)
        counts.append(len(starts))
    x = transpose(x, (0, 1, 3, 5, 2, 4, 6, 7))  # (N, D', H', W', KD, KH, KW, C)
    return reshape(x, (-1 if N is None else N, *counts, math.prod(size) * C))


_SOBEL = np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])


@either_way("images", ndim=2, behind=1)
def sobel_edges(images, data_format=None):
    """How steeply each pixel's brightness rises downwards and to the right: (..., C, 2); edges are mirrored."""
    check_images("sobel_edges", images)

    def edges(x):
        x = pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
        return stack([_filtered(x, kernel, "valid") for kernel in (_SOBEL, _SOBEL.T)], -1)

    return _of_batches(edges, images)


@either_way("image1", "image2", ndim=2, behind=None)
def ssim(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format=None):
    """The structural similarity of two images, from -1 to 1: the mean over all windows and channels, (N,).

    Args:
        max_val: the largest value that a pixel may have.
        filter_size, filter_sigma: of the window.
        k1, k2: make the constants ``c1 = (k1 max_val)^2`` and ``c2 = (k2 max_val)^2``.
    """
    shapes = [check_images("ssim", image) for image in (image1, image2)]
    *_, H, W, _ = shapes[0]
    if shapes[0][-3:] != shapes[1][-3:]:
        raise ValueError(f"ssim: the images have different shapes, {shapes[0]} and {shapes[1]}")
    if (H is not None and H < filter_size) or (W is not None and W < filter_size):
        raise ValueError(f"ssim: images of {H} x {W} pixels are smaller than the window, filter_size={filter_size}")
    bell = _bell(filter_size, filter_sigma)
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2

    def similarity(x, y):
        def local_mean(z):
            return _filtered(z, np.outer(bell, bell), "valid")

        mu_x, mu_y = local_mean(x), local_mean(y)
        product, squares = multiply(mu_x, mu_y), add(multiply(mu_x, mu_x), multiply(mu_y, mu_y))
        covariance = subtract(local_mean(multiply(x, y)), product)
        variances = subtract(local_mean(add(multiply(x, x), multiply(y, y))), squares)
        above = multiply(add(multiply(product, 2.0), c1), add(multiply(covariance, 2.0), c2))
        return mean(divide(above, multiply(add(squares, c1), add(variances, c2))), (1, 2, 3))

    return _of_batches(similarity, image1, image2)

"""Images made strange in several ways, to test a detector on.

All functions take and return images (N, H, W) or (N, H, W, C) of floats in [0, 1], keep the dtype, and do not change
their input. `seed` is an integer or a `numpy.random.Generator`. Wrong shapes raise ValueError, integers TypeError.
"""

import numpy as np


def shuffle_rows(images, seed=0):
    """The rows of each image in a random order of its own."""
    images = _check("shuffle_rows", images)
    N, H = images.shape[:2]
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(H), (N, 1)), axis=1)  # (N, H)
    return images[np.arange(N)[:, None], order]


def occlude_block(images, size=12, value=0.5, seed=0):
    """A square of `size` pixels of each image, at a random place, replaced by `value`."""
    images = _check("occlude_block", images).copy()
    N, H, W = images.shape[:3]
    if not 0 < size <= min(H, W):
        raise ValueError(f"occlude_block: size must be from 1 to {min(H, W)}, got {size}")
    if not 0 <= value <= 1:
        raise ValueError(f"occlude_block: value must be from 0 to 1, got {value}")
    rng = np.random.default_rng(seed)
    for image, top, left in zip(images, rng.integers(0, H - size + 1, N), rng.integers(0, W - size + 1, N)):
        image[top : top + size, left : left + size] = value
    return images


def add_noise(images, stddev=0.2, seed=0):
    """Gaussian noise of standard deviation `stddev` added to every value, then cut to [0, 1]."""
    images = _check("add_noise", images)
    if not stddev >= 0:
        raise ValueError(f"add_noise: stddev must be at least 0, got {stddev}")
    drawn_in = np.float64 if images.dtype == np.float64 else np.float32
    noisy = np.random.default_rng(seed).standard_normal(images.shape, dtype=drawn_in)
    noisy *= stddev
    noisy += images
    return np.clip(noisy, 0, 1, out=noisy).astype(images.dtype, copy=False)


def digits_as_photographs(digits, size=32):
    """Grey digits (N, H, W) or (N, H, W, 1) in the middle of black colour images (N, size, size, 3)."""
    digits = _check("digits_as_photographs", digits)
    if digits.ndim == 4:
        if digits.shape[3] != 1:
            raise ValueError(f"digits_as_photographs: expected grey images, got shape {digits.shape}")
        digits = digits[..., 0]
    N, H, W = digits.shape
    top, left = (size - H) // 2, (size - W) // 2
    if top < 0 or left < 0:
        raise ValueError(f"digits_as_photographs: digits of {H} x {W} do not fit into {size} x {size}")
    images = np.zeros((N, size, size, 3), digits.dtype)
    images[:, top : top + H, left : left + W] = digits[..., None]
    return images


def hold_out_class(x, y, label):
    """``(x_normal, y_normal), (x_held_out, y_held_out)``: the samples of all other classes, and those of class `label`.

    Args:
        x: (N, ...) samples.
        y: (N,) or (N, 1) integer labels.
        label: the class, or several of them.

    Raises ValueError for different lengths, or for a label that no sample has.
    """
    x, y = np.asarray(x), np.asarray(y)
    if len(x) != y.size:
        raise ValueError(f"hold_out_class: {len(x)} samples, labels of shape {y.shape}")
    missing = np.setdiff1d(label, y)
    if len(missing):
        raise ValueError(f"hold_out_class: no sample has the label {', '.join(map(str, missing))}")
    held_out = np.isin(y.ravel(), label)
    return (x[~held_out], y[~held_out]), (x[held_out], y[held_out])


def _check(who, images):
    images = np.asarray(images)
    if images.ndim not in (3, 4):
        raise ValueError(f"{who}: expected images (N, H, W) or (N, H, W, C), got shape {images.shape}")
    if images.dtype.kind != "f":
        raise TypeError(f"{who}: expected floats in [0, 1], got dtype {images.dtype}; divide bytes by 255")
    # Written so that NaN, which compares with nothing, is refused as well.
    if images.size and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(f"{who}: expected values in [0, 1], got {images.min():g} to {images.max():g}")
    return images

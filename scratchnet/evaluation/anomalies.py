"""Images made strange in several ways, to test a detector on. All take and give images (N, H, W, C) in [0, 1]."""

import numpy as np


def shuffle_rows(images, seed=0):
    """The rows of each image in a random order of its own."""
    rng = np.random.default_rng(seed)
    return np.stack([image[rng.permutation(len(image))] for image in np.asarray(images)])


def occlude_block(images, size=12, value=0.5, seed=0):
    """A square of `size` pixels of each image, at a random place, replaced by `value`."""
    images = np.array(images)
    N, H, W = images.shape[:3]
    if not 0 < size <= min(H, W):
        raise ValueError(f"occlude_block: size must be from 1 to {min(H, W)}, got {size}")
    rng = np.random.default_rng(seed)
    for image, top, left in zip(images, rng.integers(0, H - size + 1, N), rng.integers(0, W - size + 1, N)):
        image[top : top + size, left : left + size] = value
    return images


def add_noise(images, stddev=0.2, seed=0):
    """Gaussian noise added, then cut to [0, 1]; the dtype stays."""
    images = np.asarray(images)
    noise = np.random.default_rng(seed).normal(0, stddev, images.shape)
    return np.clip(images + noise, 0, 1).astype(images.dtype)


def digits_as_photographs(digits, size=32):
    """Grey digits (N, 28, 28) in the middle of black colour images (N, size, size, 3)."""
    digits = np.asarray(digits)
    N, H, W = digits.shape
    top, left = (size - H) // 2, (size - W) // 2
    if top < 0 or left < 0:
        raise ValueError(f"digits_as_photographs: digits of {H} x {W} do not fit into {size} x {size}")
    images = np.zeros((N, size, size, 3), digits.dtype)
    images[:, top : top + H, left : left + W] = digits[..., None]
    return images

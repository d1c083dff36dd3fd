"""How much closer to the clean image is the denoised one than the noisy one?"""

import numpy as np

from scratchnet.evaluation.anomalies import add_noise
from scratchnet.evaluation.reconstruction import reconstruction_error
from scratchnet.optional import require

add_gaussian_noise = add_noise  # an anomaly to a detector; to a denoiser, its input


def image_quality(clean, images, samples=1000):
    """``{"mse", "psnr", "ssim"}`` of images against the clean ones, each the mean over the images.

    Args:
        clean: (N, H, W) or (N, H, W, C), values in [0, 1], H and W at least 7.
        images: of the same shape.
        samples: the SSIM, which is slow, is the mean over the first so many images; None: over all.

    PSNR is ``-10 log10(mse)`` in dB (the peak is 1); infinite for an image equal to the clean one. SSIM: Wang et al.,
    "Image quality assessment: from error visibility to structural similarity", 2004, by scikit-image, 1 at best.
    Raises ValueError for different shapes, NaN or infinity.
    """
    similarity = require("skimage.metrics").structural_similarity
    clean, images = np.asarray(clean), np.asarray(images)
    if images.shape != clean.shape or clean.ndim not in (3, 4):
        raise ValueError(f"image_quality: images of shape {images.shape}, clean ones of shape {clean.shape}")
    mse = reconstruction_error(clean, images)  # (N,)
    with np.errstate(divide="ignore"):
        psnr = -10 * np.log10(mse)
    options = {"data_range": 1.0, "channel_axis": -1 if clean.ndim == 4 else None}
    pairs = zip(clean[:samples].astype(np.float64), images[:samples].astype(np.float64))
    ssim = [similarity(a, b, **options) for a, b in pairs]
    return {"mse": float(mse.mean()), "psnr": float(psnr.mean()), "ssim": float(np.mean(ssim))}


def denoising_table(clean, images_by_name, samples=1000):
    """`image_quality` of each set of images as ``(headings, rows)`` of text.

    `images_by_name`: dict from a name ("noisy", a model's) to images of the shape of `clean`.
    """
    rows = []
    for name, images in images_by_name.items():
        quality = image_quality(clean, images, samples)
        rows.append([name, f"{quality['mse']:.5f}", f"{quality['psnr']:.2f}", f"{quality['ssim']:.4f}"])
    return ("images", "MSE", "PSNR (dB)", "SSIM"), rows

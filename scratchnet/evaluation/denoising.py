"""How much nearer to the clean image is the denoised one than the noisy one?"""

import numpy as np

from scratchnet.evaluation.style import require


def denoising_table(clean, images_by_name, samples=1000):
    """Mean squared error, PSNR (dB) and SSIM of each set of images against the clean ones: ``(headings, rows)``.

    Args:
        clean: (N, H, W, C) in [0, 1].
        images_by_name: dict from a name ("noisy", a model) to images of the same shape.
        samples: SSIM, which is slow, is the mean over this many images.

    PSNR is ``-10 log10(mse)`` of each image, averaged (peak 1). SSIM: Wang et al., "Image quality assessment: from error
    visibility to structural similarity", 2004, by scikit-image.
    """
    similarity = require("skimage.metrics", extra="examples").structural_similarity
    clean = np.asarray(clean, dtype=np.float64)
    rows = []
    for name, images in images_by_name.items():
        images = np.asarray(images, dtype=np.float64)
        if images.shape != clean.shape:
            raise ValueError(f"denoising_table: {name} has shape {images.shape}, the clean images {clean.shape}")
        mse = np.square(images - clean).reshape(len(clean), -1).mean(axis=1)
        psnr = -10 * np.log10(np.maximum(mse, 1e-12))
        ssim = [similarity(a, b, data_range=1.0, channel_axis=-1) for a, b in zip(clean[:samples], images[:samples])]
        rows.append([name, f"{mse.mean():.5f}", f"{psnr.mean():.2f}", f"{np.mean(ssim):.4f}"])
    return ("images", "MSE", "PSNR (dB)", "SSIM"), rows

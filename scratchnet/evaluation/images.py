"""Images beside what a model made of them."""

import numpy as np

from scratchnet.evaluation.checks import check_pictures, check_values
from scratchnet.evaluation.reconstruction import reconstruction_error
from scratchnet.evaluation.style import new_figure


def plot_images(rows, count=10, title=None, captions=None, axes=None):
    """Rows of images below one another, such as originals, noisy ones and reconstructions.

    Args:
        rows: dict from a row's label to its images (N, H, W), (N, H, W, 1) or (N, H, W, 3), floats that are shown cut
            to [0, 1]. The k-th column has the k-th image of each row.
        count: how many columns; fewer if a row has fewer images.
        title: of the figure.
        captions: a short text for each column, above the first row; or a dict from a row's label to its texts.
        axes: where to draw, (rows, columns) axes; by default on a figure of its own.

    Returns the figure. Raises ValueError if there is nothing to show, for other shapes, and for NaN or infinity;
    TypeError for images of integers.
    """
    if not rows:
        raise ValueError("plot_images: there are no rows")
    count = min(count, *(len(images) for images in rows.values()))
    if count < 1:
        raise ValueError("plot_images: there are no images")
    rows = {label: check_pictures(f"plot_images: {label!r}", np.asarray(x)[:count]) for label, x in rows.items()}
    if captions is None:
        captions = {}
    elif not isinstance(captions, dict):
        captions = {next(iter(rows)): captions}
    for label, texts in captions.items():
        if label not in rows or len(texts) < count:
            raise ValueError(f"plot_images: {len(texts)} captions for the {count} images of {label!r}")
    if axes is None:
        size = min(7.2 / count, 1.5)  # inches of a picture's side: the labels of the rows take the rest of 8 inches
        height = size * len(rows) + 0.22 * len(captions) + (0.4 if title else 0.1)
        _, axes = new_figure(size * count + 0.8, height, len(rows), count, squeeze=False)
        if title:
            axes[0, 0].figure.suptitle(title, fontsize=12)
    axes = np.asarray(axes, dtype=object)
    if axes.size != len(rows) * count:
        raise ValueError(f"plot_images: {axes.size} axes for {len(rows)} rows of {count} images")
    for line, (label, images) in zip(axes.reshape(len(rows), count), rows.items()):
        for ax, image in zip(line, images):
            ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
        for ax, caption in zip(line, captions.get(label, ())):
            ax.set_title(caption, fontsize=8, pad=3)
    return axes.flat[0].figure


def plot_reconstructions(originals, reconstructions, count=10, title="Originals and reconstructions", axes=None):
    """Originals beside what one or several models made of them: a row for each.

    `reconstructions`: images, or a dict from a model's name to its images; the rest is as of `plot_images`. Returns the
    figure.
    """
    if not isinstance(reconstructions, dict):
        reconstructions = {"reconstructed": reconstructions}
    return plot_images({"original": originals, **reconstructions}, count, title, axes=axes)


def plot_best_and_worst(originals, reconstructions, errors=None, count=8, title=None, axes=None):
    """The images with the smallest and with the largest error, each beside its reconstruction, the error above it.

    Args:
        originals, reconstructions: images (N, H, W), (N, H, W, 1) or (N, H, W, 3), floats in [0, 1].
        errors: (N,); by default the mean squared errors.
        count: how many of each.
        title: of the figure; by default it says what the numbers are.
        axes: where to draw, (4, count) axes; by default on a figure of its own.

    Returns the figure. Raises ValueError for different lengths or shapes, NaN or infinity.
    """
    originals, reconstructions = np.asarray(originals), np.asarray(reconstructions)
    if errors is None:
        errors = reconstruction_error(originals, reconstructions)
        title = title or "Best and worst reconstructed images, and their mean squared errors"
    errors = check_values("plot_best_and_worst", errors)
    if not len(errors) == len(originals) == len(reconstructions):
        raise ValueError(
            f"plot_best_and_worst: {len(originals)} originals, {len(reconstructions)} reconstructions, "
            f"{len(errors)} errors"
        )
    order = np.argsort(errors, kind="stable")
    best, worst = order[:count], order[::-1][:count]
    rows = {
        "best": originals[best],
        "best,\nreconstructed": reconstructions[best],
        "worst": originals[worst],
        "worst,\nreconstructed": reconstructions[worst],
    }
    captions = {name: [f"{e:.4f}" for e in errors[picked]] for name, picked in (("best", best), ("worst", worst))}
    return plot_images(rows, count, title or "Best and worst reconstructed images, and their errors", captions, axes)

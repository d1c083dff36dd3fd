"""Images beside what a model made of them."""

import numpy as np

from scratchnet.evaluation.style import COLOURS, axes_or_new, new_figure


def reconstruction_error(x, y, measure="mse"):
    """The error of each sample: (N, ...) and (N, ...) -> (N,), averaged over all values of a sample.

    `measure`: "mse", "mae" or "bce" (binary cross-entropy, values in [0, 1]).
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape or x.ndim < 2:
        raise ValueError(f"reconstruction_error: originals of shape {x.shape}, reconstructions of shape {y.shape}")
    if measure == "mse":
        errors = np.square(x - y)
    elif measure == "mae":
        errors = np.abs(x - y)
    elif measure == "bce":
        p = np.clip(y, 1e-7, 1 - 1e-7)
        errors = -(x * np.log(p) + (1 - x) * np.log(1 - p))
    else:
        raise ValueError(f'reconstruction_error: measure must be "mse", "mae" or "bce", got {measure!r}')
    return errors.reshape(len(x), -1).mean(axis=1)


def plot_images(rows, count=10, title=None, captions=None):
    """Rows of images below one another, such as originals, noisy ones and reconstructions.

    Args:
        rows: dict from a row's label to its images (N, H, W), (N, H, W, 1) or (N, H, W, 3), values in [0, 1].
        count: how many of each.
        title: of the figure.
        captions: a short text for each column.

    Returns the figure.
    """
    rows = {label: _as_pictures(label, images) for label, images in rows.items()}
    if not rows:
        raise ValueError("plot_images: there are no rows")
    count = min(count, *(len(images) for images in rows.values()))
    if count < 1:
        raise ValueError("plot_images: there are no images")
    height = 0.8 * len(rows) + (0.35 if title else 0) + (0.3 if captions is not None else 0)
    figure, axes = new_figure(8.0, max(height, 1.2), len(rows), count, squeeze=False)
    for line, (label, images) in zip(axes, rows.items()):
        for ax, image in zip(line, images):
            ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    for ax, caption in zip(axes[0], captions if captions is not None else ()):
        ax.set_title(caption, fontsize=8)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def plot_reconstructions(originals, reconstructions, count=10, title="Originals and reconstructions"):
    """Originals beside what one or several models made of them.

    `reconstructions`: images, or a dict from a model's name to its images. Returns the figure.
    """
    if not isinstance(reconstructions, dict):
        reconstructions = {"reconstructed": reconstructions}
    return plot_images({"original": originals, **reconstructions}, count, title)


def plot_error_per_class(errors, labels, names=None, ax=None):
    """The mean reconstruction error of each class, for one model or several.

    Args:
        errors: (N,), or a dict from a model's name to (N,).
        labels: (N,) integers.
        names: of the classes; by default their numbers.

    Returns the figure.
    """
    errors = errors if isinstance(errors, dict) else {"": errors}
    labels = np.ravel(labels)
    classes = np.unique(labels)
    figure, ax = axes_or_new(ax, 8.0, 3.6)
    width = 0.8 / len(errors)
    for k, (name, values) in enumerate(errors.items()):
        if len(values) != len(labels):
            raise ValueError(f"plot_error_per_class: {len(values)} errors, {len(labels)} labels")
        means = [np.mean(np.asarray(values)[labels == c]) for c in classes]
        ax.bar(np.arange(len(classes)) + (k - (len(errors) - 1) / 2) * width, means, width, color=COLOURS[k], label=name)
    ax.set_xticks(range(len(classes)), [str(c) if names is None else names[c] for c in classes])
    ax.set(xlabel="class", ylabel="mean error per value", title="Reconstruction error by class")
    ax.grid(color="0.9", axis="y")
    ax.set_axisbelow(True)
    if len(errors) > 1:
        ax.legend(fontsize="small")
    return figure


def _as_pictures(label, images):
    images = np.asarray(images, dtype=np.float64)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if not (images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)):
        raise ValueError(f"plot_images: {label!r} has shape {images.shape}, expected (N, H, W) or (N, H, W, 3)")
    return np.clip(images, 0, 1)

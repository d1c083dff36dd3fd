"""How far a reconstruction is from its original."""

import numpy as np

from scratchnet.evaluation.checks import check_values
from scratchnet.evaluation.style import axes_or_new, colour

_BLOCK = 1024  # samples at a time, so that the work in float64 takes little memory


def reconstruction_error(x, y, measure="mse"):
    """The error of each sample: originals and reconstructions (N, ...) -> (N,), averaged over all values of a sample.

    `measure`: "mse" (squared difference), "mae" (absolute difference) or "bce" (binary cross-entropy in nats, for
    values in [0, 1]; y is cut at 1e-7).

    Raises ValueError for different or empty shapes, for NaN or infinity, for another measure, and for "bce" of
    originals outside [0, 1].
    """
    if measure not in _MEASURES:
        raise ValueError(f'reconstruction_error: measure must be "mse", "mae" or "bce", got {measure!r}')
    x, y = np.asarray(x), np.asarray(y)
    if x.shape != y.shape or x.ndim < 2 or not x.size:
        raise ValueError(f"reconstruction_error: originals of shape {x.shape}, reconstructions of shape {y.shape}")
    errors = np.empty(len(x))
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, start + _BLOCK)
        a, b = x[rows].astype(np.float64), y[rows].astype(np.float64)
        if measure == "bce" and (a.min() < 0 or a.max() > 1):
            raise ValueError(f'reconstruction_error: "bce" needs originals in [0, 1], got {a.min():g} to {a.max():g}')
        errors[rows] = _MEASURES[measure](a, b).reshape(len(a), -1).mean(axis=1)
    if not np.isfinite(errors).all():
        raise ValueError(f"reconstruction_error: sample {(~np.isfinite(errors)).argmax()} holds NaN or infinity")
    return errors


def error_table(errors, labels, names=None):
    """The mean error of each class and of all samples, as ``(headings, rows)`` of text; a column for each model.

    The arguments, and what is raised, are as of `plot_error_per_class`.
    """
    errors, labels, names = _check("error_table", errors, labels, names)
    rows = [[name, *(f"{values[labels == c].mean():.5f}" for values in errors.values())] for c, name in names.items()]
    rows.append(["all", *(f"{values.mean():.5f}" for values in errors.values())])
    return ("class", *(model or "error" for model in errors)), rows


def plot_error_per_class(errors, labels, names=None, kind="bar", title="Reconstruction error by class", ax=None):
    """The reconstruction error of each class, for one model or several.

    Args:
        errors: (N,), or a dict from a model's name to (N,).
        labels: (N,) or (N, 1) integers.
        names: of the classes, indexed by label; by default their numbers.
        kind: "bar", the mean of each class, or "box": median, quartiles, and the 5 % and 95 % quantiles as whiskers.
        title: of the axes.
        ax: where to draw; by default on a figure of its own.

    Returns the figure. Raises ValueError for another kind, different lengths, no errors, NaN or infinity.
    """
    if kind not in ("bar", "box"):
        raise ValueError(f'plot_error_per_class: kind must be "bar" or "box", got {kind!r}')
    errors, labels, names = _check("plot_error_per_class", errors, labels, names)
    classes = list(names)
    figure, ax = axes_or_new(ax, 8.0, 3.8)
    width = 0.8 / len(errors)
    for k, (name, values) in enumerate(errors.items()):
        places = np.arange(len(classes)) + (k - (len(errors) - 1) / 2) * width
        by_class = [values[labels == c] for c in classes]
        if kind == "bar":
            ax.bar(places, [np.mean(v) for v in by_class], width, color=colour(k), label=name)
        else:
            boxes = ax.boxplot(
                by_class,
                positions=places,
                widths=0.85 * width,
                whis=(5, 95),
                showfliers=False,
                patch_artist=True,
                manage_ticks=False,
                medianprops={"color": "white", "linewidth": 1.5},
            )
            for box in boxes["boxes"]:
                box.set_facecolor(colour(k))
            boxes["boxes"][0].set_label(name)
    long = max(map(len, names.values())) > 6
    ax.set_xticks(range(len(classes)), names.values(), **({"rotation": 30, "ha": "right"} if long else {}))
    ylabel = "mean error per value" if kind == "bar" else "error per value"
    ax.set(xlabel="class", ylabel=ylabel, title=title, ylim=(0, None))
    ax.grid(color="0.9", axis="y")
    ax.set_axisbelow(True)
    if len(errors) > 1:
        ax.legend(fontsize="small", ncols=len(errors), loc="upper center")
        ax.set_ylim(0, 1.15 * ax.get_ylim()[1])
    return figure


def _check(who, errors, labels, names):
    """``(errors, labels, names)``: dicts from a model's name to (N,) and from a class to its name, labels (N,)."""
    labels = np.ravel(labels)
    errors = errors if isinstance(errors, dict) else {"": errors}
    errors = {model: check_values(who, values) for model, values in errors.items()}
    for values in errors.values():
        if len(values) != len(labels):
            raise ValueError(f"{who}: {len(values)} errors, {len(labels)} labels")
    return errors, labels, {c: str(c) if names is None else str(names[c]) for c in np.unique(labels)}


def _binary_crossentropy(x, y):
    p = np.clip(y, 1e-7, 1 - 1e-7)
    return -(x * np.log(p) + (1 - x) * np.log(1 - p))


_MEASURES = {
    "mse": lambda x, y: np.square(x - y),
    "mae": lambda x, y: np.abs(x - y),
    "bce": _binary_crossentropy,
}

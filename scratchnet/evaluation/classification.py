"""How good is a classifier? Judged by its probabilities, not only by the class that it chooses."""

import numpy as np

from scratchnet.evaluation.checks import check_class_names, check_labels, check_pictures, check_probabilities
from scratchnet.evaluation.style import axes_or_new, colour, new_figure
from scratchnet.optional import require

_MOST_COLOURS = 12  # classes whose ROC curves have a colour and a line in the legend; of more, only their range
_MOST_NUMBERS = 20  # classes whose confusion matrix has room for its numbers; of more, only the shades


def one_vs_rest_auc(y_true, probabilities):
    """The area under the ROC curve of each class against the rest: (classes,), NaN where a class has no curve.

    Args:
        y_true: (N,) integer labels, (N, 1), or one-hot (N, classes).
        probabilities: (N, classes), rows with the sum 1.

    A class has no curve if no sample, or every sample, belongs to it. Raises ValueError for anything else than
    described.
    """
    areas = np.full(np.shape(probabilities)[1:2], np.nan)
    for c, (false_positives, true_positives) in _roc_curves("one_vs_rest_auc", y_true, probabilities).items():
        areas[c] = require("sklearn.metrics").auc(false_positives, true_positives)
    return areas


def plot_confusion_matrix(y_true, probabilities, class_names=None, title="Confusion matrix", ax=None):
    """The number of samples of each true class (rows) and predicted class (columns); arguments as `plot_roc_curves`.

    Returns the figure."""
    who = "plot_confusion_matrix"
    y_true, probabilities, names = _check(who, y_true, probabilities, class_names)
    classes = range(len(names))
    matrix = require("sklearn.metrics").confusion_matrix(y_true, probabilities.argmax(axis=1), labels=classes)
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    figure, ax = axes_or_new(ax, 6.8, 5.8)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for i, j in np.ndindex(*matrix.shape) if len(names) <= _MOST_NUMBERS else ():
        ink = "white" if shares[i, j] > 50 else ("black" if matrix[i, j] else "0.65")
        ax.text(j, i, matrix[i, j], ha="center", va="center", fontsize=9, color=ink)
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 3 else {}
    size = 10 if len(names) <= _MOST_NUMBERS else 6
    ax.set_xticks(classes, names, fontsize=size, **turned)
    ax.set_yticks(classes, names, fontsize=size)
    ax.set(xlabel="predicted class", ylabel="true class", title=title)
    figure.colorbar(image, ax=ax, label="% of the samples of the true class", shrink=0.85)
    return figure


def plot_roc_curves(y_true, probabilities, class_names=None, title="ROC: one class against the rest", ax=None):
    """ROC curves of each class against the rest with the areas under them, and their macro average.

    Args:
        y_true: (N,) integer labels, (N, 1), or one-hot (N, classes).
        probabilities: (N, classes), rows with the sum 1.
        class_names: by default the classes' numbers.
        title: of the axes.
        ax: where to draw; by default on a figure of its own.

    The curve of a class comes from its predicted *probability*, which puts all samples in an order; from the predicted
    class it would have a single corner. The macro average is the mean of the curves, each class counting the same
    (Fawcett, "An introduction to ROC analysis", 2006). Where all curves press into the upper left corner, an inset
    shows them over the logarithm of the false positive rate. Returns the figure. Raises ValueError if no class has a
    curve, or for anything else than described.
    """
    who = "plot_roc_curves"
    names = check_class_names(who, class_names, check_probabilities(who, probabilities).shape[1])
    curves = _roc_curves(who, y_true, probabilities)
    if not curves:
        raise ValueError(f"{who}: all samples belong to one class; a ROC curve needs samples of two at least")
    areas = one_vs_rest_auc(y_true, probabilities)
    figure, ax = axes_or_new(ax, 8.0, 5.0)
    panels = [ax]
    if np.nanmin(areas) > 0.95:
        panels.append(ax.inset_axes([0.36, 0.1, 0.6, 0.6], xscale="log", xlim=(1e-4, 1), ylim=(0.8, 1.01)))
    # The curves jump: the mean is taken at every jump of any of them, and just before it.
    jumps = np.unique(np.concatenate([false_positives for false_positives, _ in curves.values()]))
    rates = np.sort(np.concatenate([jumps, np.nextafter(jumps[1:], 0)]))
    mean = np.mean([np.interp(rates, *curve) for curve in curves.values()], axis=0)
    rates, mean = np.r_[0, rates], np.r_[0, mean]
    for panel in panels:
        for c, (false_positives, true_positives) in curves.items():
            line = {"color": colour(c), "linestyle": "-" if c < 8 else "-.", "linewidth": 1.4}
            if len(curves) > _MOST_COLOURS:
                line = {"color": "0.7", "linewidth": 0.8}
            panel.plot(false_positives, true_positives, label=f"{names[c]} ({areas[c]:.4f})", **line)
        panel.plot(rates, mean, "k--", linewidth=2, label=f"macro average ({np.nanmean(areas):.4f})")
        panel.grid(color="0.9")
    if len(panels) == 2:
        panels[1].tick_params(labelsize=8)
        cover = {"facecolor": "white", "linewidth": 0, "pad": 1}  # the line of chance passes below the title
        panels[1].set_title("the same, logarithmic rate", fontsize=9, bbox=cover)
    ax.plot([0, 1], [0, 1], ":", color="0.5", linewidth=1, label="chance (0.5000)")
    ax.set(xlabel="false positive rate", ylabel="true positive rate", title=title)
    handles, labels = ax.get_legend_handles_labels()
    if len(curves) > _MOST_COLOURS:
        labels[-3] = f"{len(curves)} classes\n({np.nanmin(areas):.4f} to {np.nanmax(areas):.4f})"
        handles, labels = handles[-3:], labels[-3:]
    ax.legend(handles, labels, title="class (AUC)", fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def plot_mistakes(images, y_true, probabilities, class_names=None, count=15, title="The surest mistakes", axes=None):
    """The wrongly classified images of which the model was most certain, the surest first.

    Args:
        images: (N, H, W), (N, H, W, 1) or (N, H, W, 3), floats in [0, 1].
        y_true, probabilities, class_names: as of `plot_roc_curves`.
        count: at most so many.
        axes: where to draw, as many as pictures or more; by default on a figure of its own.

    Above each image: the predicted class and its probability, and the true class. Returns the figure. Raises ValueError
    if there are no mistakes, or for anything else than described.
    """
    who = "plot_mistakes"
    y_true, probabilities, names = _check(who, y_true, probabilities, class_names)
    if len(images) != len(y_true):
        raise ValueError(f"{who}: {len(images)} images, {len(y_true)} labels")
    if count < 1:
        raise ValueError(f"{who}: count must be at least 1, got {count}")
    y_pred = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(y_pred != y_true)
    if not len(wrong):
        raise ValueError(f"{who}: there are no mistakes to show")
    surest = wrong[np.argsort(-probabilities[wrong, y_pred[wrong]], kind="stable")][:count]
    pictures = check_pictures(who, np.asarray(images)[surest])
    if axes is None:
        columns = min(5, len(surest))
        rows = -(-len(surest) // columns)
        figure, axes = new_figure(max(1.6 * columns, 4.0), 1.8 * rows + 0.6, rows, columns, squeeze=False)
        figure.suptitle(f"{title}\npredicted class and its probability, true class", fontsize=11)
    axes = np.ravel(axes)
    if len(axes) < len(surest):
        raise ValueError(f"{who}: {len(axes)} axes for {len(surest)} pictures")
    for ax in axes:
        ax.set_axis_off()
    for ax, picture, k in zip(axes, pictures, surest):
        ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        share = 100 * probabilities[k, y_pred[k]]
        ax.set_title(f"{names[y_pred[k]]} ({share:.1f} %)\ntrue: {names[y_true[k]]}", fontsize=9)
    return axes[0].figure


def _check(who, y_true, probabilities, class_names):
    probabilities = check_probabilities(who, probabilities)
    samples, classes = probabilities.shape
    return check_labels(who, y_true, classes, samples), probabilities, check_class_names(who, class_names, classes)


def _roc_curves(who, y_true, probabilities):
    """{class: (false positive rates, true positive rates)} of the classes that have a curve."""
    metrics, preprocessing = require("sklearn.metrics"), require("sklearn.preprocessing")
    y_true, probabilities, names = _check(who, y_true, probabilities, None)
    is_class = preprocessing.label_binarize(y_true, classes=range(len(names)))  # (N, classes), of two classes (N, 1)
    if len(names) == 2:
        is_class = np.hstack([1 - is_class, is_class])
    return {
        c: metrics.roc_curve(is_class[:, c], probabilities[:, c])[:2]
        for c in range(len(names))
        if is_class[:, c].min() < is_class[:, c].max()
    }

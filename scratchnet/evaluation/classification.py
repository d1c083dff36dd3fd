"""How good are classifiers: from the probabilities that they give, not only from the class that they choose."""

import os

import numpy as np

from scratchnet.evaluation.curves import plot_curves
from scratchnet.evaluation.style import COLOURS, axes_or_new, markdown_table, new_figure, require, save_figure, text_table


class ClassifierReport:
    """The validation report of one classifier or several on the same test data.

    Args:
        y_true: (N,) integer labels; (N, 1) and one-hot (N, classes) are understood.
        probabilities: dict from a model's name to its predicted probabilities (N, classes).
        class_names: by default the classes' numbers.
        histories: dict from a model's name to its History, for the curves.

    Raises ValueError where shapes do not match, or rows are not probabilities.
    """

    def __init__(self, y_true, probabilities, class_names=None, histories=None):
        self.probabilities = {}
        for name, p in probabilities.items():
            self.probabilities[name] = _check_probabilities(name, p)
        if not self.probabilities:
            raise ValueError("ClassifierReport: there are no classifiers")
        self.classes = next(iter(self.probabilities.values())).shape[1]
        self.y_true = _as_labels(y_true, self.classes)
        for name, p in self.probabilities.items():
            if p.shape != (len(self.y_true), self.classes):
                raise ValueError(f"{name}: probabilities of shape {p.shape} for {len(self.y_true)} labels")
        self.class_names = [str(c) for c in range(self.classes)] if class_names is None else list(class_names)
        self.histories = histories or {}

    def summary_rows(self):
        """For each model: name, test loss, accuracy, and macro-averaged precision, recall and F1."""
        metrics = require("sklearn.metrics")
        rows = []
        for name, p in self.probabilities.items():
            y_pred = p.argmax(axis=1)
            loss = -np.log(np.clip(p[np.arange(len(p)), self.y_true], 1e-7, 1)).mean()
            precision, recall, f1, _ = metrics.precision_recall_fscore_support(
                self.y_true, y_pred, labels=range(self.classes), average="macro", zero_division=0
            )
            accuracy = metrics.accuracy_score(self.y_true, y_pred)
            rows.append([name, f"{loss:.4f}", *(f"{100 * v:.2f} %" for v in (accuracy, precision, recall, f1))])
        return rows

    headings = ("model", "test loss", "accuracy", "precision", "recall", "F1")

    def classification_report(self, name):
        """scikit-learn's report for one model, as text."""
        y_pred = self.probabilities[name].argmax(axis=1)
        return require("sklearn.metrics").classification_report(
            self.y_true, y_pred, labels=range(self.classes), target_names=self.class_names, digits=4, zero_division=0
        )

    def __str__(self):
        parts = [f"{name}\n{self.classification_report(name)}" for name in self.probabilities]
        return "\n".join([*parts, text_table(self.headings, self.summary_rows())])

    def to_markdown(self):
        """The summary table and each model's report as Markdown."""
        parts = [markdown_table(self.headings, self.summary_rows())]
        parts += [f"## {name}\n\n```\n{self.classification_report(name)}```" for name in self.probabilities]
        return "\n\n".join(parts) + "\n"

    def save(self, folder, images=None):
        """Write the report and its pictures into `folder`; returns the paths.

        `images`: the test images, for the pictures of the most confident mistakes.
        """
        os.makedirs(folder, exist_ok=True)
        paths = [os.path.join(folder, "report.md")]
        with open(paths[0], "w", encoding="utf-8") as file:
            file.write(self.to_markdown())
        if self.histories:
            paths.append(save_figure(plot_curves(self.histories), os.path.join(folder, "curves.png")))
        for name, p in self.probabilities.items():
            stem = os.path.join(folder, name.lower().replace(" ", "_"))
            pictures = {
                "confusion": plot_confusion_matrix(self.y_true, p, self.class_names, title=f"{name}: confusion matrix"),
                "roc": plot_roc_curves(self.y_true, p, self.class_names, title=f"{name}: one class against the rest"),
            }
            if images is not None and (p.argmax(axis=1) != self.y_true).any():
                pictures["mistakes"] = plot_mistakes(images, self.y_true, p, self.class_names, title=f"{name}: surest mistakes")
            paths += [save_figure(figure, f"{stem}_{what}.png") for what, figure in pictures.items()]
        return paths


def plot_confusion_matrix(y_true, probabilities, class_names=None, title="Confusion matrix", ax=None):
    """How many samples of each true class (rows) were given which class (columns). Returns the figure."""
    probabilities = _check_probabilities("plot_confusion_matrix", probabilities)
    classes = probabilities.shape[1]
    y_true = _as_labels(y_true, classes)
    matrix = require("sklearn.metrics").confusion_matrix(y_true, probabilities.argmax(axis=1), labels=range(classes))
    figure, ax = axes_or_new(ax, 6.5, 5.8)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(*matrix.shape):
        ax.text(j, i, matrix[i, j], ha="center", va="center", fontsize=8, color="white" if shares[i, j] > 0.5 else "black")
    names = [str(c) for c in range(classes)] if class_names is None else class_names
    rotation = 45 if max(map(len, names)) > 3 else 0
    ax.set_xticks(range(classes), names, rotation=rotation, ha="right" if rotation else "center", rotation_mode="anchor")
    ax.set_yticks(range(classes), names)
    ax.set(xlabel="predicted class", ylabel="true class", title=title)
    figure.colorbar(image, ax=ax, label="share of the true class", shrink=0.8)
    return figure


def plot_roc_curves(y_true, probabilities, class_names=None, title="One class against the rest", ax=None):
    """ROC curves of each class against the rest, from its predicted probability, with the areas under them.

    From the predicted *class* a curve would have a single corner; the probability orders all samples. Returns the figure.
    """
    metrics, preprocessing = require("sklearn.metrics"), require("sklearn.preprocessing")
    probabilities = _check_probabilities("plot_roc_curves", probabilities)
    classes = probabilities.shape[1]
    y_true = _as_labels(y_true, classes)
    is_class = preprocessing.label_binarize(y_true, classes=range(classes))
    if classes == 2:
        is_class = np.hstack([1 - is_class, is_class])
    figure, ax = axes_or_new(ax, 6.8, 5.0)
    names = [str(c) for c in range(classes)] if class_names is None else class_names
    areas = []
    for c, name in enumerate(names):
        if is_class[:, c].min() == is_class[:, c].max():
            continue  # a class without samples, or without others, has no curve
        false_positives, true_positives, _ = metrics.roc_curve(is_class[:, c], probabilities[:, c])
        areas.append(metrics.auc(false_positives, true_positives))
        colour = COLOURS[c % len(COLOURS)]
        ax.plot(false_positives, true_positives, color=colour, linewidth=1.3, label=f"{name} (AUC {areas[-1]:.4f})")
    ax.plot([0, 1], [0, 1], ":", color="0.5", linewidth=1)
    mean = f", mean AUC {np.mean(areas):.4f}" if areas else ""
    ax.set(xlabel="false positive rate", ylabel="true positive rate", title=f"{title}{mean}")
    ax.grid(color="0.9")
    ax.legend(fontsize="small", loc="lower right")
    return figure


def plot_mistakes(images, y_true, probabilities, class_names=None, count=12, title="The surest mistakes"):
    """The wrongly classified images of which the model was most certain. Returns the figure.

    Raises ValueError if there are no mistakes.
    """
    probabilities = _check_probabilities("plot_mistakes", probabilities)
    y_true = _as_labels(y_true, probabilities.shape[1])
    images = np.asarray(images, dtype=np.float64)
    if len(images) != len(y_true):
        raise ValueError(f"plot_mistakes: {len(images)} images, {len(y_true)} labels")
    y_pred = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(y_pred != y_true)
    if not len(wrong):
        raise ValueError("plot_mistakes: there are no mistakes to show")
    surest = wrong[np.argsort(-probabilities[wrong, y_pred[wrong]], kind="stable")][:count]
    names = [str(c) for c in range(probabilities.shape[1])] if class_names is None else class_names
    columns = min(6, len(surest))
    lines = -(-len(surest) // columns)
    figure, axes = new_figure(8.0, 1.75 * lines + 0.4, lines, columns, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, k in zip(axes.flat, surest):
        ax.imshow(np.clip(np.squeeze(images[k]), 0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        share = 100 * probabilities[k, y_pred[k]]
        ax.set_title(f"{names[y_pred[k]]} ({share:.0f} %)\nis {names[y_true[k]]}", fontsize=8)
    figure.suptitle(title, fontsize=11)
    return figure


def _check_probabilities(name, p):
    p = np.asarray(p, dtype=np.float64)
    if p.ndim != 2 or p.shape[1] < 2:
        raise ValueError(f"{name}: expected probabilities of shape (N, classes), got {p.shape}")
    if not np.isfinite(p).all() or p.min() < 0 or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        raise ValueError(f"{name}: rows must be probabilities: finite, not negative, with the sum 1")
    return p


def _as_labels(y, classes):
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    elif y.ndim == 2:
        y = y.argmax(axis=1)
    if y.ndim != 1 or y.dtype.kind not in "iu" or (y.size and (y.min() < 0 or y.max() >= classes)):
        raise ValueError(f"expected integer labels from 0 to {classes - 1}, got dtype {y.dtype} and shape {y.shape}")
    return y

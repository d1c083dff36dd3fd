"""The validation report of a set of classifiers on the same test data."""

import os
import re

import numpy as np

from scratchnet.evaluation.checks import check_class_names, check_labels, check_probabilities
from scratchnet.evaluation.classification import (
    one_vs_rest_auc,
    plot_confusion_matrix,
    plot_mistakes,
    plot_roc_curves,
)
from scratchnet.evaluation.curves import plot_curves
from scratchnet.evaluation.style import markdown_table, save_figure, text_table
from scratchnet.optional import require


def evaluate_classifiers(classifiers, y_true, x=None, class_names=None, histories=None, batch_size=None):
    """The `ClassifierReport` of models, or of the probabilities that they gave.

    Args:
        classifiers: dict from a name to probabilities (N, classes), or to a model with ``predict(x, verbose=0)``.
        y_true: (N,) integer labels, (N, 1), or one-hot (N, classes).
        x: what the models are given; a dict from a name to arrays where they take different shapes.
        class_names, histories: as of `ClassifierReport`.
        batch_size: of the models' prediction, by default the models' own.

    Raises ValueError for a model without `x`, and as `ClassifierReport` does.
    """
    options = {} if batch_size is None else {"batch_size": batch_size}
    probabilities = {}
    for name, classifier in classifiers.items():
        if hasattr(classifier, "predict"):
            inputs = x.get(name) if isinstance(x, dict) else x
            if inputs is None:
                raise ValueError(f"evaluate_classifiers: {name!r} is a model; x, its test inputs, is missing")
            classifier = classifier.predict(inputs, verbose=0, **options)
        probabilities[name] = classifier
    return ClassifierReport(y_true, probabilities, class_names, histories)


class ClassifierReport:
    """How one classifier or several do on the same test data. `print` it, `to_markdown()` it, `save()` it.

    Args:
        y_true: (N,) integer labels. (N, 1) is understood, and so is one-hot: (N, classes) with one 1 in each row.
        probabilities: dict from a model's name to its predicted probabilities (N, classes): finite, not negative, each
            row with the sum 1.
        class_names: by default the classes' numbers.
        histories: dict from a model's name to its History, for the curves.

    The test loss is the mean cross-entropy in nats of the probabilities (cut at 1e-7, as in training). Precision,
    recall and F1 are macro averages: of all classes, each counting the same.

    Raises ValueError, naming the model, where shapes do not match or rows are not probabilities.
    """

    headings = ("model", "test loss", "accuracy", "precision", "recall", "F1")

    def __init__(self, y_true, probabilities, class_names=None, histories=None):
        if not probabilities:
            raise ValueError("ClassifierReport: there are no classifiers")
        self.probabilities = {name: check_probabilities(name, p) for name, p in probabilities.items()}
        first, p = next(iter(self.probabilities.items()))
        self.classes = p.shape[1]
        self.y_true = check_labels(first, y_true, self.classes, len(p))
        for name, other in self.probabilities.items():
            if other.shape != p.shape:
                raise ValueError(f"{name}: probabilities of shape {other.shape}, but those of {first} are {p.shape}")
        self.class_names = check_class_names("ClassifierReport", class_names, self.classes)
        self.histories = histories or {}

    def scores(self):
        """``{model: {"loss", "accuracy", "precision", "recall", "f1", "auc"}}``, as numbers.

        "auc" is the mean of the one-vs-rest areas, from the probabilities.
        """
        metrics = require("sklearn.metrics")
        table = {}
        for name, p in self.probabilities.items():
            y_pred = p.argmax(axis=1)
            of_true_class = p[np.arange(len(p)), self.y_true]  # (N,)
            precision, recall, f1, _ = metrics.precision_recall_fscore_support(
                self.y_true, y_pred, labels=range(self.classes), average="macro", zero_division=0
            )
            areas = one_vs_rest_auc(self.y_true, p)
            table[name] = {
                "loss": float(-np.log(np.clip(of_true_class, 1e-7, 1)).mean()),
                "accuracy": float(metrics.accuracy_score(self.y_true, y_pred)),
                "precision": float(precision),
                "recall": float(recall),
                "f1": float(f1),
                "auc": float("nan") if np.isnan(areas).all() else float(np.nanmean(areas)),
            }
        return table

    def summary_rows(self):
        """For each model: name, test loss, accuracy, and macro-averaged precision, recall and F1, as text."""
        shares = ("accuracy", "precision", "recall", "f1")
        return [
            [name, f"{scores['loss']:.4f}", *(f"{100 * scores[share]:.2f} %" for share in shares)]
            for name, scores in self.scores().items()
        ]

    def classification_report(self, name):
        """scikit-learn's report for one model, as text."""
        y_pred = self.probabilities[name].argmax(axis=1)
        return require("sklearn.metrics").classification_report(
            self.y_true, y_pred, labels=range(self.classes), target_names=self.class_names, digits=4, zero_division=0
        )

    def __str__(self):
        parts = [f"{name}\n{self.classification_report(name)}" for name in self.probabilities]
        return "\n".join([*parts, text_table(self.headings, self.summary_rows())])

    def to_markdown(self, pictures=None):
        """The summary table and each model's report as Markdown.

        `pictures`: dict from a model's name (None: of all models) to the file names of pictures to show with it.
        """
        pictures = pictures or {}
        scores = self.scores()
        parts = [f"# Classifiers on {len(self.y_true):,} test samples"]
        parts += [markdown_table(self.headings, self.summary_rows())]
        parts += [f"![learning curves]({file})" for file in pictures.get(None, ())]
        for name in self.probabilities:
            parts += [f"## {name}", f"ROC-AUC, one class against the rest, mean: {scores[name]['auc']:.4f}"]
            parts += [f"```\n{self.classification_report(name).rstrip()}\n```"]
            parts += [f"![{name}]({file})" for file in pictures.get(name, ())]
        return "\n\n".join(parts) + "\n"

    def save(self, folder, images=None):
        """Write the report (report.md) and its pictures into `folder`, made if need be; returns the list of the paths.

        Args:
            folder: where to write. For each model there are NAME_confusion.png, NAME_roc.png and, with `images`,
                NAME_mistakes.png; curves.png if there are histories.
            images: the test images, for the most confident mistakes.

        A ROC picture is left out if all samples belong to one class, the mistakes if there are none.
        """
        if images is not None and len(images) != len(self.y_true):
            raise ValueError(f"ClassifierReport: {len(images)} images for {len(self.y_true)} labels")
        os.makedirs(folder, exist_ok=True)
        figures = {None: {"curves": plot_curves(self.histories)}} if self.histories else {}
        for name, stem in zip(self.probabilities, _stems(self.probabilities)):
            figures[name] = {f"{stem}_{what}": figure for what, figure in self._figures(name, images)}
        files = {name: [f"{stem}.png" for stem in of_model] for name, of_model in figures.items()}
        report = os.path.join(folder, "report.md")
        with open(report, "w", encoding="utf-8") as file:
            file.write(self.to_markdown(files))
        return [report] + [
            save_figure(figure, os.path.join(folder, f"{stem}.png"))
            for of_model in figures.values()
            for stem, figure in of_model.items()
        ]

    def _figures(self, name, images):
        p = self.probabilities[name]
        yield "confusion", plot_confusion_matrix(self.y_true, p, self.class_names, f"{name}: confusion matrix")
        if self.y_true.min() < self.y_true.max():
            yield "roc", plot_roc_curves(self.y_true, p, self.class_names, f"{name}: ROC, one class against the rest")
        if images is not None and (p.argmax(axis=1) != self.y_true).any():
            yield "mistakes", plot_mistakes(images, self.y_true, p, self.class_names, title=f"{name}: surest mistakes")


def _stems(names):
    """A file name for each model's name, none of them twice."""
    stems = []
    for name in names:
        plain = re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_") or "model"
        taken = sum(stem == plain or stem.startswith(f"{plain}-") for stem in stems)
        stems.append(f"{plain}-{taken + 1}" if taken else plain)
    return stems

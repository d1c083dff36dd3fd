"""How good is it? Reports, pictures and detectors for trained models.

scikit-learn, matplotlib and scikit-image are imported when something that needs them is used. Every plot takes arrays
(or a History), draws on the axes it is given or on a figure of its own, and returns a `matplotlib.figure.Figure` that a
notebook shows and that `show` opens in a window; it is not registered with pyplot, so it is freed like any other
object.
"""

from typing import TYPE_CHECKING

from scratchnet.evaluation.anomalies import (
    add_noise,
    digits_as_photographs,
    hold_out_class,
    occlude_block,
    shuffle_rows,
)
from scratchnet.evaluation.classification import (
    one_vs_rest_auc,
    plot_confusion_matrix,
    plot_mistakes,
    plot_roc_curves,
)
from scratchnet.evaluation.codes import plot_codes
from scratchnet.evaluation.curves import plot_curves
from scratchnet.evaluation.denoising import add_gaussian_noise, denoising_table, image_quality
from scratchnet.evaluation.detection import detection_scores, detection_table, plot_error_histogram
from scratchnet.evaluation.few_labels import few_labels_accuracy, few_labels_table, plot_few_labels
from scratchnet.evaluation.images import plot_best_and_worst, plot_images, plot_reconstructions
from scratchnet.evaluation.intervals import (
    errors_of_points,
    find_intervals,
    interval_scores,
    mark_intervals,
    plot_intervals,
    recall_by_kind,
)
from scratchnet.evaluation.reconstruction import error_table, plot_error_per_class, reconstruction_error
from scratchnet.evaluation.report import ClassifierReport, evaluate_classifiers
from scratchnet.evaluation.style import COLOURS, markdown_table, save_figure, text_table
from scratchnet.missing import closest

if TYPE_CHECKING:
    from scratchnet.evaluation.detector import ReconstructionDetector

__all__ = [
    "COLOURS",
    "ClassifierReport",
    "ReconstructionDetector",
    "add_gaussian_noise",
    "add_noise",
    "denoising_table",
    "detection_scores",
    "detection_table",
    "digits_as_photographs",
    "error_table",
    "errors_of_points",
    "evaluate_classifiers",
    "few_labels_accuracy",
    "few_labels_table",
    "find_intervals",
    "hold_out_class",
    "image_quality",
    "interval_scores",
    "mark_intervals",
    "markdown_table",
    "occlude_block",
    "one_vs_rest_auc",
    "plot_best_and_worst",
    "plot_codes",
    "plot_confusion_matrix",
    "plot_curves",
    "plot_error_histogram",
    "plot_error_per_class",
    "plot_few_labels",
    "plot_images",
    "plot_intervals",
    "plot_mistakes",
    "plot_reconstructions",
    "plot_roc_curves",
    "recall_by_kind",
    "reconstruction_error",
    "save_figure",
    "shuffle_rows",
    "text_table",
]


def __getattr__(name):
    if name == "ReconstructionDetector":  # its base class is scikit-learn's
        from scratchnet.evaluation.detector import ReconstructionDetector

        return ReconstructionDetector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{closest(name, __all__)}")


def __dir__():
    return __all__

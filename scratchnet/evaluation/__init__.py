"""How good is it? Reports, pictures and detectors for trained models.

scikit-learn, matplotlib and scikit-image are imported when something that needs them is used. Every plot takes arrays
(or a History), draws on the axes it is given or on a figure of its own, and returns the `matplotlib.figure.Figure`;
none is shown, and pyplot never hears of it, so that figures are freed like any other object.
"""

import importlib

_MODULES = {
    "anomalies": ("add_noise", "digits_as_photographs", "hold_out_class", "occlude_block", "shuffle_rows"),
    "classification": ("one_vs_rest_auc", "plot_confusion_matrix", "plot_mistakes", "plot_roc_curves"),
    "codes": ("plot_codes",),
    "curves": ("plot_curves",),
    "denoising": ("add_gaussian_noise", "denoising_table", "image_quality"),
    "detection": ("detection_scores", "detection_table", "plot_error_histogram"),
    "detector": ("ReconstructionDetector",),
    "images": ("plot_best_and_worst", "plot_images", "plot_reconstructions"),
    "reconstruction": ("error_table", "plot_error_per_class", "reconstruction_error"),
    "report": ("ClassifierReport", "evaluate_classifiers"),
    "style": ("COLOURS", "markdown_table", "save_figure", "text_table"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})

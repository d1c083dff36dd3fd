"""How good is it? Reports, pictures and detectors for trained models.

scikit-learn, matplotlib and scikit-image are imported when a function that needs them is called. Every plot takes arrays
(or a History), draws on the axes it is given or on a figure of its own, and returns the figure; none is shown.
"""

import importlib

_MODULES = {
    "anomalies": ("add_noise", "digits_as_photographs", "occlude_block", "shuffle_rows"),
    "classification": (
        "ClassifierReport",
        "plot_confusion_matrix",
        "plot_mistakes",
        "plot_roc_curves",
    ),
    "codes": ("plot_codes",),
    "curves": ("plot_curves",),
    "denoising": ("denoising_table",),
    "detector": ("ReconstructionDetector", "detection_table", "plot_error_histogram"),
    "reconstruction": ("plot_error_per_class", "plot_images", "plot_reconstructions", "reconstruction_error"),
    "style": ("markdown_table", "save_figure", "text_table"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__

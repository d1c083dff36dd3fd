"""Finding what does not belong: an autoencoder reconstructs badly what it was not trained on."""

import numpy as np

from scratchnet.evaluation.reconstruction import reconstruction_error
from scratchnet.evaluation.style import COLOURS, axes_or_new, require

_base = require("sklearn.base")


class ReconstructionDetector(_base.OutlierMixin, _base.BaseEstimator):
    """An outlier detector by reconstruction error, in the manner of scikit-learn's.

    Args:
        model: a trained autoencoder; anything with ``predict(X)`` that gives arrays of X's shape.
        quantile: in (0, 1): the share of normal data that counts as normal. The threshold is this quantile of the errors
            on the data given to `fit`, which have to be normal; anomalies play no part in it.
        measure: "mse", "mae" or "bce"; see `reconstruction_error`.

    Attributes (after fit):
        threshold_: the largest error that counts as normal.
        offset_: ``-threshold_``, as scikit-learn counts: score_samples - offset_ = decision_function.
    """

    def __init__(self, model=None, quantile=0.95, measure="mse"):
        self.model = model
        self.quantile = quantile
        self.measure = measure

    def fit(self, X, y=None):
        """Set the threshold from normal data X (N, ...); y is not used. Returns self."""
        if not 0 < self.quantile < 1:
            raise ValueError(f"ReconstructionDetector: quantile must be between 0 and 1, got {self.quantile!r}")
        errors = self.errors(X)
        self.threshold_ = float(np.quantile(errors, self.quantile))
        self.offset_ = -self.threshold_
        self.n_features_in_ = int(np.prod(np.shape(X)[1:]))
        return self

    def errors(self, X):
        """The reconstruction error of each sample (N,)."""
        X = np.asarray(X)
        if not np.isfinite(X).all():
            raise ValueError("ReconstructionDetector: X holds NaN or infinity")
        try:
            Y = self.model.predict(X, verbose=0)
        except TypeError:  # a model that is not Keras-like
            Y = self.model.predict(X)
        return reconstruction_error(X, Y, self.measure)

    def score_samples(self, X):
        """The higher, the more normal: the negative error of each sample (N,)."""
        return -self.errors(X)

    def decision_function(self, X):
        """Positive for normal samples, negative for outliers (N,)."""
        require("sklearn.utils.validation").check_is_fitted(self, "threshold_")
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """1 for normal samples, -1 for outliers (N,)."""
        return np.where(self.decision_function(X) >= 0, 1, -1)


def detection_table(errors_normal, errors_by_kind, threshold):
    """How well a threshold tells each kind of anomaly from normal data: ``(headings, rows)``.

    Args:
        errors_normal: (N,) errors of normal test data.
        errors_by_kind: dict from a kind of anomaly to its errors (M,).
        threshold: errors above it are called anomalies.

    Rows: kind, ROC-AUC of the error, precision and recall at the threshold.
    """
    metrics = require("sklearn.metrics")
    rows = []
    for kind, errors in errors_by_kind.items():
        truth = np.r_[np.zeros(len(errors_normal)), np.ones(len(errors))]
        scores = np.r_[errors_normal, errors]
        flagged = scores > threshold
        precision = metrics.precision_score(truth, flagged, zero_division=0)
        recall = metrics.recall_score(truth, flagged)
        rows.append([kind, f"{metrics.roc_auc_score(truth, scores):.4f}", f"{precision:.3f}", f"{recall:.3f}"])
    return ("anomaly", "ROC-AUC", "precision", "recall"), rows


def plot_error_histogram(errors_normal, errors_by_kind, threshold, ax=None):
    """Histograms of the errors of normal data and of each kind of anomaly, and the threshold. Returns the figure."""
    figure, ax = axes_or_new(ax, 8.0, 4.2)
    everything = np.concatenate([errors_normal, *errors_by_kind.values()])
    bins = np.geomspace(max(everything.min(), 1e-8), everything.max() * 1.0001, 60)
    ax.hist(errors_normal, bins, weights=_share(errors_normal), color="0.75", label="normal")
    for colour, (kind, errors) in zip(COLOURS, errors_by_kind.items()):
        ax.hist(errors, bins, weights=_share(errors), histtype="step", color=colour, linewidth=1.6, label=kind)
    ax.axvline(threshold, color="black", linestyle="--", linewidth=1.2, label=f"threshold {threshold:.4f}")
    ax.set(xscale="log", xlabel="reconstruction error (log scale)", ylabel="share of images")
    ax.set_title("Errors of normal and strange images")
    ax.grid(color="0.9")
    ax.set_axisbelow(True)
    ax.legend(fontsize="small")
    return figure


def _share(errors):
    return np.full(len(errors), 1 / max(len(errors), 1))


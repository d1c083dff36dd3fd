"""How well do reconstruction errors separate anomalies from normal samples?"""

import numpy as np

from scratchnet.evaluation.checks import check_values
from scratchnet.evaluation.style import axes_or_new, colour
from scratchnet.optional import require


def detection_scores(errors_normal, errors_by_kind, threshold):
    """``{kind: {"roc_auc", "precision", "recall", "anomalies"}}``: how each kind of anomaly is told from normal data.

    Args:
        errors_normal: (N,) errors of normal test data.
        errors_by_kind: dict from a kind of anomaly to its errors (M,).
        threshold: errors above it are called anomalies.

    The ROC-AUC does not depend on the threshold: it is the chance that an anomaly has a larger error than a normal
    sample. 0.5 is guessing, and below it anomalies are reconstructed *better*. The precision, the share of true ones
    among what is called an anomaly, depends on how many anomalies (M, "anomalies") stand beside how many normal
    samples; it is 0 where nothing is called one. Raises ValueError without errors, and for NaN or infinity.
    """
    metrics = require("sklearn.metrics")
    errors_normal = check_values("detection_scores", errors_normal, "errors of normal data")
    scores = {}
    for kind, errors in errors_by_kind.items():
        errors = check_values("detection_scores", errors, f"errors of {kind!r}")
        truth = np.r_[np.zeros(len(errors_normal)), np.ones(len(errors))]
        both = np.r_[errors_normal, errors]
        scores[kind] = {
            "roc_auc": float(metrics.roc_auc_score(truth, both)),
            "precision": float(metrics.precision_score(truth, both > threshold, zero_division=0)),
            "recall": float(metrics.recall_score(truth, both > threshold)),
            "anomalies": len(errors),
        }
    return scores


def detection_table(errors_normal, errors_by_kind, threshold):
    """`detection_scores` as ``(headings, rows)`` of text."""
    rows = [
        [kind, f"{s['roc_auc']:.4f}", f"{s['precision']:.3f}", f"{s['recall']:.3f}", f"{s['anomalies']:,}"]
        for kind, s in detection_scores(errors_normal, errors_by_kind, threshold).items()
    ]
    return ("anomaly", "ROC-AUC", "precision", "recall", f"images (normal: {len(errors_normal):,})"), rows


def plot_error_histogram(
    errors_normal, errors_by_kind, threshold, title="Errors of normal and strange images", measure="MSE", ax=None
):
    """Histograms of the errors of normal data and of each kind of anomaly, and the threshold.

    `measure` names the error on its axis, which is logarithmic; the rest is as of `detection_scores`. Returns the
    figure. Raises ValueError without errors, and for NaN or infinity.
    """
    who = "plot_error_histogram"
    errors_normal = check_values(who, errors_normal, "errors of normal data")
    errors_by_kind = {kind: check_values(who, e, f"errors of {kind!r}") for kind, e in errors_by_kind.items()}
    # An error of exactly 0 has no place on a logarithmic axis: it is counted in the first bin.
    everything = np.maximum(np.concatenate([errors_normal, *errors_by_kind.values(), [threshold]]), 1e-8)
    fewest = min(map(len, [errors_normal, *errors_by_kind.values()]))
    count = int(np.clip(2 * np.sqrt(fewest), 20, 60))  # bins that are wide enough to hold some of the fewest
    bins = np.geomspace(everything.min() / 1.01, everything.max() * 1.01, count + 1)
    figure, ax = axes_or_new(ax, 8.0, 4.2)
    ax.hist(np.maximum(errors_normal, 1e-8), bins, weights=_percent(errors_normal), color="0.78", label="normal")
    for k, (kind, errors) in enumerate(errors_by_kind.items()):
        options = {"histtype": "step", "color": colour(k), "linewidth": 1.6, "label": kind}
        ax.hist(np.maximum(errors, 1e-8), bins, weights=_percent(errors), **options)
    ax.axvline(threshold, color="black", linestyle="--", linewidth=1.2, label=f"threshold {threshold:.4g}")
    ax.set(xscale="log", xlabel=f"reconstruction error ({measure}, logarithmic)", ylabel="% of the images", title=title)
    ticker = require("matplotlib.ticker")
    ax.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    ax.xaxis.set_minor_formatter(ticker.NullFormatter())
    ax.grid(color="0.9")
    ax.set_axisbelow(True)
    ax.legend(fontsize="small")
    return figure


def _percent(errors):
    return np.full(len(errors), 100 / len(errors))

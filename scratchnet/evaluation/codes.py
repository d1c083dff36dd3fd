"""Where an encoder puts its inputs."""

import numpy as np

from scratchnet.evaluation.style import COLOURS, axes_or_new, require


def plot_codes(codes, labels, names=None, title="Codes", ax=None, seed=0):
    """A map of codes (N, D), or (N, ...) flattened: their first two principal components, coloured by class.

    The axes say how much of the variance each component explains. Returns the figure.
    """
    codes = np.asarray(codes, dtype=np.float64).reshape(len(codes), -1)
    labels = np.ravel(labels)
    if len(codes) != len(labels):
        raise ValueError(f"plot_codes: {len(codes)} codes, {len(labels)} labels")
    pca = require("sklearn.decomposition").PCA(2, random_state=seed)
    places = pca.fit_transform(codes)
    figure, ax = axes_or_new(ax, 6.5, 5.0)
    for colour, c in zip(COLOURS, np.unique(labels)):
        x, y = places[labels == c].T
        ax.scatter(x, y, s=7, color=colour, alpha=0.6, linewidths=0, label=str(c) if names is None else names[c])
        ax.annotate(str(c) if names is None else names[c], (np.median(x), np.median(y)), weight="bold", ha="center")
    shares = 100 * pca.explained_variance_ratio_
    ax.set(
        xlabel=f"first component ({shares[0]:.0f} % of variance)",
        ylabel=f"second component ({shares[1]:.0f} %)",
        title=title,
    )
    ax.legend(markerscale=3, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure

"""Where an encoder puts its inputs."""

import numpy as np

from scratchnet.evaluation.style import axes_or_new, colour
from scratchnet.optional import require


def plot_codes(codes, labels, names=None, title="Codes", ax=None, seed=0, most=3000):
    """A map of codes: their first two principal components, coloured by class.

    Args:
        codes: (N, D), or (N, ...) flattened; at least two samples of two values.
        labels: (N,) or (N, 1) integers.
        names: of the classes, indexed by label; by default their numbers.
        title: of the axes.
        ax: where to draw; by default on a figure of its own.
        seed: of scikit-learn's PCA, which approximates for large codes, and of the order in which points are drawn.
        most: so many points are drawn at most, a random choice; the components are those of all codes.

    The axes say how much of the variance each component explains. Returns the figure. Raises ValueError for different
    lengths, too few samples or values, NaN or infinity.
    """
    codes, labels = np.asarray(codes), np.ravel(labels)
    if codes.ndim < 2 or len(codes) < 2 or codes[0].size < 2:
        raise ValueError(f"plot_codes: expected codes (N, D) with N and D at least 2, got shape {codes.shape}")
    codes = codes.reshape(len(codes), -1)
    if len(codes) != len(labels):
        raise ValueError(f"plot_codes: {len(codes)} codes, {len(labels)} labels")
    if not np.isfinite(codes).all():
        raise ValueError("plot_codes: the codes hold NaN or infinity")
    if (codes == codes[0]).all():
        raise ValueError("plot_codes: all codes are the same, so no direction explains any variance")
    pca = require("sklearn.decomposition").PCA(2, random_state=seed)
    places = pca.fit_transform(codes)  # (N, 2)
    classes, index = np.unique(labels, return_inverse=True)
    names = [str(c) if names is None else str(names[c]) for c in classes]
    figure, ax = axes_or_new(ax, 8.0, 5.6)
    # Class after class, the last would cover the others; in a random order none is favoured.
    order = np.random.default_rng(seed).permutation(len(places))[:most]
    inks = np.array([colour(k) for k in range(len(classes))])
    ax.scatter(*places[order].T, s=9, c=inks[index[order]], alpha=0.6, linewidths=0)
    for k, name in enumerate(names):
        ax.plot([], [], "o", color=inks[k], markersize=6, label=name)
    if max(map(len, names)) <= 3:  # longer names would hide the points, and the legend has them
        span = np.ptp(places, axis=0) + np.finfo(np.float32).tiny
        medians = np.stack([np.median(places[index == k], axis=0) for k in range(len(classes))]) / span
        frame = {"boxstyle": "round,pad=0.15", "facecolor": "white", "alpha": 0.75, "linewidth": 1.2}
        for k, place in enumerate(_apart(medians, 0.05) * span):
            ax.annotate(names[k], place, weight="bold", ha="center", va="center", bbox={**frame, "edgecolor": inks[k]})
    shares = 100 * pca.explained_variance_ratio_
    ax.set(
        xlabel=f"first principal component ({shares[0]:.1f} % of the variance)",
        ylabel=f"second principal component ({shares[1]:.1f} %)",
        title=title,
    )
    ax.legend(title="class", loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def _apart(places, distance):
    """Points (K, 2) pushed from one another until no two are nearer than `distance`, or 100 times."""
    for _ in range(100):
        gaps = places[:, None] - places  # (K, K, 2)
        lengths = np.linalg.norm(gaps, axis=2)  # (K, K)
        pushes = np.where(lengths > 0, np.maximum(distance - lengths, 0) / np.maximum(lengths, 1e-9), 0)
        if not pushes.any():
            break
        places = places + 0.3 * (gaps * pushes[..., None]).sum(axis=1)
    return places

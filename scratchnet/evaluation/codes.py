"""Where an encoder puts its inputs."""

import numpy as np

from scratchnet.evaluation.style import axes_or_new
from scratchnet.optional import require

# Tableau's ten: for clouds of points, they lie further apart than the colours of lines and bars.
_COLOURS = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
)  # fmt: skip


def plot_codes(codes, labels, names=None, title="Codes", ax=None, seed=0, most=3000, method="pca"):
    """A map of codes in two dimensions, coloured by class.

    Args:
        codes: (N, D), or (N, ...) flattened; at least two samples of two values.
        labels: (N,) or (N, 1) integers.
        names: of the classes, indexed by label; by default their numbers. Names of one or two letters are drawn in
            place of points; for longer ones there is a legend.
        title: of the axes.
        ax: where to draw; by default on a figure of its own.
        seed: of the method, and of the choice and the order of what is drawn.
        most: so many samples are drawn at most, a random choice.
        method: "pca", the first two principal components, those of all codes: distances mean something, but what needs
            a third direction to be told apart lies on top of one another. Or "tsne" (van der Maaten and Hinton,
            "Visualizing data using t-SNE", 2008), of what is drawn: neighbours stay neighbours; distances between
            groups and the size of a group mean nothing. Or "plane", for codes of two values: where they lie.

    Returns the figure. Raises ValueError for different lengths, too few samples or values, NaN or infinity, and another
    method.
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
        raise ValueError("plot_codes: all codes are the same, so there is nothing to tell apart")
    if method not in _METHODS:
        raise ValueError(f'plot_codes: method must be "pca", "tsne" or "plane", got {method!r}')
    if method == "plane" and codes.shape[1] != 2:
        raise ValueError(f'plot_codes: method "plane" is for codes of two values, not of {codes.shape[1]}')
    drawn = np.random.default_rng(seed).permutation(len(codes))[:most]  # class after class, the last would lie on top
    places, axis_labels = _METHODS[method](codes, drawn, seed)
    classes, index = np.unique(labels, return_inverse=True)
    index = np.ravel(index)[drawn]
    names = [str(c) if names is None else str(names[c]) for c in classes]
    figure, ax = axes_or_new(ax, 8.0, 5.6)
    inks = np.array([_COLOURS[k % len(_COLOURS)] for k in range(len(classes))])
    if all(name.isalnum() and len(name) <= 2 for name in names):
        for k, name in enumerate(names):
            points = places[index == k]
            ax.scatter(*points.T, s=30, c=inks[k], marker=f"$\\mathrm{{{name}}}$", linewidths=0.3)
    else:
        ax.scatter(*places.T, s=12, c=inks[index], alpha=0.8, linewidths=0)
        for k, name in enumerate(names):
            ax.plot([], [], "o", color=inks[k], markersize=6, label=name)
        ax.legend(title="class", loc="center left", bbox_to_anchor=(1.01, 0.5))
    ax.set(**axis_labels, title=title)
    return figure


def _by_pca(codes, drawn, seed):
    """``(places, labels of the axes)``: the axes say how much of the variance they explain."""
    pca = require("sklearn.decomposition").PCA(2, random_state=seed).fit(codes)
    shares = 100 * pca.explained_variance_ratio_
    return pca.transform(codes[drawn]), {
        "xlabel": f"first principal component ({shares[0]:.1f} % of the variance)",
        "ylabel": f"second principal component ({shares[1]:.1f} %)",
    }


def _by_tsne(codes, drawn, seed):
    """The axes have no meaning, so they have no numbers. Fifty directions hold what is to be seen, and save time."""
    codes = codes[drawn]
    if min(codes.shape) > 50:
        codes = require("sklearn.decomposition").PCA(50, random_state=seed).fit_transform(codes)
    perplexity = min(30.0, (len(codes) - 1) / 3)  # t-SNE wants fewer neighbours than there are codes
    tsne = require("sklearn.manifold").TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    return tsne.fit_transform(codes), {"xticks": [], "yticks": []}


def _as_they_are(codes, drawn, seed):
    return codes[drawn], {"xlabel": "first number of the code", "ylabel": "second number"}


_METHODS = {"pca": _by_pca, "tsne": _by_tsne, "plane": _as_they_are}

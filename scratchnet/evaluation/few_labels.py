"""How well do several ways of learning do with few labels? All get the same labels, drawn several times."""

import numpy as np

from scratchnet.evaluation.style import axes_or_new, colour


def few_labels_accuracy(ways, train, test, counts, draws=1, seed=0, verbose=1):
    """The share of test samples that each way classifies correctly.

    Args:
        ways: dict from a name to a function of samples and labels, which gives a model from samples to classes.
        train, test: pairs of samples and integer labels.
        counts: how many labels there are, several numbers.
        draws: how often they are drawn anew from the training samples.
        seed: of the first draw; the next ones have the next seeds.
        verbose: whether each draw is told when it is done.

    Returns a dict from the name to accuracies (counts, draws). Raises ValueError for a count of no samples or of more
    than there are.
    """
    (x, labels), (x_test, y_test) = train, test
    if any(not 1 <= count <= len(x) for count in counts):
        raise ValueError(f"few_labels_accuracy: counts must be from 1 to the {len(x)} samples, got {list(counts)}")
    accuracies = {name: np.zeros((len(counts), draws)) for name in ways}
    for k, count in enumerate(counts):
        for draw in range(draws):
            chosen = np.random.default_rng(seed + draw).permutation(len(x))[:count]
            for name, learn in ways.items():
                model = learn(x[chosen], labels[chosen])
                predicted = model.predict(x_test, batch_size=500, verbose=0).argmax(axis=1)
                accuracies[name][k, draw] = np.mean(predicted == y_test)
            if verbose:
                print(f"{count} labels, draw {draw + 1} of {draws}: done", flush=True)
    return accuracies


def few_labels_table(accuracies, counts):
    """``(headings, rows)`` for `text_table`: the mean over the draws, and their standard deviation after "+-"."""
    headings = ("accuracy with", *(f"{count} labels" for count in counts))
    rows = [(name, *(_cell(100 * draws) for draws in values)) for name, values in accuracies.items()]
    return headings, rows


def _cell(draws):
    return f"{draws.mean():.1f} %" if len(draws) == 1 else f"{draws.mean():.1f} +- {draws.std():.1f} %"


def plot_few_labels(accuracies, counts, ax=None):
    """Accuracy over the number of labels; bars show the standard deviation over the draws. Returns the figure."""
    figure, ax = axes_or_new(ax)
    for k, (name, values) in enumerate(accuracies.items()):
        ax.errorbar(counts, values.mean(axis=1), values.std(axis=1), label=name, color=colour(k), marker="o", capsize=3)
    ax.set(xscale="log", xlabel="labels", ylabel="accuracy on test samples")
    ax.set_xticks(counts, [f"{count}" for count in counts])
    ax.minorticks_off()
    ax.legend()
    return figure

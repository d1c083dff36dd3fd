"""Learning curves: the figures of training and validation over the epochs."""

from scratchnet.evaluation.style import COLOURS, new_figure

_TITLES = {"loss": "Loss", "accuracy": "Accuracy"}


def plot_curves(histories, keys=None, axes=None):
    """Plot figures over epochs: training as a full line, validation dashed.

    Args:
        histories: a History (or its dict), or a dict from a model's name to one.
        keys: which figures, one panel each; by default the loss and, where there is one, the accuracy.
        axes: as many axes as keys.

    Returns the figure. Raises ValueError if there is nothing to plot, KeyError for a figure that is not there.
    """
    if hasattr(histories, "history") or all(isinstance(v, list) for v in histories.values()):
        histories = {"": histories}
    tables = {name: getattr(history, "history", history) for name, history in histories.items()}
    if not tables or not all(tables.values()):
        raise ValueError("plot_curves: a history without epochs has no curves")
    if keys is None:
        keys = [key for key in ("loss", "accuracy") if any(key in table for table in tables.values())]
    if axes is None:
        figure, axes = new_figure(4.5 * len(keys) if len(keys) > 1 else 6.5, 3.8, 1, len(keys), squeeze=False)
        axes = axes[0]
    for ax, key in zip(axes, keys):
        for colour, (name, table) in zip(COLOURS, tables.items()):
            for part, style in ((key, "-"), (f"val_{key}", "--")):
                if part in table:
                    what = "validation" if part.startswith("val_") else "training"
                    epochs = range(1, len(table[part]) + 1)
                    ax.plot(epochs, table[part], style, marker="o", ms=4, color=colour, label=f"{name} {what}".strip())
        if not ax.lines:
            raise KeyError(f"plot_curves: no history has {key!r}")
        ax.set(xlabel="epoch", ylabel=key, title=_TITLES.get(key, key))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(color="0.9")
        ax.legend(fontsize="small")
    return axes[0].figure

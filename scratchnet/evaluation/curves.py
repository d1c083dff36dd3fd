"""Learning curves: the figures of training and validation over the epochs."""

import numpy as np

from scratchnet.evaluation.style import colour, new_figure

_TITLES = {"loss": "Loss", "accuracy": "Accuracy"}
_UNITS = {"accuracy": "accuracy (share of samples)"}


def plot_curves(histories, keys=None, axes=None):
    """Plot figures over epochs: training as a full line, validation dashed.

    Args:
        histories: a History (or its dict), or a dict from a model's name to one.
        keys: which figures, one panel each; by default the loss and, where there is one, the accuracy.
        axes: as many axes as keys; one axes will do for one key.

    Validation figures that are fewer than the epochs, as of ``fit(validation_freq=2)``, stand at the epochs that they
    belong to. Returns the figure. Raises ValueError if there is nothing to plot, if a value is not finite, if the
    epochs of values cannot be told, or for another number of axes than keys; KeyError for a figure that no history has.
    """
    tables = _tables(histories)
    if keys is None:
        keys = [key for key in ("loss", "accuracy") if any(key in table for table, _ in tables.values())]
    keys = [keys] if isinstance(keys, str) else list(keys)
    for key in keys:
        if not any(key in table or f"val_{key}" in table for table, _ in tables.values()):
            known = sorted({name for table, _ in tables.values() for name in table})
            raise KeyError(f"plot_curves: no history has {key!r}; there are {known}")
    if not keys:
        raise ValueError("plot_curves: no history has a loss or an accuracy; say which keys to plot")
    if axes is None:
        _, axes = new_figure(8.0 if len(keys) > 1 else 6.5, 3.8, 1, len(keys), squeeze=False)
    axes = np.ravel(axes)
    if len(axes) != len(keys):
        raise ValueError(f"plot_curves: {len(axes)} axes for the {len(keys)} keys {keys}")
    for ax, key in zip(axes, keys):
        for k, (name, (table, epochs)) in enumerate(tables.items()):
            _plot_key(ax, key, name, table, epochs, colour(k))
        ax.set(xlabel="epoch", ylabel=_UNITS.get(key, key), title=_TITLES.get(key, key))
        first, last = min(e[0] for _, e in tables.values()), max(e[-1] for _, e in tables.values())
        if first == last:
            ax.set_xlim(first - 0.5, last + 0.5)
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        ax.grid(color="0.9")
        ax.legend(fontsize="small", handlelength=3)
    return axes[0].figure


def _tables(histories):
    """{model: ({key: values}, epochs counted from 1)} from any of the forms that plot_curves takes."""
    many = isinstance(histories, dict) and any(isinstance(h, dict) or hasattr(h, "history") for h in histories.values())
    tables = {}
    for name, history in (histories if many else {"": histories}).items():
        table = getattr(history, "history", history)
        if not isinstance(table, dict):
            raise TypeError(f"plot_curves: expected a History or its dict, got {type(history).__name__}")
        if not any(len(values) for values in table.values()):
            raise ValueError("plot_curves: a history without epochs has no curves" + (f": {name!r}" if name else ""))
        count = max(len(values) for values in table.values())
        epochs = np.asarray(getattr(history, "epoch", range(count)), dtype=int) + 1
        # A history that several calls of fit have lengthened knows the epochs of the last call only.
        tables[name] = table, (epochs if len(epochs) == count else np.arange(1, count + 1))
    return tables


def _plot_key(ax, key, name, table, epochs, line_colour):
    for part, what, style in ((key, "training", "o-"), (f"val_{key}", "validation", "s--")):
        values = np.asarray(table.get(part, ()), dtype=np.float64)
        if not len(values):
            continue
        label = f"{name} {part}".strip()
        places = _epochs_of(label, len(values), epochs)
        if not np.isfinite(values).all():
            first = (~np.isfinite(values)).argmax()
            raise ValueError(f"plot_curves: {label} is {values[first]} in epoch {places[first]}")
        ax.plot(places, values, style, markersize=4, color=line_colour, label=f"{name} {what}".strip())


def _epochs_of(label, count, epochs):
    """The epochs of `count` values: all, or every f-th if only one f gives so many."""
    periods = [f for f in range(1, len(epochs) + 1) if len(epochs) // f == count]
    if len(periods) != 1:
        raise ValueError(
            f"plot_curves: {label} has {count} values for {len(epochs)} epochs, which does not say for which of them"
        )
    return epochs[periods[0] - 1 :: periods[0]]

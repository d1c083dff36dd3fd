"""The figures of every epoch."""

from scratchnet.callbacks.base import Callback
from scratchnet.html import html_table
from scratchnet.registry import register


@register("callbacks")
class History(Callback):
    """What fit returns: `history`, a dict from key to the list of its values, and `epoch`, the epochs' numbers."""

    state_names = ("history", "epoch")

    def __init__(self) -> None:
        super().__init__()
        self.history = {}
        self.epoch = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
        self.model.history = self

    def _repr_html_(self):
        """What a notebook shows."""
        rows = [
            [key, *(f"{value:.4g}" for value in (values[0], values[-1], min(values), max(values)))]
            for key, values in self.history.items()
        ]
        return html_table(f"History of {len(self.epoch)} epochs", ["", "first", "last", "smallest", "largest"], rows)

    def __repr__(self):
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history)}>"

"""The figures of every epoch."""

from scratchnet.callbacks.base import Callback


class History(Callback):
    """What fit returns: `history`, a dict from key to the list of its values, and `epoch`, the epochs' numbers."""

    state_names = ("history", "epoch")

    def __init__(self):
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

    def __repr__(self):
        return f"<History of {len(self.epoch)} epochs: {', '.join(self.history)}>"

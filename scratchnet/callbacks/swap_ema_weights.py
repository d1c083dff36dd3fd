"""Evaluating a model by the running mean of its parameters while it trains."""

from scratchnet.callbacks.base import Callback
from scratchnet.registry import register


@register("callbacks")
class SwapEMAWeights(Callback):
    """Use the running mean of the parameters (an optimizer's `use_ema`) in evaluate and predict.

    The mean varies less than the parameters and is usually the better model. Training goes on from the parameters.

    Args:
        swap_on_epoch: whether to use the mean also from the end of an epoch to the beginning of the next, so that
            `ModelCheckpoint` saves the mean. That callback must come after this one.

    Raises ValueError if the model's optimizer keeps no mean.
    """

    state_names = ("_trained",)

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._trained = None  # the parameters, while the mean stands in their place

    def on_epoch_begin(self, epoch, logs=None):
        self._put_back()

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._put_mean()

    def on_train_end(self, logs=None):
        self._trained = None  # fit has put the mean into the model for good

    def on_train_interrupted(self):
        self._put_back()

    def on_test_begin(self, logs=None):
        self._put_mean()

    def on_test_end(self, logs=None):
        self._put_back()

    def on_predict_begin(self, logs=None):
        self._put_mean()

    def on_predict_end(self, logs=None):
        self._put_back()

    def _put_mean(self):
        optimizer = self.model.optimizer
        if not optimizer.use_ema:
            raise ValueError(
                f"SwapEMAWeights: the optimizer {type(optimizer).__name__} keeps no running mean of the parameters; "
                "make it with use_ema=True"
            )
        params = self.model.trainable_params
        if self._trained is not None:
            return
        means = optimizer.averages()
        if not params.keys() <= means.keys():  # nothing has been trained yet
            return
        self._trained = {key: w.copy() for key, w in params.items()}
        for key, w in params.items():
            w[...] = means[key]

    def _put_back(self):
        if self._trained is not None:
            for key, w in self.model.trainable_params.items():
                w[...] = self._trained[key]
            self._trained = None

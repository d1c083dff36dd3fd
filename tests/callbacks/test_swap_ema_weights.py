"""The mean of the parameters stands in for them where the model is judged, and training goes on from the parameters."""

import numpy as np
import pytest

from scratchnet.callbacks import Callback, LambdaCallback, SwapEMAWeights
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.optimizers import SGD
from scratchnet.utils import set_random_seed

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X[:, :1]


def model(use_ema=True):
    set_random_seed(0)
    network = Sequential([Input((3,)), Dense(1)])
    network.compile(SGD(0.1, use_ema=use_ema, ema_momentum=0.5), "mse")
    return network


def mean(network):
    """The mean of the kernel; not a number before the first step."""
    state = network.optimizer.state
    return next((mean for key, mean in state.items() if key.endswith("kernel")), np.array(np.nan))


class Seen(Callback):
    """The kernel at each milestone, and the mean."""

    def __init__(self):
        super().__init__()
        self.kernels = {}

    def look(self, when):
        kernel = next(iter(self.model.trainable_params.values()))
        self.kernels.setdefault(when, []).append((kernel.copy(), mean(self.model).copy()))

    def on_epoch_begin(self, epoch, logs=None):
        self.look("epoch begin")

    def on_train_batch_end(self, batch, logs=None):
        self.look("batch end")

    def on_test_batch_end(self, batch, logs=None):
        self.look("test")

    def on_epoch_end(self, epoch, logs=None):
        self.look("epoch end")


def fit(callbacks, epochs=3):
    network = model()
    network.fit(X, Y, 4, epochs, verbose=0, validation_split=0.5, callbacks=callbacks)
    return network


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_who_stands_where(swap_on_epoch):
    seen, plain = Seen(), Seen()
    network, expected = fit([SwapEMAWeights(swap_on_epoch), seen]), fit([plain])
    for found, wanted in zip(seen.kernels["batch end"], plain.kernels["batch end"]):
        np.testing.assert_array_equal(found[0], wanted[0])  # training is as if nothing were swapped
    for kernel, average in seen.kernels["test"]:
        np.testing.assert_array_equal(kernel, average)
    for kernel, average in seen.kernels["epoch end"]:
        assert (kernel == average).all() == swap_on_epoch
    assert all((kernel != average).any() for kernel, average in seen.kernels["epoch begin"])
    np.testing.assert_array_equal(network.get_weights()[0], expected.get_weights()[0])  # the mean, after fit
    np.testing.assert_array_equal(network.get_weights()[0], mean(network))


def test_evaluate_and_predict_by_themselves():
    network = model()
    network.train_on_batch(X, Y)
    network.train_on_batch(X, Y)
    before = network.get_weights()
    plain = network.predict(X, verbose=0)
    swapped = network.predict(X, verbose=0, callbacks=[SwapEMAWeights()])
    assert (plain != swapped).all()
    assert network.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()]) != network.evaluate(X, Y, verbose=0)
    for w, expected in zip(network.get_weights(), before):
        np.testing.assert_array_equal(w, expected)


def test_before_the_first_step_there_is_no_mean():
    network = model()
    expected = network.predict(X, verbose=0)
    np.testing.assert_array_equal(network.predict(X, verbose=0, callbacks=[SwapEMAWeights()]), expected)


def test_an_interrupted_fit_leaves_the_parameters():
    def stop(logs):
        raise KeyboardInterrupt

    network = model()
    seen = Seen()
    with pytest.raises(KeyboardInterrupt):
        network.fit(
            X, Y, verbose=0, validation_split=0.5, callbacks=[seen, SwapEMAWeights(), LambdaCallback(on_test_end=stop)]
        )
    np.testing.assert_array_equal(network.get_weights()[0], seen.kernels["batch end"][-1][0])


def test_an_optimizer_without_a_mean_is_told():
    network = model(use_ema=False)
    with pytest.raises(ValueError, match="the optimizer SGD keeps no running mean of the parameters"):
        network.fit(X, Y, verbose=0, validation_split=0.5, callbacks=[SwapEMAWeights()])

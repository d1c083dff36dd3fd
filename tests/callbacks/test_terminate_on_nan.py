"""TerminateOnNaN: the first loss that is not finite ends training."""

import numpy as np
import pytest

from scratchnet.callbacks import TerminateOnNaN
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.utils import set_random_seed


def model(learning_rate="sgd"):
    set_random_seed(0)
    network = Sequential([Input((3,)), Dense(2, activation="tanh"), Dense(1)])
    network.compile(learning_rate, "mse", metrics=["mae"])
    return network


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_terminate_on_nan_stops_at_the_first_loss_that_is_not_finite(loss, capsys):
    network = model()
    callback = TerminateOnNaN()
    callback.set_model(network)
    callback.on_train_batch_end(0, {"loss": 1e30})
    callback.on_train_batch_end(1, None)
    assert not network.stop_training
    callback.on_train_batch_end(2, {"loss": loss})
    assert network.stop_training and "Batch 2" in capsys.readouterr().out


def test_terminate_on_nan_can_raise_instead():
    with pytest.raises(RuntimeError, match="the loss is nan at batch 3"):
        TerminateOnNaN(raise_error=True).on_train_batch_end(3, {"loss": np.nan})

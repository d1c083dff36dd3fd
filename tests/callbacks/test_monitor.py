"""What callbacks that watch one figure share: which way is better, and what is said of a figure that is not there."""

from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet.callbacks import EarlyStopping, ReduceLROnPlateau
from scratchnet.callbacks.monitor import Monitor


class FakeModel:
    """A model whose only weight is the number of epochs it has seen."""

    def __init__(self, learning_rate=1.0):
        self.optimizer = SimpleNamespace(learning_rate=learning_rate)
        self.stop_training = False
        self.weight = 0

    def get_weights(self):
        return [np.asarray(self.weight)]

    def set_weights(self, weights):
        self.weight = int(weights[0])


@pytest.mark.parametrize(
    "monitor, mode",
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("decoder_loss", "min"),
        ("val_mae", "min"),
        ("mean_squared_error", "min"),
        ("root_mean_squared_error_3", "min"),
        ("val_binary_crossentropy", "min"),
        ("kl_divergence", "min"),
        ("accuracy", "max"),
        ("val_acc", "max"),
        ("Accuracy", "max"),
        ("val_sparse_top_k_categorical_accuracy", "max"),
        ("precision_1", "max"),
        ("val_recall", "max"),
        ("auc", "max"),
        ("out_cosine_similarity", "max"),
    ],
)
def test_auto_mode_goes_by_the_name(monitor, mode):
    assert EarlyStopping(monitor).mode == mode


@pytest.mark.parametrize("monitor", ["lossy", "speed", "my_metric", "learning_rate"])
def test_a_name_that_does_not_say_needs_a_mode(monitor):
    with pytest.raises(ValueError, match=f"EarlyStopping: the name '{monitor}' does not say .* pass mode="):
        EarlyStopping(monitor)
    assert EarlyStopping(monitor, mode="max").mode == "max"


@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau])
def test_an_unknown_mode_is_told_by_a_warning_and_the_name_decides(cls):
    with pytest.warns(UserWarning, match=f"""{cls.__name__}: mode must be "auto", "min" or "max", not 'down'"""):
        assert cls(mode="down").mode == "min"


def test_the_comparison_is_there_under_keras_s_name():
    assert EarlyStopping("loss").monitor_op(1.0, 2.0) and EarlyStopping("accuracy").monitor_op(2.0, 1.0)


def test_better_means_by_more_than_min_delta():
    lower, higher = Monitor("loss", "auto", 0.5), Monitor("accuracy", "auto", -0.5)  # the sign of min_delta is ignored
    assert lower.improved(0.9, 1.5) and not lower.improved(1.0, 1.5)
    assert higher.improved(1.6, 1.0) and not higher.improved(1.5, 1.0)
    for monitor in (lower, higher):
        assert monitor.improved(7.0, None)
        assert not monitor.improved(np.nan, None)


@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau])
def test_a_missing_figure_is_told_once_with_what_there_is(cls):
    callback = cls(monitor="val_loss", patience=0)
    callback.set_model(FakeModel())
    callback.on_train_begin()
    with pytest.warns(
        UserWarning, match=f"{cls.__name__}: there is no 'val_loss' in the logs; there are loss, mae"
    ) as told:
        for epoch in range(3):
            callback.on_epoch_end(epoch, {"loss": 1.0, "mae": 2.0})
    assert len(told) == 1
    assert not callback.model.stop_training and callback.model.optimizer.learning_rate == 1.0


@pytest.mark.parametrize("patience", [-1, "3", None, True, np.nan])
@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau])
def test_a_patience_that_is_no_count_is_refused(cls, patience):
    with pytest.raises(ValueError, match=f"{cls.__name__}: patience must be a number of at least 0, got"):
        cls(patience=patience)

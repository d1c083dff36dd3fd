"""Learning curves: from a History, its dict, or several of them."""

import numpy as np
import pytest

from scratchnet.evaluation import plot_curves

matplotlib_figure = pytest.importorskip("matplotlib.figure")

TABLE = {"loss": [3.0, 2.0, 1.0], "val_loss": [4.0, 3.0, 2.0], "accuracy": [0.1, 0.2, 0.3], "lr": [1, 1, 1]}


class FakeHistory:
    def __init__(self, history, epoch):
        self.history = history
        self.epoch = epoch


def test_a_table_has_a_panel_for_loss_and_one_for_accuracy():
    figure = plot_curves(TABLE)
    assert isinstance(figure, matplotlib_figure.Figure)
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert [line.get_label() for line in accuracy.lines] == ["training"]
    np.testing.assert_array_equal(loss.lines[1].get_data(), [[1, 2, 3], [4, 3, 2]])
    assert [loss.get_title(), loss.get_xlabel(), loss.get_ylabel()] == ["Loss", "epoch", "loss"]
    assert "share of samples" in accuracy.get_ylabel()


def test_training_and_validation_differ_by_more_than_colour():
    training, validation = plot_curves(TABLE).axes[0].lines
    assert training.get_color() == validation.get_color()
    assert training.get_linestyle() == "-" and validation.get_linestyle() == "--"


def test_several_models_have_a_colour_each():
    figure = plot_curves({"CNN": TABLE, "LSTM": FakeHistory({"loss": [1.0]}, [0])})
    lines = figure.axes[0].lines
    assert [line.get_label() for line in lines] == ["CNN training", "CNN validation", "LSTM training"]
    assert lines[0].get_color() != lines[2].get_color()


def test_tuples_and_arrays_are_a_history_too():
    assert len(plot_curves({"loss": (2.0, 1.0), "val_loss": np.array([2.0, 1.0])}).axes[0].lines) == 2


def test_epochs_of_a_history_that_began_later():
    line = plot_curves(FakeHistory({"loss": [2.0, 1.0]}, [5, 6])).axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xdata(), [6, 7])


def test_the_history_of_a_real_fit():
    from scratchnet.layers import Dense, Input
    from scratchnet.models import Sequential

    model = Sequential([Input((2,)), Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    x = np.zeros((8, 2), np.float32)
    history = model.fit(x, x[:, :1], epochs=4, validation_data=(x, x[:, :1]), validation_freq=2, verbose=0)
    training, validation = plot_curves(history).axes[0].lines
    np.testing.assert_array_equal(training.get_xdata(), [1, 2, 3, 4])
    np.testing.assert_array_equal(validation.get_xdata(), [2, 4])


def test_a_single_epoch_has_a_whole_number_on_its_axis():
    ax = plot_curves({"loss": [1.0]}).axes[0]
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]


def test_epochs_that_cannot_be_told_are_an_error():
    with pytest.raises(ValueError, match="val_loss has 1 values for 5 epochs"):
        plot_curves({"loss": [1.0] * 5, "val_loss": [1.0]})


def test_other_keys_and_given_axes():
    ax = matplotlib_figure.Figure().subplots()
    assert plot_curves(TABLE, keys="lr", axes=ax) is ax.figure
    assert (ax.get_ylabel(), len(ax.lines)) == ("lr", 1)
    with pytest.raises(ValueError, match=r"1 axes for the 2 keys \['loss', 'accuracy'\]"):
        plot_curves(TABLE, axes=ax)


@pytest.mark.parametrize("empty", [{}, {"loss": []}, {"CNN": {}}, FakeHistory({}, [])])
def test_nothing_to_plot_is_an_error(empty):
    with pytest.raises(ValueError, match="without epochs"):
        plot_curves(empty)


def test_what_is_not_there_is_an_error():
    with pytest.raises(KeyError, match="no history has 'mae'"):
        plot_curves(TABLE, keys=["mae"])
    with pytest.raises(ValueError, match="say which keys"):
        plot_curves({"mae": [1.0]})
    with pytest.raises(TypeError, match="expected a History"):
        plot_curves([1.0, 2.0])


def test_nan_is_named_by_model_and_epoch():
    with pytest.raises(ValueError, match="CNN val_loss is nan in epoch 2"):
        plot_curves({"CNN": {"loss": [1.0, 1.0], "val_loss": [1.0, np.nan]}})

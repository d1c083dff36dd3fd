"""Data that come in batches: generators that end, that are no generators, that bring no targets."""

import numpy as np
import pytest

from scratchnet import metrics
from scratchnet.callbacks import LearningRateScheduler
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.utils import PyDataset

X, Y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")


def model():
    made = Sequential([Input((3,)), Dense(1)])
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("batch", [X, (X,), [X]])
def test_batches_without_targets_are_named(batch):
    with pytest.raises(ValueError, match=r"batches of the training data hold no targets: a batch is \(x, y\)"):
        model().fit(iter([batch]), verbose=0)
    assert model().predict(iter([batch]), verbose=0).shape == (4, 1)


def test_a_generator_function_has_to_be_called():
    def batches():
        yield X, Y

    with pytest.raises(ValueError, match="is a function; a generator is what it returns"):
        model().fit(batches, steps_per_epoch=1, verbose=0)


def test_data_without_batches_are_refused_and_the_fit_stops_where_they_have_ended():
    with pytest.raises(ValueError, match="the training data have no batches"):
        model().fit(iter([]), verbose=0)
    made = model()
    with pytest.warns(UserWarning, match="the training data ended after 0 batches of 1"):
        history = made.fit(iter([(X, Y)]), epochs=3, verbose=0)
    assert len(history.history["loss"]) == 1


def test_evaluate_and_predict_take_a_generator_to_its_end():
    x = np.random.default_rng(0).integers(-9, 10, (5, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    made = model()
    made.set_weights([np.array([[1], [2], [-3]], "float32"), np.ones(1, "float32")])  # no rounding, in whatever order
    np.testing.assert_array_equal(made.predict((x[k : k + 2] for k in (0, 2, 4)), verbose=0), made.predict(x, 2, 0))
    loss = made.evaluate(((x[k : k + 2], y[k : k + 2]) for k in (0, 2, 4)), verbose=0)
    assert loss == pytest.approx(made.evaluate(x, y, 2, 0))
    with pytest.raises(ValueError, match="the prediction data have no batches"):
        made.predict((x for _ in ()), verbose=0)


def test_fit_takes_a_generator_to_its_end_in_one_epoch():
    made = model()
    history = made.fit(((X, Y) for _ in range(3)), verbose=0).history
    assert len(history["loss"]) == 1 and int(made.optimizer.iterations) == 3
    with pytest.warns(UserWarning, match="the training data ended after 0 batches of 1"):
        made.fit(((X, Y) for _ in range(3)), epochs=3, verbose=0)
    assert int(made.optimizer.iterations) == 6


def test_a_generator_without_an_end_is_refused_without_a_number_of_steps():
    def endless():
        while True:
            yield X, Y

    with pytest.raises(ValueError, match=r"training data are a generator that never ends: .* \(steps_per_epoch\)"):
        model().fit(endless(), verbose=0)
    with pytest.raises(ValueError, match=r"test data are a generator that never ends: .* \(steps\)"):
        model().evaluate(endless(), verbose=0)
    with pytest.raises(ValueError, match=r"prediction data are a generator that never ends: .* \(steps\)"):
        model().predict(endless(), verbose=0)
    assert model().predict(endless(), steps=2, verbose=0).shape == (8, 1)


def test_a_generator_for_validation_needs_to_say_how_much_of_it_an_epoch_takes():
    batches = ((X, Y) for _ in range(3))
    with pytest.raises(ValueError, match=r"validation data are a generator, .* \(validation_steps\)"):
        model().fit(X, Y, validation_data=batches, verbose=0)


class Numbered(PyDataset):
    """Batches k = 0, 1, 2, ... of one row each."""

    def __init__(self, count):
        super().__init__()
        self.count, self.asked, self.ended = count, [], 0

    def __len__(self):
        return self.count

    def __getitem__(self, k):
        self.asked.append(k)
        return X[:1], Y[:1]

    def on_epoch_end(self):
        self.ended += 1


@pytest.mark.filterwarnings("ignore:the training data ended after")
def test_an_epoch_goes_on_where_the_one_before_stopped():
    data = Numbered(5)
    model().fit(data, steps_per_epoch=2, epochs=4, shuffle=False, verbose=0)
    assert data.asked == [0, 1, 2, 3, 4, 0, 1] and data.ended == 4  # as in Keras the third is what is left
    data = Numbered(6)
    model().fit(data, steps_per_epoch=2, epochs=6, verbose=0)
    passes = data.asked[:6], data.asked[6:]
    assert all(sorted(numbers) == list(range(6)) for numbers in passes) and passes[0] != passes[1]
    again = Numbered(6)
    with pytest.warns(UserWarning, match="training data ended after 6 batches of 7"):
        model().fit(again, steps_per_epoch=7, verbose=0)
    assert len(again.asked) == 6


def test_data_are_told_of_the_end_of_an_evaluation_that_is_cut_short():
    data = Numbered(5)
    model().evaluate(data, steps=2, verbose=0)
    assert data.asked == [0, 1] and data.ended == 1


def test_epochs_of_arrays_go_on_as_well():
    x = np.arange(6.0)[:, None]
    seen = []

    class Seen(metrics.Metric):
        def reset_state(self):
            seen.append([])

        def update_state(self, y_true, y_pred, sample_weight=None):
            seen[-1].extend(np.ravel(y_true).tolist())

        def result(self):
            return 0.0

    made = Sequential([Input((1,)), Dense(1)])
    made.compile("sgd", "mse", metrics=[Seen()])
    seen.clear()
    with pytest.warns(UserWarning, match="training data ended after 1 batches of 2"):
        made.fit(x, x, 2, 5, steps_per_epoch=2, shuffle=False, verbose=0, initial_epoch=1)
    assert [rows for rows in seen if rows] == [[0, 1, 2, 3], [4, 5], [0, 1, 2, 3], [4, 5]]
    seen.clear()
    made.fit(x, x, 1, 4, steps_per_epoch=3, verbose=0)
    passes = [sorted(rows) for rows in seen if rows]
    assert sorted(passes[0] + passes[1]) == sorted(passes[2] + passes[3]) == [0, 1, 2, 3, 4, 5]


class Counted:
    """Batches without numbers, which begin anew whenever they are iterated over."""

    def __init__(self, count):
        self.count, self.begun = count, 0

    def __iter__(self):
        self.begun += 1
        return ((X * k, Y * k) for k in range(self.count))


def test_a_validation_begins_with_the_first_batch_and_training_goes_on():
    training, validation = Counted(4), Counted(3)
    history = model().fit(
        training,
        steps_per_epoch=2,
        epochs=4,
        verbose=0,
        callbacks=[LearningRateScheduler(lambda epoch: 0.0)],
        validation_data=validation,
        validation_steps=1,
    )
    first, second = history.history["loss"][:2]
    assert first < second and history.history["loss"] == [first, second] * 2  # later batches are larger
    assert training.begun == 2 or training.begun == 3  # one more where a pass ended with an epoch
    assert history.history["val_loss"] == [0] * 4 and validation.begun == 4


def test_where_the_data_end_the_epoch_ends_and_the_next_begins_anew():
    data = Counted(3)
    with pytest.warns(UserWarning, match="training data ended after 3 batches of 5"):
        history = model().fit(data, steps_per_epoch=5, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2 and data.begun == 3
    with pytest.raises(ValueError, match="the training data have no batches"):
        model().fit(Counted(0), steps_per_epoch=5, verbose=0)


def unbuilt():
    made = Sequential([Dense(1)])
    made.compile("sgd", "mse")
    return made


class InAList:
    """Batches that are asked for by their number, such as a `PyDataset`."""

    def __init__(self, batches):
        self.batches, self.ended = batches, 0

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, k):
        return self.batches[k]

    def on_epoch_end(self):
        self.ended += 1


def test_a_model_without_an_input_is_built_on_the_first_batch_which_is_not_lost():
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(4, 3)).astype("float32"), np.ones((4, 1), "float32")) for _ in range(2)]
    numbered, made = InAList(batches), unbuilt()
    assert len(made.fit(numbered, epochs=2, verbose=0).history["loss"]) == 2 and numbered.ended == 2
    weights = made.get_weights()
    one_by_one = unbuilt()
    assert one_by_one.fit(iter(batches), epochs=1, steps_per_epoch=2, verbose=0).params["steps"] == 2
    assert [w.shape for w in weights] == [w.shape for w in one_by_one.get_weights()] == [(3, 1), (1,)]
    with pytest.raises(ValueError, match="the training data have no batches"):
        unbuilt().fit(iter([]), verbose=0)


def test_a_batch_of_too_many_entries_is_refused():
    with pytest.raises(ValueError, match=r"a batch is x, \(x, y\) or \(x, y, sample_weight\); got 4 entries"):
        model().fit(iter([(X, Y, Y[:, 0], Y)]), verbose=0)

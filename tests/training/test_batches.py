"""Data that come in batches: generators that end, that are no generators, that bring no targets."""

import numpy as np
import pytest

from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential

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
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    made = model()
    np.testing.assert_array_equal(made.predict((x[k : k + 2] for k in (0, 2, 4)), verbose=0), made.predict(x, 2, 0))
    loss = made.evaluate(((x[k : k + 2], y[k : k + 2]) for k in (0, 2, 4)), verbose=0)
    assert loss == pytest.approx(made.evaluate(x, y, 2, 0))
    with pytest.raises(ValueError, match="the prediction data have no batches"):
        made.predict((x for _ in ()), verbose=0)


def test_fit_asks_how_many_batches_of_a_generator_make_an_epoch():
    batches = ((X, Y) for _ in range(3))
    with pytest.raises(ValueError, match=r"training data are a generator, .* how many .* \(steps_per_epoch\)"):
        model().fit(batches, verbose=0)
    with pytest.raises(ValueError, match=r"validation data are a generator, .* \(validation_steps\)"):
        model().fit(X, Y, validation_data=batches, verbose=0)

"""Losses, metrics, targets and weights are given in the structure of the outputs; logs say whose figures they are."""

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.models import Model, Sequential

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y1, Y2 = X[:, :1], X[:, 1:]


def three_levels():
    inputs = layers.Input((3,))
    first, second = layers.Dense(1, name="first")(inputs), layers.Dense(2, name="second")(inputs)
    return Model(inputs, {"a": first, "b": {"c": (second, first)}})


def test_deep_structures():
    model = three_levels()
    model.compile(
        "sgd",
        loss={"a": "mse", "b": {"c": ("mae", None)}},
        loss_weights={"a": 1.0, "b": {"c": (0.5, None)}},
        metrics={"b": {"c": (["mse"], ["mae"])}},
    )
    targets = {"a": Y1, "b": {"c": (Y2, Y1)}}
    logs = model.evaluate(X, targets, verbose=0, return_dict=True)
    y = model.predict(X, verbose=0)
    expected = np.mean((y["a"] - Y1) ** 2) + 0.5 * np.mean(np.abs(y["b"]["c"][0] - Y2))
    assert logs["loss"] == pytest.approx(expected, rel=1e-5)
    assert list(logs) == ["loss", "first_loss", "second_loss", "first_1_mae", "second_mse"]
    model.fit(X, targets, verbose=0)
    with pytest.raises(ValueError, match="y must be a list or dict"):
        model.fit(X, Y1, verbose=0)


class TwoOutputs(Model):
    def __init__(self, as_dict=False):
        super().__init__()
        self.first, self.second, self.as_dict = layers.Dense(1), layers.Dense(2), as_dict

    def call(self, x):
        found = {"one": self.first(x), "two": self.second(x)}
        return found if self.as_dict else (found["one"], found["two"])


def test_outputs_without_names_are_told_by_their_losses():
    model = TwoOutputs()
    model.compile("sgd", loss=["mse", "mean_absolute_error"], metrics=[["mae"], ["mse", "mae"]])
    logs = model.fit(X, [Y1, Y2], verbose=0).history
    assert list(logs) == ["loss", "mae", "mse", "mae_1", "mse_loss", "mean_absolute_error_loss"]
    model = TwoOutputs()
    model.compile("sgd", loss=[None, "mse"])
    assert list(model.fit(X, [None, Y2], verbose=0).history) == ["loss"]


def test_outputs_in_a_dict_are_told_by_their_keys():
    model = TwoOutputs(as_dict=True)
    model.compile("sgd", loss={"one": "mse", "two": ["mae"]}, metrics={"two": ["mse"]})
    logs = model.fit(X, {"one": Y1, "two": Y2}, verbose=0).history
    assert list(logs) == ["loss", "one_loss", "two_loss", "two_mse"]


def test_a_list_of_one_is_what_is_in_it():
    model = Sequential([layers.Dense(2)])
    model.compile("sgd", loss=["mse"], metrics=[["mae"]])
    assert list(model.fit(X, Y2, verbose=0).history) == ["loss", "mae"]


def test_the_targets_of_the_only_output_with_a_loss_need_no_list():
    inputs = layers.Input((3,))
    model = Model(inputs, [layers.Dense(2)(inputs), layers.Dense(1)(inputs)])
    model.compile("sgd", loss=["mse", None])
    assert model.evaluate(X, Y2, verbose=0) == pytest.approx(np.mean((model.predict(X, verbose=0)[0] - Y2) ** 2))


@pytest.mark.parametrize(
    ("loss", "place"),
    [
        ({"a": "mse", "b": "mse"}, "outputs['b']"),
        ({"b": {"c": lambda y, p: p[0]}}, "outputs['b']['c']"),
    ],
)
def test_one_loss_for_a_structure_of_outputs_is_refused_with_the_place(loss, place):
    model = three_levels()
    model.compile("sgd", loss=loss)
    with pytest.raises(ValueError, match="one entry for several outputs together.*add_loss") as told:
        model.fit(X, {"a": Y1, "b": {"c": (Y2, Y1)}}, verbose=0)
    assert place in str(told.value)


def test_a_loss_for_each_of_too_many_or_in_lists():
    inputs = layers.Input((3,))
    outputs = [layers.Dense(1, name=f"out_{k}")(inputs) for k in range(3)]
    model = Model(inputs, [outputs[0], (outputs[1], outputs[2])])
    targets = [Y1, (Y1, Y1)]
    model.compile("sgd", loss=["mse", ("mae", None)])
    assert np.isfinite(model.evaluate(X, targets, verbose=0)).all()
    model.compile("sgd", loss=["mse", "mse"])
    with pytest.raises(ValueError, match=r"several outputs together, those in outputs\[1\]"):
        model.fit(X, targets, verbose=0)
    model.compile("sgd", loss=["mse"])
    with pytest.raises(ValueError, match="loss has 1 entries, the model 3 outputs"):
        model.fit(X, targets, verbose=0)

"""Losses, metrics, targets and weights are given in the structure of the outputs; logs say whose figures they are."""

import numpy as np
import pytest

from scratchnet import layers, losses, ops, optimizers
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
    assert list(logs) == ["a_loss", "b/c/second_loss", "first_1_mae", "loss", "second_mse"]
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
    assert list(logs) == ["loss", "mae", "mae_1", "mean_absolute_error_loss", "mse", "mse_loss"]
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


def two_in_a_list():
    inputs = layers.Input((3,))
    outputs = [layers.Dense(2, name=name)(inputs) for name in "pqr"]
    return Model(inputs, {"a": outputs[:2], "b": outputs[2]}), {"a": [Y2, 2 * Y2], "b": Y2}


def squares_and_distances(y_true, y_pred):
    return ops.mean(ops.square(y_true[0] - y_pred[0]), -1) + 2 * ops.mean(ops.abs(y_true[1] - y_pred[1]), -1)


@pytest.mark.parametrize(
    ("loss", "of_a"),
    [
        ("mse", lambda t, y: np.mean((np.stack(t) - y) ** 2, axis=(0, 2))),
        (losses.MeanAbsoluteError(reduction="sum"), lambda t, y: 8 * np.abs(np.stack(t) - y).mean(axis=2).sum(axis=0)),
        (squares_and_distances, lambda t, y: np.mean((t[0] - y[0]) ** 2, 1) + 2 * np.mean(np.abs(t[1] - y[1]), 1)),
    ],
)
@pytest.mark.parametrize("weights", [None, np.linspace(0, 1, 8)])
def test_one_loss_of_several_outputs_together(loss, of_a, weights):
    model, targets = two_in_a_list()
    model.compile("sgd", loss={"a": loss, "b": "mse"}, loss_weights={"a": 0.25, "b": 2.0})
    y = model.predict(X, verbose=0)
    w = 1.0 if weights is None else weights
    a, b = np.mean(w * of_a(targets["a"], y["a"])), np.mean(w * np.mean((Y2 - y["b"]) ** 2, 1))
    logs = model.evaluate(X, targets, sample_weight=weights, verbose=0, return_dict=True)
    assert list(logs) == ["a_loss", "b_loss", "loss"]
    assert list(logs.values()) == pytest.approx([a, b, 0.25 * a + 2 * b], rel=1e-5)
    first = model.train_on_batch(X, targets, sample_weight=weights)[0]
    assert model.train_on_batch(X, targets, sample_weight=weights)[0] < first


def test_the_gradient_of_a_loss_of_several_outputs():
    model, targets = two_in_a_list()
    model.compile(optimizers.SGD(1.0), loss={"a": squares_and_distances})
    before = model.get_weights()
    y = model.predict(X, verbose=0)
    model.train_on_batch(X, targets)
    moved = [old - new for old, new in zip(before, model.get_weights())]
    dp, dq = (y["a"][0] - Y2) / 8, np.sign(y["a"][1] - 2 * Y2) / 8
    for found, expected in zip(moved, [X.T @ dp, dp.sum(0), X.T @ dq, dq.sum(0)]):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert not any(np.any(d) for d in moved[4:])


def test_one_loss_of_a_dict_of_outputs():
    def both(y_true, y_pred):
        return ops.mean(ops.square(y_true["u"] - y_pred["u"]) + ops.square(y_true["v"] - y_pred["v"]), -1)

    inputs = layers.Input((3,))
    u, v = layers.Dense(2)(inputs), layers.Dense(2)(inputs)
    model = Model(inputs, [{"u": u, "v": v}, u])
    model.compile("sgd", loss=[both, None])
    y = model.predict(X, verbose=0)[0]
    expected = np.mean((Y2 - y["u"]) ** 2 + (Y2 - y["v"]) ** 2)
    assert model.evaluate(X, [{"u": Y2, "v": Y2}, Y2], verbose=0) == pytest.approx(expected, rel=1e-5)


def test_several_losses_of_one_output_add_up():
    model, targets = two_in_a_list()
    model.compile("sgd", loss={"b": ["mse", "mae"], "a": ["mse", None]}, loss_weights=[1.0, 2.0, 3.0, 4.0])
    logs = model.fit(X, targets, verbose=0).history
    assert list(logs) == ["a/p_loss", "b_loss", "b_loss_1", "loss"]
    assert logs["loss"][0] == pytest.approx(logs["b_loss"][0] + 2 * logs["b_loss_1"][0] + 3 * logs["a/p_loss"][0])


@pytest.mark.parametrize("loss", [["mse", "mae"], [["mse", "mae"]], {"p": ["mse", "mae"]}])
@pytest.mark.parametrize("weights", [None, [0.5, 3.0], [0.5], 0.5])
def test_of_several_losses_of_the_one_output_the_first_counts(loss, weights):
    model = Sequential([layers.Input((3,)), layers.Dense(2, name="p")])
    model.compile("sgd", loss=loss, loss_weights=weights)
    with pytest.warns(UserWarning, match=r"\['mse', 'mae'\].* for the one output 'p' the first counts"):
        found = model.evaluate(X, Y2, verbose=0)
    share = 1 if weights is None else 0.5
    assert found == pytest.approx(share * np.mean((model.predict(X, verbose=0) - Y2) ** 2))


@pytest.mark.parametrize("weights", [3.0, [3.0], {"a": 3.0}])
def test_one_weight_of_one_loss_holds_for_all_outputs(weights):
    inputs = layers.Input((3,))
    model = Model(inputs, [layers.Dense(2, name=name)(inputs) for name in "ab"])
    model.compile("sgd", "mse", loss_weights=weights)
    loss, of_a, of_b = model.evaluate(X, [Y2, Y2], verbose=0)
    assert loss == pytest.approx(3 * (of_a + of_b))


@pytest.mark.parametrize("metrics", [[["mae"], ["mse"]], {"other": ["mae", "mse"]}, [{"x": "mae", "y": "mse"}]])
def test_the_metrics_of_the_one_output_however_they_are_nested(metrics):
    model = Sequential([layers.Input((3,)), layers.Dense(2, name="p")])
    model.compile("sgd", "mse", metrics=metrics)
    assert list(model.evaluate(X, Y2, verbose=0, return_dict=True)) == ["loss", "mae", "mse"]


@pytest.mark.parametrize("loss", [{"p": ["mse"]}, {"p": "mse"}, [["mse"]], ["mse"]])
def test_the_one_loss_may_stand_in_lists_and_under_its_name(loss):
    model = Sequential([layers.Input((3,)), layers.Dense(2, name="p")])
    model.compile("sgd", loss=loss, loss_weights=[0.5])
    assert model.evaluate(X, Y2, verbose=0) == pytest.approx(np.mean((model.predict(X, verbose=0) - Y2) ** 2) / 2)


def test_a_loss_of_all_outputs_beside_those_of_each():
    inputs = layers.Input((3,))
    model = Model(inputs, {"a": layers.Dense(2)(inputs), "b": layers.Dense(2)(inputs)})

    def distance(y_true, y_pred):
        return ops.mean(ops.abs(y_pred["a"] - y_pred["b"]), -1)

    model.compile("sgd", loss=[distance, {"a": "mse", "b": "mae"}], loss_weights=[2.0, {"a": 1.0, "b": 0.5}])
    y = model.predict(X, verbose=0)
    logs = model.evaluate(X, {"a": Y2, "b": Y2}, verbose=0, return_dict=True)
    assert list(logs)[1:] == ["a_loss", "b_loss", "loss"]
    figures = [np.mean(np.abs(y["a"] - y["b"])), np.mean((y["a"] - Y2) ** 2), np.mean(np.abs(y["b"] - Y2))]
    expected = [*figures, 2 * figures[0] + figures[1] + figures[2] / 2]
    np.testing.assert_allclose(list(logs.values()), expected, rtol=1e-5)


def test_losses_and_targets_in_one_list_for_outputs_in_structures():
    model, targets = two_in_a_list()
    model.compile("sgd", loss=["mse", "mae", "mse"], loss_weights=[0.0, 1.0, 0.0])
    y = model.predict(X, verbose=0)
    expected = np.mean(np.abs(y["a"][1] - 2 * Y2))
    assert model.evaluate(X, [*targets["a"], targets["b"]], verbose=0)[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("compiled", "message"),
    [
        ({"loss": {"a": "mse", "c": "mse"}}, r"loss names the outputs \['c'\]; the model has \['a', 'b'\]"),
        ({"loss": {"a": {"x": "mse"}}}, r"loss has a dict for outputs\['a'\], which are no dict"),
        ({"loss": {"a": ["mse"] * 3, "b": "mse"}}, "loss has 3 entries, the model 2 outputs: \\['p', 'q'\\]"),
        (
            {"loss": {"a": "mse"}, "loss_weights": {"b": 1.0}},
            r"loss_weights names the outputs \['b'\]; the losses are for",
        ),
        ({"loss": {"a": "mse"}, "loss_weights": [1.0, 2.0]}, "loss_weights has 2 entries, for 1 losses"),
        ({"loss": {"a": "mse"}, "loss_weights": {"a": [1.0, 2.0]}}, "loss_weights has .* for the one loss 'mse'"),
    ],
)
def test_losses_that_do_not_fit_their_outputs(compiled, message):
    model, targets = two_in_a_list()
    model.compile("sgd", **compiled)
    with pytest.raises(ValueError, match=message):
        model.fit(X, targets, verbose=0)


@pytest.mark.parametrize(
    ("outputs", "loss", "message"),
    [
        (lambda u, v: {"a": {"u": u, "v": v}}, "mse", r"outputs\['a'\], which come in a dict"),
        (lambda u, v: {"a": [u, ops.expand_dims(v, 1)]}, "mse", "have different shapes"),
        (lambda u, v: {"a": [u, v]}, losses.SparseCategoricalCrossentropy(ignore_class=0), "may leave out"),
    ],
)
def test_what_the_library_s_losses_do_not_take_together(outputs, loss, message):
    inputs = layers.Input((3,))
    model = Model(inputs, outputs(layers.Dense(2)(inputs), layers.Dense(2)(inputs)))
    model.compile("sgd", loss={"a": loss})
    with pytest.raises(ValueError, match=message):
        model.evaluate(X, model.predict(X, verbose=0), verbose=0)


def test_weights_of_outputs_together_must_be_the_same():
    model, targets = two_in_a_list()
    model.compile("sgd", loss={"a": "mse", "b": "mse"})
    ones = np.ones(8)
    model.fit(X, targets, sample_weight={"a": [ones, ones.copy()], "b": 2 * ones}, verbose=0)
    for others in (2 * ones, None):
        with pytest.raises(ValueError, match="sample weights must be the same"):
            model.fit(X, targets, sample_weight={"a": [ones, others], "b": ones}, verbose=0)


def test_explain_shows_one_loss_for_each_output():
    model, targets = two_in_a_list()
    model.compile("sgd", loss={"a": "mse", "b": "mse"})
    with pytest.raises(ValueError, match="each output has one loss for itself"):
        model.trace(X, targets)


def test_a_loss_for_each_of_too_many_or_in_lists():
    inputs = layers.Input((3,))
    outputs = [layers.Dense(1, name=f"out_{k}")(inputs) for k in range(3)]
    model = Model(inputs, [outputs[0], (outputs[1], outputs[2])])
    targets = [Y1, (Y1, Y1)]
    model.compile("sgd", loss=["mse", ("mae", None)])
    assert np.isfinite(model.evaluate(X, targets, verbose=0)).all()
    model.compile("sgd", loss=["mse", "mse"])
    assert np.isfinite(model.evaluate(X, targets, verbose=0)).all()
    model.compile("sgd", loss=["mse"])
    with pytest.warns(UserWarning, match="loss has 1 entries, the model 3 outputs: .*; the last ones go without"):
        found = model.evaluate(X, targets, verbose=0)
    assert found == pytest.approx(np.mean((model.predict(X, verbose=0)[0] - Y1) ** 2))
    model.compile("sgd", loss=["mse"] * 4)
    with pytest.raises(ValueError, match="loss has 4 entries, the model 3 outputs"):
        model.fit(X, targets, verbose=0)

"""Weights of PyTorch in our layers: every convention translated, and what cannot be matched told with both lists."""

import numpy as np
import pytest

from scratchnet.files import write_safetensors
from scratchnet.layers import LSTM, Bidirectional, Conv2D, Dense, Flatten, Input, Reshape, SimpleRNN, TimeDistributed
from scratchnet.models import Model, Sequential
from tests.files.torch_twins import OTHER_TWINS, TWINS, branches, built, data, extract


def check(model, name):
    x, y = data(name)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, atol=2e-6)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("name", TWINS)
def test_networks_of_pytorch_predict_the_same_here(tmp_path, name, ending):
    model = built(TWINS[name])
    model.load_weights(extract(f"{name}.{ending}", tmp_path), verbose=0)
    check(model, name)


@pytest.mark.parametrize("name", OTHER_TWINS)
def test_other_ways_to_write_the_same_network_predict_the_same(tmp_path, name):
    model = built(OTHER_TWINS[name])
    model.load_weights(extract(f"{name}.pth", tmp_path), verbose=0)
    check(model, name)


def test_nested_models_and_wrappers_are_looked_into(tmp_path):
    inner = Sequential([Input((6, 5, 2)), Conv2D(4, 3), *TWINS["flattened"]()[2:6]], name="features")
    head = Sequential([Input((8,)), *TWINS["flattened"]()[6:]])
    x = Input((6, 5, 2))
    model = Model(x, head(inner(x)))
    model.load_weights(extract("flattened.pth", tmp_path), verbose=0)
    check(model, "flattened")
    frames = Sequential([Input((1, 6, 5, 2)), TimeDistributed(model), Reshape((3,))])
    fresh = built(TWINS["flattened"])
    fresh.load_weights(extract("flattened.pth", tmp_path), verbose=0)
    frames.load_weights(extract("flattened.pth", tmp_path), verbose=0)
    x, y = data("flattened")
    np.testing.assert_allclose(frames.predict(x[:, None], verbose=0), y, atol=2e-6)


def test_the_table_tells_where_each_array_went_and_what_was_left_over(tmp_path, capsys):
    model = built(TWINS["flattened"])
    model.load_weights(extract("flattened.pth", tmp_path))
    table = capsys.readouterr().out
    dense = model.layers[-1].name
    row = next(line for line in table.splitlines() if line.startswith(f"{dense}/kernel"))
    assert row.split("  ")[0] == f"{dense}/kernel" and "(8, 3)" in row and "5.weight" in row and "(3, 8)" in row
    assert "transposed, rows from (c, h, w) to (h, w, c)" in row
    assert "left over: 4.num_batches_tracked (counters)" in table
    model.load_weights(extract("flattened.pth", tmp_path), verbose=0)
    assert capsys.readouterr().out == ""


def test_modules_of_one_shape_in_another_order_need_names(tmp_path):
    for ending in ("pth", "safetensors"):
        with pytest.raises(ValueError, match="cannot be matched") as told:
            branches(named=False).load_weights(extract(f"branches.{ending}", tmp_path))
        message = str(told.value)
        assert f"branches.{ending}: its arrays" in message
        assert "  left (" in message and "  right (" in message  # both lists
        assert message.count("(kernel (3, 4), bias (4,))") == 2


def test_what_does_not_belong_together_is_refused_and_changes_nothing(tmp_path):
    others = {
        "another size": [Input((6, 5, 2)), Conv2D(4, 3), Flatten(), Dense(3)],
        "a layer too many": [*TWINS["flattened"](), Dense(3)],
        "another kind": [Input((4, 3)), LSTM(4), Dense(2)],
        "no bias": [*TWINS["flattened"]()[:-1], Dense(3, use_bias=False)],
    }
    for layers in others.values():
        model = Sequential(layers)
        before = model.get_weights()
        with pytest.raises(ValueError, match=r"flattened\.pth: its arrays cannot be matched with the layers"):
            model.load_weights(extract("flattened.pth", tmp_path))
        for one, two in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)


def test_our_own_weights_come_back_from_safetensors(tmp_path):
    model, path = built(TWINS["decoder"]), tmp_path / "w.safetensors"
    write_safetensors(path, model.named_arrays())
    other = Sequential.from_config(model.get_config())
    other.load_weights(path, verbose=0)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_names_decide_before_the_order_does(tmp_path):
    path = tmp_path / "w.safetensors"
    arrays = {"b.weight": np.full((2, 2), 2, "f4"), "a.weight": np.full((2, 2), 1, "f4")}
    write_safetensors(path, arrays)
    model = Sequential([Input((2,)), Dense(2, use_bias=False, name="b"), Dense(2, use_bias=False, name="a")])
    model.load_weights(path, verbose=0)
    assert [w.array[0, 0] for w in model.weights] == [2, 1]


def test_numbers_in_names_are_compared_as_numbers(tmp_path):
    path = tmp_path / "w.safetensors"
    write_safetensors(path, {f"layer.{k}.weight": np.full((2, 2), k, "f4") for k in (10, 9, 0, 1, 2, 11)})
    model = Sequential([Input((2,)), *[Dense(2, use_bias=False) for _ in range(6)]])
    model.load_weights(path, verbose=0)
    assert [w.array[0, 0] for w in model.weights] == [0, 1, 2, 9, 10, 11]


def test_stacked_layers_of_one_shape_go_by_their_numbers_where_names_are_sorted(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"fc.weight": rng.normal(size=(3, 8)), "fc.bias": rng.normal(size=3)}
    for k, size in enumerate((5, 8, 8)):
        for end in ("", "_reverse"):
            shapes = {"weight_ih": (4, size), "weight_hh": (4, 4), "bias_ih": (4,), "bias_hh": (4,)}
            arrays.update({f"rnn.{name}_l{k}{end}": rng.normal(size=shape) for name, shape in shapes.items()})
    write_safetensors(tmp_path / "m.safetensors", dict(sorted(arrays.items())))
    stack = [Bidirectional(SimpleRNN(4, return_sequences=True)) for _ in range(3)]
    model = Sequential([Input((6, 5)), *stack, Dense(3)])
    model.load_weights(tmp_path / "m.safetensors", verbose=0)
    for k, layer in enumerate(stack):
        np.testing.assert_allclose(
            layer.backward_layer.get_weights()[0], arrays[f"rnn.weight_ih_l{k}_reverse"].T, rtol=1e-6
        )

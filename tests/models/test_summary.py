"""The table of a model: in lines, in columns, and as a notebook shows it."""

import numpy as np
import pytest

from scratchnet import layers, models, ops, optimizers
from scratchnet.layers import Concatenate, Dense, Flatten, Input
from scratchnet.models import Model, Sequential


@pytest.fixture
def chain():
    return Sequential([Input((4,)), Dense(3, name="first"), Dense(2, name="second")], name="small")


@pytest.fixture
def siamese():
    """An encoder, a model of its own, used twice."""
    encoder = Sequential([Input((4,)), Dense(3, name="inner")], name="encoder")
    left, right = Input((4,), name="left"), Input((4,), name="right")
    encoded = [encoder(left), encoder(right)]
    return Model([left, right], Dense(1, name="score")(Concatenate(name="both")(encoded)), name="siamese")


def lines(model, **options):
    found = []
    model.summary(print_fn=found.append, **options)
    return found


def cells(model, **options):
    """The table without its lines: {first cell: the others}."""
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines(model, **options) if "│" in line]
    return {first: rest for first, *rest in rows}


def test_a_chain(chain):
    assert lines(chain) == [
        'Model: "small"',
        "┌────────────────┬──────────────┬─────────┐",
        "│ Layer (type)   │ Output Shape │ Param # │",
        "├────────────────┼──────────────┼─────────┤",
        "│ first (Dense)  │ (None, 3)    │      15 │",
        "│ second (Dense) │ (None, 2)    │       8 │",
        "└────────────────┴──────────────┴─────────┘",
        " Total params: 23 (92.00 B)",
        " Trainable params: 23 (92.00 B)",
        " Non-trainable params: 0 (0.00 B)",
    ]


def test_before_the_model_is_built():
    assert lines(Sequential([Dense(3, name="first"), Dense(2, name="second")], name="small")) == [
        'Model: "small"',
        "┌────────────────┬──────────────┬─────────────┐",
        "│ Layer (type)   │ Output Shape │     Param # │",
        "├────────────────┼──────────────┼─────────────┤",
        "│ first (Dense)  │ ?            │ 0 (unbuilt) │",
        "│ second (Dense) │ ?            │ 0 (unbuilt) │",
        "└────────────────┴──────────────┴─────────────┘",
        " Total params: 0 (0.00 B)",
        " Trainable params: 0 (0.00 B)",
        " Non-trainable params: 0 (0.00 B)",
    ]


def test_what_is_frozen_and_what_the_optimizer_keeps_are_counted_apart(chain):
    chain.layers[0].trainable = False
    chain.compile("adam", "mse")
    chain.fit(np.ones((2, 4)), np.ones((2, 2)), verbose=0)
    slots = sum(slot.size for slot in chain.optimizer.state.values())
    assert slots >= 16
    *_, total, trainable, fixed, optimizer = lines(chain)
    assert total.startswith(f" Total params: {23 + slots + 2} (")
    assert trainable.startswith(" Trainable params: 8 (")
    assert fixed.startswith(" Non-trainable params: 15 (")
    assert optimizer == f" Optimizer params: {slots + 2} ({4 * slots + 12:.2f} B)"  # steps and learning rate as well
    schedule = optimizers.schedules.ExponentialDecay(0.1, 2, 0.9)
    for rate, expected in ((0.1, "2 (12.00 B)"), (schedule, "1 (8.00 B)")):
        chain.compile(optimizers.SGD(rate), "mse")
        assert not lines(chain)[-1].startswith(" Optimizer")
        chain.fit(np.ones((2, 4)), np.ones((2, 2)), verbose=0)
        assert lines(chain)[-1] == f" Optimizer params: {expected}"


def test_a_model_with_call_lists_layers_before_it_is_traced_and_those_it_does_not_use():
    class Own(models.Model):
        def __init__(self):
            super().__init__()
            self.first, self.unused = layers.Dense(4, name="first"), layers.Dense(1, name="unused")

        def build(self, input_shape):
            self.first.build(input_shape)

        def call(self, x):
            return self.first(x)

    model = Own()
    model.build((None, 2))
    rows = cells(model)
    assert rows["first (Dense)"][1] == "12" and rows["unused (Dense)"] == ["?", "0 (unbuilt)"]
    model(np.ones((1, 2)))
    rows = cells(model)
    assert rows["first (Dense)"] == ["(None, 4)", "12"] and rows["unused (Dense)"] == ["?", "0 (unbuilt)"]


def test_a_graph_says_which_use_of_which_layer_is_read(siamese):
    table = cells(siamese)
    assert table["Layer (type)"] == ["Output Shape", "Param #", "Connected to"]
    assert table["left (InputLayer)"] == ["(None, 4)", "0", "-"]
    assert table["encoder (Sequential)"] == ["(None, 3)", "15", "left[0][0], right[0][0]"]
    assert table["both (Concatenate)"] == ["(None, 6)", "0", "encoder[0][0], encoder[1][0]"]


def test_layers_of_a_model_within_the_model(siamese):
    assert "└ inner (Dense)" not in cells(siamese)
    nested = cells(siamese, expand_nested=True)
    assert nested["└ inner (Dense)"][:2] == ["(None, 3)", "15"]
    deeper = Sequential([Input((4,)), Sequential([siamese.get_layer("encoder"), Dense(1)])])
    assert any(line.startswith("│       └ inner") for line in lines(deeper, expand_nested=True))


def test_an_operation_has_a_row_of_its_own():
    x = Input((4,), name="x")
    y = Dense(3, name="d")(x)
    table = cells(Model(x, ops.exp(y) * y))
    (exp,) = (row for name, row in table.items() if name.endswith("(Exp)"))
    (multiply,) = (row for name, row in table.items() if name.endswith("(Multiply)"))
    assert exp == ["(None, 3)", "0", "d[0][0]"]
    assert multiply[2].startswith("exp") and multiply[2].endswith("d[0][0]")


def test_what_is_trained_has_a_column(chain):
    chain.layers[0].trainable = False
    chain.add(Flatten(name="flat"))
    table = cells(chain, show_trainable=True)
    assert [table[name][-1] for name in ("Layer (type)", "first (Dense)", "second (Dense)", "flat (Flatten)")] == [
        "Trainable",
        "N",
        "Y",
        "-",
    ]


def test_a_range_of_layers(chain):
    assert list(cells(chain, layer_range=("second", "second"))) == ["Layer (type)", "second (Dense)"]
    assert list(cells(chain, layer_range=["sec", "fir.*"])) == ["Layer (type)", "first (Dense)", "second (Dense)"]
    with pytest.raises(ValueError, match="no layer's name matches 'third'; there are first, second"):
        chain.summary(layer_range=("first", "third"))
    with pytest.raises(ValueError, match="layer_range must be the names of two layers"):
        chain.summary(layer_range="first")


@pytest.mark.parametrize("line_length", [30, 41, 60])
def test_no_line_of_the_table_is_longer_than_asked(chain, line_length):
    table = [line for line in lines(chain, line_length=line_length) if line[0] in "┌│├└"]
    assert max(map(len, table)) <= line_length
    text = "".join(line.split("│")[1].replace(" ", "") for line in table if line[0] == "│")
    assert "second(Dense)" in text  # nothing is cut off


def test_a_terminal_of_any_width(chain, monkeypatch):
    monkeypatch.setenv("COLUMNS", "32")
    assert max(map(len, lines(chain)[1:-3])) <= 32


@pytest.mark.parametrize("positions", [[0.5, 0.8, 1.0], [30, 48, 60]])
def test_columns_end_where_they_are_told(chain, positions):
    row = next(line for line in lines(chain, line_length=61, positions=positions) if "first" in line)
    assert [place for place, letter in enumerate(row) if letter == "│"] == [0, 30, 48, 60]


def test_positions_that_cannot_be(chain):
    with pytest.raises(ValueError, match="needs 3 positions for the columns"):
        chain.summary(positions=[0.5, 1.0])
    with pytest.raises(ValueError, match="have no room for the positions"):
        chain.summary(line_length=20, positions=[0.1, 0.5, 1.0])


def test_a_notebook_shows_a_table(chain):
    html = chain._repr_html_()
    assert "<td" in html and "first (Dense)" in html and "total params: 23" in html
    assert Sequential([Dense(1)])._repr_html_() is None
    chain.compile("sgd", "mse")
    history = chain.fit(np.ones((2, 4)), np.ones((2, 2)), epochs=3, verbose=0)
    losses = history.history["loss"]
    assert f"{losses[0]:.4g}</td>" in history._repr_html_() and "History of 3 epochs" in history._repr_html_()

"""Pictures of models: what the boxes say, where they stand, and that arrows lead from box to box."""

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.layers import LSTM, Add, Concatenate, Dense, Input, TimeDistributed
from scratchnet.models import Model, Sequential
from scratchnet.utils import model_to_dot, plot_model
from scratchnet.utils.model_graph import boxes_of

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def model():
    """An encoder that is used twice, and an arrow that passes other layers by."""
    encoder = Sequential(
        [Input((4, 3)), LSTM(5, name="lstm"), Dense(2, activation="relu", name="code")], name="encoder"
    )
    left, right = Input((4, 3), name="left"), Input((4, 3), name="right")
    codes = [encoder(left), encoder(right)]
    h = Dense(2, name="h")(Concatenate(name="both")(codes))
    return Model([left, right], Add(name="sum")([h, codes[0]]), name="siamese")


def names(graph):
    return [box.step.name for box in graph.boxes]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_box_for_each_layer_and_an_arrow_for_each_that_reads_another(model):
    graph = boxes_of(model)
    assert names(graph) == ["left", "right", "encoder", "both", "h", "sum"]
    arrows = [(names(graph)[a], names(graph)[b]) for a, b in graph.arrows]
    assert set(arrows) == {
        ("left", "encoder"),
        ("right", "encoder"),
        ("encoder", "both"),
        ("both", "h"),
        ("h", "sum"),
        ("encoder", "sum"),
    }
    assert len(arrows) == len(set(arrows))


def test_boxes_say_what_is_asked(model):
    assert texts(plot_model(model, None)) == ["InputLayer", "InputLayer", "Sequential", "Concatenate", "Dense", "Add"]
    everything = texts(
        plot_model(
            model,
            None,
            show_shapes=True,
            show_dtype=True,
            show_layer_names=True,
            expand_nested=True,
            show_layer_activations=True,
            show_trainable=True,
        )
    )
    for text in (
        "left (InputLayer)",
        "output: (None, 4, 3)",
        "both (Concatenate)",
        "input: (None, 2), (None, 2)",
        "output: (None, 4)",
        "lstm (LSTM)",
        "activation: relu",
        "dtype: float32",
        "trainable",
    ):
        assert text in everything
    wrapped = Sequential([Input((4, 3)), TimeDistributed(Dense(2))], trainable=False)
    assert texts(plot_model(wrapped, None, show_trainable=True))[1:] == ["TimeDistributed(Dense)", "frozen"]


def test_the_picture_is_written_as_its_ending_says(model, tmp_path):
    figure = plot_model(model, tmp_path / "deep" / "model.png", dpi=50)
    assert (tmp_path / "deep" / "model.png").read_bytes().startswith(b"\x89PNG")
    width, height = figure.get_size_inches()
    plot_model(model, tmp_path / "model.svg", rankdir="LR")
    assert "<svg" in (tmp_path / "model.svg").read_text("utf-8")
    assert figure._repr_png_().startswith(b"\x89PNG") and height > width


@pytest.mark.parametrize("rankdir", ["TB", "LR", "BT", "RL"])
def test_inputs_stand_where_the_arrows_begin(model, rankdir):
    figure = plot_model(model, None, rankdir=rankdir)
    first, *_, last = (np.array(text.get_position()) for text in figure.axes[0].texts)
    x, y = last - first
    main = {"TB": y, "LR": x, "BT": -y, "RL": -x}[rankdir]
    assert main > 50  # the axis points down


def test_every_text_is_within_the_picture(model):
    figure = plot_model(model, None, show_shapes=True, show_layer_names=True, expand_nested=True)
    figure.draw_without_rendering()
    page = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1


def test_what_cannot_be_drawn_is_told(model):
    with pytest.raises(ValueError, match="cannot be drawn before it is built"):
        plot_model(Sequential([Dense(1)]), None)
    for draw in (plot_model, model_to_dot):
        with pytest.raises(ValueError, match='rankdir must be "TB"'):
            draw(model, rankdir="up")
        with pytest.raises(TypeError, match="no argument 'colour'"):
            draw(model, colour="red")


def test_an_operation_is_a_box_of_its_own():
    x = Input((4,), name="x")
    model = Model(x, (ops.exp(Dense(3, name="d")(x)) * 2)[:, :2])
    assert texts(plot_model(model, None)) == ["InputLayer", "Dense", "Exp", "Multiply", "GetItem"]
    assert boxes_of(model).arrows == [(0, 1), (1, 2), (2, 3), (3, 4)]


# ---- graphviz ----


def test_the_text_for_graphviz(model):
    text = model_to_dot(model, show_shapes=True, show_layer_names=False, rankdir="LR")
    assert text.startswith('digraph "siamese" {\n  graph [rankdir=LR, dpi=200, splines=ortho,')
    assert '"siamese/both" [label="{Concatenate|input: (None, 2), (None, 2)|output: (None, 4)}"];' in text
    assert '  "siamese/left" -> "siamese/encoder";\n' in text
    assert text.count("{") == text.count("}") and text.endswith("}\n")


def test_a_model_within_is_a_cluster(model):
    text = model_to_dot(model, expand_nested=True)
    assert 'subgraph "cluster_siamese/encoder" {' in text
    assert '"siamese/encoder/lstm" -> "siamese/encoder/code";' in text
    assert '"siamese/left" -> "siamese/encoder/input' in text and 'lhead="cluster_siamese/encoder"];' in text
    assert '"siamese/encoder/code" -> "siamese/both" [ltail="cluster_siamese/encoder"];' in text
    assert model_to_dot(model, subgraph=True).startswith('subgraph "cluster_siamese" {\n  label="siamese";')

"""Keras's order of layers, on which saved weights depend."""

from scratchnet.layers import Add, Concatenate, Dense, Input
from scratchnet.models import Model


def test_layers_are_listed_by_depth_and_then_as_a_walk_back_meets_them():
    a, b, c = (Input((4,), name=name) for name in "abc")
    shared = Dense(4, name="d1")
    x, y = shared(a), Dense(4, name="d2")(Dense(4, name="d3")(b))
    z = Add(name="add")([x, y])
    w = Dense(4, name="d4")(z)
    u = Dense(4, name="d5")(Concatenate(name="cat")([w, shared(y), c]))
    model = Model([c, b, a], [Dense(1, name="out2")(w), u, Dense(2, name="out1")(z)])
    # as Keras 3.15 lists them; "d1" stands deep because its other use does
    expected = ["b", "a", "d3", "d1", "d2", "add", "d4", "c", "cat", "out2", "d5", "out1"]
    assert [layer.name for layer in model.layers] == expected

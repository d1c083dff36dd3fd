from unittest import mock

import numpy as np
import pytest

from scratchnet.explain.check import check_calls
from scratchnet.explain.payload import Payload
from scratchnet.explain.views.recurrent import replayed_grads
from scratchnet.gradient_check.report import FAILED, PASSED
from scratchnet.layers import GRU, LSTM, Bidirectional, Dense, Flatten, Input
from scratchnet.models import Model, Sequential

pytestmark = pytest.mark.usefixtures("by_numpy")


def traced(mode="concat", return_sequences=True, layer=LSTM, **options):
    both = Bidirectional(
        layer(3, return_sequences=return_sequences, dtype="float64", name="rnn"), merge_mode=mode, name="both"
    )
    model = Sequential([Input((4, 2)), both, Flatten(), Dense(2, dtype="float64")])
    model.compile("sgd", "mse")
    return model.trace(np.random.default_rng(0).standard_normal((2, 4, 2)), np.ones((2, 2)), **options)


@pytest.mark.parametrize("mode", ["concat", "sum", "ave", "mul"])
@pytest.mark.parametrize("return_sequences", [True, False])
def test_each_direction_is_a_call_of_its_own(mode, return_sequences):
    t = traced(mode, return_sequences)
    assert list(t)[:3] == ["both", "both/forward_rnn", "both/backward_rnn"]
    both, a, b = t["both"], t["both/forward_rnn"], t["both/backward_rnn"]
    in_order = both.layer.in_order
    np.testing.assert_array_equal(both.a, a.y)
    np.testing.assert_array_equal(both.b, in_order(b.y))
    np.testing.assert_array_equal(both.da, a.dy)
    np.testing.assert_array_equal(both.db, in_order(b.dy))
    np.testing.assert_allclose(a.dx + b.dx, both.dx, rtol=1e-12)
    for call, name in ((a, "forward_layer"), (b, "backward_layer")):
        for key, d in call.grads.items():
            np.testing.assert_array_equal(d, both.grads[f"{name}/{key}"])
            np.testing.assert_allclose(replayed_grads(call.layer, call)[key], d, rtol=1e-9, atol=1e-14)


def test_it_is_checked_and_so_is_what_is_within_it():
    rows = check_calls(traced(layer=GRU))
    assert {"both", "both/forward_rnn", "both/backward_rnn"} <= rows.keys()
    assert {row.verdict for row in rows.values()} == {PASSED}
    right = Bidirectional.merge_adjoint
    with mock.patch.object(Bidirectional, "merge_adjoint", lambda *a: tuple(reversed(right(*a)))):
        rows = check_calls(traced(layer=GRU))
    assert [path for path, row in rows.items() if row.verdict == FAILED] == ["both"]


def test_the_first_layer_needs_no_dx():
    t = traced()
    assert t["both"].dx is not None
    words = Sequential([Input((4, 2)), Bidirectional(LSTM(3, name="rnn"), name="both"), Dense(1)])
    t = words.trace(np.ones((1, 4, 2), np.float32))
    call = t["both/forward_rnn"]
    assert t["both"].inside.keys() == {"a", "b"}
    assert call.dy is None and call.dx is None and call.gates.h.shape == (1, 5, 3)


def test_with_lists_it_is_shown_as_any_layer():
    x = Input((4, 2))
    a, b = Bidirectional(LSTM(3, name="rnn"), merge_mode=None, name="both")(x)
    model = Model(x, [a, b])
    model.compile("sgd", ["mse", "mse"])
    t = model.trace(np.ones((1, 4, 2), np.float32), [np.ones((1, 3), np.float32)] * 2)
    assert list(t) == ["both"] and t["both"].inside == {}
    assert Payload(t).meta["calls"][0]["inside"] == {}


def test_a_merge_of_several_outputs_shows_its_directions():
    x = Input((4, 2))
    y, *states = Bidirectional(LSTM(3, return_state=True, name="rnn"), name="both")(x)
    model = Model(x, Dense(1)(y))
    model.compile("sgd", "mse")
    t = model.trace(np.ones((1, 4, 2), np.float32), np.ones((1, 1), np.float32))
    assert t["both"].a.shape == (1, 3) and t["both"].da.shape == (1, 3)

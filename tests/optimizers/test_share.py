"""Shares of the parameters: who owns what, and that nothing is lost between whole and divided."""

import copy

import numpy as np
import pytest

from scratchnet.optimizers import SGD, Adafactor, Adam
from scratchnet.optimizers.share import Share
from scratchnet.parallel.ranks import Alone, current_ranks
from tests.parallel.in_threads import fake_ranks, run_ranks

RNG = np.random.default_rng(6)
PARAMS = {
    "dense/kernel": RNG.standard_normal((5, 7)),
    "dense/bias": RNG.standard_normal(7).astype("float32"),
    "scale": RNG.standard_normal(()),
}
SHAPES = {key: (w.shape, w.dtype) for key, w in PARAMS.items()}


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_all_elements_are_owned_once_in_stretches_of_one_length(count):
    shares = [Share(SHAPES, ranks, whole=False) for ranks in fake_ranks(count)]
    views = [share.views(PARAMS) for share in shares]
    for key, w in PARAMS.items():
        found = np.concatenate([view[key] for view in views if key in view])
        np.testing.assert_array_equal(found, w.reshape(-1))
    sizes = [sum(w.size for w in view.values()) for view in views]
    assert max(sizes) - min(sizes) <= 1 and sum(sizes) == 43
    assert shares[0].shapes_of_views() == {key: (w.shape, w.dtype) for key, w in views[0].items()}


def test_whole_parameters_are_dealt_out_the_largest_first():
    shares = [Share(SHAPES, ranks, whole=True).views(PARAMS) for ranks in fake_ranks(4)]
    assert [list(share) for share in shares] == [["dense/kernel"], ["dense/bias"], ["scale"], []]
    assert shares[0]["dense/kernel"] is PARAMS["dense/kernel"]


def train(optimizer, ranks, params, steps=2):
    """Some steps, with gradients of four parts of a batch."""
    for _ in range(steps):
        parts = [{key: np.full_like(w, 0.1 * (k + optimizer.steps)) for key, w in params.items()} for k in range(4)]
        optimizer.divide_among(ranks, params)
        if optimizer.share is None:
            optimizer.update(params, parts)
        else:
            own = optimizer.share.reduce(params, parts[2 * ranks.rank : 2 * ranks.rank + 2], [2, 2])
            optimizer.update(optimizer.share.views(params), own)
            optimizer.share.hand_round(params)
    return params


@pytest.mark.parametrize("make", [Adam, lambda: Adam(global_clipnorm=0.3), Adafactor, lambda: SGD(momentum=0.9)])
def test_an_optimizer_goes_on_among_ranks_and_alone_again(make):
    whole = make()
    expected = train(whole, Alone(), copy.deepcopy(PARAMS), 6)

    def program(rank):
        optimizer = make()
        params = train(optimizer, Alone(), copy.deepcopy(PARAMS))
        train(optimizer, current_ranks(), params)
        divided = sum(slot.size for slot in optimizer.state.values())
        optimizer.set_state(optimizer.get_state())
        train(optimizer, Alone(), params)
        assert optimizer.share is None
        return params, divided, optimizer.get_state()

    results = run_ranks(2, program)
    assert sum(divided for _, divided, _ in results) == sum(slot.size for slot in whole.state.values())
    for found, _, state in results:
        assert all(np.array_equal(found[key], expected[key]) for key in expected)
        assert list(state) == list(whole.get_state())
        assert all(np.array_equal(state[key], value) for key, value in whole.get_state().items())


def test_parameters_that_are_spared_the_decay_are_known_in_stretches():
    params = {"kernel": np.ones(6, "float32"), "bias": np.ones(6, "float32")}

    def program(rank):
        own = {key: w.copy() for key, w in params.items()}
        optimizer = SGD(0.5, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_list=[own["bias"]])
        optimizer.divide_among(current_ranks(), own)
        gradients = optimizer.share.reduce(own, [{key: w * 0 for key, w in own.items()}], [1, 1])
        optimizer.update(optimizer.share.views(own), gradients)
        optimizer.share.hand_round(own)
        return own["kernel"].tolist(), own["bias"].tolist()

    assert run_ranks(2, program) == [([0.75] * 6, [1.0] * 6)] * 2

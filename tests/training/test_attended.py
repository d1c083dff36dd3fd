"""Attention without its scores: what the layer says, there and back."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import (
    LSTM,
    Add,
    Attention,
    Dense,
    GlobalAveragePooling1D,
    GroupedQueryAttention,
    Input,
    Masking,
    MultiHeadAttention,
)
from scratchnet.models import Model
from scratchnet.structure import flatten
from scratchnet.training import attended
from scratchnet.training.attended import Attended
from scratchnet.training.blocks import SelfAttention
from scratchnet.training.in_training import in_training
from scratchnet.training.in_use import in_use
from scratchnet.training.joined import JoinedNode
from scratchnet.utils import set_random_seed

pytestmark = pytest.mark.skipif(not kernels.numba_is_installed(), reason="of the compiled kernels")


@pytest.fixture(autouse=True)
def compiled():
    with kernels.using_backend("numba"):
        yield


ATTENDS = {
    "heads": lambda x, seen, **o: MultiHeadAttention(2, 16, **o)(x, seen),
    "heads, causal, with a gate": lambda x, seen, **o: MultiHeadAttention(2, 16, use_gate=True, **o)(
        x, seen, use_causal_mask=True
    ),
    "heads, three inputs": lambda x, seen, **o: MultiHeadAttention(1, 5, 3, **o)(x, seen, seen),
    "heads of a few numbers, of a sequence to itself": lambda x, seen, **o: MultiHeadAttention(2, 5, **o)(x, x),
    "heads with their scores": lambda x, seen, **o: list(
        MultiHeadAttention(2, 5, **o)(x, seen, return_attention_scores=True)
    ),
    "groups of heads": lambda x, seen, **o: GroupedQueryAttention(4, 2, 2, **o)(x, seen),
    "products": lambda x, seen, **o: Attention(use_scale=True, **o)([x, seen]),
    "products, causal": lambda x, seen, **o: Attention(**o)([x, seen], use_causal_mask=True),
    "products with their scores": lambda x, seen, **o: list(Attention(**o)([x, seen], return_attention_scores=True)),
    "sums of tanh": lambda x, seen, **o: Attention(score_mode="concat", **o)([x, seen]),
}


def joined(model):
    return [node for node in model.nodes if isinstance(node, JoinedNode)]


def attending(name, dtype="float32"):
    """A model that looks from one sequence at another, and what goes in."""
    set_random_seed(3)
    x, seen = Input((40, 6), dtype=dtype), Input((19, 6), dtype=dtype)
    rng = np.random.default_rng(0)
    return Model([x, seen], ATTENDS[name](x, seen, dtype=dtype)), [
        rng.normal(size=(9, *t.shape[1:])).astype(dtype) for t in (x, seen)
    ]


@pytest.mark.parametrize("name", ATTENDS)
def test_it_predicts_what_the_layer_says(name):
    model, given = attending(name)
    assert [type(node) for node in joined(in_use(model))] == [Attended]
    for found, expected in zip(flatten(model.predict(given, verbose=0)), flatten(model(given))):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ATTENDS)
@pytest.mark.parametrize("few", [0, 1 << 16])
def test_it_goes_back_as_the_layer_does_with_its_scores_and_without(monkeypatch, name, few):
    monkeypatch.setattr(attended, "_FEW", few)
    model, given = attending(name)
    twin = in_training(model)
    assert [type(node) for node in joined(twin)] == [Attended]
    (y, cache), (expected, others) = (m.forward(given, training=True) for m in (twin, model))
    rng = np.random.default_rng(1)
    dy = [rng.normal(size=a.shape).astype("float32") for a in flatten(y)]
    dy = dy if isinstance(y, list) else dy[0]
    for needs_dx in (True, False):
        dxs, grads = twin.backward(dy, cache, needs_dx)
        wanted_dxs, wanted = model.backward(dy, others, needs_dx)
        assert grads.keys() == wanted.keys()
        pairs = [*zip(flatten(y), flatten(expected)), *((grads[key], wanted[key]) for key in wanted)]
        pairs += zip(dxs, wanted_dxs) if needs_dx else []
        for found, want in pairs:
            np.testing.assert_allclose(found, want, rtol=0, atol=2e-6 * np.abs(want).max())


@pytest.mark.double
@pytest.mark.parametrize("name", ["heads", "heads, causal, with a gate", "products"])
def test_its_gradient_is_that_of_differences_and_parts_add_up(monkeypatch, name):
    monkeypatch.setattr(attended, "_FEW", 0)
    model, given = attending(name, "float64")
    twin, given = in_training(model), [x[:3] for x in given]
    for report in (check_layer(twin, given, training=True, max_entries=60, layouts=False), check_parts(twin, given)):
        assert report.passed, report


@pytest.mark.parametrize("frozen", [False, True])
def test_fit_trains_long_sequences_to_the_same_weights(monkeypatch, frozen):
    monkeypatch.setattr(attended, "_FEW", 100)
    weights = []
    for eagerly in (False, False, True):
        set_random_seed(3)
        x = Input((11, 8))
        attention = MultiHeadAttention(2, 16, dropout=0.2 if frozen else 0)
        h = Dense(8)(x)
        model = Model(x, Dense(1)(GlobalAveragePooling1D()(Add()([h, attention(h, h)]))))
        attention.trainable = not frozen
        model.compile("sgd", "mse", run_eagerly=eagerly)
        assert Attended in map(type, in_training(model).nodes)
        rng = np.random.default_rng(0)
        model.fit(rng.normal(size=(32, 11, 8)), rng.normal(size=32), batch_size=8, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for one, other, layer_by_layer in zip(*weights):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, layer_by_layer, rtol=0, atol=1e-6)


@pytest.mark.parametrize("T, kind", [(256, SelfAttention), (257, Attended), (None, SelfAttention)])
def test_a_long_sequence_that_looks_at_itself_does_not_keep_its_scores_in_training(T, kind):
    x = Input((T, 32))
    model = Model(x, MultiHeadAttention(2, 16)(x, x))
    assert [type(node) for node in joined(in_training(model))] == [kind]
    assert [type(node) for node in joined(in_use(model))] == [SelfAttention]


@pytest.mark.parametrize("behind", [lambda h: h, lambda h: LSTM(4)(h)])
@pytest.mark.parametrize("few", [0, 1 << 16])
def test_masks_come_in_and_go_on(monkeypatch, few, behind):
    monkeypatch.setattr(attended, "_FEW", few)
    set_random_seed(3)
    x = Input((40, 32))
    h = Masking()(x)
    model = Model(x, behind(MultiHeadAttention(2, 16)(h, h)))
    assert [type(node) for node in model.nodes if isinstance(node, JoinedNode)] == []
    given = np.random.default_rng(0).normal(size=(9, 40, 32)).astype("float32")
    given[:5, 23:] = 0
    for twin_of in (in_use, in_training):
        twin = twin_of(model)
        assert Attended in map(type, twin.nodes)
        training = twin_of is in_training
        (y, cache), (expected, others) = (m.forward(given, training=training) for m in (twin, model))
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-6)
        found, wanted = cache.masks, others.masks
        assert (found[0] is None) == (wanted[0] is None) == (len(y.shape) == 2)
        if wanted[0] is not None:
            np.testing.assert_array_equal(found[0], wanted[0])
        if training:
            dx, grads = twin.backward(np.ones_like(y), cache)
            wanted_dx, wanted_grads = model.backward(np.ones_like(y), others)
            np.testing.assert_allclose(dx, wanted_dx, rtol=0, atol=1e-5 * np.abs(wanted_dx).max())
            for key, want in wanted_grads.items():
                np.testing.assert_allclose(grads[key], want, rtol=0, atol=1e-5 * max(1, np.abs(want).max()))

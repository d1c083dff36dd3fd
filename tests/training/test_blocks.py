"""The halves of a Transformer's block in training: what the layers compute one by one, and only what fits them."""

import numpy as np
import pytest

from scratchnet import kernels
from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import (
    Add,
    Concatenate,
    Dense,
    GlobalAveragePooling1D,
    Input,
    LayerNormalization,
    MultiHeadAttention,
)
from scratchnet.models import Model
from scratchnet.training.blocks import Block, FeedForward, SelfAttention
from scratchnet.training.in_training import in_training
from scratchnet.utils import set_random_seed
from tests.training.there_and_back import there_and_back

pytestmark = pytest.mark.skipif(not kernels.numba_is_installed(), reason="of the compiled kernels")

T, C = 7, 24


@pytest.fixture(autouse=True)
def compiled():
    with kernels.using_backend("numba"):
        yield


def attends(*sizes, count=2, **more):
    def half(h, dtype):
        query, *others = [h] * count
        return MultiHeadAttention(*sizes, dtype=dtype, **more)(query, *others)

    return half


def goes_forward(units=32, features=C, activation="relu", first=None, **more):
    def half(h, dtype):
        h = Dense(units, activation=activation, dtype=dtype, **(first or {}))(h)
        return Dense(features, dtype=dtype, **more)(h)

    return half


def added(half, is_first=True):
    return lambda h, dtype: Add(dtype=dtype)([h, half(h, dtype)] if is_first else [half(h, dtype), h])


def normalized(half, **more):
    return lambda h, dtype: LayerNormalization(dtype=dtype, **more)(half(h, dtype))


HALVES = {
    "attention": attends(3, 16),
    "attention, three inputs, values of another size, no bias": attends(1, 16, 32, count=3, use_bias=False),
    "attention with another output": attends(2, 16, output_shape=9),
    "attention along the axis that there is": attends(2, 16, attention_axes=1),
    "attention, added": added(attends(2, 16)),
    "attention, normalized": normalized(attends(2, 16), center=False),
    "attention, added, normalized": normalized(added(attends(2, 16), False), epsilon=0.1),
    "dense": goes_forward(),
    "dense, without relu and bias": goes_forward(17, 40, None, {"use_bias": False}, use_bias=False),
    "dense, added": added(goes_forward(40)),
    "dense, normalized": normalized(goes_forward(), scale=False),
    "dense, added, normalized": normalized(added(goes_forward())),
}


def classifier(half, dtype="float32", T=T):
    """A model whose second node is a half of a block, and whose weights are all random."""
    set_random_seed(3)
    x = Input((T, 5), dtype=dtype)
    h = GlobalAveragePooling1D(dtype=dtype)(half(Dense(C, activation="tanh", dtype=dtype)(x), dtype))
    model = Model(x, Dense(4, activation="softmax", dtype=dtype)(h))
    rng = np.random.default_rng(4)
    for value in model.params.values():
        value += rng.normal(0, 0.2, value.shape)
    return model


def data(count=50, dtype="float32", T=T):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, T, 5)).astype(dtype), rng.integers(0, 4, count)


def blocks(model):
    return [node for node in in_training(model).nodes if isinstance(node, Block)]


@pytest.mark.parametrize("name", HALVES)
def test_its_gradient_is_that_of_differences_and_parts_add_up(name):
    model = in_training(classifier(HALVES[name], "float64"))
    assert len(model.nodes) == 4
    assert type(model.nodes[1]) is (SelfAttention if "attention" in name else FeedForward)
    x, _ = data(6, "float64")
    for report in (check_layer(model, x, training=True, max_entries=100, layouts=False), check_parts(model, x)):
        assert report.passed, report


@pytest.mark.parametrize("name", HALVES)
@pytest.mark.parametrize("count, T", [(1, 1), (50, 7), (9, 130)])
def test_it_is_what_the_layers_compute(name, count, T):
    model, (x, _) = classifier(HALVES[name], T=T), data(count, T=T)
    (y, cache), (expected, others) = (m.forward(x, training=True) for m in (in_training(model), model))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-6)
    dy = np.random.default_rng(1).normal(size=y.shape).astype("float32")
    for needs_dx in (True, False):
        dx, grads = in_training(model).backward(dy, cache, needs_dx)
        wanted_dx, wanted = model.backward(dy, others, needs_dx)
        assert grads.keys() == wanted.keys()
        for key, want in wanted.items():
            largest = max(np.abs(g).max() for g in wanted.values())
            np.testing.assert_allclose(grads[key], want, rtol=0, atol=1e-5 * largest)
        if needs_dx:
            np.testing.assert_allclose(dx, wanted_dx, rtol=0, atol=1e-5 * np.abs(wanted_dx).max())


def test_fit_trains_a_block_to_the_same_weights():
    found = {}
    half = HALVES["attention, added, normalized"]
    behind = HALVES["dense, added, normalized"]
    for eagerly in (True, False, False):
        model = classifier(lambda h, dtype: behind(half(h, dtype), dtype))
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=eagerly)
        model.fit(*data(), epochs=2, verbose=0)
        found.setdefault(eagerly, []).append(model.get_weights())
    assert len(blocks(model)) == 2
    for one, other, layer_by_layer in zip(*found[False], *found[True]):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(one, layer_by_layer, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["attention, added, normalized", "dense, added, normalized"])
def test_a_team_has_the_same_bits(name):
    model, (x, _) = in_training(classifier(HALVES[name], T=28)), data(64, T=28)
    team = kernels.helper()
    if team is None:
        pytest.skip("a helper needs compiled code")
    alone = there_and_back(model, x)
    with team as helper:
        helper.wake()
        together = there_and_back(model, x)
    for a, b in zip(alone, together):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["attention, added, normalized", "dense, added, normalized"])
def test_nan_passes_as_it_passes_the_layers(name):
    model, (x, _) = classifier(HALVES[name]), data()
    x[3, 2, 1] = np.nan
    for one, other in zip(*(there_and_back(m, x) for m in (in_training(model), model))):
        np.testing.assert_array_equal(np.isnan(one), np.isnan(other))


def test_what_is_frozen_within_has_no_gradient():
    model = classifier(HALVES["attention"])
    attention = model.layers[2]
    attention.key_dense.trainable = False
    (node,), (x, _) = blocks(model), data()
    y, cache = in_training(model).forward(x, training=True)
    _, grads = in_training(model).backward(np.ones_like(y), cache)
    assert node.layer is attention and grads.keys() == model.trainable_params.keys() < model.params.keys()


def _of_two(h, dtype):
    """Attention to something else."""
    return MultiHeadAttention(2, 16, dtype=dtype)(h, Dense(C, dtype=dtype)(h))


def _with_mask(h, dtype):
    return MultiHeadAttention(2, 16, dtype=dtype)(h, h, use_causal_mask=True)


@pytest.mark.parametrize(
    "half",
    [
        attends(2, 5),  # rows of heads do not fill vectors
        attends(16, 256),  # large
        attends(2, 16, dropout=0.1),
        attends(2, 16, use_gate=True),
        attends(2, 16, sliding_window=2),
        attends(2, 16, output_shape=(3, C)),
        attends(2, 16, trainable=False),
        attends(2, 16, activity_regularizer="l2"),
        _of_two,
        _with_mask,
        goes_forward(activation="tanh"),
        goes_forward(first={"activity_regularizer": "l2"}),
        goes_forward(trainable=False),
        goes_forward(8),
        goes_forward(2048),
    ],
)
def test_something_else_stays_as_it_is(half):
    def averaged(h, dtype):
        y = half(h, dtype)
        return y if y.ndim == 3 else y[:, :, 0]

    assert not blocks(classifier(averaged))


@pytest.mark.parametrize("name", ["attention", "dense"])
def test_something_else_is_not_added_nor_normalized(name):
    def with_another(h, dtype):
        return LayerNormalization(axis=1)(Add()([Dense(C)(h), HALVES[name](h, dtype)]))

    (node,) = blocks(classifier(with_another))
    assert node.behind == ([] if name == "attention" else [node.behind[0]])


@pytest.mark.parametrize("name", ["attention, added", "dense, added"])
def test_what_somebody_else_reads_too_is_not_passed_over(name):
    def with_reader(h, dtype):
        y = HALVES[name](h, dtype)
        return Concatenate()([LayerNormalization()(y), y])

    (node,) = blocks(classifier(with_reader))
    assert type(node.behind[-1]) is Add


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_what_stands_in_the_place_of_a_layer_within_is_called(way, monkeypatch):
    model, seen = classifier(HALVES["attention"]), []
    model.compile("sgd", "sparse_categorical_crossentropy")
    within = model.layers[2].key_dense
    own = getattr(within, way)
    monkeypatch.setattr(within, way, lambda *args, **kwargs: (seen.append(way), own(*args, **kwargs))[1])
    assert not blocks(model)
    model.train_on_batch(*data())
    assert seen

"""Layers with `build` and `call`: gradients, paths, arguments, masks, training, refusals."""

import copy
import pickle

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.gradient_check import check_layer
from scratchnet.layers import (
    LSTM,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Layer,
    SeparableConv1D,
)
from scratchnet.models import Model, Sequential
from scratchnet.ops import random
from scratchnet.utils import set_random_seed


@pytest.fixture(autouse=True)
def float64():
    from scratchnet import config

    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


def data(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


class Linear(Layer):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b


class MLPBlock(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.linear = [Linear(4), Linear(2)]
        self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

    def call(self, inputs):
        x = inputs
        for linear in self.linear:
            x = ops.tanh(linear(x))
        return x * self.gain


def test_a_layer_with_call_keeps_the_contract():
    layer, x = Linear(), data(5, 4)
    y = layer(x)
    np.testing.assert_allclose(y, x @ layer.params["w"] + layer.params["b"])
    assert list(layer.params) == ["w", "b"] and layer.w.shape == (4, 3)
    assert check_layer(Linear(), x).passed
    np.testing.assert_array_equal(y.numpy(), y)
    assert type(y.numpy()) is np.ndarray


def test_layers_within_are_found_by_their_path_and_proved():
    layer = MLPBlock()
    report = check_layer(layer, data(3, 5))
    assert report.passed, report
    assert list(layer.params) == ["gain", "linear.0/w", "linear.0/b", "linear.1/w", "linear.1/b"]
    assert [w.path for w in layer.weights][:2] == [f"{layer.name}/gain", f"{layer.name}/linear.0/w"]


def test_a_call_within_a_call_is_one_node():
    layer = MLPBlock()
    _, cache = layer.forward(data(3, 5))
    assert [node.name for node in cache.inner.graph.nodes] == [
        layer.linear[0].name,
        "tanh",
        layer.linear[1].name,
        "tanh",
        "multiply",
    ]


class Tied(Layer):
    """Uses the kernel of another layer, transposed, and a constant."""

    def __init__(self, dense, **kwargs):
        super().__init__(**kwargs)
        self.dense = dense

    def call(self, x):
        return (
            self.dense(x) @ self.dense.kernel.T * 2 + self.dense.weights[1][0] - 1 / (1 + ops.exp(-self.dense.bias[0]))
        )


def test_parameters_of_layers_within_are_leaves():
    report = check_layer(Tied(Dense(3)), data(4, 5))
    assert report.passed, report
    assert {row.argument for row in report.rows} == {"x", "dense/kernel", "dense/bias"}


def test_every_parameter_that_changes_the_output_has_a_gradient():
    for layer in (Linear(), MLPBlock(), Tied(Dense(3))):
        x = data(4, 5)
        y, cache = layer.forward(x)
        _, grads = layer.backward(np.ones_like(y), cache)
        for key, w in layer.params.items():
            w += 0.1
            assert not np.allclose(layer.forward(x)[0], y)
            w -= 0.1
            assert np.abs(grads[key]).max() > 0, key


def test_frozen_layers_get_no_gradient():
    layer = MLPBlock()
    y, cache = layer.forward(data(3, 5))
    layer.linear[0].trainable = False
    _, grads = layer.backward(y, cache)
    assert list(grads) == ["gain", "linear.1/w", "linear.1/b"]
    layer.trainable = False
    dx, grads = layer.backward(y, cache)
    assert grads == {} and np.abs(dx).max() > 0


class Shortcut(Layer):
    def __init__(self, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.dropout = Dropout(rate, seed=1)
        self.scale = 3.0

    def call(self, x, training=None):
        h = self.dropout(x, training=training)
        if training:
            h = h * self.scale
        h += x
        return h


def test_training_is_traced_both_ways():
    layer, x = Shortcut(), np.ones((2, 200))
    assert set(np.unique(layer(x))) == {2.0}
    assert set(np.unique(layer(x, training=True))) == {1.0, 7.0}
    assert set(np.unique(Sequential([layer]).predict(x, verbose=0))) == {2.0}


def test_an_attribute_that_changes_is_seen():
    layer, x = Shortcut(rate=0), np.ones((2, 3))
    assert layer(x, training=True).max() == 4
    layer.scale = 9.0
    assert layer(x, training=True).max() == 10
    block = MLPBlock()
    block(data(3, 5))
    block.linear.append(Linear(7))
    assert block(data(3, 5)).shape == (3, 7)
    assert "linear.2/w" in block.params


class AddsWhatIsThere(Layer):
    def call(self, parts):
        parts = parts if isinstance(parts, list) else list(parts.values())
        return sum(part * (k + 1) for k, part in enumerate(parts) if part is not None)


def test_a_list_or_dict_may_have_nothing_in_a_place():
    layer, x, y = AddsWhatIsThere(), data(3, 4, seed=1), data(3, 4, seed=2)
    for parts in ([x, None, y], {"a": x, "b": None, "c": y}):
        np.testing.assert_allclose(layer(parts), x + 3 * y)
    a, b = Input((4,)), Input((4,))
    model = Model([a, b], layer([a, None, b]))
    np.testing.assert_allclose(model([x, y]), x + 3 * y, rtol=1e-6)
    assert Model(a, layer({"a": None, "b": a})).predict(x[:1], verbose=0).tolist() == (2 * x[:1]).tolist()


class Weighted(Layer):
    """Several arguments, a default, a number, a list."""

    def call(self, query, others, scale=2.0, bias=None):
        y = query * scale + others[0] * others[1]
        return y if bias is None else (y, {"bias": bias * 2})


def test_every_array_among_the_arguments_is_an_input():
    a, b, c = data(3, 4, seed=1), data(3, 4, seed=2), data(3, 1, seed=3)
    layer = Weighted()
    np.testing.assert_allclose(layer(a, [b, c]), a * 2 + b * c)
    np.testing.assert_allclose(layer(a, others=[b, c], scale=0.5), a * 0.5 + b * c)
    y, more = layer(a, (b, c), bias=c)
    np.testing.assert_allclose(y, a * 2 + b * c)
    np.testing.assert_allclose(more["bias"], c * 2)
    with pytest.raises(TypeError, match="Weighted .*call.*missing the argument 'others'"):
        layer(a)


def test_several_arguments_in_a_functional_model(tmp_path):
    a, b, c = Input((4,)), Input((4,)), Input((1,))
    y, more = Weighted(name="w")(a, [b, c], scale=0.5, bias=c)
    model = Model([a, b, c], [y, more["bias"]])
    values = [data(3, 4, seed=1), data(3, 4, seed=2), data(3, 1, seed=3)]
    expected = values[0] * 0.5 + values[1] * values[2]
    np.testing.assert_allclose(model.predict(values, verbose=0)[0], expected)
    again = Model.from_config(model.get_config(), {"Weighted": Weighted})
    np.testing.assert_allclose(again.predict(values, verbose=0)[0], expected)
    assert check_layer(model, values, bound=1e-6).passed
    assert model.compute_output_shape([(7, 4), (7, 4), (7, 1)]) == [(7, 4), (7, 1)]


class Masked(Layer):
    supports_masking = True

    def call(self, x, mask=None):
        if mask is None:
            return x
        return x * ops.cast(ops.expand_dims(mask, -1), "float32")


class MeanOverTime(Layer):
    def call(self, x, mask):
        weights = ops.cast(mask, "float32")[..., None]
        return ops.sum(x * weights, axis=1) / ops.sum(weights, axis=1)


def test_masks_reach_call_and_go_on():
    from scratchnet.layers import Masking

    x = data(2, 4, 3)
    x[:, 2:] = 0
    model = Sequential([Input((4, 3)), Masking(), Masked(), MeanOverTime()])
    np.testing.assert_allclose(model.predict(x, verbose=0), x[:, :2].mean(axis=1), rtol=1e-6)
    y, cache = model.forward(x)
    dx, _ = model.backward(np.ones_like(y), cache)
    np.testing.assert_allclose(dx[:, :2], 0.5)
    assert not dx[:, 2:].any()

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.masking, self.mean = Masking(), MeanOverTime()

        def call(self, x):
            return self.mean(self.masking(x))

    np.testing.assert_allclose(Outer()(x), x[:, :2].mean(axis=1), rtol=1e-6)
    mask = np.array([[True, False, False, True]] * 2)
    np.testing.assert_allclose(MeanOverTime()(x, mask=mask), x[:, [0, 3]].mean(axis=1), rtol=1e-6)
    t, m = Input((4, 3)), Input((4,), dtype="bool")
    explicit = Model([t, m], MeanOverTime()(t, mask=m))
    np.testing.assert_allclose(explicit.predict([x, mask], verbose=0), x[:, [0, 3]].mean(axis=1), rtol=1e-6)


def test_masks_of_several_arguments_reach_call_from_arrays_and_tensors_alike():
    from scratchnet.layers import Masking

    class Both(Layer):
        def call(self, a, b, a_mask=None, b_mask=None):
            weights = ops.cast(ops.logical_and(a_mask, b_mask), "float32")[..., None]
            return ops.sum((a + b) * weights, axis=1)

    x, y = data(2, 4, 3), data(2, 4, 3)
    x[:, 2:], y[:, 0] = 0, 0
    masking = Masking()
    found = Both()(masking(x), masking(y))
    np.testing.assert_allclose(found, x[:, 1] + y[:, 1], rtol=1e-6)
    a, b = Input((4, 3)), Input((4, 3))
    model = Model([a, b], Both()(masking(a), masking(b)))
    np.testing.assert_allclose(model.predict([x, y], verbose=0), found, rtol=1e-6)


class Positions(Layer):
    """A layer on an array: its parameters still learn."""

    def __init__(self):
        super().__init__()
        self.table = Dense(2)

    def call(self, x):
        return x + self.table(np.eye(4))


def test_a_layer_applied_to_an_array_within_call_still_learns():
    report = check_layer(Positions(), data(3, 4, 2))
    assert report.passed, report
    assert "table/kernel" in [row.argument for row in report.rows]


class Noise(Layer):
    def __init__(self, seed=None):
        super().__init__()
        self.generator = random.SeedGenerator(7)
        self.seed = seed

    def call(self, x):
        return x + random.normal(ops.shape(x)) * random.uniform((ops.shape(x)[0], 1), seed=self.generator), (
            random.normal((3,), seed=5)
        )


def test_random_operations_own_streams():
    set_random_seed(0)
    layer, x = Noise(), np.zeros((4, 2))
    first, repeated = layer(x)
    again, the_same = layer(x)
    assert not np.array_equal(first, again) and np.array_equal(repeated, the_same)
    assert list(layer.random_streams()) == ["random_0", "generator"]
    set_random_seed(0)
    np.testing.assert_array_equal(Noise()(x)[0], first)


class TwoLosses(Layer):
    def call(self, x):
        self.add_loss(ops.sum(x))
        self.add_loss([x[:, 0]])
        assert len(self.losses) == 2
        return x * 2


def test_losses_are_added_up_and_differentiated():
    layer, x = TwoLosses(), data(3, 2)
    y, cache = layer.forward(x)
    assert layer.added_loss(cache) == pytest.approx(x.sum() + x[:, 0].sum())
    dx, _ = layer.backward(np.zeros_like(y), cache)
    np.testing.assert_allclose(dx, [[2, 1]] * 3)
    layer(x)
    np.testing.assert_allclose(layer.losses, [x.sum(), x[:, 0].sum()])
    assert layer.adds_loss


def test_copies_are_independent():
    layer, x = MLPBlock(), data(3, 5)
    before = layer(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(other(x), before)
        other.linear[0].w.assign(other.linear[0].w * 2)
        assert not np.allclose(other(x), before)
    np.testing.assert_array_equal(layer(x), before)


def test_a_library_layer_may_be_extended_by_call():
    class Squashed(Dense):
        def call(self, inputs):
            return ops.tanh(super().call(inputs)) * 2

    layer, x = Squashed(3), data(4, 5)
    np.testing.assert_allclose(layer(x), np.tanh(x @ layer.params["kernel"] + layer.params["bias"]) * 2)
    assert check_layer(layer, x).passed


def test_a_recurrent_layer_too():
    class Doubled(LSTM):
        def call(self, sequences, mask=None, training=None):
            return 2 * super().call(sequences, mask=mask, training=training)

    layer, x = Doubled(3, return_sequences=True, dtype="float64"), data(4, 5, 2)
    plain = LSTM(3, return_sequences=True, dtype="float64")
    y, expected = layer(x), plain(x)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(y, 2 * plain(x), rtol=1e-12)
    assert expected.shape == y.shape and not layer.stateful and not layer.in_one_part
    assert check_layer(layer, x).passed
    assert Doubled(3, stateful=True).stateful and Doubled(3, stateful=True).in_one_part


DERIVED = [
    (Dense, (3,), (4, 5)),
    (Conv2D, (3, 2), (2, 4, 4, 2)),
    (DepthwiseConv2D, (2,), (2, 4, 4, 2)),
    (SeparableConv1D, (3, 2), (2, 5, 2)),
    (BatchNormalization, (), (4, 3)),
    (LSTM, (3,), (2, 4, 3)),
]


@pytest.mark.parametrize(("base", "arguments", "shape"), DERIVED, ids=[base.__name__ for base, *_ in DERIVED])
def test_what_extends_a_library_layer_may_have_weights_of_its_own(base, arguments, shape):
    class Scaled(base):
        def build(self, input_shape):
            super().build(input_shape)
            self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

        def call(self, inputs):
            return super().call(inputs) * self.factor

        def get_config(self):
            return {**super().get_config(), "note": 1}

    layer, plain = Scaled(*arguments, dtype="float64"), base(*arguments, dtype="float64")
    assert check_layer(layer, data(*shape)).passed
    assert [*layer.params] == [*plain_params(plain, shape), "factor"]
    assert layer.get_config() == {**plain.get_config(), "name": layer.name, "note": 1}


def plain_params(layer, shape):
    layer.build(shape)
    return layer.params


def test_a_parent_may_be_an_attribute_of_its_child():
    outer = MLPBlock()
    outer.linear[0].parent = outer
    assert outer(data(3, 5)).shape == (3, 2)
    assert len(outer.params) == 5


def test_layers_without_parameters_may_be_made_in_call_and_others_once():
    class Lazy(Layer):
        dense = None

        def call(self, x):
            if self.dense is None:
                self.dense = Dense(2)
            return Add()([self.dense(Flatten()(x)), self.dense(Flatten()(x))])

    layer, x = Lazy(), data(3, 2, 2)
    first = layer(x)
    np.testing.assert_array_equal(layer(x), first)
    assert list(layer.params) == ["dense/kernel", "dense/bias"]


def test_shapes_follow_from_call():
    layer = Linear(7)
    layer.build((None, 4))
    assert layer.compute_output_shape((None, 5, 4)) == (None, 5, 7)
    assert layer.built and layer.count_params() == 35
    assert layer(data(2, 4)).shape == (2, 7)


def _with(call, **attributes):
    """A layer with this `call`."""
    cls = type("Own", (Layer,), {"call": call})
    layer = cls(name="own")
    for name, value in attributes.items():
        setattr(layer, name, value)
    return layer


def _own_weight(call):
    layer = _with(call)
    layer.w = layer.add_weight(shape=(2,), name="w")
    return layer


KEPT = []
A_DENSE = Dense(2)


@pytest.mark.parametrize(
    "layer, message",
    [
        (_own_weight(lambda self, x: x * self.w.numpy()), "numpy.. of the parameter 'own/w' inside call: .*constant"),
        (_own_weight(lambda self, x: x * np.asarray(self.w)), "the array of the parameter 'own/w' inside call"),
        (_own_weight(lambda self, x: x * self.get_weights()[0]), "get_weights inside call: .*constants"),
        (_own_weight(lambda self, x: x * self.params["w"]), "with the array of the parameter 'w'.*use .* self.w"),
        (_own_weight(lambda self, x: x * self.w.sum()), "sum of the parameter 'own/w' inside call"),
        (_own_weight(lambda self, x: self.w.assign_add(x[0]) * x), "assignment to 'own/w' inside call: .*the data"),
        (_with(lambda self, x: x * self.add_weight(shape=(2,))), "add_weight inside call: .*__init__ or build, once"),
        (_with(lambda self, x: Dense(2, name="d")(x)), "call uses the layer 'd', which is not one of .* attributes"),
        (_with(lambda self, x: x @ A_DENSE.kernel), "call uses the parameter 'kernel' of the layer"),
        (_with(lambda self, x: Dropout(0.5, name="o")(x)), "call uses the layer 'o'.*created once, in __init__"),
        (_with(lambda self, x: None), "call returned nothing"),
        (_with(lambda self, x: 3.0), "call returned no tensor, but 3.0"),
        (_with(lambda self, x: x if x > 0 else -x), "Python's if, while, and, not cannot"),
        (_with(lambda self, x: np.exp(x)), "np.exp cannot be traced"),
        (_with(lambda self, x: self.add_loss(0.5)), "add_loss takes a tensor"),
        (_with(lambda self, x: KEPT.append(x) or KEPT[0] + x), "neither got nor computed"),
    ],
)
def test_what_cannot_be_traced_is_refused_at_the_users_line(layer, message):
    A_DENSE.ensure_built((None, 2))
    if "neither" in message:
        KEPT.clear()
        layer(np.ones((3, 2)))
        layer.forget_traces()
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        layer(np.ones((3, 2)))
    if not any(words in message for words in ("returned", "call uses", "neither")):  # found when call is through
        assert any(entry.path.name == "test_traced.py" for entry in caught.traceback[1:])


def test_a_loop_over_the_samples_is_traced_for_as_many_as_there_are_by_hand_only():
    layer = _with(lambda self, x: [row * (1 + len(x)) for row in x])
    assert [row.tolist() for row in layer(np.ones((2, 2)))] == [[3, 3]] * 2 and len(layer(np.ones((3, 2)))) == 3
    with pytest.raises(TypeError, match="a loop over the samples"):
        layer(Input((2,)))


def test_a_parameter_and_a_symbolic_tensor_meet_in_call_only():
    layer = Linear()
    layer(data(2, 4))
    with pytest.raises(TypeError, match="outside of a layer's call: put this computation into a Layer"):
        Input((4,)) @ layer.w
    np.testing.assert_allclose(ops.sum(layer.w * 2), 2 * layer.params["w"].sum())


def test_a_layer_with_neither_call_nor_forward_says_so():
    class Empty(Layer):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward, and no call"):
        Empty()(np.ones((2, 2)))


class NeedsAMask(Layer):
    supports_masking = True

    def call(self, x, mask=None):
        assert mask is not None
        return x * ops.expand_dims(ops.cast(mask, x.dtype), -1)


def test_a_layer_that_cannot_do_without_a_mask_is_trained():
    model = Sequential([Input((4,), dtype="int32"), Embedding(5, 2, mask_zero=True), NeedsAMask()])
    model.compile("sgd", "mse")
    model.fit(np.arange(8).reshape(2, 4) % 5, np.zeros((2, 4, 2)), verbose=0)
    assert not np.any(model(np.array([[1, 2, 0, 0]]))[0, 2:])


def test_a_layer_with_compute_mask_makes_a_mask_where_none_comes_in():
    class TokensAndPlaces(Layer):
        def __init__(self):
            super().__init__()
            self.tokens, self.places = Embedding(9, 2, mask_zero=True), Embedding(4, 2)

        def call(self, x):
            return self.tokens(x) + self.places(ops.arange(ops.shape(x)[1]))

        def compute_mask(self, x, mask=None):
            return self.tokens.compute_mask(x)

    class Kept(Layer):
        def call(self, x, mask=None):
            return x if mask is None else x * ops.cast(mask, x.dtype)[..., None]

    inputs, tokens = Input((4,), dtype="int32"), np.array([[1, 2, 0, 0], [3, 0, 5, 6]])
    model = Model(inputs, Kept()(TokensAndPlaces()(inputs)))
    y = model.predict(tokens, verbose=0)
    np.testing.assert_array_equal(y.any(axis=-1), tokens != 0)
    layer = TokensAndPlaces()
    np.testing.assert_array_equal(layer(tokens)._keras_mask, tokens != 0)


def test_a_weight_that_call_returns_stays_when_it_is_trained():
    class Table(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2, 3), initializer="ones", name="w")

        def call(self, x):
            return self.w, ops.transpose(self.w), x

    layer, x = Table(), np.zeros((1, 3), "float32")
    found = layer(x)
    layer.w.assign(np.zeros((2, 3)))
    x += 5
    assert [np.unique(y).tolist() for y in found] == [[1.0], [1.0], [0.0]]


def test_what_it_was_built_for_is_known_when_an_attribute_has_changed_since():
    class Scaled(Layer):
        def call(self, x):
            return 2 * x

    layer = Scaled()
    assert layer.get_build_config() is None
    layer(np.zeros((2, 3), "float32"))
    layer.note = "later"
    assert layer.get_build_config()["input_shape"] == [None, 3]

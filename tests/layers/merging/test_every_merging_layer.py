"""Every merging layer: gradients, shapes that broadcast and that do not match, masks, and the functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet import layers, ops
from scratchnet.gradient_check import check_layer
from scratchnet.layers import (
    Add,
    Average,
    Concatenate,
    Dot,
    Input,
    Masking,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    concatenate,
)
from scratchnet.models import Model

F64 = {"dtype": "float64"}


SIZES = st.integers(1, 5)


@given(shape=st.lists(SIZES, min_size=2, max_size=3), count=st.integers(2, 4))
def test_add_and_concatenate(shape, count):
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal(shape) for _ in range(count)]
    np.testing.assert_allclose(Add(**F64)(xs), sum(xs))
    np.testing.assert_array_equal(Concatenate(**F64)(xs), np.concatenate(xs, axis=-1))
    check_layer(Add(**F64), xs, linear=("x",)).raise_if_failed()
    check_layer(Concatenate(axis=1, **F64), xs, linear=("x",)).raise_if_failed()


def test_merging_layers_refuse_shapes_that_do_not_match():
    with pytest.raises(ValueError, match=r"shapes of the inputs do not match: \(2, 3\), \(2, 4\)"):
        Add()([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="do not match"):  # samples are never repeated
        Add()([np.ones((2, 3)), np.ones((1, 3))])
    with pytest.raises(ValueError, match="a list of two inputs, got 3"):
        Subtract()([np.ones((2, 3))] * 3)
    with pytest.raises(ValueError, match="have different sizes"):
        Dot(axes=1)([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="other than 0"):
        Dot(axes=0)
    with pytest.raises(ValueError, match="a list of inputs, got \\[\\]"):
        Add()([])
    with pytest.raises(ValueError, match="agree in all axes but 1"):
        Concatenate(axis=1)([np.ones((2, 3, 2)), np.ones((2, 3, 3))])
    with pytest.raises(ValueError, match="agree in all axes but 0"):
        Concatenate(axis=0)([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match="axis -3 is not an axis of inputs with 2 axes"):
        Concatenate(axis=-3)([np.ones((2, 3))] * 2)


@pytest.mark.parametrize("axis", [0, -3])
def test_along_the_samples_several_batches_become_one(axis):
    rng = np.random.default_rng(0)
    xs = [rng.standard_normal((rows, 3, 2)) for rows in (2, 4)]
    layer = Concatenate(axis, **F64)
    np.testing.assert_array_equal(layer(xs), np.concatenate(xs))
    check_layer(layer, xs, linear=("x",)).raise_if_failed()
    masks = [np.array([[True, False, True]] * 2), None]
    np.testing.assert_array_equal(layer.compute_mask(xs, masks), np.concatenate([masks[0], np.ones((4, 3), bool)]))
    assert layer([Input((3, 2)), Input((3, 2))]).shape == (None, 3, 2)
    assert layer([Input((3, 2), batch_size=4), Input((3, 2), batch_size=2)]).shape == (6, 3, 2)


def test_several_batches_are_one_for_the_layers_behind():
    """One network for two inputs, which are told apart again: as two uses of it."""
    rng = np.random.default_rng(0)
    x, y = [rng.standard_normal((70, 3)).astype("float32") for _ in range(2)], rng.standard_normal((70, 1))
    a, b, dense, last = Input((3,)), Input((3,)), layers.Dense(4, "tanh"), layers.Dense(1)
    both = Concatenate(axis=0)([a, b])
    z = last(dense(both))
    half = ops.shape(z)[0] // 2
    model, twice = Model([a, b], z[:half] - z[half:]), Model([a, b], last(dense(a)) - last(dense(b)))
    before, results = twice.get_weights(), []
    for found in (model, twice):
        found.set_weights(before)
        found.compile("sgd", "mse")
        losses = found.fit(x, y, epochs=2, verbose=0, shuffle=False).history["loss"]
        results.append([losses, *found.get_weights(), found.predict(x, verbose=0)])
    for got, expected in zip(*results):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    whole = Model([a, b], both).predict(x, batch_size=32, verbose=0)  # batch by batch
    np.testing.assert_array_equal(whole[:64], np.concatenate([x[0][:32], x[1][:32]]))
    assert len(whole) == 140


def test_merging_layers_as_functions():
    a, b = np.full((1, 2, 3), 1.0), np.full((1, 2, 3), 2.0)
    for y, expected in (
        (add([a, b], **F64), a + b),
        (concatenate([a, b], **F64), np.concatenate([a, b], axis=-1)),
        (concatenate([a, b], axis=1, **F64), np.concatenate([a, b], axis=1)),
    ):
        np.testing.assert_array_equal(y, expected)
        assert y.dtype == np.float64


@pytest.mark.parametrize("cls", [Add, Multiply, Average, Maximum, Minimum])
@pytest.mark.parametrize("shapes", [[(3, 4, 5)] * 3, [(3, 4, 5), (3, 1, 5)], [(3, 5), (3, 4, 5)], [(3, 4, 1), (3, 5)]])
def test_gradients_with_axes_that_are_repeated(cls, shapes):
    rng = np.random.default_rng(3)
    report = check_layer(cls(**F64), [rng.standard_normal(shape) for shape in shapes])
    assert report.passed, report


@pytest.mark.parametrize("cls", [Add, Average, Concatenate, Maximum, Minimum, Multiply])
def test_of_one_input_it_is_that_input(cls):
    x = np.random.default_rng(3).standard_normal((2, 3, 4))
    x[:, 2] = 0
    masked = Masking(**F64)(x)
    y = cls(**F64)([masked])
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(y._keras_mask, masked._keras_mask)
    check_layer(cls(**F64), [x[:, :2]]).raise_if_failed()


@pytest.mark.parametrize("cls", [Add, Average, Concatenate, Maximum, Minimum, Multiply])
def test_of_one_input_predictions_leave_it_alone(cls):
    inp = Input((3,))
    model = Model(inp, [layers.Activation("relu")(cls()([inp])), layers.Activation("tanh")(inp)])
    x = np.array([[-1, 0, 2]], "float32")
    relu, tanh = model.predict(x, verbose=0)
    np.testing.assert_array_equal(relu, [[0, 0, 2]])
    np.testing.assert_allclose(tanh, np.tanh(x), rtol=1e-6)
    np.testing.assert_array_equal(x, [[-1, 0, 2]])


def test_gradients_of_a_difference():
    rng = np.random.default_rng(3)
    check_layer(Subtract(**F64), [rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 4))]).raise_if_failed()


def test_a_product_with_zeros_has_the_gradients_of_the_others():
    a, b, c = np.array([[0.0, 2.0]]), np.array([[3.0, 0.0]]), np.array([[5.0, 0.0]])
    layer = Multiply(**F64)
    dxs, _ = layer.backward(np.ones((1, 2)), layer.forward([a, b, c])[1])
    np.testing.assert_array_equal(dxs, [[[15, 0]], [[0, 0]], [[0, 0]]])


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_of_equal_inputs_the_first_is_chosen(name):
    layer = getattr(layers, name.capitalize())(**F64)
    x = np.ones((1, 2))
    dxs, _ = layer.backward(x, layer.forward([x, x, x])[1])
    np.testing.assert_array_equal(dxs, [x, 0 * x, 0 * x])


@pytest.mark.parametrize(
    ("options", "shapes"),
    [
        ({"axes": (2, 1)}, [(3, 2, 4), (3, 4, 5)]),
        ({"axes": -1}, [(3, 2, 4), (3, 5, 4)]),
        ({"axes": 1, "normalize": True}, [(3, 4), (3, 4)]),
        ({"axes": (1, 2), "normalize": True}, [(3, 4, 2), (3, 5, 4)]),
    ],
)
def test_gradients_of_products(options, shapes):
    rng = np.random.default_rng(5)
    xs = [rng.standard_normal(shape) for shape in shapes]
    report = check_layer(Dot(**options, **F64), xs)
    assert report.passed, report
    y = Dot(**options, **F64)(xs)
    assert y.shape == Dot(**options).compute_output_shape(shapes)


def test_masks_meet():
    first, second = np.array([[True, False]]), np.array([[False, False]])
    xs = [np.ones((1, 2, 3))] * 2
    np.testing.assert_array_equal(Add().compute_mask(xs, [first, second]), [[True, False]])
    assert Add().compute_mask(xs, [first, None]) is None
    np.testing.assert_array_equal(Concatenate().compute_mask(xs, [first, second]), [[True, False]])
    np.testing.assert_array_equal(Concatenate(axis=1).compute_mask(xs, [first, None]), [[True, False, True, True]])


def test_every_function_is_its_layer():
    xs = [np.arange(6.0).reshape(2, 3), np.ones((2, 3))]
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum"):
        np.testing.assert_array_equal(getattr(layers, name)(xs), getattr(layers, name.capitalize())()(xs))
    np.testing.assert_array_equal(layers.dot(xs, axes=1), Dot(axes=1)(xs))


def test_merging_layers_put_known_and_unknown_sizes_together():
    a, b = Input((None, 3)), Input((4, 3))
    for inputs in ([a, b], [b, a]):
        assert Add()(inputs).shape == (None, 4, 3)
        assert Concatenate()(inputs).shape == (None, 4, 6)
        assert Concatenate(axis=1)(inputs).shape == (None, None, 3)
        with pytest.raises(ValueError, match=r"do not match: .*\(None, 5, 3\)"):
            Add()([*inputs, Input((5, 3))])


def test_several_inputs_come_as_a_list_or_a_tuple_and_stand_in_the_graph_as_a_list():
    a, b = Input((3,)), Input((3,))
    for inputs in ([a, b], (a, b)):
        layer = Add()
        assert layer(inputs).shape == (None, 3) and layer.input == [a, b]


def said(make, kind=ValueError):
    with pytest.raises(kind) as told:
        make()
    return str(told.value)


def test_what_is_said_of_layers_with_several_inputs_or_another_axis():
    a, b = np.ones((2, 3, 4)), np.ones((2, 3, 5))
    for make, message in (
        (lambda: Add(name="s")(a), 'Add "s": expected a list of inputs, got (2, 3, 4)'),
        (lambda: Add(name="s")([a, b]), 'Add "s": the shapes of the inputs do not match: (2, 3, 4), (2, 3, 5)'),
        (lambda: Add(name="s")([a, a[0]]), 'Add "s": the shapes of the inputs do not match: (2, 3, 4), (3, 4)'),
        (lambda: Concatenate(name="s")(a), 'Concatenate "s": expected a list of inputs, got (2, 3, 4)'),
        (
            lambda: Concatenate(1, name="s")([a, b]),
            'Concatenate "s": inputs must agree in all axes but 1, got (2, 3, 4) and (2, 3, 5)',
        ),
        (
            lambda: Concatenate(name="s")([a, a[0]]),
            'Concatenate "s": inputs must agree in all axes but -1, got (2, 3, 4) and (3, 4)',
        ),
        (
            lambda: Concatenate(3, name="s")([a, a]),
            'Concatenate "s": axis 3 is not an axis of inputs with 3 axes',
        ),
        (
            lambda: Concatenate(-4, name="s")([a, a]),
            'Concatenate "s": axis -4 is not an axis of inputs with 3 axes',
        ),
    ):
        assert said(make) == message
    for wrong in (True, 1.0):
        assert said(lambda wrong=wrong: Concatenate(wrong, name="s")) == (
            f'Concatenate "s": axis must be an integer, got {wrong!r}'
        )
    layer = Concatenate(1)
    y, cache = layer.forward([a, 2 * a, a[:, :1]])
    assert y.shape == (2, 7, 4) and cache == (1, [3, 6])
    assert [dx.shape for dx in layer.backward(y, cache)[0]] == [(2, 3, 4), (2, 3, 4), (2, 1, 4)]


@pytest.mark.parametrize(
    ("cls", "expected", "both"),
    [
        (Multiply, [[0, 0], [0, 0], [1, 2], [9, 16]], [[0, 0], [1, 2], [1, 2], [9, 16]]),
        (Maximum, [[0, 0], [1, 2], [1, 2], [3, 4]], [[0, 0], [1, 2], [1, 2], [3, 4]]),
        (Minimum, [[0, 0], [0, 0], [1, 2], [3, 4]], [[0, 0], [1, 2], [1, 2], [3, 4]]),
    ],
)
def test_nothing_comes_from_where_a_mask_does_not_count(cls, expected, both):
    a = np.array([[[0, 0], [1, 2], [0, 0], [3, 4]]], "float64")
    b = np.array([[[0, 0], [0, 0], [1, 2], [3, 4]]], "float64")
    masks = [a.any(axis=-1), b.any(axis=-1)]
    layer = cls(**F64)
    np.testing.assert_array_equal(layer([a, b], mask=[masks[0], None])[0], expected)
    y = layer([Masking(**F64)(a), Masking(**F64)(b)])  # the masks come with the arrays
    np.testing.assert_array_equal(y[0], both)
    np.testing.assert_array_equal(y._keras_mask, [[False, True, True, True]])
    y, cache = layer.forward([a, b], mask=masks)
    da, db = layer.backward(np.ones_like(y), cache)[0]
    assert not da[0, 2].any() and not db[0, 1].any()  # each left out of where only the other counts
    np.testing.assert_array_equal(da[0, 1], [1, 1])
    np.testing.assert_array_equal(db[0, 2], [1, 1])


@pytest.mark.parametrize("cls", [Multiply, Maximum, Minimum])
def test_gradients_with_masks(cls):
    class Masked(cls):
        """`cls` with fixed masks."""

        def forward(self, xs, training=False):
            return super().forward(
                xs, training, mask=[np.array([[1, 1, 0], [0, 1, 0]]), np.array([[0, 1, 1], [1, 1, 0]])]
            )

    rng = np.random.default_rng(3)
    check_layer(Masked(**F64), [rng.standard_normal((2, 3, 2)) for _ in range(2)]).raise_if_failed()


@pytest.mark.parametrize("layer", [Add(), Maximum(), Concatenate()])
def test_compute_mask_wants_a_mask_for_each_input(layer):
    x, mask = np.ones((2, 3, 4)), np.ones((2, 3), bool)
    with pytest.raises(ValueError, match="`mask` should be a list, got ndarray"):
        layer.compute_mask([x, x], mask)
    with pytest.raises(ValueError, match="`inputs` should be a list"):
        layer.compute_mask(x, [None, None])
    with pytest.raises(ValueError, match="same length, got 2 and 1"):
        layer.compute_mask(inputs=[x, x], mask=[None])


def test_dot_takes_masks_and_hands_none_on():
    x = Masking()(np.ones((2, 3), "float32")[:, :, None])
    y = Dot(axes=2)([x, x])
    assert Dot(axes=1).supports_masking and y._keras_mask is None


@pytest.mark.parametrize(
    "cls, expected",
    [
        (Add, [[2**24 + 2]]),
        (Subtract, [[2**24]]),
        (Multiply, [[2**24 + 1]]),
        (Maximum, [[2**24 + 1]]),
        (Minimum, [[1]]),
        (Concatenate, [[2**24 + 1, 1]]),
    ],
)
def test_integers_lose_no_digits(cls, expected):
    big, one, tensor, real = np.array([[2**24 + 1]]), np.array([[1]]), Input((1,), dtype="int64"), Input((1,))
    other = Input((1,), dtype="int64")
    for found in (cls()([big, one]), Model([tensor, other], cls()([tensor, other])).predict([big, one], verbose=0)):
        assert found.dtype == np.int64 and found.tolist() == expected
    mixed = Model([tensor, real], cls()([tensor, real])).predict([one, one.astype("float32")], verbose=0)
    assert mixed.dtype == cls()([one, one.astype("float32")]).dtype == np.float32


def test_a_mean_of_integers_is_none():
    tensor = Input((1,), dtype="int64")
    assert Model(tensor, Average()([tensor, tensor])).predict(np.array([[3]]), verbose=0).dtype == np.float32

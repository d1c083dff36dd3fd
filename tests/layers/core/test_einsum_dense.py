"""EinsumDense: shapes, gradients, bias, refusals."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_layer, check_parts
from scratchnet.layers import Dense, EinsumDense, Input

RNG = np.random.default_rng(2)
X = RNG.standard_normal((3, 4, 5))
EQUATIONS = [  # equation, output_shape, bias_axes, shapes of kernel and bias, shape of y for x (3, 4, 5)
    ("abc,cde->abde", (None, 2, 6), "de", (5, 2, 6), (2, 6), (3, 4, 2, 6)),
    ("abc,cde->aebd", (6, None, 2), "d", (5, 2, 6), (2,), (3, 6, 4, 2)),
    ("abc,bcd->ad", 6, "d", (4, 5, 6), (6,), (3, 6)),
    ("abc,bc->ab", (None,), None, (4, 5), None, (3, 4)),
    ("abc,bcd->abd", (4, 2), "b", (4, 5, 2), (4, 1), (3, 4, 2)),
    ("abc,d->abcd", (4, 5, 2), None, (2,), None, (3, 4, 5, 2)),
    ("...b,bc->...c", (6,), "c", (5, 6), (6,), (3, 4, 6)),
    ("ab...,bd->ad...", (6,), "d", (4, 6), (6, 1), (3, 6, 5)),
]


@pytest.mark.parametrize("activation", ["tanh", None])
@pytest.mark.parametrize(("equation", "output_shape", "bias_axes", "kernel", "bias", "shape"), EQUATIONS)
def test_shapes_and_gradients(equation, output_shape, bias_axes, kernel, bias, shape, activation):
    layer = EinsumDense(equation, output_shape, activation, bias_axes, bias_initializer="uniform", dtype="float64")
    y = layer(X)
    assert y.shape == layer.compute_output_shape(X.shape) == shape
    assert layer.compute_output_shape((None, 4, 5)) == (None, *shape[1:])
    assert layer.params["kernel"].shape == kernel
    assert layer.params["bias"].shape == bias if bias_axes else "bias" not in layer.params
    for report in (check_layer(layer, X), check_parts(layer, X)):
        assert report.passed, report


def test_it_is_dense_where_the_equation_is_that_of_dense():
    layer, dense = EinsumDense("...x,xy->...y", 6, bias_axes="y"), Dense(6)
    for x in (X, X[0]):
        y = layer(x)
        dense(x)
        dense.set_weights(layer.get_weights())
        np.testing.assert_allclose(y, dense(x), rtol=1e-6)


def test_kernels_start_by_the_axes_that_are_summed_and_made():
    kernel = EinsumDense("abc,cde->abde", (None, 30, 40))
    kernel(np.ones((1, 1, 50)))
    limit = np.sqrt(6 / (50 + 30 * 40))
    assert 0.99 * limit < np.abs(kernel.params["kernel"]).max() <= limit


@pytest.mark.parametrize(
    ("equation", "output_shape", "options", "message"),
    [
        ("ab->ab", 3, {}, "equation must be"),
        ("...ab,bc->ac", 3, {}, "equation must be"),
        ("abb,bc->abc", (3, 4), {}, "stands twice"),
        ("ab,bc->ad", 3, {}, "'d' of the output is in neither"),
        ("ab,bcd->ac", 3, {}, "'d' of the kernel is in neither"),
        ("abc,cd->ad", 3, {}, "'b' of .* is the input's alone: sum along it first"),
        ("ab,bc->ac", 3, {"bias_axes": "b"}, "'b' is no letter of the output"),
        ("ab,bc->ac", (), {}, "does not fit the output"),
    ],
)
def test_equations_that_are_none_are_refused(equation, output_shape, options, message):
    with pytest.raises(ValueError, match=message):
        EinsumDense(equation, output_shape, **options)


def test_inputs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="does not fit an input with 2 axes"):
        EinsumDense("abc,cd->abd", (None, 2))(X[0])
    with pytest.raises(ValueError, match="'b' is 4 in .* and 3 in output_shape"):
        EinsumDense("abc,cd->abd", (3, 2))(X)
    with pytest.raises(ValueError, match="must have a size"):
        EinsumDense("abc,cd->abd", (None, 2))(Input((4, None)))
    layer = EinsumDense("abc,cd->abd", (None, 2))
    layer(X)
    with pytest.raises(ValueError, match="expected 'c' to be 5"):
        layer(X[..., :3])


def test_configuration():
    layer = EinsumDense("abc,cd->abd", (None, 2), "relu", "d")
    assert layer.get_config()["output_shape"] == (None, 2)
    assert EinsumDense.from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_softmax_is_over_the_last_axis_and_a_frozen_layer_has_no_gradients():
    layer = EinsumDense("abc,cde->abde", (4, 2, 3), "softmax")
    np.testing.assert_allclose(layer(X).sum(axis=-1), 1, rtol=1e-6)
    layer = EinsumDense("abc,cde->abde", (4, 2, 3), bias_axes="de", dtype="float64")
    layer.build(X.shape)
    y, cache = layer.forward(X)
    dx, grads = layer.backward(y, cache)
    assert {name: d.shape for name, d in grads.items()} == {"kernel": (5, 2, 3), "bias": (2, 3)}
    assert layer.backward(y, cache, needs_dx=False)[0] is None
    layer.trainable = False
    frozen, grads = layer.backward(y, cache)
    np.testing.assert_allclose(frozen, dx, rtol=1e-12)
    assert grads == {}

"""An axis of size 1 at the end is added or dropped, and one sample is not taken for a batch."""

import numpy as np
import pytest

from scratchnet.layers import Add, Flatten, Input
from scratchnet.models import Model, Sequential


@pytest.mark.parametrize(
    "given, shape",
    [
        ((6,), (1,)),
        ((6, 1), ()),
        ((6, 4, 5), (4, 5, 1)),
        ((6, 4, 5, 1), (4, 5)),
        ((6, 3, 1), (3,)),
        ((6, 4), (None, 1)),
    ],
)
def test_an_axis_of_size_1_may_be_missing_or_too_many(given, shape):
    x, tensor = np.random.default_rng(0).random(given).astype("float32"), Input(shape)
    model = Model(tensor, tensor * 2)
    right = 2 * x.reshape(6, *(4 if size is None else size for size in shape))
    for found in (model.predict(x, verbose=0), model.predict_on_batch(x), model(x), model([x])):
        np.testing.assert_array_equal(found, right)
    assert model(Input(given[1:])).ndim == 1 + len(shape)


def test_several_inputs_and_models_within_models():
    a, b = Input((1,), name="a"), Input((2, 1), name="b")
    inner = Model([a, b], Add()([a, Flatten()(b)]))
    x, y = np.ones(3, "float32"), np.ones((3, 2), "float32")
    np.testing.assert_array_equal(inner([x, y]), np.full((3, 2), 2))
    np.testing.assert_array_equal(Model({"a": a, "b": b}, inner([a, b])).predict({"a": x, "b": y}, verbose=0), 2)
    nested = Model([[a], b], Add()([a, Flatten()(b)]))
    np.testing.assert_array_equal(nested.predict([[x], y], verbose=0), np.full((3, 2), 2))


@pytest.mark.parametrize(
    "shape, given, hint",
    [
        ((4, 5, 1), (4, 5, 1), r"got \(4, 5, 1\); one sample needs a batch axis: x\[None\]"),
        ((4, 5, 1), (4, 5), r"got \(4, 5\); one sample needs a batch axis: x\[None, ..., None\]"),
        ((4, 5, 3), (6, 4, 5), r"expects shape \(None, 4, 5, 3\), got \(6, 4, 5\)$"),
    ],
)
def test_what_does_not_fit_is_named_as_it_was_given(shape, given, hint):
    with pytest.raises(ValueError, match=hint):
        Sequential([Input(shape), Flatten()]).predict(np.ones(given), verbose=0)

"""Functional models with operations between the layers: gradients, parts, names, files, copies."""

import copy
import pickle

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.gradient_check import check_layer
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.layers import Concatenate, Dense, Dropout, Input, LayerNormalization, Softmax, UnitNormalization
from scratchnet.models import Model, Sequential, clone_model, load_model
from scratchnet.ops import random
from scratchnet.parallel import Workers
from scratchnet.training.step import run_step
from scratchnet.utils import clear_session, set_random_seed


def mixed(dtype="float32"):
    """Layers and operations; a shortcut, slices, a softmax over an axis, sizes in a shape."""
    x = Input((6,), dtype=dtype, name="x")
    h = Dense(6, activation="tanh", dtype=dtype)(x)
    h = (h + x) * 0.5 - x[:, ::-1]
    a, b = h[:, :3], h[:, 3:]
    weights = ops.softmax(a / ops.sqrt(3.0), axis=-1)
    pooled = ops.sum(weights * b, axis=1, keepdims=True)
    pairs = ops.reshape(h, (ops.shape(h)[0] * 2, 3))
    pairs = ops.reshape(Dense(2, dtype=dtype)(pairs), (-1, 4))
    return Model(x, Dense(1, dtype=dtype)(Concatenate(dtype=dtype)([pooled, pairs])))


def data(rows=48, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((rows, 6)).astype(np.float32), rng.standard_normal((rows, 1)).astype(np.float32)


def test_gradients_are_proved():
    report = check_layer(mixed("float64"), np.random.default_rng(1).standard_normal((4, 6)), bound=1e-6)
    assert report.passed, report


def test_the_adjoint_of_slices_is_added_up():
    x = Input((3, 2))
    y = sum(x[:, t] * (t + 1) for t in range(3)) + x[:, 0]
    values = np.ones((2, 3, 2), np.float32)
    model = Model(x, y)
    _, cache = model.forward(values)
    dy = np.ones((2, 2), np.float32)
    dx, _ = model.backward(dy, cache)
    np.testing.assert_array_equal(dx, np.ones((2, 3, 2)) * np.array([2, 2, 3])[:, None])
    assert (dy == 1).all()
    np.testing.assert_array_equal(model.backward(dy, cache)[0], dx)


def test_an_adjoint_that_is_handed_in_is_never_added_into():
    x = Input((2,))
    h = x + 0.0
    model = Model(x, [h, h[:, :1] * 2])
    _, cache = model.forward(np.ones((3, 2), np.float32))
    dy = np.ones((3, 2), np.float32)
    dx, _ = model.backward([dy, np.ones((3, 1), np.float32)], cache)
    np.testing.assert_array_equal(dx, [[3, 1]] * 3)
    assert (dy == 1).all()


def test_names_are_keras_and_operations_are_no_layers():
    clear_session()
    x = Input((4,))
    dense = Dense(2)
    y = (dense(x) + 1)[:, 0] + 2
    model = Model(x, y)
    assert [operation.name for operation in model.operations] == ["input", "dense", "add", "get_item", "add_1"]
    assert model.layers == [model.input_layers[0], dense]
    assert y.name == "add_1" and model.output_names == ["add_1"]


def test_a_model_of_operations_alone():
    x = Input((3,))
    model = Model(x, ops.mean(x, axis=1))
    assert model.count_params() == 0 and model.output_shape == (None,)
    np.testing.assert_allclose(model.predict(np.arange(6.0).reshape(2, 3), verbose=0), [1, 4])
    assert model.compute_output_shape((5, 3)) == (5,)


@pytest.mark.parametrize("copied", ["file", "config", "pickle", "deepcopy"])
def test_what_is_copied_computes_the_same(copied, tmp_path):
    model, (x, y) = mixed(), data()
    if copied == "file":
        model.save(tmp_path / "m.npz")
        other = load_model(tmp_path / "m.npz")
    elif copied == "config":
        other = clone_model(model)
        other.set_weights(model.get_weights())
    else:
        other = pickle.loads(pickle.dumps(model)) if copied == "pickle" else copy.deepcopy(model)
    before = model.predict(x, verbose=0)
    np.testing.assert_array_equal(other.predict(x, verbose=0), before)
    assert [o.name for o in other.operations] == [o.name for o in model.operations]
    other.compile("adam", "mse")
    other.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)


def test_a_long_chain_of_operations_can_be_copied():
    x = h = Input((2,))
    for _ in range(2000):
        h = h + 1
    for other in (pickle.loads(pickle.dumps(Model(x, h))), copy.deepcopy(Model(x, h))):
        np.testing.assert_array_equal(other.predict(np.zeros((1, 2)), verbose=0), [[2000, 2000]])


def step(model, x, y, parts):
    model.compile("sgd", "mse")
    model._prepare("fit")
    data_set, _ = model._data_sets(x, y)
    with Workers(parts) as workers:
        results = run_step(model._objective, data_set.batch(slice(None)), 0, workers)
    grads = {key: sum(part.grads[key] for part in results) for key in model.trainable_params}
    return len(results), sum(part.values[0] for part in results), grads


def test_samples_that_stay_apart_are_computed_in_parts():
    model, (x, y) = mixed(), data()
    count, value, grads = step(model, x, y, 1)
    assert count == 1
    for parts in (2, 3):
        count, other, other_grads = step(model, x, y, parts)
        assert count == parts
        assert other == pytest.approx(value, rel=1e-6)
        for key, d in grads.items():
            np.testing.assert_allclose(other_grads[key], d, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(
    "meet",
    [
        lambda h: h - ops.max(h, axis=0),
        lambda h: h @ ops.transpose(h) @ h,
        lambda h: ops.softmax(h, axis=0),
        lambda h: h + h[::-1],
        lambda h: Softmax(axis=0)(h),
        lambda h: Softmax(axis=-2)(h),
        lambda h: UnitNormalization(axis=[0, 1])(h),
        lambda h: LayerNormalization(axis=0, center=False, scale=False)(h),
        lambda h: Concatenate(axis=0)([h, h])[: ops.shape(h)[0]],
        lambda h: ops.take(h, ops.shape(h)[0] - 1, axis=0) + h,
    ],
)
def test_samples_that_meet_are_computed_in_one_part(meet):
    x = Input((6,))
    h = Dense(3)(x)
    model = Model(x, Dense(1)(Dense(2)(ops.reshape(ops.sum(meet(h), axis=-1, keepdims=True), (-1, 1)))))
    assert step(model, *data(), 2)[0] == 1
    outer = Sequential([Input((6,)), model])
    assert step(outer, *data(), 2)[0] == 1


@pytest.mark.parametrize(
    "over_batch",
    [
        lambda h: h - ops.mean(h, axis=0),
        lambda h: (h - ops.mean(h, axis=0)) / ops.std(h, axis=0),
        lambda h: h * ops.sum(h) / ops.cast(ops.shape(h)[0] * 3, "float32"),
        lambda h: h @ (ops.sum(h, axis=0, keepdims=True) * np.ones((3, 1))),
        lambda h: h / ops.norm(h),
        lambda h: h * ops.mean(ops.reshape(h, (-1, 1)), axis=0),
        lambda h: h + random.normal((3,), seed=4) + random.uniform((ops.shape(h)[0], 3)) + random.dropout(h, 0.5),
    ],
)
def test_sums_over_the_batch_and_random_numbers_are_the_same_in_parts(over_batch):
    set_random_seed(0)
    x = Input((6,))
    model = Model(x, Dense(1)(over_batch(Dense(3)(x))))
    count, value, grads = step(model, *data(), 1)
    for parts in (2, 3):
        count, other, other_grads = step(model, *data(), parts)
        assert count == parts
        assert other == pytest.approx(value, rel=1e-5)
        for key, d in grads.items():
            np.testing.assert_allclose(other_grads[key], d, rtol=2e-4, atol=2e-6, err_msg=key)


def test_a_layer_keeps_its_own_training():
    x = Input((50,))
    model = Model(x, Dropout(0.5)(x, training=True) + 0)
    assert set(np.unique(model.predict(np.ones((4, 50)), verbose=0))) == {0, 2}
    again = clone_model(model)
    assert set(np.unique(again.predict(np.ones((4, 50)), verbose=0))) == {0, 2}


def test_random_operations_draw_anew_and_are_listed(tmp_path):
    set_random_seed(3)
    x = Input((2,))
    model = Model(x, x + random.normal((ops.shape(x)[0], 2), seed=random.SeedGenerator(5)))
    first = model.predict(np.zeros((8, 2)), verbose=0)
    assert not np.array_equal(first, model.predict(np.zeros((8, 2)), verbose=0))
    assert [stream.seed for stream in model.random_streams().values()] == [5]
    model.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(load_model(tmp_path / "m.npz").predict(np.zeros((8, 2)), verbose=0), first)


def test_the_first_value_that_is_not_finite_is_found_at_its_line():
    x = Input((2,))
    h = ops.log(x)
    model = Model(x, h * 2)
    with np.errstate(invalid="ignore"):
        place = model.first_non_finite(np.array([[1.0, -1.0]]))
    assert "the output of operation 'log', File" in place and "test_operations.py" in place
    assert place.endswith("h = ops.log(x)")


def test_an_error_at_run_time_names_the_line():
    x = Input((None,))
    model = Model(x, ops.reshape(x, (-1, 2)))
    with pytest.raises(ValueError) as caught:
        model.predict(np.ones((1, 3)), verbose=0)
    if hasattr(caught.value, "__notes__"):
        [note] = caught.value.__notes__
        assert "in the operation 'reshape', File" in note and note.endswith("ops.reshape(x, (-1, 2)))")


def test_the_summary_shows_what_is_connected(capsys):
    clear_session()
    x = Input((4,))
    Model(x, Dense(2, name="top")(x * 2)).summary()
    printed = capsys.readouterr().out
    assert "multiply[0][0]" in printed and "multiply (Multiply)" in printed


def test_a_tensor_needs_no_layer():
    assert isinstance(ops.zeros((3,)) + KerasTensor((None, 3), "float32"), KerasTensor)

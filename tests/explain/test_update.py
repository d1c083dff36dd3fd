from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet.constraints import NonNeg
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.optimizers import SGD


def test_a_step_is_the_one_that_training_takes(zoo):
    model, x, y = zoo.classifier()
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)  # layer by layer: so are sums rounded
    t = model.trace(x, y)
    before = {key: w.copy() for key, w in model.params.items()}
    updates = t.explain_step()
    assert all((model.params[key] == w).all() for key, w in before.items()) and model.optimizer.steps == 0
    model.train_on_batch(x, y)
    for key, update in updates.items():
        np.testing.assert_array_equal(update.after, model.params[key])
        np.testing.assert_array_equal(update.step, update.after - update.before)
    assert updates.loss_after == pytest.approx(np.ravel(model.evaluate(x, y, verbose=0))[0], rel=1e-6)
    assert updates.loss_before == t.loss


def test_the_memory_of_the_optimizer_is_shown(zoo):
    model, x, y = zoo.classifier()
    updates = model.trace(x, y).explain_step()
    update = updates["dense/kernel"]
    assert set(update.slots) == {"m", "v"} and len(updates) == 4 and updates.learning_rate == pytest.approx(1e-3)
    np.testing.assert_allclose(update.slots["m"], 0.1 * update.gradient, rtol=1e-5)
    with pytest.raises(KeyError, match="no parameter 'nonsense': there are conv/kernel"):
        updates["nonsense"]
    assert "Adam, loss" in str(updates)


def test_the_largest_changes_come_first(zoo):
    model, x, y = zoo.classifier()
    update = model.trace(x, y).explain_step("sgd")["dense/kernel"]
    sizes = [abs(update.step[index]) for index in update.largest(5)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] == np.abs(update.step).max()


def test_another_optimizer_and_constraints_are_heeded():
    model = Sequential([Input((2,)), Dense(1, kernel_constraint=NonNeg(), name="dense")])
    model.compile("adam", "mse")
    t = model.trace(np.ones((1, 2), np.float32), np.full((1, 1), -100, np.float32))
    update = t.explain_step(SGD(1.0))["dense/kernel"]
    assert (update.after == 0).all()
    model.trainable = False
    assert len(model.trace(np.ones((1, 2), np.float32), np.ones((1, 1), np.float32)).explain_step()) == 0


def test_where_ranks_divide_the_optimizers_state_there_is_no_step_to_show(monkeypatch, tmp_path):
    model = Sequential([Input((3,)), Dense(2)])
    model.compile("adam", "mse")
    trace = model.trace(np.ones((1, 3)), np.ones((1, 2)))
    for module in ("update", "payload"):
        monkeypatch.setattr(f"scratchnet.explain.{module}.current_ranks", lambda: SimpleNamespace(size=2))
    with pytest.raises(ValueError, match="state is divided among ranks"):
        trace.explain_step()
    trace.save(tmp_path / "page.html")

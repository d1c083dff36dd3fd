import numpy as np
import pytest

from scratchnet.layers import Dense, Dropout, Embedding, GlobalAveragePooling1D, Input, Masking
from scratchnet.layers.rnn import LSTM
from scratchnet.models import Model, Sequential
from scratchnet.regularizers import L2
from scratchnet.structure import flatten
from scratchnet.training.data import Arrays
from scratchnet.training.objective import Objective
from scratchnet.training.step import gradients


def engine(model, x, y):
    """The gradients of a step of training, as `fit` computes them."""
    model._prepare("fit")
    objective = Objective(model, model.loss, model._compile_config["loss_weights"])
    batch = Arrays(model, x, y).batch(slice(None))
    return gradients(objective, batch, objective.counts(batch)).grads


@pytest.mark.parametrize("make", ["classifier", "autoencoder", "branching"])
def test_what_is_recorded_is_what_the_engine_computes_to_the_last_bit(zoo, make):
    model, x, y = getattr(zoo, make)()
    t = model.trace(x, y)
    for a, b in zip(flatten(model.predict(x, verbose=0)), flatten(t.y)):
        np.testing.assert_array_equal(a, b)
    assert t.loss == pytest.approx(flatten(model.evaluate(x, y, verbose=0))[0], rel=1e-6)  # which sums in another order
    expected = engine(model, x, y)
    assert expected.keys() == t.grads.keys()
    for key, gradient in expected.items():
        np.testing.assert_array_equal(t.grads[key], gradient)


def test_it_is_a_mapping_in_the_order_of_the_graph(zoo):
    model, x, y = zoo.classifier()
    t = model.trace(x, y)
    assert list(t) == ["conv", "pool", "flat", "dense"] and len(t) == 4 and "conv" in t
    assert t[0] is t["conv"] and t[-1] is t["dense"]
    with pytest.raises(KeyError, match="no call 'dens': there are conv, pool, flat, dense"):
        t["dens"]
    assert t.forward["conv"].z.shape == (1, 4, 4, 3) and t.backward["conv"].dkernel.shape == (3, 3, 1, 3)
    assert t.metrics.keys() == {"accuracy"}


def test_nested_shared_and_wrapped_layers_have_paths_of_their_own(zoo):
    model, x, y = zoo.branching()
    t = model.trace(x, y)
    assert {"nested", "nested/within", "shared", "shared:1", "steps", "steps/each", "skip"} <= set(t)
    assert t["nested"].calls == ["nested/within"]
    np.testing.assert_array_equal(t["nested/within"].y, t["nested"].y)
    np.testing.assert_array_equal(t["steps/each"].dy.reshape(2, 3, 2), t["steps"].dy)
    together = t["shared"].grads["kernel"] + t["shared:1"].grads["kernel"]
    np.testing.assert_allclose(t.grads["shared/kernel"], together, rtol=1e-6)
    assert all(d.shape == a.shape for d, a in zip(t.dx, x))


def test_the_gradient_in_an_input_of_a_call_is_what_it_added_and_not_the_sum(zoo):
    model, x, y = zoo.branching()
    t = model.trace(x, y)
    np.testing.assert_allclose(t["shared:1"].dx + t["skip"].dx[0], t["nested"].dy, rtol=1e-6)


def test_behind_a_loss_from_logits_dy_is_that_of_the_loss_as_written(zoo):
    model, x, y = zoo.classifier()
    dense = model.trace(x, y)["dense"]
    # The loss divides the predictions by their sum, 1, first: hence the 1 in each.
    np.testing.assert_allclose(dense.dy, 1 - np.where(np.arange(4) == 2, 1 / dense.y, 0), rtol=1e-5)
    through_softmax = dense.y * (dense.dy - np.sum(dense.dy * dense.y))
    np.testing.assert_allclose(through_softmax, dense.dz, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(dense.dz, dense.y - (np.arange(4) == 2), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(dense.y, np.exp(dense.z) / np.exp(dense.z).sum(), rtol=1e-5)
    assert dense.left_out.name == "softmax"


def test_a_nested_model_may_end_in_what_the_loss_leaves_out():
    x = Input((3,))
    nested = Model(x, Dense(4, activation="softmax", name="last")(x), name="nested")
    model = Sequential([Input((3,)), nested])
    model.compile("sgd", "sparse_categorical_crossentropy")
    t = model.trace(np.ones((1, 3), np.float32), np.array([1]))
    np.testing.assert_array_equal(t["nested"].y, t["nested/last"].y)
    np.testing.assert_array_equal(t["nested/last"].y, t.y)
    np.testing.assert_allclose(t["nested/last"].dz, t.y - [[0, 1, 0, 0]], rtol=1e-5)
    assert t.check().passed


def test_without_targets_nothing_goes_back(zoo):
    model, x, _ = zoo.classifier()
    t = model.trace(x)
    assert t.loss is None and t["conv"].dy is None and not t["conv"].went_back
    with pytest.raises(ValueError, match="without targets"):
        t.backward  # noqa: B018
    with pytest.raises(ValueError, match="without targets"):
        t.check()


def test_a_loss_that_layers_add_needs_no_targets():
    x = Input((3,))
    y = Dense(2, name="dense", activity_regularizer=L2(0.1))(x)
    model = Model(x, y)
    model.compile("sgd", None)
    t = model.trace(np.ones((2, 3), np.float32))
    assert t.loss == pytest.approx(0.1 * np.sum(t.y**2) / 2, rel=1e-5) and t["dense"].dkernel.any()


def test_regularizers_are_in_the_loss_and_in_the_gradients():
    model = Sequential([Input((3,)), Dense(2, name="dense", kernel_regularizer=L2(0.5))])
    model.compile("sgd", "mse")
    t = model.trace(np.ones((1, 3), np.float32), np.zeros((1, 2), np.float32))
    kernel = t["dense"].params["kernel"]
    assert t.loss == pytest.approx(t.losses[0] + 0.5 * np.sum(kernel**2), rel=1e-6)
    np.testing.assert_allclose(t.grads["dense/kernel"], t["dense"].dkernel + kernel, rtol=1e-6)


def test_dropout_drops_only_when_it_is_asked_to():
    model = Sequential([Input((50,)), Dropout(0.5, name="drop"), Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((1, 50), np.float32), np.zeros((1, 1), np.float32)
    assert (model.trace(x, y)["drop"].y == 1).all()
    assert (model.trace(x, y, training=True)["drop"].y == 0).any()


def test_what_is_dropped_is_what_the_next_step_of_training_drops():
    model = Sequential([Input((50,)), Dropout(0.5, name="drop"), Dense(1, name="dense")])
    model.compile("sgd", "mse")
    x, y = np.ones((1, 50), np.float32), np.zeros((1, 1), np.float32)
    t = model.trace(x, y, training=True)
    assert t.check().passed
    after = t.explain_step()["dense/kernel"].after
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(model.layers[1].params["kernel"], after)
    assert not (model.trace(x, y, training=True)["drop"].y == t["drop"].y).all()  # the step after that


def test_tokens_have_no_gradient_and_masks_are_heeded():
    model = Sequential([Input((4,), dtype="int32"), Embedding(7, 3, name="embed"), GlobalAveragePooling1D(), Dense(1)])
    model.compile("sgd", "mse")
    t = model.trace(np.array([[1, 2, 3, 0]]), np.ones((1, 1), np.float32))
    assert t["embed"].dx is None and t["embed"].dembeddings.shape == (7, 3)
    model = Sequential([Input((4, 2)), Masking(), LSTM(3, return_sequences=True), Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = np.ones((1, 4, 2), np.float32)
    x[:, 2:] = 0
    y = np.zeros((1, 4), np.int64)
    t = model.trace(x, y)
    assert not t[1].dz[:, 2:].any() and t[1].dz[:, :2].any()
    assert not t[2].dy[:, 2:].any()
    assert t.loss == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-6)


def test_arrays_are_not_to_be_written_into(zoo):
    model, x, y = zoo.classifier()
    call = model.trace(x, y)["conv"]
    for array in (call.x, call.y, call.dy, call.z, call.params["kernel"], call.grads["kernel"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    assert x.flags.writeable and model.layers[0].params["kernel"].flags.writeable


def test_wrong_use_is_told_in_one_line(zoo):
    model, x, y = zoo.classifier()
    with pytest.raises(ValueError, match=r"one sample needs a batch axis: x\[None\]"):
        zoo.autoencoder()[0].trace(np.ones((4, 3)), np.ones((4, 3)))
    with pytest.raises(TypeError, match="jit_compile belongs to tf.function"):
        model.trace(x, y, jit_compile=True)
    with pytest.raises(TypeError, match="unexpected argument 'nonsense'"):
        model.trace(x, y, nonsense=1)
    with pytest.raises(ValueError, match="trace before compile"):
        Sequential([Input((2,)), Dense(1)]).trace(np.ones((1, 2)), np.ones((1, 1)))


def test_the_first_value_that_is_not_finite_is_found(zoo):
    model, x, y = zoo.classifier()
    assert model.trace(x, y).first_non_finite is None
    model.layers[3].params["bias"][0] = np.nan
    assert model.trace(x, y).first_non_finite == "dense"


def test_a_page_is_opened_where_it_was_written(zoo, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    model, x, y = zoo.classifier()
    path = tmp_path / "page.html"
    assert model.trace(x, y).show(path, check=False) == str(path)
    assert opened == [path.resolve().as_uri()]

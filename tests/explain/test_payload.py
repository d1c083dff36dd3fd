import numpy as np
import pytest

from scratchnet import layers, losses
from scratchnet.explain.check import check_everything
from scratchnet.explain.payload import Payload
from scratchnet.gradient_check.report import FAILED
from scratchnet.layers import Dense, Input, Layer
from scratchnet.models import Model, Sequential
from scratchnet.optimizers import SGD


def payload(model, x, y, **options):
    t = model.trace(x, y)
    return Payload(t, check_everything(t), **options), t


def decoded(payload, number):
    """The array that the page reads, of a tensor that is stored exactly."""
    meta, blob = payload.tensors.metas[number], payload.tensors.blob
    count = int(np.prod(meta["stored"]))
    planes = np.frombuffer(blob, np.uint8, 4 * count, meta["offset"]).reshape(4, count)
    dtype = {"f4": np.float32, "i4": np.int32}[meta["format"]]
    return np.ascontiguousarray(planes.T).view(dtype).reshape(meta["shape"])


@pytest.mark.parametrize("make", ["classifier", "autoencoder", "branching"])
def test_what_went_through_the_layers_is_stored_exactly(zoo, make):
    model, x, y = getattr(zoo, make)()
    page, t = payload(model, x, y)
    for number, array in enumerate(page.tensors.arrays):
        np.testing.assert_array_equal(decoded(page, number), array)
    for call in page.meta["calls"]:
        if len(call["y"]) == 1 and call["y"][0] is not None:
            np.testing.assert_array_equal(decoded(page, call["y"][0]), t[call["path"]].y)


def test_stops_go_down_and_up_again(zoo):
    model, x, y = zoo.classifier()
    page, _ = payload(model, x, y)
    passes = [stop["pass"] for stop in page.meta["stops"]]
    assert passes == ["input", *["forward"] * 4, "loss", *["backward"] * 4, "update"]
    assert [stop["call"] for stop in page.meta["stops"] if stop["pass"] == "backward"] == [3, 2, 1, 0]
    forward_only = Payload(model.trace(x))
    assert [stop["pass"] for stop in forward_only.meta["stops"]] == ["input", *["forward"] * 4]


def test_the_graph_is_told_by_what_each_call_reads(zoo):
    model, x, y = zoo.branching()
    page, _ = payload(model, x, y)
    calls = {call["path"]: call for call in page.meta["calls"]}
    index = {call["path"]: k for k, call in enumerate(page.meta["calls"])}
    assert calls["skip"]["sources"] == [index["nested"], index["shared:1"]]
    assert calls["shared"]["sources"] == [None] and calls["nested"]["calls"] == [index["nested/within"]]
    assert page.meta["ends"] == [index["first"], index["second"]]
    assert [out["name"] for out in page.meta["loss"]["outputs"]] == ["first", "second"]


def test_a_check_stands_at_its_parameter_wherever_the_layer_is(zoo):
    model, x, y = zoo.branching()
    page, _ = payload(model, x, y)
    checks = {call["path"]: call["checks"] for call in page.meta["calls"]}
    assert checks["steps/each"].keys() == checks["nested/within"].keys() == {"x", "kernel", "bias"}
    assert checks["shared"]["kernel"] == checks["shared:1"]["kernel"] and checks["both"].keys() == {"x"}


def test_the_replay_is_compared_with_the_layer(zoo):
    model, x, y = zoo.autoencoder()
    page, _ = payload(model, x, y)
    replays = {call["path"]: call["replay"] for call in page.meta["calls"]}
    assert replays["encoder"] < 1e-6 and replays["decoder"] < 1e-6 and replays["repeat"] is None


def test_an_update_shows_what_adam_keeps(zoo):
    model, x, y = zoo.classifier()
    update = payload(model, x, y)[0].meta["update"]
    assert update["optimizer"] == "Adam" and update["t"] == 1 and update["adam"] and update["kernel"] is not None
    entry = update["params"][0]["entries"][0]
    m, v = entry["slots"]
    assert -update["size"] * m / (np.sqrt(v) + update["epsilon"]) == pytest.approx(entry["step"], rel=1e-4)
    model.compile(SGD(0.1), "sparse_categorical_crossentropy")
    update = payload(model, x, y)[0].meta["update"]
    assert not update["adam"] and update["kernel"] is None and update["rate"] == pytest.approx(0.1)


def test_nothing_to_train_is_no_update():
    model = Sequential([Input((2,)), Dense(1, trainable=False)])
    model.compile("sgd", "mse")
    page, _ = payload(model, np.ones((1, 2), np.float32), np.ones((1, 1), np.float32))
    assert page.meta["update"] is None


def test_beside_another_trace_of_the_same_layers(zoo):
    model, x, y = zoo.classifier()
    before = model.trace(x, y)
    model.train_on_batch(x, y)
    page, t = payload(model, x, y, beside=before)
    call = page.meta["calls"][0]
    np.testing.assert_array_equal(decoded(page, call["beside"]["y"][0]), before["conv"].y)
    assert page.meta["beside"]["title"].startswith("classifier, loss ")
    other, x2, y2 = zoo.autoencoder()
    page, _ = payload(model, x, y, beside=other.trace(x2))
    assert all(call["beside"] is None for call in page.meta["calls"])


class OwnLoss(losses.Loss):
    def forward(self, y_true, y_pred, sample_weight=None, count=None):
        return np.sum(y_pred), y_pred.shape

    def backward(self, cache):
        return np.ones(cache, np.float32)


def test_a_loss_without_values_of_its_own_is_shown_by_its_number():
    model = Sequential([Input((2,)), Dense(1)])
    model.compile("sgd", OwnLoss())
    page, t = payload(model, np.ones((1, 2), np.float32), np.ones((1, 1), np.float32))
    assert page.meta["loss"]["outputs"][0]["values"] is None


def test_an_output_without_a_loss_is_said_to_have_none():
    x = Input((2,))
    model = Model(x, [Dense(1, name="a")(x), Dense(1, name="b")(x)])
    model.compile("sgd", ["mse", None])
    page, _ = payload(model, np.ones((1, 2), np.float32), [np.ones((1, 1)), None])
    assert page.meta["loss"]["outputs"][1] == {"name": "b", "loss": None, "source": None}


def test_a_call_that_holds_very_many_shows_the_first():
    class Many(Layer):
        def call(self, x):
            for _ in range(70):
                x = x + 1.0
            return x

    model = Sequential([Input((2,)), Many(name="many"), Dense(1)])
    model.compile("sgd", "mse")
    page, _ = payload(model, np.ones((1, 2), np.float32), np.ones((1, 1), np.float32))
    assert len(page.meta["calls"]) == 2 + 60
    assert page.sources.entries[page.meta["calls"][0]["own"]["forward"]]["text"].startswith("def call")


def test_a_wrong_backward_is_called_wrong_in_the_page():
    class Wrong(Dense):
        def backward(self, dy, cache, needs_dx=True):
            dx, grads = super().backward(dy, cache, needs_dx)
            return dx, {**grads, "kernel": 2 * grads["kernel"]}

    model = Sequential([Input((3,)), Wrong(2, name="wrong"), Dense(1, name="right")])
    model.compile("sgd", "mse")
    page, _ = payload(model, np.ones((1, 3), np.float32), np.ones((1, 1), np.float32))
    first, second = page.meta["calls"]
    assert first["checks"]["kernel"]["verdict"] == FAILED and first["checks"]["bias"]["verdict"] == "passed"
    assert {check["verdict"] for check in second["checks"].values()} == {"passed"}
    assert "2 * grads" in page.sources.entries[first["own"]["backward"]]["text"]


def test_strings_have_no_picture():
    model = Sequential([Input((1,), dtype="string"), layers.StringLookup(vocabulary=["a", "b"], name="lookup")])
    page = Payload(model.trace(np.array([["a"], ["c"]])))
    assert page.meta["x"] == [None] and page.meta["calls"][0]["y"] != [None]

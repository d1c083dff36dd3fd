"""A real browser, driven by Playwright; the leg `browser` of .ci/run has both.

The browser is the system's (SCRATCHNET_BROWSER, or chromium on the path). One process serves all tests. Screenshots are
kept in the folder SCRATCHNET_SCREENSHOTS, if it is set, to be looked at.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.explain import pages
from scratchnet.explain.check import check_everything
from scratchnet.explain.payload import Payload
from scratchnet.models import Model, Sequential

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def images():
    model = Sequential(
        [
            layers.Input((10, 10, 2)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.Conv2DTranspose(3, 3, strides=2, activation="tanh", name="grow"),
            layers.AveragePooling2D(2, name="mean"),
            layers.UpSampling2D(2, name="up"),
            layers.MaxPooling2D(3, strides=2, padding="same", name="largest"),
            layers.Flatten(name="flat"),
            layers.Dropout(0.3, name="drop"),
            layers.Dense(6, activation="relu", name="hidden"),
            layers.LayerNormalization(name="layernorm"),
            layers.Dense(3, name="logits"),
            layers.Softmax(name="soft"),
        ],
        name="images",
    )
    model.compile("adam", "categorical_crossentropy")
    return model, np.random.default_rng(0).standard_normal((1, 10, 10, 2)).astype(np.float32), np.eye(3)[:1]


def words():
    x = layers.Input((7,), dtype="int32")
    e = layers.Embedding(11, 6, name="embed")(x)
    e = layers.Add(name="skip")([e, layers.MultiHeadAttention(2, 4, name="heads")(e, e)])
    g = layers.GRU(5, return_sequences=True, name="gru")(e)
    y = layers.Dense(1, activation="sigmoid", name="out")(layers.SimpleRNN(4, name="rnn")(g))
    model = Model(x, y, name="words")
    model.compile("sgd", "binary_crossentropy")
    return model, np.array([[1, 5, 3, 5, 9, 0, 2]]), np.array([[1.0]])


def digits():
    model = Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(8, 3, activation="relu", name="conv2d"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="dense"),
        ],
        name="digits",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, np.random.default_rng(0).random((3, 28, 28, 1)).astype(np.float32), np.array([3, 1, 4])


def sequences():
    model = Sequential(
        [
            layers.Input((10, 3)),
            layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu", name="causal"),
            layers.Conv1D(4, 3, strides=2, groups=2, padding="same", activation="tanh", name="grouped"),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both"),
            layers.Bidirectional(layers.GRU(3), merge_mode="mul", name="product"),
            layers.Dense(2, name="out"),
        ],
        name="sequences",
    )
    model.compile("adam", "mse")
    return model, np.random.default_rng(0).standard_normal((2, 10, 3)).astype(np.float32), np.ones((2, 2))


def maps():
    model = Sequential(
        [
            layers.Input((8, 8, 2)),
            layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="relu", name="each"),
            layers.SeparableConv2D(5, 3, strides=2, activation="tanh", name="separable"),
            layers.Reshape((3, 3, 5, 1), name="volume"),
            layers.Conv3D(2, (2, 2, 3), padding="same", strides=(1, 1, 2), activation="relu", name="solid"),
            layers.Flatten(name="flat"),
            layers.Dense(2, name="out"),
        ],
        name="maps",
    )
    model.compile("adam", "mse")
    return model, np.random.default_rng(0).standard_normal((1, 8, 8, 2)).astype(np.float32), np.ones((1, 2))


def films():
    model = Sequential(
        [
            layers.Input((3, 6, 6, 2)),
            layers.ConvLSTM2D(3, 3, padding="same", return_sequences=True, name="film"),
            layers.ConvLSTM2D(2, 2, strides=2, go_backwards=True, use_bias=False, name="last"),
            layers.Flatten(name="flat"),
            layers.Dense(2, name="out"),
        ],
        name="films",
    )
    model.compile("adam", "mse")
    return model, np.random.default_rng(0).standard_normal((1, 3, 6, 6, 2)).astype(np.float32), np.ones((1, 2))


def residual():
    x = layers.Input((6, 6, 2))
    h = layers.Conv2D(3, 3, padding="same", activation="relu", name="stem")(x)
    f = layers.Conv2D(3, 3, padding="same", name="inner")(layers.Conv2D(3, 3, padding="same", name="outer")(h))
    h = layers.Add(name="residual")([h, f])
    towers = [layers.Conv2D(2, 1, name=name)(h) for name in ("one", "two", "three")]
    y = layers.Dense(2, name="out")(layers.Flatten(name="flat")(layers.Concatenate(name="joined")(towers)))
    model = Model(x, y, name="residual")
    model.compile("adam", "mse")
    return model, np.random.default_rng(0).random((1, 6, 6, 2)).astype(np.float32), np.ones((1, 2))


def capsules():
    x = layers.Input((4, 3))
    h = layers.Dense(3, name="below")(x)
    model = Model(x, layers.Length(name="length")(layers.CapsuleLayer(2, 3, name="above")(h)), name="capsules")
    model.compile("sgd", "mse")
    return model, np.random.default_rng(0).standard_normal((1, 4, 3)).astype(np.float32), np.ones((1, 2))


class PicksOne(layers.UpSampling2D):
    """Of the museum: it picks one gradient of each block instead of summing them."""

    def backward(self, dy, cache, needs_dx=True):
        return dy[:, ::2, ::2], {}


def museum():
    grow = PicksOne(2, name="grow")
    model = Sequential([layers.Input((4, 4, 1)), layers.Conv2D(2, 3, name="conv"), grow, layers.Flatten(name="flat")])
    model.compile("sgd", "mse")
    return model, np.random.default_rng(0).random((1, 4, 4, 1)).astype(np.float32), np.ones((1, 32))


def hostile():
    class Hostile(layers.Dense):
        """</script><script>window.hacked = 1</script>"""

    model = Sequential([layers.Input((2,)), Hostile(1, name="<img src=x onerror=window.hacked=1>")])
    model.name = "</title></script><script>window.hacked = 1</script>"
    model.compile("sgd", "mse")
    return model, np.ones((1, 2)), np.ones((1, 1))


class Page:
    """A written page and what it was made of."""

    def __init__(self, folder, name, model, x, y, training=False):
        self.trace = model.trace(x, y, training=training)
        self.payload = Payload(self.trace, check_everything(self.trace))
        self.path = folder / f"{name}.html"
        self.path.write_text(pages.page(self.payload), encoding="utf-8")

    @property
    def stops(self):
        return self.payload.meta["stops"]

    def id_of(self, stop):
        call = self.payload.meta["calls"][stop["call"]]["path"] if "call" in stop else None
        return stop["pass"] if call is None else f"{call}/{stop['pass'][0]}"

    def uri(self, place=""):
        return self.path.as_uri() + (f"#{place}" if place else "")


@pytest.fixture(scope="session")
def written(zoo, tmp_path_factory):
    """A function from a name to its `Page`."""
    folder, made = tmp_path_factory.mktemp("pages"), {}
    makers = {
        "images": lambda: (*images(), True),
        "words": words,
        "digits": digits,
        "sequences": sequences,
        "maps": maps,
        "films": films,
        "residual": residual,
        "capsules": capsules,
        "museum": museum,
        "hostile": hostile,
        "branching": zoo.branching,
        "autoencoder": lambda: zoo.autoencoder(units=16),
    }

    def page(name):
        if name not in made:
            made[name] = Page(folder, name, *makers[name]())
        return made[name]

    return page


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    found = os.environ.get("SCRATCHNET_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    assert found, f"no browser: none of {', '.join(NAMES)} is on the path, and SCRATCHNET_BROWSER is not set"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """A function that opens a `Page`: no network, and every error and request is an objection at the end."""
    objections, contexts = [], []

    def open_page(page, place="", width=1280, height=800, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, offline=True)
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda problem: objections.append(str(problem)))
        tab.on("console", lambda m: objections.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("request", lambda r: None if r.url.startswith(page.path.as_uri()) else objections.append(r.url))
        tab.goto(page.uri(place))
        tab.wait_for_selector("body[data-ready]")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert objections == []


@pytest.fixture
def screenshot():
    """A function that keeps what a tab shows, where somebody wants to look at it."""

    def keep(tab, name):
        folder = os.environ.get("SCRATCHNET_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            tab.screenshot(path=str(Path(folder) / f"{name}.png"))

    return keep

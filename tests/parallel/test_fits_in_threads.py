"""Fits in threads and processes: side by side, in a fork, and what is left when they end."""

import os
import threading
import time

import numpy as np
import pytest

import scratchnet
from scratchnet.callbacks import LambdaCallback
from scratchnet.layers import Dense, Input
from scratchnet.models import Sequential
from scratchnet.utils import set_random_seed


@pytest.fixture(autouse=True)
def default_threads():
    yield
    scratchnet.set_num_threads(None)


def classifier(*, seed=0, extra=(), loss="sparse_categorical_crossentropy", optimizer="adam"):
    set_random_seed(seed)
    model = Sequential([Input((5,)), Dense(8, activation="tanh"), *extra, Dense(3, activation="softmax")])
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def data(count=90, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, count)
    return (rng.normal(size=(count, 5)) + y[:, None]).astype("float32"), y


def test_two_models_train_in_two_threads_at_once():
    scratchnet.set_num_threads(2)
    x, y = data(200)
    alone = classifier(seed=3)
    alone.fit(x, y, epochs=3, verbose=0, shuffle=False)
    models = []
    for _ in range(2):
        models.append(classifier(seed=3))
    threads = [
        threading.Thread(target=m.fit, args=(x, y), kwargs={"epochs": 3, "verbose": 0, "shuffle": False})
        for m in models
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for model in models:
        for a, b in zip(model.get_weights(), alone.get_weights()):
            np.testing.assert_array_equal(a, b)
    assert len(own_threads()) <= 2  # a worker and a helper, who sleep


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_in_the_middle_of_training_can_train_by_itself():
    scratchnet.set_num_threads(2)
    model = classifier()
    exit_codes = []

    def fork(batch, logs):
        if batch == 1 and not exit_codes:
            child = os.fork()
            if child == 0:
                other = classifier()
                ok = np.isfinite(other.fit(*data(), epochs=1, verbose=0).history["loss"][0])
                os._exit(0 if ok else 1)
            exit_codes.append(os.waitpid(child, 0)[1])

    model.fit(*data(), epochs=1, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=fork)])
    assert exit_codes == [0]


def own_threads():
    """Those of the library, but for the ones that have just been told to end."""
    for _ in range(2000):
        found = [t for t in threading.enumerate() if t.name.startswith("scratchnet")]
        if len(found) <= 2:
            break
        time.sleep(0.001)
    return found


@pytest.fixture
def blas_of_two_threads():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threadpoolctl.threadpool_limits(2, "blas"):
        yield threadpoolctl


def test_threads_sleep_and_blas_gets_its_threads_back_after_fit(blas_of_two_threads):
    threadpoolctl = blas_of_two_threads
    before = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
    scratchnet.set_num_threads(2)
    model = classifier()
    model.fit(*data(), verbose=0)
    with pytest.raises(ZeroDivisionError):
        model.fit(*data(), verbose=0, callbacks=[LambdaCallback(on_train_batch_end=lambda *_: 1 / 0)])
    assert [pool["num_threads"] for pool in threadpoolctl.threadpool_info()] == before
    assert len(own_threads()) <= 2
    for _ in range(3):
        model.fit(*data(), verbose=0)
    assert len(own_threads()) <= 2

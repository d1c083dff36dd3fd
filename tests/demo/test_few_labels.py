"""Ways to learn from a few labels, on points of ten directions."""

import argparse
from types import SimpleNamespace

import numpy as np
import pytest

from scratchnet.demo import FewLabels, compare_few_labels, few_labels_options
from scratchnet.layers import BatchNormalization, Dense, Input
from scratchnet.models import Sequential
from scratchnet.optimizers import Adam
from scratchnet.utils import set_random_seed

LABELS = np.arange(60) % 10
IMAGES = np.float32(np.eye(10)[LABELS] + 0.1 * np.random.default_rng(7).normal(size=(60, 10)))


def encoder():
    return Sequential([Input((10,)), Dense(16, activation="relu"), BatchNormalization()])


def rates_of(steps):
    """A FewLabels, and the rates that it asks optimizers for."""
    rates = []
    return FewLabels(steps, lambda rate: rates.append(rate) or Adam(rate)), rates


def right(model):
    return np.mean(model.predict(IMAGES, verbose=0).argmax(axis=1) == LABELS)


def test_a_probe_leaves_the_features_as_they_are_and_tells_the_classes():
    set_random_seed(1)
    learn, rates = rates_of(200)
    features = encoder()
    before = features.get_weights()
    model = learn.probe(features, IMAGES, LABELS)
    assert right(model) == 1 and rates == [0.01]
    for old, new in zip(before, features.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_all_of_a_copy_is_trained_further_but_for_its_batch_normalization():
    set_random_seed(1)
    learn, rates = rates_of(50)
    features = encoder()
    before = features.get_weights()
    model = learn.fine_tune(features, IMAGES, LABELS, rate=0.002)
    assert right(model) == 1 and rates == [0.01, 0.002]
    dense, normalization = model.layers[0].layers
    assert np.abs(dense.get_weights()[0] - before[0]).max() > 1e-4
    for old, new, kept in zip(before[2:], normalization.get_weights(), features.get_weights()[2:], strict=True):
        np.testing.assert_array_equal(old, new)
        np.testing.assert_array_equal(old, kept)


@pytest.mark.parametrize("count, batch, steps", [(60, 50, 250), (20, 20, 300)])
def test_there_are_as_many_steps_however_few_images_there_are(count, batch, steps):
    set_random_seed(1)
    learn, rates = rates_of(300)
    model = learn.from_scratch([Dense(16, activation="relu")], IMAGES[:count], LABELS[:count], rate=0.02)
    assert rates == [0.02] and right(model) > 0.9
    epochs = 300 * batch // count
    assert model.optimizer.iterations == epochs * -(-count // batch)


def test_the_ways_are_compared_in_a_table_and_a_picture(capsys):
    pytest.importorskip("matplotlib")
    written = {}
    output = SimpleNamespace(text=written.__setitem__, figure=written.__setitem__)
    parser = argparse.ArgumentParser()
    few_labels_options(parser, steps=60)
    assert vars(parser.parse_args([])) == {"labels": [100], "draws": 1, "steps": 60}
    options = parser.parse_args(["--labels", "20", "40", "--draws", "2"])
    options.seed = 3
    learn = FewLabels(20, Adam)
    ways = {"probe": lambda *few: learn.probe(encoder(), *few)}
    compare_few_labels(ways, (IMAGES, LABELS), (IMAGES, LABELS), options, output)
    assert "accuracy with" in capsys.readouterr().out
    assert written["few_labels.md"].splitlines()[0].count("labels") == 2
    assert written["few_labels"].axes

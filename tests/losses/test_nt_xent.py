"""The contrastive loss: its definition, its gradient, the same in any parts of a batch, and a model that it trains."""

import numpy as np
import pytest

from scratchnet.gradient_check import check_loss
from scratchnet.layers import Dense, Input
from scratchnet.losses import NTXent
from scratchnet.models import Sequential
from scratchnet.parallel import Workers, set_num_threads
from scratchnet.parallel.batch import map_parts
from scratchnet.utils import set_random_seed

RNG = np.random.default_rng(91)
Y = RNG.standard_normal((7, 2, 4))


def test_it_is_the_cross_entropy_among_all_other_views():
    z = Y.reshape(14, 4) / np.linalg.norm(Y.reshape(14, 4), axis=1, keepdims=True)
    values = []
    for i in range(14):
        likeness = {k: z[i] @ z[k] / 0.5 for k in range(14) if k != i}
        other = i + 1 if i % 2 == 0 else i - 1
        values.append(-likeness[other] + np.log(sum(np.exp(s) for s in likeness.values())))
    assert NTXent(0.5)(np.zeros(7), Y) == pytest.approx(np.mean(values))


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_gradient(temperature):
    report = check_loss(NTXent(temperature), np.zeros(7), Y)
    assert report.passed, report


@pytest.mark.parametrize("edges", [(0, 3, 7), (0, 1, 4, 7), (0, 1, 2, 3, 5, 7)])
def test_parts_give_the_value_and_the_gradient_of_the_whole_batch(edges):
    loss = NTXent()
    value, cache = loss.forward(None, Y)

    def part(rows):
        value, cache = loss.forward(None, Y[rows])
        return value, loss.backward(cache)

    with Workers(len(edges) - 1) as workers:
        parts = map_parts(part, [slice(a, b) for a, b in zip(edges, edges[1:])], 0, workers)
    assert sum(v for v, _ in parts) == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(np.concatenate([d for _, d in parts]), loss.backward(cache), atol=1e-15)


def test_fit_brings_the_views_of_a_sample_together_whatever_the_parts():
    samples = RNG.standard_normal((96, 1, 6))
    views = (samples + 0.3 * RNG.standard_normal((96, 2, 6))).astype("float32")
    losses = []
    for threads in (1, 2, 3):
        set_num_threads(threads)
        set_random_seed(2)
        model = Sequential([Input((2, 6)), Dense(8, activation="relu"), Dense(4)])
        model.compile("adam", NTXent())
        losses.append(model.fit(views, np.zeros(96), epochs=4, batch_size=48, verbose=0).history["loss"])
    set_num_threads(None)
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    np.testing.assert_allclose(losses[2], losses[0], rtol=1e-5)
    assert losses[0][-1] < losses[0][0]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"two views of each sample, \(N, 2, D\), got \(4, 3\)"):
        NTXent()(None, np.ones((4, 3)))
    with pytest.raises(ValueError, match="no sample has a loss of its own"):
        NTXent()(None, Y, np.ones(7))
    with pytest.raises(ValueError, match="temperature"):
        NTXent(0)

"""Fifty steps of every optimizer, and every schedule, against values that Keras computed.

The values: Keras 3.15.1 on JAX in float64. (On TensorFlow Keras rounds 0.999 to float32 even for float64 parameters.)
"""

import numpy as np
import pytest

from scratchnet import optimizers

OPTIMIZERS = [
    ("SGD", {}, [0.8874280488655, -1.926283952202, 0.692229852344, 0.3127383567253]),
    ("SGD", {"momentum": 0.9}, [-0.5846499524185, -2.4710718244511, 1.5756075664577, 0.2602438062033]),
    ("SGD", {"momentum": 0.9, "nesterov": True}, [-0.5387569083112, -2.350248594208, 1.6602766621559, 0.2769577823083]),
    ("RMSprop", {}, [0.7920383238546, -2.1676229187, 0.5167392678862, 0.2246680139526]),
    (
        "RMSprop",
        {"rho": 0.8, "momentum": 0.5, "centered": True},
        [0.5940994267452, -2.3254632353071, 0.5399840434275, 0.2472200771082],
    ),
    ("Adagrad", {}, [0.9288625312967, -2.061936949002, 0.5024702542771, 0.2669717881352]),
    ("Adam", {}, [0.7766891403008, -2.1478950092558, 0.5253966094194, 0.1586495237669]),
    ("Adam", {"amsgrad": True, "beta_2": 0.9}, [0.7853787577933, -2.1449853412945, 0.5172805915735, 0.1555055068065]),
    ("AdamW", {}, [0.768665614702, -2.1265367323285, 0.5204065526579, 0.1573056714907]),
    ("AdamW", {"amsgrad": True}, [0.7686661235437, -2.1265343897378, 0.5204069857114, 0.157297217527]),
    ("Nadam", {}, [0.8759159166143, -2.0801528288832, 0.5280297933882, 0.2810958869539]),
    ("Nadam", {"beta_1": 0.5, "beta_2": 0.8}, [0.9144603868947, -2.0314447556992, 0.5394386314706, 0.3388525422506]),
    ("Adam", {"weight_decay": 0.02}, [0.7373683346154, -2.0431574584485, 0.500920281897, 0.1520658744374]),
    ("SGD", {"clipnorm": 0.5}, [0.9966019200764, -1.9979011556037, 0.5056661008576, 0.307116632581]),
    ("Nadam", {"clipvalue": 0.3}, [0.883457699072, -2.1494822591219, 0.4551196389322, 0.2677982836127]),
    ("Adam", {"global_clipnorm": 0.5}, [0.82318787796, -2.1223757477119, 0.5255795906646, 0.162512745592]),
    ("RMSprop", {"weight_decay": 0.1}, [0.6210971564763, -1.6721854339556, 0.4137097344329, 0.1858462687371]),
]

STEPS = (0, 4, 5, 6, 13, 33)
SCHEDULES = [
    ("ExponentialDecay", (0.1, 10, 0.5), {}, [0.1, 0.0757858, 0.0707107, 0.0659754, 0.0406126, 0.0101532]),
    ("ExponentialDecay", (0.1, 10, 0.5), {"staircase": True}, [0.1, 0.1, 0.1, 0.1, 0.05, 0.0125]),
    ("PiecewiseConstantDecay", ([5, 12], [0.1, 0.05, 0.01]), {}, [0.1, 0.1, 0.1, 0.05, 0.01, 0.01]),
    ("PolynomialDecay", (0.1, 15), {"power": 2.0}, [0.1, 0.053824, 0.0445, 0.036064, 0.001876, 0.0001]),
    ("PolynomialDecay", (0.1, 15), {"cycle": True}, [0.1, 0.07336, 0.0667, 0.06004, 0.01342, 0.02674]),
    ("InverseTimeDecay", (0.1, 10, 0.5), {}, [0.1, 0.0833333, 0.08, 0.0769231, 0.0606061, 0.0377358]),
    ("InverseTimeDecay", (0.1, 10, 0.5), {"staircase": True}, [0.1, 0.1, 0.1, 0.1, 0.0666667, 0.04]),
    ("CosineDecay", (0.1, 20), {"alpha": 0.1}, [0.1, 0.0914058, 0.0868198, 0.0814503, 0.0345704, 0.01]),
    ("CosineDecay", (0.0, 20), {"warmup_target": 0.1, "warmup_steps": 5}, [0.0, 0.08, 0.1, 0.0993844, 0.0654508, 0.0]),
    ("CosineDecay", (0.1, 10), {"warmup_target": 0.5}, [0.5, 0.327254, 0.25, 0.172746, 0.0, 0.0]),
    (
        "CosineDecayRestarts",
        (0.1, 7),
        {"m_mul": 0.8, "alpha": 0.05},
        [0.1, 0.0419303, 0.0228842, 0.00970398, 0.0514558, 0.0421646],
    ),
    (
        "CosineDecayRestarts",
        (0.1, 7),
        {"t_mul": 1.0, "m_mul": 0.5},
        [0.1, 0.038874, 0.0188255, 0.00495156, 0.00247578, 0.00117659],
    ),
]


def gradients(step):
    return {"a": np.sin(step + np.arange(3.0)) * (1 + step % 4), "b": np.array([np.cos(0.5 * step)])}


def fifty_steps(name, options, dtype):
    params = {"a": np.array([1.0, -2.0, 0.5], dtype), "b": np.array([0.3], dtype)}
    optimizer = getattr(optimizers, name)(**{"learning_rate": 0.05, **options})
    for step in range(50):
        optimizer.update(params, {key: g.astype(dtype) for key, g in gradients(step).items()})
    return np.concatenate(list(params.values()))


@pytest.mark.parametrize(("name", "options", "expected"), OPTIMIZERS)
def test_fifty_steps_end_where_kerass_end(name, options, expected):
    np.testing.assert_allclose(fifty_steps(name, options, "float64"), expected, rtol=1e-11)
    np.testing.assert_allclose(fifty_steps(name, options, "float32"), expected, rtol=0, atol=3e-5)


def test_what_is_excluded_from_weight_decay_is_found_by_the_last_part_of_its_key():
    params = {key: np.ones(1) for key in ("bias/kernel", "dense/bias", "dense/bias_kernel")}
    optimizer = optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["^bias$"])
    optimizer.update(params, {key: np.zeros(1) for key in params})
    assert [float(w[0]) for w in params.values()] == pytest.approx([0.95, 1.0, 0.95])


@pytest.mark.parametrize(("name", "arguments", "options", "expected"), SCHEDULES)
def test_schedules(name, arguments, options, expected):
    schedule = getattr(optimizers.schedules, name)(*arguments, **options)
    assert [schedule(step) for step in STEPS] == pytest.approx(expected, rel=1e-5, abs=1e-8)

"""Eight steps of a matrix, a vector and an embedding with the same random gradients: the numbers are keras 3.15.1's."""

import numpy as np
import pytest

from scratchnet import optimizers

# name: (class, arguments, the first two entries of kernel, bias and embeddings)
KERAS = {
    "Adadelta": (
        "Adadelta",
        {"learning_rate": 1.0, "rho": 0.9},
        [-0.80353582, -1.32222152, -0.96220851, 1.59521747, -0.08403181, -1.16795838],
    ),
    "Adamax": ("Adamax", {}, [-0.75582492, -1.125103, -1.23381376, 1.55075192, 0.06179184, -1.26440799]),
    "Adafactor": ("Adafactor", {}, [-0.98108256, -1.14418936, -1.41113937, 1.08162439, -0.07807663, -1.29452562]),
    "Lion": ("Lion", {}, [-1.00193143, -0.92435884, -1.55826533, 1.200019, -0.08369621, -1.36322606]),
    "Ftrl": (
        "Ftrl",
        {
            "l1_regularization_strength": 0.01,
            "l2_regularization_strength": 0.02,
            "l2_shrinkage_regularization_strength": 0.1,
            "beta": 0.1,
        },
        [-0.63063073, -0.06513833, -0.27120072, 0.82014459, -0.0322642, -0.25469995],
    ),
    "Lamb": ("Lamb", {}, [-1.00337577, -1.03435266, -2.05195189, 0.94533139, 0.01089098, -1.28735554]),
    "Muon": ("Muon", {}, [-0.87306386, -1.25872016, -1.36059058, 1.48181033, 0.07649624, -1.25837386]),
    "Nadam": ("Nadam", {}, [-0.897681, -1.13162971, -1.2818687, 1.35464811, -0.04208673, -1.33077788]),
    "AdamW": (
        "AdamW",
        {"weight_decay": 0.1},
        [-0.75317687, -0.99431771, -1.27159655, 1.35680556, 0.07130381, -1.17046154],
    ),
    "accumulated gradients": (
        "Adam",
        {"gradient_accumulation_steps": 3},
        [-0.98314291, -1.23523271, -1.07331622, 1.62809849, -0.00746099, -1.1196686],
    ),
    "running means": (
        "SGD",
        {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3},
        [-0.9376635, -1.30174875, -1.34920776, 1.19817591, -0.07019167, -1.45760202],
    ),
    "both": (
        "Adam",
        {
            "use_ema": True,
            "ema_momentum": 0.5,
            "ema_overwrite_frequency": 2,
            "gradient_accumulation_steps": 2,
            "weight_decay": 0.1,
        },
        [-0.74021006, -1.19712092, -1.09522867, 1.55969143, 0.01931836, -1.03992593],
    ),
    "scaled and clipped": (
        "SGD",
        {"loss_scale_factor": 4.0, "clipnorm": 0.3},
        [-0.81688398, -1.31900477, -1.01030552, 1.51571846, -0.08090664, -1.18681002],
    ),
    "clipped together": (
        "SGD",
        {"global_clipnorm": 0.5},
        [-0.82327211, -1.32000089, -0.98954958, 1.53973985, -0.08451629, -1.19211733],
    ),
}


def parameters(dtype):
    rng = np.random.default_rng(5)
    shapes = {"dense/kernel": (3, 4), "dense/bias": (4,), "embedding/embeddings": (5, 2)}
    params = {key: rng.normal(size=shape).astype(dtype) for key, shape in shapes.items()}
    return params, [{key: rng.normal(size=w.shape).astype(dtype) for key, w in params.items()} for _ in range(8)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", KERAS)
def test_eight_steps(name, dtype):
    cls, arguments, expected = KERAS[name]
    optimizer = getattr(optimizers, cls)(**{"learning_rate": 0.1, **arguments})
    params, all_grads = parameters(dtype)
    scale = arguments.get("loss_scale_factor", 1)
    for grads in all_grads:
        optimizer.update(params, {key: g / scale for key, g in grads.items()})
    found = np.concatenate([w.reshape(-1)[:2] for w in params.values()])
    np.testing.assert_allclose(found, expected, atol=5e-6)
    assert optimizer.steps == 8


@pytest.mark.parametrize("name", ["Adafactor", "Lamb", "Muon", "Lion", "Adam"])
def test_parts_and_shares_change_nothing(name):
    one, two = (getattr(optimizers, name)(0.1) for _ in range(2))
    params, all_grads = parameters("float64")
    again = {key: w.copy() for key, w in params.items()}
    for grads in all_grads[:3]:
        one.update(params, grads)
        halves = [{key: g * share for key, g in grads.items()} for share in (0.25, 0.75)]
        two.update(again, halves, shares=3)
    for key in params:
        np.testing.assert_allclose(again[key], params[key], rtol=1e-12)


def test_muon_makes_its_steps_orthogonal_and_leaves_other_parameters_to_adam():
    rng = np.random.default_rng(0)
    for shape in ((6, 4), (4, 6)):
        params = {"dense/kernel": np.zeros(shape)}
        muon = optimizers.Muon(1.0, weight_decay=None, rms_rate=None, ns_steps=12)
        muon.update(params, {"dense/kernel": rng.normal(size=shape)})
        singular = np.linalg.svd(params["dense/kernel"], compute_uv=False)
        assert singular.min() > 0.5 and singular.max() < 1.3  # the polynomial holds them near 1, not at 1
    params = {"dense/kernel": np.ones((2, 2)), "out/kernel": np.ones((2, 2)), "dense/bias": np.ones(2)}
    muon = optimizers.Muon(exclude_layers=["out"])
    muon.build(params)
    assert {key for key in muon.state if key.startswith("v/")} == {"v/out/kernel", "v/dense/bias"}


def test_adafactor_keeps_a_row_and_a_column_of_a_matrix():
    optimizer = optimizers.Adafactor()
    optimizer.build({"k": np.ones((2, 3, 4)), "b": np.ones(4)})
    assert {key: array.shape for key, array in optimizer.state.items()} == {"r/k": (2, 3), "c/k": (2, 4), "v/b": (4,)}


def test_schedule_free_adamw_holds_the_mean_of_all_iterates():
    """y and z in the parameters and slots, x by itself: the three equations, written out."""
    optimizer, lr, b1, b2, eps = optimizers.ScheduleFreeAdamW(0.1, warmup_steps=2), 0.1, 0.9, 0.999, 1e-8
    params, all_grads = parameters("float64")
    x, z, v = ({key: w.copy() for key, w in params.items()} for _ in range(3))
    v = {key: np.zeros_like(w) for key, w in v.items()}
    for t, grads in enumerate(all_grads, 1):
        optimizer.update(params, grads)
        for key, g in grads.items():
            v[key] = b2 * v[key] + (1 - b2) * g * g
            z[key] = z[key] - lr * min(t / 2, 1) * g / (np.sqrt(v[key] / (1 - b2**t)) + eps)
            x[key] = (1 - 1 / t) * x[key] + z[key] / t
            np.testing.assert_allclose(params[key], (1 - b1) * z[key] + b1 * x[key], rtol=1e-9)

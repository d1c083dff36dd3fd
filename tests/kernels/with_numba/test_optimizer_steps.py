"""The compiled steps of optimizers: the rules that NumPy follows, to the bits where nothing is added up."""

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from scratchnet import kernels, optimizers  # noqa: E402
from scratchnet.kernels.with_numba import team  # noqa: E402

RULES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"momentum": 0.8}),
    ("RMSprop", {"momentum": 0.8, "centered": True}),
    ("Adagrad", {}),
    ("Adadelta", {}),
    ("Adam", {"amsgrad": True}),
    ("Nadam", {}),
    ("Adamax", {}),
    ("Lion", {}),
    ("Ftrl", {"beta": 0.1}),
    (
        "Ftrl",
        {
            "l1_regularization_strength": 0.03,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.1,
        },
    ),
    ("Ftrl", {"learning_rate_power": -0.3}),
    ("SGD", {"weight_decay": 0.1, "use_ema": True}),
    ("SGD", {"clipvalue": 0.5}),
]
RULES_WITH_SUMS = [
    ("Adafactor", {}),
    ("Adafactor", {"clip_threshold": 0.3, "epsilon_2": 2.0}),
    ("Lamb", {}),
    ("SGD", {"clipnorm": 1.0}),
    ("SGD", {"global_clipnorm": 1.0}),
]
EVERY_RULE = pytest.mark.parametrize(("name", "options"), RULES)


def after_steps(backend, name, options, dtype, sizes=((3, 7), (1,), (129,)), special=()):
    """The parameters and the slots after some steps."""
    rng = np.random.default_rng(4)
    optimizer = getattr(optimizers, name)(0.02, **options)
    params = {f"w{k}": rng.normal(size=size).astype(dtype) for k, size in enumerate(sizes)}
    with kernels.using_backend(backend):
        for _ in range(5):
            grads = {key: rng.normal(size=w.shape).astype(dtype) for key, w in params.items()}
            for grad in grads.values():
                grad.flat[: len(special)] = special
            optimizer.update(params, grads)
    return params | optimizer.state


def assert_same_bits(found, expected):
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        assert found[key].dtype == array.dtype
        np.testing.assert_array_equal(found[key], array, err_msg=key)


@EVERY_RULE
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_step_has_the_bits_of_the_rule(name, options, dtype):
    found, expected = (after_steps(backend, name, options, dtype) for backend in ("numba", "numpy"))
    assert_same_bits(found, expected)


@pytest.mark.parametrize(("name", "options"), RULES_WITH_SUMS)
@pytest.mark.parametrize(("dtype", "digits"), [("float32", 2e-6), ("float64", 1e-14)])
def test_a_step_of_whole_parameters_is_the_rule_to_the_last_digits(name, options, dtype, digits):
    sizes = (3, 7), (5,), (1, 9), (9, 1), (17, 33), (3, 2, 19, 5), (100, 201)
    found, expected = (after_steps(backend, name, options, dtype, sizes) for backend in ("numba", "numpy"))
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        assert found[key].dtype == array.dtype
        np.testing.assert_allclose(found[key], array, rtol=10 * digits, atol=digits, err_msg=key)


def test_lamb_goes_by_the_learning_rate_where_a_parameter_or_a_step_is_zero():
    for w, g in ((0, 1), (1, 0)):
        params = {"w": np.full(3, w, "float64")}
        optimizers.Lamb(0.1).update(params, {"w": np.full(3, g, "float64")})
        np.testing.assert_allclose(params["w"], w - 0.1 * g, rtol=1e-6)


@EVERY_RULE
def test_gradients_that_are_zero_or_not_finite_end_as_by_the_rule(name, options):
    with np.errstate(all="ignore"):
        found, expected = (
            after_steps(backend, name, options, "float32", ((5,),), (0, np.nan, np.inf, -np.inf))["w0"]
            for backend in ("numba", "numpy")
        )
    np.testing.assert_array_equal(found, expected)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="a helper needs compiled code")
@pytest.mark.parametrize(("name", "options"), RULES + RULES_WITH_SUMS)
def test_two_threads_make_the_bits_of_one(name, options, monkeypatch):
    shared, share = [], team.Team.share
    monkeypatch.setattr(team.Team, "share", lambda *arguments: (shared.append(arguments), share(*arguments)))
    sizes = (3, 150, 331), (3,)
    alone = after_steps("numba", name, options, "float32", sizes)
    assert not shared
    with team.helper():
        together = after_steps("numba", name, options, "float32", sizes)
    assert bool(shared) == (options.get("learning_rate_power") is None)
    assert_same_bits(together, alone)

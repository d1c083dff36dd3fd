"""R^2: of what it is nearly certain by definition, and what it refuses. (Keras's values: test_keras_results.py.)"""

import numpy as np
import pytest

from scratchnet.metrics import R2Score


def test_without_error_it_is_1_and_for_the_mean_0():
    metric, t = R2Score(), np.array([1.0, 2.0, 6.0])
    assert metric.result() == 0.0
    assert metric(t, t) == pytest.approx(1.0)
    metric.reset_state()
    assert metric(t, np.full(3, 3.0)) == pytest.approx(0.0)


def test_inputs_alone_do_not_make_it_larger():
    t, y = np.array([1.0, 2.0, 4.0, 6.0]), np.array([1.0, 2.0, 4.0, 5.0])
    plain, adjusted = R2Score()(t, y), R2Score(num_regressors=1)(t, y)
    assert adjusted == pytest.approx(1 - (1 - plain) * 3 / 2) and adjusted < plain
    with pytest.warns(UserWarning, match="3 regressors for 4 samples"):
        assert R2Score(num_regressors=3)(t, y) == pytest.approx(plain)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: R2Score("mean"), "class_aggregation must be None.*got 'mean'"),
        (lambda: R2Score(num_regressors=-1), "num_regressors must be at least 0, got -1"),
        (lambda: R2Score()(np.ones(3), np.ones((2, 1))), r"targets of shape \(3,\) do not match predictions"),
        (lambda: R2Score()(np.ones((2, 2, 2)), np.ones((2, 2, 2))), r"expected predictions \(N, outputs\)"),
    ],
)
def test_what_it_cannot_tell_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

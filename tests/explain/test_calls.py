import numpy as np
import pytest


def test_the_words_of_keras_and_of_this_library_mean_the_same(zoo):
    model, x, y = zoo.classifier()
    call = model.trace(x, y)["conv"]
    assert call.output is call.y and call.input is call.x and call.grad is call.dy
    assert call.dkernel is call.grads["kernel"] and call.kind == "Conv2D" and call.name == "conv"


def test_the_gates_of_an_lstm_by_step_and_by_name(zoo):
    model, x, y = zoo.autoencoder()
    call = model.trace(x, y)["decoder"]
    assert call.gates.i.shape == (1, 4, 5) and call.gates.h.shape == (1, 5, 5)
    step = call.steps[2]
    np.testing.assert_allclose(step.c, step.f * step.c_prev + step.i * step.g, rtol=1e-6)
    np.testing.assert_array_equal(step.dc, call.dc[:, 2])
    np.testing.assert_array_equal(call.y, call.gates.h[:, 1:])


def test_what_is_not_there_is_told_with_what_is(zoo):
    model, x, y = zoo.classifier()
    t = model.trace(x, y)
    with pytest.raises(TypeError, match="'pool' is no recurrent layer"):
        t["pool"].gates  # noqa: B018
    with pytest.raises(AttributeError, match="'conv' has no 'nonsense': it has x, y, cache, .*, z, dz, dkernel, dbias"):
        t["conv"].nonsense  # noqa: B018
    with pytest.raises(AttributeError, match="no gradient of 'kernel' was needed"):
        model.trace(x)["conv"].dkernel  # noqa: B018
    assert "dkernel" in dir(t["conv"]) and not hasattr(t["conv"], "_nonsense")
    assert repr(t["conv"]) == "<call of Conv2D 'conv', y (1, 4, 4, 3)>"


def test_an_operation_is_a_call_too(zoo):
    model, x, y = zoo.branching()
    add = next(call for call in model.trace(x, y).values() if call.layer is None)
    assert add.kind == add.name and add.dy is not None and add.view.kind == "generic"
    np.testing.assert_array_equal(add.y, add.x + 1)

import numpy as np
import pytest

from scratchnet import layers
from scratchnet.layers import InputSpec
from scratchnet.layers.input_spec import check_inputs


class Own(layers.Layer):
    def __init__(self, spec):
        super().__init__(name="own")
        self.input_spec = spec

    def call(self, x, other=None):
        return x if not isinstance(x, (list, dict)) else x[0] if isinstance(x, list) else x["a"]


@pytest.mark.parametrize(
    ("spec", "fits", "does_not", "said"),
    [
        (InputSpec(ndim=2), (2, 3), (2, 3, 4), "2 axes of the input, got float32 of shape \\(2, 3, 4\\)"),
        (InputSpec(max_ndim=2), (2,), (2, 3, 4), "at most 2 axes"),
        (InputSpec(min_ndim=2), (2, 3), (2,), "at least 2 axes"),
        (InputSpec(axes={-1: 3, 1: None}), (2, 4, 3), (2, 4, 5), "the size 3 along the axis -1"),
        (InputSpec(axes={1: 3}), (2, 3), (2,), "the size 3 along the axis 1"),
        (InputSpec(shape=(None, 4)), (2, 4), (2, 5), "the shape \\(None, 4\\)"),
        (InputSpec(shape=(None, 4, 1), allow_last_axis_squeeze=True), (2, 4), (2, 5), "the shape \\(None, 4, 1\\)"),
        (InputSpec(dtype="float32"), (2,), None, "the dtype float32"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_computed(spec, fits, does_not, said):
    layer = Own(spec)
    assert layer(np.ones(fits, "float32")).shape == fits
    wrong = np.ones(2, "int32") if does_not is None else np.ones(does_not, "float32")
    with pytest.raises(ValueError, match=f'Own "own": expected .*{said}'):
        layer(wrong)
    if does_not is not None:
        with pytest.raises(ValueError, match=said):
            layer(layers.Input(batch_shape=does_not))


def test_several_inputs_in_lists_and_dicts():
    layer = Own([InputSpec(ndim=2), None])
    assert layer([np.ones((2, 3)), np.ones(2)]).shape == (2, 3)
    with pytest.raises(ValueError, match="expected 2 inputs, got 1"):
        layer(np.ones((2, 3)))
    with pytest.raises(ValueError, match="expected 2 axes of the input 0"):
        layer([np.ones(2), np.ones(2)])
    layer.input_spec = [InputSpec(ndim=2), InputSpec(ndim=1, optional=True)]
    check_inputs(layer, [np.ones((2, 3)), None])
    named = Own([InputSpec(ndim=2, name="a"), InputSpec(ndim=1, name="b")])
    assert named({"b": np.ones(2), "a": np.ones((2, 3)), "c": np.ones(1)}).shape == (2, 3)
    with pytest.raises(ValueError, match=r"expected inputs named \['b'\], got \['a'\]"):
        named({"a": np.ones((2, 3))})


def test_layers_with_a_forward_ask_as_well():
    layer = layers.Dense(2)
    layer.input_spec = InputSpec(min_ndim=3)
    with pytest.raises(ValueError, match="expected at least 3 axes"):
        layer(np.ones((2, 3)))


def test_configured_and_shown():
    spec = InputSpec("float32", (None, 3), axes={1: 3})
    assert InputSpec.from_config(spec.get_config()).get_config() == spec.get_config()
    assert repr(spec) == "InputSpec(dtype=float32, shape=(None, 3), ndim=2, axes={1: 3})"
    with pytest.raises(TypeError, match="axes must be a dict"):
        InputSpec(axes=3)
    with pytest.raises(ValueError, match="there is no axis 2 in an input of at most 2 axes"):
        InputSpec(ndim=2, axes={2: 1})

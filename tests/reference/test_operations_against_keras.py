"""Operations against keras.ops: signatures, values, and the derivatives that a tape of TensorFlow's records."""

import inspect

import numpy as np
import pytest

from scratchnet import ops
from scratchnet.gradient_check.operations import cases
from scratchnet.ops import random
from scratchnet.ops.operation import TABLE, is_float

pytestmark = [pytest.mark.reference, pytest.mark.filterwarnings("ignore")]

CASES = cases(np.random.default_rng(0))
NOT_COMPARED = {  # and why
    "pad": "one number for all axes is not taken there",
    "relu": "takes no slope there",
    "sparsemax": "its rows do not sum to 1 there",
    "einsum": "a size of 1 does not broadcast against another there",
    "get_item": "a list as key is a tuple there",
    "slice_update": "not differentiable there",
    "cumprod": "its derivative behind a zero is 0 there",
    "rfft": "the function makes one array of a pair: below",
    "irfft": "likewise",
    "custom_gradient": "takes the function alone there",
}


def arguments(function):
    return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]


def public(module):
    return {name: f for name, f in vars(module).items() if callable(f) and not name.startswith("_")}


def test_signatures_are_keras_s(keras):
    for theirs, ours in (
        (keras.ops, ops),
        (keras.random, random),
        (keras.ops.nn, ops.nn),
        (keras.ops.numpy, ops.numpy),
        (keras.ops.image, ops.image),
    ):
        functions = public(theirs)
        common = [name for name in functions if hasattr(ours, name)]
        assert len(common) >= 5
        differ = [name for name in common if arguments(getattr(ours, name)) != arguments(functions[name])]
        assert differ == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("extract_patches", {"size": 3}),
        ("extract_patches", {"size": (3, 2), "strides": 1, "dilation_rate": (1, 2), "padding": "same"}),
        ("resize", {"size": (4, 9), "interpolation": "bilinear", "antialias": True}),
        ("resize", {"size": (3, 3), "interpolation": "lanczos3", "crop_to_aspect_ratio": True}),
        ("resize", {"size": (4, 9), "pad_to_aspect_ratio": True, "fill_value": 2.0}),
        ("crop_images", {"top_cropping": 1, "right_cropping": 1, "target_height": 3, "target_width": 2}),
        ("pad_images", {"top_padding": 1, "right_padding": 1, "target_height": 8, "target_width": 8}),
        ("rgb_to_grayscale", {}),
    ],
)
def test_images_are_keras_s(keras, name, options):
    for images in (np.random.default_rng(0).normal(size=(2, 6, 5, 3)), np.random.default_rng(1).normal(size=(6, 5, 3))):
        images = images.astype(np.float32)
        expected = getattr(keras.ops.image, name)(images, **options)
        np.testing.assert_allclose(getattr(ops.image, name)(images, **options), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in CASES if hasattr(ops, name) and name not in NOT_COMPARED])
def test_values_and_derivatives_are_keras_s(keras, tf, name):
    operation, theirs = TABLE[name], getattr(keras.ops, name, None)
    if theirs is None:
        pytest.skip("not a function of keras.ops")
    for operands, options in CASES[name]:
        arrays = [a.astype(np.float32) if is_float(a) else a for a in operands]
        needs = [is_float(a) and operation.differentiable(k) for k, a in enumerate(arrays)]
        z, kept = operation.forward(arrays, operation_options(operation, arrays, options), needs)
        dz = np.random.default_rng(0).normal(size=z.shape).astype(np.float32)
        tensors = [tf.constant(a) if isinstance(a, np.ndarray) else a for a in arrays]
        with tf.GradientTape() as tape:
            tape.watch([t for t, need in zip(tensors, needs) if need])
            expected = call(theirs, operation, tensors, options)
        np.testing.assert_allclose(z, expected, rtol=2e-4, atol=1e-5)
        wanted = [t for t, need in zip(tensors, needs) if need]
        gradients = tape.gradient(expected, wanted, output_gradients=tf.constant(dz))
        adjoints = [d for d in operation.backward(dz, kept) if d is not None]
        for gradient, adjoint in zip(gradients, adjoints):
            np.testing.assert_allclose(adjoint, tf.convert_to_tensor(gradient), rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("n", [None, 4, 9])
def test_real_fourier_transforms_are_keras_s(keras, n):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 6)).astype(np.float32)
    for name, given in (("rfft", x), ("irfft", ops.rfft(x))):
        ours, theirs = getattr(ops, name)(given, fft_length=n), getattr(keras.ops, name)(given, fft_length=n)
        for one, other in zip(*((z if isinstance(z, tuple) else (z,)) for z in (ours, theirs)), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def operation_options(operation, arrays, options):
    args = [arrays] if operation.sequence else []
    return operation.bind(
        args, options if operation.sequence else dict(zip(operation.operand_names, arrays), **options)
    )[1]


def call(function, operation, tensors, options):
    options = {k: tuple(v) if isinstance(v, list) and k == "axis" else v for k, v in options.items()}
    if operation.name == "einsum":
        return function(options["subscripts"], *tensors)
    if operation.sequence:
        return function(tensors, **options)
    return function(**dict(zip(operation.operand_names, tensors)), **options)


IMAGE = np.random.default_rng(1).normal(size=(2, 7, 6, 2)).astype(np.float32)
KERNEL = np.random.default_rng(2).normal(size=(3, 2, 2, 4)).astype(np.float32)
WINDOWS = {
    "conv": [(IMAGE, KERNEL, s, p) for s in (1, 2) for p in ("valid", "same")] + [(IMAGE[:, 0], KERNEL[0], 2, "same")],
    "conv_transpose": [(IMAGE, KERNEL.swapaxes(2, 3), s, p) for s in (1, 2, 3) for p in ("valid", "same")]
    + [(IMAGE[:, 0], KERNEL[0].swapaxes(1, 2), 2, "valid")],
    "depthwise_conv": [(IMAGE, KERNEL, s, "same") for s in (1, 2)],
    "separable_conv": [(IMAGE, KERNEL, np.ones((1, 1, 8, 3), np.float32), 2, "valid")],
    "max_pool": [(IMAGE, 2, 1, "same"), (IMAGE, (3, 2), None, "valid"), (IMAGE[:, 0], 2, None, "same")],
    "average_pool": [(IMAGE, 2, 1, "same"), (IMAGE, (3, 2), None, "valid"), (IMAGE[:, 0], 2, None, "same")],
}


@pytest.mark.parametrize("name", WINDOWS)
def test_windows_slide_as_keras_s(keras, name):
    for args in WINDOWS[name]:
        expected = getattr(keras.ops, name)(*args)
        np.testing.assert_allclose(getattr(ops, name)(*args), expected, rtol=1e-4, atol=1e-4)


# At ties and kinks: (function, operands, the gradient of each for a dz of ones).
TIES = [
    ("maximum", ([1.0, 2.0, 0.0], [1.0, 3.0, 0.0])),
    ("minimum", ([1.0, 2.0, 0.0], [1.0, 3.0, 0.0])),
    ("clip", ([-1.0, 0.0, 1.0, 2.0], -1.0, 1.0)),
    ("absolute", ([-1.0, 0.0, 2.0],)),
    ("max", ([1.0, 3.0, 3.0],)),
    ("min", ([1.0, 1.0, 3.0],)),
    ("sqrt", ([0.0, 1.0],)),
    ("relu6", ([0.0, 6.0, 3.0],)),
    ("leaky_relu", ([0.0, -1.0],)),
    ("elu", ([0.0, -1.0],)),
    ("hard_tanh", ([-1.0, 1.0, 0.0],)),
    ("soft_shrink", ([0.5, -0.5, 0.0],)),
]


@pytest.mark.parametrize(("name", "operands"), TIES)
def test_derivatives_at_ties_are_keras_s(tf, keras, name, operands):
    arrays = [np.array(a, np.float32) if isinstance(a, list) else a for a in operands]
    operation = TABLE[name]
    bound, options = operation.bind(arrays, {})
    z, kept = operation.forward(bound, options, [True] * len(bound))
    tensors = [tf.constant(a) if isinstance(a, np.ndarray) else a for a in arrays]
    with tf.GradientTape() as tape:
        watched = [t for t in tensors if not isinstance(t, float)]
        tape.watch(watched)
        expected = getattr(keras.ops, name)(*tensors)
    with np.errstate(divide="ignore"):
        adjoints = [d for d in operation.backward(np.ones_like(z), kept) if d is not None]
    for gradient, adjoint in zip(tape.gradient(expected, watched), adjoints):
        np.testing.assert_array_equal(adjoint, gradient)

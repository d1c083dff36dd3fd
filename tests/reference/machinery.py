"""How a layer is made to show all that it computes, here and in Keras; the layers with their options stand in `cases`.

A case is ``(name, options, shape)`` or ``(name, options, shape, call)``: the layer's name in both libraries, its
constructor's arguments (a layer among them as ``("LSTM", {"units": 3})``), the shape of its input (a list of shapes for
several inputs), and what it is called with, such as ``{"training": True}``, masks as lists of zeros and ones.
"""

import importlib.util
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROOMS = sorted(path.stem for path in (HERE / "cases").glob("*.py"))


def cases_of(room):
    """The cases of a room of `scratchnet.layers`, each with four entries."""
    spec = importlib.util.spec_from_file_location(f"cases_{room}", HERE / "cases" / f"{room}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [(*case, {}) if len(case) == 3 else case for case in module.CASES]


def _arguments(call):
    """What a layer is called with; a mask, or a list of them, as arrays."""
    made = dict(call)
    for key, value in call.items():
        if key == "mask" and np.ndim(value[0]) == 2:
            made[key] = [np.array(mask, bool) for mask in value]
        elif key.endswith("mask"):
            made[key] = np.array(value, bool if key == "mask" else None)
    return made


def name_of(case):
    """A readable name for a case."""
    name, options, shape, call = case
    return " ".join(str(part) for part in (name, options, shape, call) if part != {} or part is options)


def make(layers, case):
    """The layer of a case, from the module `layers` of one of the libraries."""
    name, options, *_ = case
    made = {key: getattr(layers, value[0])(**value[1]) if _is_layer(value) else value for key, value in options.items()}
    return getattr(layers, name)(**made)


def _is_layer(value):
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict)


def inputs(case):
    """The inputs, and the kernel W0 of the trainable layer before the case's layer, which sees x W0 (first input)."""
    shape = case[2]
    shapes = shape if isinstance(shape, list) else [shape]
    xs = [np.random.default_rng([0, k] if k else 0).normal(size=s).astype("float32") for k, s in enumerate(shapes)]
    size = shapes[0][-1]
    W0 = np.random.default_rng(1).normal(scale=0.7, size=(size, size)).astype("float32")
    return xs, W0


def random_weights(layer):
    """Asymmetric random values for the layer's weights; constant ones would hide swapped gates.

    A variance or deviation must be positive: where Keras starts from ones that are not trained, they are squared.
    """
    rng = np.random.default_rng(2)
    values = [rng.normal(scale=0.5, size=w.shape).astype("float32") for w in layer.get_weights()]
    positive = [w.name.endswith(("variance", "stddev")) for w in layer.weights]
    return [v * v + 0.5 if squared else v for v, squared in zip(values, positive)]


def _call(layer, xs, call):
    """The layer called as users do: with one input, a list of them, or one behind the other."""
    call = _arguments(call)
    if type(layer).__name__ in ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention"):
        return layer(*xs, **call)
    return layer(xs if len(xs) > 1 else xs[0], **call)


def upstream(outputs):
    """A random upstream gradient for each output."""
    rng = np.random.default_rng(3)
    return [rng.normal(size=np.shape(y)).astype("float32") for y in outputs]


def ours(layer, case):
    """Outputs, then the gradients of W0 and of every weight, by scratchnet."""
    (x, *others), W0 = inputs(case)
    call = case[3]
    xW = x @ W0
    _call(layer, [xW, *others], call)
    layer.set_weights(random_weights(layer))
    y, cache = layer.forward([xW, *others] if others else xW, **_arguments(call))
    ys = y if isinstance(y, list) else [y]
    dys = upstream(ys)
    dx, grads = layer.backward(dys if isinstance(y, list) else dys[0], cache)
    dx = dx[0] if others else dx
    D = x.shape[-1]
    return [
        np.asarray(a) for a in (*ys, x.reshape(-1, D).T @ dx.reshape(-1, D), *(grads[name] for name in layer.params))
    ]


def kerass(layer, case):
    """The same by Keras on TensorFlow."""
    import tensorflow as tf

    (x, *others), W0 = inputs(case)
    call = case[3]

    def run():
        xW = tf.tensordot(x, variable, 1)
        return tf.nest.flatten(_call(layer, [xW, *others], call))

    variable = tf.Variable(W0)
    run()
    layer.set_weights(random_weights(layer))
    with tf.GradientTape() as tape:
        ys = run()
    gradients = tape.gradient(ys, [variable, *layer.trainable_variables], output_gradients=upstream(ys))
    return [np.asarray(tf.convert_to_tensor(a)) for a in (*ys, *gradients)]


def assert_equal(found, expected, rtol=2e-5):
    """Every array within `rtol` of its largest entry, or of a hundredth of the largest of all.

    The gradient of an attention layer's key bias is 0: what is left of its terms is as large as their rounding errors,
    which differ from processor to processor. Ours has to be 0 within these, and not Keras's rounding errors.
    """
    assert [a.shape for a in found] == [a.shape for a in expected]
    greatest = max(1, *(np.abs(b).max() for b in expected))
    for a, b in zip(found, expected):
        largest = np.abs(b).max()
        atol, rounding = rtol * max(largest, 1e-2 * greatest), 4 * np.finfo("float32").eps * greatest
        np.testing.assert_allclose(a, b if largest > max(atol, rounding) else np.zeros_like(b), rtol=0, atol=atol)

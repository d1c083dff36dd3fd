"""Checking a layer, a model, a loss or an activation against differences, in float64.

The rules and their reasons are in `differences`; in short: float64, central differences, a random upstream gradient, dx
and every parameter, and where something is linear no differences of small steps at all. On the way a layer has to keep
its `contract`.
"""

import numpy as np

from scratchnet.gradient_check.contract import Use, check_contract, check_layouts
from scratchnet.gradient_check.differences import STEP, noise_of_differences, numeric_gradient, relative_error
from scratchnet.gradient_check.report import Report, Row, compare
from scratchnet.structure import flatten, map_structure

SMOOTH, LINEAR, STACK = 1e-7, 1e-12, 1e-6  # the bounds: one layer, a linear one, several in a row
_OWN = 0x5EED  # so that dy is never what somebody draws for x: a normalization has hardly a gradient along its own x


def upstream(seed):
    """The generator of upstream gradients, which draws what no other seed draws."""
    return np.random.default_rng([seed, _OWN])


def check_layer(
    layer,
    x,
    training=False,
    linear=(),
    bound=SMOOTH,
    step=STEP,
    seed=0,
    max_entries=2000,
    directions=20,
    mask=None,
    layouts=True,
):
    """Compare a layer's (or model's) backward pass with differences of its forward pass.

    Args:
        layer: float64; built for the shape of x, or it is built now. What is frozen must have no gradient.
        x: float64 array, or a list or dict of them. Integers (tokens) may be among them; they have no gradient.
        training: passed to forward. Layers that draw random numbers draw the same ones each time.
        linear: the arguments ("x", or names of parameters) in which forward is linear (or affine): for these the step
            is 1 and the bound 1e-12.
        bound: for the other arguments; 1e-7 suits one smooth layer, 1e-6 a stack of them.
        step: of the central differences.
        seed: of the upstream gradient and the directions.
        max_entries: arguments larger than this are checked in `directions` random directions instead of every entry.
        mask: which time steps count, in the structure of x; passed to forward if it is given.
        layouts: whether to try how x lies in memory, too.

    Returns a `Report` with a row for "x" (with several inputs "x[0]", "x[1]", ...), one for each trainable parameter,
    and one for each gradient of the layer's `penalty`. What the layer adds to the loss (`added_loss`) is part of the
    function whose derivative is taken. Where backward takes something for a constant by definition (`held_constant`),
    so does that function.
    Raises TypeError where something is not float64 or backward has another signature, AssertionError where the layer
    breaks its contract.
    """
    rng = upstream(seed)
    x = map_structure(lambda a: np.array(a, order="C"), x)
    layer.ensure_built(map_structure(np.shape, x))
    for name, array in [*(("x", a) for a in flatten(x)), *layer.named_arrays().items()]:
        if array.dtype.kind == "f" and array.dtype != np.float64:
            raise TypeError(
                f"check_layer: {name} is {array.dtype}; make the layer with dtype='float64' and x in float64"
            )
    use = Use(layer, training, mask)
    y, cache = use.forward(x)
    dy = map_structure(lambda a: rng.standard_normal(a.shape), y)
    dx, grads = check_contract(use, x, dy, y, cache)
    if layouts:
        check_layouts(use, x, dy)

    def value():
        if getattr(layer, "held_constant", ""):
            y, used = layer.forward_holding(x, cache, training), cache
        else:
            y, used = use.forward(x)
        return sum(float(np.sum(a * d)) for a, d in zip(flatten(y), flatten(dy))) + float(layer.added_loss(used))

    magnitude = sum(float(np.sum(np.abs(a * d))) for a, d in zip(flatten(y), flatten(dy)))
    magnitude += abs(float(layer.added_loss(cache)))
    inputs, dinputs = flatten(x), flatten(dx)
    names = ["x"] if len(inputs) == 1 else [f"x[{k}]" for k in range(len(inputs))]
    arguments = [argument for argument in zip(names, inputs, dinputs) if argument[1].dtype.kind == "f"]
    arguments += [(key, w, grads[key]) for key, w in layer.trainable_params.items()]
    rows = []
    for name, array, analytic in arguments:
        exact = name in linear or ("x" in linear and name.startswith("x["))
        h, limit = (1.0, LINEAR) if exact else (step, bound)
        if array.size <= max_entries:
            numeric = numeric_gradient(value, array, h)
        else:
            numeric, analytic = _along_directions(value, array, analytic, h, directions, rng)
        rows.append(compare(name, numeric, analytic, limit, h, noise_of_differences(magnitude, h)))
    return Report(getattr(layer, "name", type(layer).__name__), rows + _penalty_rows(layer, bound, step))


def _penalty_rows(layer, bound, step):
    """The gradients of what a layer charges for its parameters alone."""
    value, grads = layer.penalty()
    noise = noise_of_differences(abs(float(value)), step)
    rows = []
    for name, analytic in grads.items():
        numeric = numeric_gradient(lambda: float(layer.penalty()[0]), layer.params[name], step)
        rows.append(compare(f"penalty of {name}", numeric, analytic, bound, step, noise))
    return rows


def check_adjoint(layer, x, seed=0):
    """``<A v, w> = <v, A^T w>`` for a layer that is linear (or affine) in its input: no differences, only dot products.

    `x` gives the shape. Returns a `Report` of one row with the bound 1e-12.
    """
    rng = upstream(seed)
    layer.ensure_built(map_structure(np.shape, x))
    v = map_structure(lambda a: rng.standard_normal(np.shape(a)), x)
    offset, _ = layer.forward(map_structure(np.zeros_like, v))
    y, cache = layer.forward(v)
    w = rng.standard_normal(y.shape)
    dx, _ = layer.backward(w, cache)
    left = float(np.sum((y - offset) * w))
    terms = [np.sum(a * d) for a, d in zip(flatten(v), flatten(dx))]
    # Relative to the lengths of the vectors, of which the products may happen to be a small part.
    scale = float(np.linalg.norm(y - offset) * np.linalg.norm(w))
    right = float(sum(terms))
    error = abs(left - right) / max(scale, 1e-30)
    return Report(layer.name, [Row("adjoint", error, LINEAR, 0.0, None, left, right)])


def check_loss(loss, y_true, y_pred, sample_weight=None, bound=SMOOTH, step=STEP):
    """Compare a loss's backward pass with differences of its value in every entry of y_pred (float64)."""
    y_pred = np.array(y_pred, order="C")
    value, cache = loss.forward(y_true, y_pred, sample_weight)
    analytic = loss.backward(cache)
    numeric = numeric_gradient(lambda: float(loss.forward(y_true, y_pred, sample_weight)[0]), y_pred, step)
    noise = noise_of_differences(abs(float(value)), step)
    return Report(loss.name, [compare("y_pred", numeric, analytic, bound, step, noise)])


def check_activation(activation, z, bound=SMOOTH, step=STEP, seed=0):
    """Compare an activation's backward pass with differences in every entry of z (float64), away from kinks."""
    z = np.array(z, order="C")
    dy = upstream(seed).standard_normal(z.shape)
    y, cache = activation.forward(z)
    analytic = activation.backward(dy, cache)
    numeric = numeric_gradient(lambda: float(np.sum(activation.forward(z)[0] * dy)), z, step)
    noise = noise_of_differences(float(np.sum(np.abs(y * dy))), step)
    return Report(activation.name, [compare("z", numeric, analytic, bound, step, noise)])


def error_over_steps(f, x, analytic, steps):
    """The relative error of central differences for each step: large steps truncate, small ones lose digits.

    `f()` reads `x`, as in `numeric_gradient`. Returns a list of floats.
    """
    return [relative_error(numeric_gradient(f, x, step), analytic) for step in steps]


def _along_directions(f, array, analytic, step, directions, rng):
    """Numeric and analytic derivatives of `f` in random unit directions of a large argument."""
    kept = array.copy()
    numeric, products = [], []
    for _ in range(directions):
        v = rng.standard_normal(array.shape)
        v /= np.linalg.norm(v)
        array += step * v
        above = f()
        array[...] = kept - step * v
        below = f()
        array[...] = kept
        numeric.append((above - below) / (2 * step))
        products.append(np.sum(analytic * v))
    return np.array(numeric), np.array(products)

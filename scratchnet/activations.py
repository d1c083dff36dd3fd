"""Activation functions and their derivatives, side by side.

Each is a pair, as everything here that can be differentiated:

    y, cache = activation.forward(z)         y  = f(z)
    dz       = activation.backward(dy, cache)   dz = dy * f'(z)      (softmax: dz = dy . J, a full Jacobian)

Most derivatives are cheapest from the *output*: sigmoid' = y (1 - y), tanh' = 1 - y^2, relu' = [y > 0]. Those keep y
in their cache; the others keep z. The table at the end of the file says which.

At a kink the derivative is the one that Keras takes: relu'(0) = 0, leaky_relu'(0) = negative_slope, selu'(0) = scale.
"""

import inspect
import math

import numpy as np

from scratchnet import kernels, piecewise, registry, simplex
from scratchnet.names import defined_in


def _linear(z, out=None):
    return z


def _linear_gradient(dy, y):
    return dy


def _relu(z, out=None, negative_slope=0.0, max_value=None, threshold=0.0):
    if negative_slope == 0 and threshold == 0:
        if kernels.relu is not None:
            return kernels.relu(z, out, np.inf if max_value is None else max_value)
        y = np.maximum(z, 0, out=out)
    else:
        below = negative_slope * (z - z.dtype.type(threshold))
        y = np.add(np.where(z > threshold, z, below), 0, out=out)
    return y if max_value is None else np.minimum(y, z.dtype.type(max_value), out=out)


def _relu_gradient(dy, y, negative_slope=0.0, max_value=None, threshold=0.0):
    if negative_slope == 0 and kernels.relu_backward is not None:
        return kernels.relu_backward(dy, y, np.inf if max_value is None else max_value)
    slope = y > 0 if max_value is None else (y > 0) & (y < max_value)
    return dy * slope if negative_slope == 0 else dy * np.where(y > 0, slope, dy.dtype.type(negative_slope))


def _relu6(z, out=None):
    return _relu(z, out, max_value=6)


def _relu6_gradient(dy, y):
    return _relu_gradient(dy, y, max_value=6)


def _leaky_relu(z, out=None, negative_slope=0.2):
    return np.multiply(z, np.where(z > 0, z.dtype.type(1), z.dtype.type(negative_slope)), out=out)


def _leaky_relu_gradient(dy, y, negative_slope=0.2):
    return dy * np.where(y > 0, dy.dtype.type(1), dy.dtype.type(negative_slope))  # y has the sign of z


def _elu(z, out=None, alpha=1.0):
    return np.add(np.maximum(z, 0), alpha * np.expm1(np.minimum(z, 0)), out=out)


def _elu_gradient(dy, y, alpha=1.0):
    return dy * np.where(y > 0, 1, y + dy.dtype.type(alpha))  # for z <= 0: alpha e^z = y + alpha


def _elu_gradient_of_z(dy, z, alpha=1.0):
    return dy * np.where(z > 0, 1, alpha * np.exp(np.minimum(z, 0)))  # where y has not the sign of z


def _celu(z, out=None, alpha=1.0):
    return np.add(np.maximum(z, 0), alpha * np.expm1(np.minimum(z, 0) / alpha), out=out)


def _celu_gradient(dy, y, alpha=1.0):
    return dy * np.where(y > 0, 1, y / alpha + 1)  # for z <= 0: e^(z / alpha) = y / alpha + 1


# Klambauer et al., "Self-normalizing neural networks", 2017: the fixed point (mean 0, variance 1) of their equation 5.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def _selu(z, out=None):
    return np.multiply(_elu(z, alpha=_SELU_ALPHA), _SELU_SCALE, out=out)


def _selu_gradient(dy, y):
    return dy * np.where(y >= 0, dy.dtype.type(_SELU_SCALE), y + dy.dtype.type(_SELU_SCALE * _SELU_ALPHA))


def _sigmoid(z, out=None):
    with np.errstate(over="ignore"):  # exp(-z) = inf gives 1 / inf = 0, which is right
        # A product, not np.negative: NumPy 2.4's is wrong in place on strided float32.
        y = np.exp(np.multiply(z, -1, out=out), out=out)
    return 1 / (1 + y) if out is None else np.reciprocal(np.add(y, 1, out=out), out=out)


def _sigmoid_gradient(dy, y):
    return dy * (y * (1 - y))


def _tanh(z, out=None):
    return np.tanh(z, out=out)


def _tanh_gradient(dy, y):
    return dy * (1 - y * y)


def _softsign(z, out=None):
    return np.divide(z, 1 + np.abs(z), out=out)


def _softsign_gradient(dy, y):
    return dy * (1 - np.abs(y)) ** 2  # 1 - |y| = 1 / (1 + |z|)


def _softplus(z, out=None):
    # What np.logaddexp(z, 0) computes, in a tenth of its time: that takes one number at a time.
    return np.add(np.maximum(z, 0), np.log1p(np.exp(-np.abs(z))), out=out)


def _softplus_gradient(dy, y):
    return dy * -np.expm1(-y)  # sigmoid(z) = 1 - e^(-softplus(z))


def _exponential(z, out=None):
    return np.exp(z, out=out)


def _exponential_gradient(dy, y):
    return dy * y


def _silu(z, out=None):
    return np.multiply(z, _sigmoid(z), out=out)


def _silu_gradient(dy, z):
    s = _sigmoid(z)
    return dy * (s * (1 + z * (1 - s)))


def _normal_cdf(z):
    return kernels.erfc(z / -math.sqrt(2)) / 2


def _tanh_of_cdf(z):
    """tanh(u), where (1 + tanh(u)) / 2 is nearly the normal distribution (Hendrycks and Gimpel 2016)."""
    return np.tanh(math.sqrt(2 / math.pi) * z * (1 + 0.044715 * z * z))


def _gelu(z, out=None, approximate=False):
    if approximate:
        return np.multiply(z, 0.5 * (1 + _tanh_of_cdf(z)), out=out)
    return np.multiply(z, _normal_cdf(z), out=out)


def _gelu_gradient(dy, z, approximate=False):
    if approximate:
        t, slope = _tanh_of_cdf(z), math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * z * z)  # du/dz
        return dy * (0.5 * (1 + t) + 0.5 * z * (1 - t * t) * slope)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return dy * (_normal_cdf(z) + z * density)


def _log_sigmoid(z, out=None):
    return np.multiply(_softplus(-z), -1, out=out)


def _log_sigmoid_gradient(dy, y):
    return dy * -np.expm1(y)  # 1 - sigmoid(z) = 1 - e^y


def _squareplus(z, out=None, b=4):
    return np.multiply(z + np.sqrt(z * z + b), z.dtype.type(0.5), out=out)  # Barron 2021: softplus without exp


def _squareplus_gradient(dy, y, b=4):
    return dy * (y * y / (y * y + b / 4))  # y'= y / sqrt(z^2 + b), and sqrt(z^2 + b) = y + b / (4 y)


def _mish(z, out=None):
    return np.multiply(z, np.tanh(_softplus(z)), out=out)  # Misra 2019


def _mish_gradient(dy, z):
    t = np.tanh(_softplus(z))
    return dy * (t + z * (1 - t * t) * _sigmoid(z))


# Of these the derivative takes the sign of z from y, which tells it only if no parameter is below 0.
_NOT_BELOW_0 = (_relu, _leaky_relu, _celu, piecewise.hard_shrink, piecewise.soft_shrink)


@registry.register("activations")
class Activation:
    """A function of `z`, its derivative, and which of input and output the derivative is computed from.

    Args:
        name: how layers and saved models refer to it.
        function: ``function(z, out=None) -> y``, of z's shape and dtype; `out` may be `z` itself.
        gradient: ``gradient(dy, kept) -> dz``, where `kept` is `y` or `z`.
        keeps: ``"y"`` or ``"z"``.
        parameters: further keyword arguments of both functions, such as ``negative_slope``.

    Calling it, ``relu(z)``, is the plain function, as in Keras. To use a function of your own in a layer, make one:
    ``Activation("square", lambda z, out=None: z * z, lambda dy, z: 2 * z * dy, keeps="z")``.
    """

    standard = False  # whether it is one of this module's own, so that its name says which function it is
    entry = None  # of the table: the name under which a backend may know it, with other parameters, too
    operation = None  # that of `scratchnet.ops`, which says so itself; it is what symbolic tensors are handed to

    def __init__(self, name, function, gradient, keeps, **parameters):
        if keeps not in ("y", "z"):
            raise ValueError(f'Activation "{name}": keeps must be "y" or "z", got {keeps!r}')
        self.name = self.__name__ = name
        self.function = function
        self.gradient = gradient
        self.keeps = keeps
        self.parameters = parameters
        x = inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        own = list(inspect.signature(function).parameters.values())[2:]
        self.__signature__ = inspect.Signature([x, *own])
        self.complete = {**{p.name: p.default for p in own}, **parameters}  # the parameters that nobody has named, too
        self.is_elementwise = "axis" not in self.complete
        self.is_by_row = self.complete.get("axis", -1) == -1  # whether it looks along no axis but the last one

    def __call__(self, x, *args, **parameters):
        names = list(self.__signature__.parameters)[1:]  # without x
        if len(args) > len(names):
            raise TypeError(f"{self.name} takes x and {names or 'nothing else'}, got {len(args)} further arguments")
        parameters = {**self.parameters, **dict(zip(names, args)), **parameters}
        if self.operation is not None and hasattr(type(x), "__scratchnet_operation__"):
            return self.operation(x, **parameters)
        x = np.asarray(x)
        if not np.issubdtype(x.dtype, np.floating):
            x = x.astype(np.float64)
        return self.value(x, **parameters)

    def forward(self, z, overwrite=False):
        """Return ``(y, cache)``. With `overwrite`, y may be written over z, which must not be used again."""
        in_place = overwrite and self.keeps == "y"
        function = self.function if kernels.activate is None else self.value
        y = function(z, out=z if in_place else None, **self.parameters)
        return y, (y if self.keeps == "y" else z)

    def backward(self, dy, cache):
        """Return ``dz``, of dy's shape. (The linear function returns dy itself.)"""
        gradient = self.gradient if kernels.activate_backward is None else self.slope
        return gradient(dy, cache, **self.parameters)

    def adjoint(self, dy, z, y):
        """``dz``, given both z and y = f(z): for whoever has them anyway, as a recurrent layer's steps."""
        return self.backward(dy, y if self.keeps == "y" else z)

    def value(self, z, out=None, **parameters):
        """As `function`, by the backend in use where that has it in one pass."""
        y = None
        if self.entry is not None and kernels.activate is not None:
            y = kernels.activate(self.entry, z, {**self.complete, **parameters})
        return self.function(z, out=out, **parameters) if y is None else y

    def slope(self, dy, kept, **parameters):
        """As `gradient`, by the backend in use where that has it in one pass."""
        dz = None
        if self.entry is not None and kernels.activate_backward is not None:
            dz = kernels.activate_backward(self.entry, dy, kept, {**self.complete, **parameters})
        return self.gradient(dy, kept, **parameters) if dz is None else dz

    @property
    def relu_limit(self):
        """Of a relu that is 0 below 0, the largest number that comes out, or infinity; of any other function None."""
        known = {"max_value": 6} if self.function is _relu6 else self.parameters
        if self.function not in (_relu, _relu6) or known.get("negative_slope") or known.get("threshold"):
            return None
        return np.inf if known.get("max_value") is None else known["max_value"]

    def with_parameters(self, **parameters):
        """The same activation with other parameters: ``leaky_relu.with_parameters(negative_slope=0.1)``.

        Raises ValueError for a slope below 0.
        """
        for name, value in parameters.items():
            if self.function in _NOT_BELOW_0 and value is not None and not value >= 0:
                raise ValueError(f'activation "{self.name}": {name} must be at least 0, got {value!r}')
        parameters = {**self.parameters, **parameters}
        gradient, keeps, entry = self.gradient, self.keeps, self.entry
        if self.function is _elu and parameters.get("alpha", 1) < 0:
            gradient, keeps, entry = _elu_gradient_of_z, "z", None
        changed = Activation(self.name, self.function, gradient, keeps, **parameters)
        changed.operation, changed.entry = self.operation, entry
        return changed

    def __reduce__(self):  # copied or pickled, one of the table stays itself
        if _TABLE.get(self.name) is self:
            return get, (self.name,)
        functions = self.function, self.gradient
        return type(self), (self.name, *functions, self.keeps), {**vars(self)}

    def get_config(self):
        """The name and the parameters; the functions are found by the name."""
        registry.meet(self.name, self)
        return {"name": self.name, "parameters": dict(self.parameters)}

    @classmethod
    def from_config(cls, config):
        """The activation of that name, with these parameters."""
        found = get(config["name"])
        return found.with_parameters(**config["parameters"]) if config.get("parameters") else found

    def __repr__(self):
        parameters = "".join(f", {key}={value}" for key, value in self.parameters.items())
        return f"<activation {self.name}{parameters}>"


_TABLE = {
    activation.name: activation
    for activation in (
        # name, y = f(z), dz = dy * f'(z), and what f' is computed from
        Activation("linear", _linear, _linear_gradient, "y"),
        Activation("relu", _relu, _relu_gradient, "y"),
        Activation("relu6", _relu6, _relu6_gradient, "y"),
        Activation("leaky_relu", _leaky_relu, _leaky_relu_gradient, "y"),
        Activation("elu", _elu, _elu_gradient, "y"),
        Activation("selu", _selu, _selu_gradient, "y"),
        Activation("sigmoid", _sigmoid, _sigmoid_gradient, "y"),
        Activation("hard_sigmoid", piecewise.hard_sigmoid, piecewise.hard_sigmoid_gradient, "y"),
        Activation("tanh", _tanh, _tanh_gradient, "y"),
        Activation("softsign", _softsign, _softsign_gradient, "y"),
        Activation("softplus", _softplus, _softplus_gradient, "y"),
        Activation("exponential", _exponential, _exponential_gradient, "y"),
        Activation("silu", _silu, _silu_gradient, "z"),
        Activation("gelu", _gelu, _gelu_gradient, "z"),
        Activation("softmax", simplex.softmax, simplex.softmax_gradient, "y"),
        Activation("log_softmax", simplex.log_softmax, simplex.log_softmax_gradient, "y"),
        Activation("sparsemax", simplex.sparsemax, simplex.sparsemax_gradient, "y"),
        Activation("celu", _celu, _celu_gradient, "y"),
        Activation("mish", _mish, _mish_gradient, "z"),
        Activation("log_sigmoid", _log_sigmoid, _log_sigmoid_gradient, "y"),
        Activation("squareplus", _squareplus, _squareplus_gradient, "y"),
        Activation("sparse_plus", piecewise.sparse_plus, piecewise.sparse_plus_gradient, "z"),
        Activation("sparse_sigmoid", piecewise.sparse_sigmoid, piecewise.sparse_sigmoid_gradient, "y"),
        Activation("hard_silu", piecewise.hard_silu, piecewise.hard_silu_gradient, "z"),
        Activation("hard_tanh", piecewise.hard_tanh, piecewise.hard_tanh_gradient, "z"),
        Activation("hard_shrink", piecewise.hard_shrink, piecewise.shrink_gradient, "y"),
        Activation("soft_shrink", piecewise.soft_shrink, piecewise.shrink_gradient, "y"),
        Activation("tanh_shrink", piecewise.tanh_shrink, piecewise.tanh_shrink_gradient, "z"),
        Activation("threshold", piecewise.threshold, piecewise.threshold_gradient, "z"),
    )
}
registry.register_base("activations", Activation)
_ALIASES = {"silu": ["swish"], "hard_silu": ["hard_swish"]}
for _activation in _TABLE.values():
    _activation.standard, _activation.entry = True, _activation.name
    registry.register("activations", *_ALIASES.get(_activation.name, ()), name=_activation.name)(_activation)

linear = _TABLE["linear"]
relu = _TABLE["relu"]
relu6 = _TABLE["relu6"]
leaky_relu = _TABLE["leaky_relu"]
elu = _TABLE["elu"]
selu = _TABLE["selu"]
sigmoid = _TABLE["sigmoid"]
hard_sigmoid = _TABLE["hard_sigmoid"]
tanh = _TABLE["tanh"]
softsign = _TABLE["softsign"]
softplus = _TABLE["softplus"]
exponential = _TABLE["exponential"]
silu = swish = _TABLE["silu"]
gelu = _TABLE["gelu"]
softmax = _TABLE["softmax"]
log_softmax = _TABLE["log_softmax"]
sparsemax = _TABLE["sparsemax"]
celu = _TABLE["celu"]
mish = _TABLE["mish"]
log_sigmoid = _TABLE["log_sigmoid"]
squareplus = _TABLE["squareplus"]
sparse_plus = _TABLE["sparse_plus"]
sparse_sigmoid = _TABLE["sparse_sigmoid"]
hard_silu = hard_swish = _TABLE["hard_silu"]
hard_tanh = _TABLE["hard_tanh"]
hard_shrink = _TABLE["hard_shrink"]
soft_shrink = _TABLE["soft_shrink"]
tanh_shrink = _TABLE["tanh_shrink"]
threshold = _TABLE["threshold"]


@registry.register("activations")
def glu(x, axis=-1):
    """The first half of an axis, times the sigmoid of the second (Dauphin et al. 2017).

    It makes another shape, so a layer cannot have it for its activation; call it on what the layer gives.
    """
    halves = None if x.shape[axis] is None or x.shape[axis] % 2 else x.shape[axis] // 2
    if halves is None:
        raise ValueError(f"glu: axis {axis} of shape {x.shape} has no two halves")
    before = (slice(None),) * (axis % len(x.shape))
    return x[(*before, slice(halves))] * sigmoid(x[(*before, slice(halves, None))])


def names():
    """The names of all activations, in the order of the table."""
    return list(_TABLE)


def get(identifier):
    """The Activation that a layer's ``activation=`` argument means: a name, an Activation, or None for linear.

    A layer such as ``ReLU(max_value=6)`` stands for its function, and so does one of `scratchnet.ops`. A function of
    one's own is written with `scratchnet.ops`, so that its derivative is found (`scratchnet.graph.activation`).

    Raises ValueError for an unknown name and TypeError for what is no activation.
    """
    if isinstance(identifier, dict) and "class_name" not in identifier:  # as version 0.1.0 wrote one with parameters
        return Activation.from_config(identifier)
    of_layer = getattr(identifier, "as_activation", None)
    if isinstance(of_layer, Activation):
        return of_layer
    if getattr(identifier, "__module__", "").startswith("scratchnet.ops") and identifier.__name__ in _TABLE:
        return _TABLE[identifier.__name__]  # ops.relu
    found = registry.get("activations", identifier)
    if isinstance(found, Activation):
        return found
    if found is None:
        return linear
    return registry.find("activations", "OwnActivation")(found)


def serialize(activation):
    """What `get` turns back into `activation`: its name, or a dict for one that is not of this module's table."""
    return activation.name if activation in _TABLE.values() else registry.serialize(activation)


def deserialize(config, custom_objects=None):
    """The activation that `serialize` described. Raises ValueError for an unknown name."""
    with registry.CustomObjectScope(custom_objects):
        return get(config)


def __dir__():
    return defined_in(globals())

"""Dense layers, activations by themselves, tokens, and what draws random numbers."""

import numpy as np

from scratchnet import activations
from scratchnet.explain.views.base import Line, View
from scratchnet.explain.views.base_inside import activation_options, pre_activation
from scratchnet.kernels.loops import gather, matrix_product
from scratchnet.layers import (
    ELU,
    Activation,
    AlphaDropout,
    Dense,
    Dropout,
    EinsumDense,
    Embedding,
    GaussianDropout,
    GaussianNoise,
    LeakyReLU,
    ReLU,
    Softmax,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)

_has_bias = lambda layer: layer.use_bias

DENSE = View(
    "dense",
    pre_activation,
    (
        Line("z", "z_u = sum_d x_d W_{du} + b_u", matrix_product.matmul, "total += float(a[m, k]) * float(b[k, n])"),
        Line("b", "z = x W + b", Dense.forward, 'z += self.params["bias"]', _has_bias),
        Line("y", "y = act ( z )", Dense.forward, "y, activation = self.activation.forward(z.reshape("),
    ),
    (
        Line("dz", "dz = dy ⊙ act' ( z )", Dense.backward, "dz = self.activation.backward(dy, cache.activation)"),
        Line(
            "dkernel", "dW_{du} = x_d dz_u", Dense.backward, 'grads["kernel"] = kernels.matmul(x.reshape(-1, D).T, dz)'
        ),
        Line("dbias", "db = dz", Dense.backward, 'grads["bias"] = dz.sum(axis=0)', _has_bias),
        Line("dx", "dx_d = sum_u dz_u W_{du}", Dense.backward, "dx = kernels.matmul(dz, W.T)"),
    ),
    activation_options,
)


def _through(layer, call):
    return {"z": call.x, "dz": call.dx}


ACTIVATION = View(
    "activation",
    _through,
    (Line("y", "y = f ( z )", Activation.forward, "return self.activation.forward(x)"),),
    (Line("dz", "dz = dy ⊙ f' ( z )", Activation.backward, "return self.activation.backward(dy, cache), {}"),),
    activation_options,
)
SOFTMAX = View(
    "activation",
    _through,
    (
        Line(
            "y",
            "y_u = exp ( z_u ) / sum_v exp ( z_v )",
            activations.softmax.function,
            "return np.divide(y, y.sum(axis=axis, keepdims=True), out=y)",
        ),
    ),
    (
        Line(
            "dz",
            "dz_u = y_u ( dy_u - sum_v dy_v y_v )",
            activations.softmax.gradient,
            "return y * (dy - (dy * y).sum(axis=axis, keepdims=True))",
        ),
    ),
    lambda layer, call: {"activation": "softmax", "fused": call.logits is not None},
)

EMBEDDING = View(
    "embedding",
    forward=(Line("y", "y_t = W_{x_t}", gather.take_rows, "y[m] = W[index[m]]"),),
    backward=(Line("dembeddings", "dW_v = sum_{t : x_t = v} dy_t", gather.add_rows, "dW[index[m], d] += dy[m, d]"),),
)


def _mask(layer, call):
    mask = getattr(call.cache, "scaled_mask", None)
    return {} if mask is None else {"mask": np.broadcast_to(mask, call.x.shape)}


DROPOUT = View(
    "dropout",
    _mask,
    (Line("y", "y = x ⊙ m", Dropout.forward, "return times(x, scaled_mask), DropoutCache(scaled_mask)"),),
    (Line("dx", "dx = dy ⊙ m", Dropout.backward, "dy if cache.scaled_mask is None else times(dy, cache.scaled_mask)"),),
)
NOISE = View("dropout")
_WITH_Z = View("generic", pre_activation, options=activation_options)

CORE = {
    Dense: DENSE,
    EinsumDense: _WITH_Z,
    Softmax: SOFTMAX,
    **dict.fromkeys((Activation, ReLU, LeakyReLU, ELU), ACTIVATION),
    Embedding: EMBEDDING,
    **dict.fromkeys((Dropout, SpatialDropout1D, SpatialDropout2D, SpatialDropout3D), DROPOUT),
    **dict.fromkeys((GaussianNoise, GaussianDropout, AlphaDropout), NOISE),
}

"""Convolutions: a window, a kernel, and the sum of their products."""

from scratchnet.explain.views.base import Line, View
from scratchnet.explain.views.base_inside import activation_options, pre_activation
from scratchnet.kernels import fused
from scratchnet.kernels.loops import convolution
from scratchnet.layers import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from scratchnet.layers.convolutional.base_convolution import BaseConvolution


def _geometry(layer, call):
    return {
        **activation_options(layer, call),
        "strides": list(layer.strides),
        "padding": [int(before) for before, _ in call.cache.padding],
        "dilation": list(layer.dilation_rate),
    }


_SUM = Line(
    "z",
    "z_{i,j,f} = b_f + sum_{a,b,c} x_{S i+a, S j+b, c} W_{a,b,c,f}",
    convolution.conv2d_forward,
    "total += x[n, p, q, first + c] * kernel[a, b, c, f]",
)
_DKERNEL = Line(
    "dkernel",
    "dW_{a,b,c,f} = sum_{i,j} x_{S i+a, S j+b, c} dz_{i,j,f}",
    convolution.conv2d_dkernel,
    "dkernel[a, b, c, f] += x[n, p, q, first + c] * dz[n, i, j, f]",
)
_DX = Line(
    "dx",
    "dx_{p,q,c} = sum_{S i+a=p, S j+b=q, f} W_{a,b,c,f} dz_{i,j,f}",
    convolution.conv2d_dx,
    "dx[n, p, q, first + c] += kernel[a, b, c, f] * dz[n, i, j, f]",
)

_ACT = Line("y", "y = act ( z )", fused.conv2d_forward, "return activation.forward(z, overwrite=True)")
_DZ = Line("dz", "dz = dy ⊙ act' ( z )", fused.conv2d_backward, "dz = activation.backward(dy, kept)  # y = f(z)")
_DBIAS = Line(
    "dbias", "db_f = sum_{i,j} dz_{i,j,f}", fused.conv2d_backward, "dbias = np.ones(len(rows), dz.dtype) @ rows"
)
# Of those that add their bias and apply their activation by themselves.
_OWN_ACT = Line("y", "y = act ( z )", BaseConvolution.activate, "return self.activation.forward(z, overwrite=True)")
_OWN_DZ = Line(
    "dz", "dz = dy ⊙ act' ( z )", BaseConvolution.activate_backward, "dz = self.activation.backward(dy, kept)"
)
_OWN_DBIAS = Line(
    "dbias",
    "db_f = sum_{i,j} dz_{i,j,f}",
    BaseConvolution.activate_backward,
    '{"bias": dz.reshape(-1, dz.shape[-1]).sum(axis=0)}',
)


def _grouped(layer, call):
    return {**_geometry(layer, call), "groups": layer.groups}


CONV2D = View("conv2d", pre_activation, (_SUM, _ACT), (_DZ, _DKERNEL, _DBIAS, _DX), _grouped)

# The transposed convolution is dx of a convolution from y to x, and its dx is that convolution.
CONV2D_TRANSPOSE = View(
    "conv2d-transpose",
    pre_activation,
    (
        Line(
            "z",
            "z_{S i+a, S j+b, f} = b_f + sum_{i,j,a,b,c} x_{i,j,c} W_{a,b,f,c}",
            convolution.conv2d_dx,
            "dx[n, p, q, first + c] += kernel[a, b, c, f] * dz[n, i, j, f]",
        ),
        Line("y", "y = act ( z )", Conv2DTranspose.activate, "return self.activation.forward(z, overwrite=True)"),
    ),
    (
        Line(
            "dz", "dz = dy ⊙ act' ( z )", Conv2DTranspose.activate_backward, "dz = self.activation.backward(dy, kept)"
        ),
        Line(
            "dkernel",
            "dW_{a,b,f,c} = sum_{i,j} dz_{S i+a, S j+b, f} x_{i,j,c}",
            convolution.conv2d_dkernel,
            "dkernel[a, b, c, f] += x[n, p, q, first + c] * dz[n, i, j, f]",
        ),
        Line(
            "dx",
            "dx_{i,j,c} = sum_{a,b,f} dz_{S i+a, S j+b, f} W_{a,b,f,c}",
            convolution.conv2d_forward,
            "total += x[n, p, q, first + c] * kernel[a, b, c, f]",
        ),
    ),
    _geometry,
)

# Of sequences and of volumes, whose lines are those of images: a sequence is one pixel wide, and of a volume the planes
# under a window are channels.
CONV1D = View(
    "convnd",
    pre_activation,
    (_SUM._replace(equation="z_{t,f} = b_f + sum_{a,c} x_{S t+a, c} W_{a,c,f}"), _ACT),
    (
        _DZ,
        _DKERNEL._replace(equation="dW_{a,c,f} = sum_t x_{S t+a, c} dz_{t,f}"),
        _DBIAS._replace(equation="db_f = sum_t dz_{t,f}"),
        _DX._replace(equation="dx_{p,c} = sum_{S t+a=p, f} W_{a,c,f} dz_{t,f}"),
    ),
    _grouped,
)
CONV3D = View(
    "convnd",
    pre_activation,
    (_SUM._replace(equation="z_{p,f} = b_f + sum_{a,c} x_{S p+a, c} W_{a,c,f}"), _OWN_ACT),
    (
        _OWN_DZ,
        _DKERNEL._replace(equation="dW_{a,c,f} = sum_p x_{S p+a, c} dz_{p,f}"),
        _OWN_DBIAS._replace(equation="db_f = sum_p dz_{p,f}"),
        _DX._replace(equation="dx_{q,c} = sum_{S p+a=q, f} W_{a,c,f} dz_{p,f}"),
    ),
    _grouped,
)

# A convolution in as many groups as there are channels.
_EACH_SUM = _SUM._replace(equation="z_{i,j,c M+m} = b + sum_{a,b} x_{S i+a, S j+b, c} W_{a,b,c,m}")
DEPTHWISE = View(
    "depthwise2d",
    pre_activation,
    (_EACH_SUM, _OWN_ACT),
    (
        _OWN_DZ,
        _OWN_DBIAS,
        _DKERNEL._replace(equation="dW_{a,b,c,m} = sum_{i,j} x_{S i+a, S j+b, c} dz_{i,j,c M+m}"),
        _DX._replace(equation="dx_{p,q,c} = sum_{S i+a=p, S j+b=q, m} W_{a,b,c,m} dz_{i,j,c M+m}"),
    ),
    _geometry,
)


def _between(layer, call):
    """z and dz, and h and dh between the two halves."""
    found = {**pre_activation(layer, call), "h": call.cache.h}
    if found["dz"] is not None:
        P = layer.params["pointwise_kernel"]
        found["dh"] = (found["dz"].reshape(-1, P.shape[-1]) @ P.reshape(-1, P.shape[-1]).T).reshape(call.cache.h.shape)
    return found


SEPARABLE = View(
    "separable2d",
    _between,
    (
        _SUM._replace(quantity="h", equation="h_{i,j,c M+m} = sum_{a,b} x_{S i+a, S j+b, c} D_{a,b,c,m}"),
        Line(
            "z",
            "z_{i,j,f} = b_f + sum_k h_{i,j,k} P_{k,f}",
            fused.affine_forward,
            "z = kernels.matmul(x, W)",
        ),
        _ACT._replace(function=fused.affine_forward),
    ),
    (
        _DZ._replace(function=fused.affine_backward),
        Line("dP", "dP = h^T dz", fused.affine_backward, "kernels.matmul(x.T, dz)"),
        Line("dh", "dh = dz P^T", fused.affine_backward, "dx = kernels.matmul(dz, W.T)"),
        _DKERNEL._replace(equation="dD_{a,b,c,m} = sum_{i,j} x_{S i+a, S j+b, c} dh_{i,j,c M+m}"),
        _DX._replace(equation="dx_{p,q,c} = sum_{S i+a=p, S j+b=q, m} D_{a,b,c,m} dh_{i,j,c M+m}"),
    ),
    _geometry,
)

# Of the others z and dz are shown, without a window.
OTHER = View("generic", pre_activation, (_SUM,), (_DKERNEL, _DX), activation_options)

CONVOLUTIONS = {
    Conv2D: CONV2D,
    Conv2DTranspose: CONV2D_TRANSPOSE,
    Conv1D: CONV1D,
    Conv3D: CONV3D,
    DepthwiseConv2D: DEPTHWISE,
    SeparableConv2D: SEPARABLE,
    **dict.fromkeys((Conv1DTranspose, Conv3DTranspose, DepthwiseConv1D, SeparableConv1D), OTHER),
}

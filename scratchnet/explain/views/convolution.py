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

CONV2D = View(
    "conv2d",
    pre_activation,
    (_SUM, Line("y", "y = act ( z )", fused.conv2d_forward, "return activation.forward(z, overwrite=True)")),
    (
        Line("dz", "dz = dy ⊙ act' ( z )", fused.conv2d_backward, "dz = activation.backward(dy, kept)  # y = f(z)"),
        _DKERNEL,
        Line(
            "dbias", "db_f = sum_{i,j} dz_{i,j,f}", fused.conv2d_backward, "dbias = np.ones(len(rows), dz.dtype) @ rows"
        ),
        _DX,
    ),
    lambda layer, call: {**_geometry(layer, call), "groups": layer.groups},
)

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

# Of sequences, volumes and channels by themselves z and dz are shown, without a window.
OTHER = View("generic", pre_activation, (_SUM,), (_DKERNEL, _DX), activation_options)

CONVOLUTIONS = {
    Conv2D: CONV2D,
    Conv2DTranspose: CONV2D_TRANSPOSE,
    **dict.fromkeys(
        (
            *(Conv1D, Conv3D, Conv1DTranspose, Conv3DTranspose, DepthwiseConv1D, DepthwiseConv2D),
            *(SeparableConv1D, SeparableConv2D),
        ),
        OTHER,
    ),
}

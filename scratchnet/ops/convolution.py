"""Convolution and pooling of sequences (N, T, C) and images (N, H, W, C), by the kernels that layers use.

A sequence is an image of one column. What a convolution is, and its adjoints, stands in `scratchnet.kernels.loops`.
"""

from scratchnet import kernels
from scratchnet.kernels.geometry import paddings
from scratchnet.ops.dtypes import floats
from scratchnet.ops.layouts import either_way
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.shapes import expand_dims, reshape, squeeze
from scratchnet.ops.trial import Unfit


def _pair(name, value, ndim):
    """One number for each of the two axes of an image; a sequence has 1 for its columns."""
    values = [value] * ndim if isinstance(value, int) else list(value)
    if len(values) != ndim:
        raise ValueError(f"{name} has {len(values)} numbers, x has {ndim} axes to slide along")
    return tuple(values) if ndim == 2 else (values[0], 1)


def _axes(name, inputs):
    """How many axes windows slide along."""
    ndim = len(shape_of(inputs)) - 2
    if ndim not in (1, 2):
        raise ValueError(f"{name}: inputs are (N, T, C) or (N, H, W, C), got the shape {shape_of(inputs)}")
    return ndim


def _checked_padding(name, padding):
    found = padding.lower() if isinstance(padding, str) else padding
    if found not in ("valid", "same"):
        raise ValueError(f'{name}: padding must be "valid" or "same", got {padding!r}')
    return found


def _geometry(x_shape, kernel_size, strides, padding, dilation):
    return strides, paddings(x_shape[1:3], kernel_size, strides, padding, dilation), dilation


def _conv2d_dx(dz, kernel, inputs_shape, strides, padding, dilation):
    return kernels.conv2d_dx(
        dz, kernel, inputs_shape, *_geometry(inputs_shape, kernel.shape[:2], strides, padding, dilation)
    )


def _conv2d_dkernel(dz, inputs, kernel_shape, strides, padding, dilation):
    return kernels.conv2d_dkernel(
        dz, inputs, kernel_shape, *_geometry(inputs.shape, kernel_shape[:2], strides, padding, dilation)
    )


@operation(
    name="conv2d",
    inputs=_conv2d_dx,
    kernel=_conv2d_dkernel,
    options=("strides", "padding", "dilation"),
    dtypes=floats,
)
def _conv2d(inputs, kernel, strides, padding, dilation):
    if kernel.shape[2] == 0 or inputs.shape[3] % kernel.shape[2]:
        raise Unfit(f"{inputs.shape[3]} channels are no multiple of the kernel's {kernel.shape[2]}")
    groups = inputs.shape[3] // kernel.shape[2]
    if kernel.shape[3] % groups:
        raise Unfit(f"{kernel.shape[3]} filters are not to be divided among {groups} groups of channels")
    geometry = _geometry(inputs.shape, kernel.shape[:2], strides, padding, dilation)
    return kernels.conv2d_forward(inputs, kernel, None, *geometry)


@either_way("inputs")
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution with a kernel (K, C, F) or (KH, KW, C, F); where C divides the channels, in groups."""
    ndim = _axes("conv", inputs)
    padding = _checked_padding("conv", padding)
    strides, dilation = _pair("strides", strides, ndim), _pair("dilation_rate", dilation_rate, ndim)
    if ndim == 2:
        return _conv2d(inputs, kernel, strides, padding, dilation)
    return squeeze(_conv2d(expand_dims(inputs, 2), expand_dims(kernel, 1), strides, padding, dilation), 2)


@either_way("inputs")
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution of each channel with M kernels of its own, (K, C, M) or (KH, KW, C, M) -> (..., C M)."""
    *sizes, C, M = shape_of(kernel)
    if shape_of(inputs)[-1] != C:
        raise ValueError(f"depthwise_conv: {shape_of(inputs)[-1]} channels are not the kernel's {C}")
    return conv(inputs, reshape(kernel, (*sizes, 1, C * M)), strides, padding, data_format, dilation_rate)


@either_way("inputs")
def separable_conv(
    inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):
    """`depthwise_conv`, and then a convolution of size 1 that mixes the channels."""
    z = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(z, pointwise_kernel, 1, "valid", data_format)


# ---- transposed: the adjoint of a convolution, forwards ----


def _transposed_geometry(x_shape, kernel_shape, strides, padding, dilation):
    """The image that comes out, (N, H, W, F), and the geometry of the convolution that would take it to x."""
    sizes = []
    for k in range(2):
        extent = (kernel_shape[k] - 1) * dilation[k] + 1
        sizes.append(x_shape[k + 1] * strides[k] + (max(extent - strides[k], 0) if padding == "valid" else 0))
    z_shape = (x_shape[0], *sizes, kernel_shape[2])
    return z_shape, _geometry(z_shape, kernel_shape[:2], strides, padding, dilation)


def _conv2d_transpose_dinputs(dz, kernel, inputs_shape, strides, padding, dilation):
    _, geometry = _transposed_geometry(inputs_shape, kernel.shape, strides, padding, dilation)
    return kernels.conv2d_forward(dz, kernel, None, *geometry)


def _conv2d_transpose_dkernel(dz, inputs, kernel_shape, strides, padding, dilation):
    _, geometry = _transposed_geometry(inputs.shape, kernel_shape, strides, padding, dilation)
    return kernels.conv2d_dkernel(inputs, dz, kernel_shape, *geometry)


@operation(
    name="conv2d_transpose",
    inputs=_conv2d_transpose_dinputs,
    kernel=_conv2d_transpose_dkernel,
    options=("strides", "padding", "dilation"),
    dtypes=floats,
)
def _conv2d_transpose(inputs, kernel, strides, padding, dilation):
    if inputs.shape[3] != kernel.shape[3]:
        raise Unfit(f"{inputs.shape[3]} channels are not the kernel's {kernel.shape[3]}")
    z_shape, geometry = _transposed_geometry(inputs.shape, kernel.shape, strides, padding, dilation)
    return kernels.conv2d_dx(inputs, kernel, z_shape, *geometry)


@either_way("inputs")
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """Transposed convolution with a kernel (K, F, C) or (KH, KW, F, C): the adjoint of the one from F to C channels."""
    ndim = _axes("conv_transpose", inputs)
    padding = _checked_padding("conv_transpose", padding)
    if output_padding is not None:
        raise ValueError("conv_transpose: output_padding is not supported here; the layer Conv2DTranspose has it")
    strides, dilation = _pair("strides", strides, ndim), _pair("dilation_rate", dilation_rate, ndim)
    if ndim == 2:
        return _conv2d_transpose(inputs, kernel, strides, padding, dilation)
    return squeeze(_conv2d_transpose(expand_dims(inputs, 2), expand_dims(kernel, 1), strides, padding, dilation), 2)


# ---- pooling ----


def _pool_geometry(x_shape, pool_size, strides, padding):
    return pool_size, strides, paddings(x_shape[1:3], pool_size, strides, padding)


def _max_pool2d_dx(dz, inputs, pool_size, strides, padding):
    geometry = _pool_geometry(inputs.shape, pool_size, strides, padding)
    _, argmax = kernels.max_pool2d_forward(inputs, *geometry)
    return kernels.max_pool2d_backward(dz, argmax, inputs.shape, *geometry)


@operation(name="max_pool2d", inputs=_max_pool2d_dx, options=("pool_size", "strides", "padding"), dtypes=floats)
def _max_pool2d(inputs, pool_size, strides, padding):
    return kernels.max_pool2d_forward(inputs, *_pool_geometry(inputs.shape, pool_size, strides, padding))[0]


def _average_pool2d_dx(dz, inputs_shape, pool_size, strides, padding):
    return kernels.average_pool2d_backward(dz, inputs_shape, *_pool_geometry(inputs_shape, pool_size, strides, padding))


@operation(name="average_pool2d", inputs=_average_pool2d_dx, options=("pool_size", "strides", "padding"), dtypes=floats)
def _average_pool2d(inputs, pool_size, strides, padding):
    return kernels.average_pool2d_forward(inputs, *_pool_geometry(inputs.shape, pool_size, strides, padding))


@either_way("inputs")
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The largest number of each window; windows lie beside each other, unless `strides` says otherwise."""
    return _pool("max_pool", _max_pool2d, inputs, pool_size, strides, padding)


@either_way("inputs")
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window, of what lies inside the image."""
    return _pool("average_pool", _average_pool2d, inputs, pool_size, strides, padding)


def _pool(name, operation, inputs, pool_size, strides, padding):
    ndim = _axes(name, inputs)
    padding = _checked_padding(name, padding)
    size = _pair("pool_size", pool_size, ndim)
    steps = size if strides is None else _pair("strides", strides, ndim)
    if ndim == 2:
        return operation(inputs, size, steps, padding)
    return squeeze(operation(expand_dims(inputs, 2), size, steps, padding), 2)

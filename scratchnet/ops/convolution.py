"""Convolution and pooling of sequences (N, T, C), images (N, H, W, C) and volumes (N, D, H, W, C).

They go by the kernels that layers use; a sequence is an image of one column. What a convolution is, and its adjoints,
stands in `scratchnet.kernels.loops`.
"""

from scratchnet import kernels
from scratchnet.kernels.by_rank import conv_dkernel, conv_dx, conv_forward
from scratchnet.kernels.geometry import paddings, transposed
from scratchnet.ops.dtypes import floats
from scratchnet.ops.layouts import either_way
from scratchnet.ops.operation import operation, shape_of
from scratchnet.ops.shapes import expand_dims, reshape, squeeze
from scratchnet.ops.trial import Unfit


def _pair(name, value, ndim):
    """One number for each axis of an image or a volume; a sequence has 1 for its columns."""
    values = [value] * ndim if isinstance(value, int) else list(value)
    if len(values) != ndim:
        raise ValueError(f"{name} has {len(values)} numbers, x has {ndim} axes to slide along")
    return (values[0], 1) if ndim == 1 else tuple(values)


def _axes(name, inputs):
    """How many axes windows slide along."""
    ndim = len(shape_of(inputs)) - 2
    if ndim not in (1, 2, 3):
        raise ValueError(
            f"{name}: inputs are (N, T, C), (N, H, W, C) or (N, D, H, W, C), got the shape {shape_of(inputs)}"
        )
    return ndim


def _checked_padding(name, padding):
    found = padding.lower() if isinstance(padding, str) else padding
    if found not in ("valid", "same"):
        raise ValueError(f'{name}: padding must be "valid" or "same", got {padding!r}')
    return found


def _geometry(x_shape, kernel_size, strides, padding, dilation):
    return strides, paddings(x_shape[1:-1], kernel_size, strides, padding, dilation), dilation


def _conv_dx(dz, kernel, inputs_shape, strides, padding, dilation):
    geometry = _geometry(inputs_shape, kernel.shape[:-2], strides, padding, dilation)
    return conv_dx(dz, kernel, inputs_shape, *geometry)


def _conv_dkernel(dz, inputs, kernel_shape, strides, padding, dilation):
    geometry = _geometry(inputs.shape, kernel_shape[:-2], strides, padding, dilation)
    return conv_dkernel(dz, inputs, kernel_shape, *geometry)


def _conv(inputs, kernel, strides, padding, dilation):
    (C, F), channels = kernel.shape[-2:], inputs.shape[-1]
    if C == 0 or channels % C:
        raise Unfit(f"{channels} channels are no multiple of the kernel's {C}")
    if F % (channels // C):
        raise Unfit(f"{F} filters are not to be divided among {channels // C} groups of channels")
    return conv_forward(inputs, kernel, *_geometry(inputs.shape, kernel.shape[:-2], strides, padding, dilation))


_OPTIONS = ("strides", "padding", "dilation")
_conv2d, _conv3d = (
    operation(_conv, name, inputs=_conv_dx, kernel=_conv_dkernel, options=_OPTIONS, dtypes=floats)
    for name in ("conv2d", "conv3d")
)


def _by_rank(of_images, of_volumes, inputs, kernel, *geometry):
    """One of two operations; of a sequence that of images."""
    if len(shape_of(inputs)) == 3:
        return squeeze(of_images(expand_dims(inputs, 2), expand_dims(kernel, 1), *geometry), 2)
    return (of_images if len(shape_of(inputs)) == 4 else of_volumes)(inputs, kernel, *geometry)


@either_way("inputs")
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution with a kernel (K, C, F), (KH, KW, C, F) or (KD, KH, KW, C, F).

    Where C divides the channels of the inputs, in groups.
    """
    ndim = _axes("conv", inputs)
    padding = _checked_padding("conv", padding)
    strides, dilation = _pair("strides", strides, ndim), _pair("dilation_rate", dilation_rate, ndim)
    return _by_rank(_conv2d, _conv3d, inputs, kernel, strides, padding, dilation)


@either_way("inputs")
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution of each channel with M kernels of its own, those of `conv` but (..., C, M) -> (..., C M)."""
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


def _transposed_geometry(x_shape, kernel_shape, strides, padding, dilation, output_padding):
    """The shape that comes out, (N, ..., F), and the geometry of the convolution that would take it to x."""
    added = output_padding or (None,) * len(strides)
    axes = zip(x_shape[1:-1], kernel_shape, strides, (padding,) * len(strides), dilation, added)
    try:
        sizes, pads = zip(*(transposed(*axis) for axis in axes))
    except ValueError as problem:
        raise Unfit(str(problem)) from None
    return (x_shape[0], *sizes, kernel_shape[-2]), (strides, pads, dilation)


def _conv_transpose_dinputs(dz, kernel, inputs_shape, strides, padding, dilation, output_padding):
    _, geometry = _transposed_geometry(inputs_shape, kernel.shape, strides, padding, dilation, output_padding)
    return conv_forward(dz, kernel, *geometry)


def _conv_transpose_dkernel(dz, inputs, kernel_shape, strides, padding, dilation, output_padding):
    _, geometry = _transposed_geometry(inputs.shape, kernel_shape, strides, padding, dilation, output_padding)
    return conv_dkernel(inputs, dz, kernel_shape, *geometry)


def _conv_transpose(inputs, kernel, strides, padding, dilation, output_padding=None):
    if inputs.shape[-1] != kernel.shape[-1]:
        raise Unfit(f"{inputs.shape[-1]} channels are not the kernel's {kernel.shape[-1]}")
    z_shape, geometry = _transposed_geometry(inputs.shape, kernel.shape, strides, padding, dilation, output_padding)
    return conv_dx(inputs, kernel, z_shape, *geometry)


_conv2d_transpose, _conv3d_transpose = (
    operation(
        _conv_transpose,
        name,
        inputs=_conv_transpose_dinputs,
        kernel=_conv_transpose_dkernel,
        options=_OPTIONS,
        dtypes=floats,
    )
    for name in ("conv2d_transpose", "conv3d_transpose")
)


@either_way("inputs")
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """Transposed convolution with a kernel (..., F, C): the adjoint of `conv` from F to C channels.

    output_padding: what is added at the end of each axis, for another size that the convolution would shrink to the
        same; less than the strides.
    """
    ndim = _axes("conv_transpose", inputs)
    padding = _checked_padding("conv_transpose", padding)
    strides, dilation = _pair("strides", strides, ndim), _pair("dilation_rate", dilation_rate, ndim)
    if output_padding is not None:
        added = _pair("output_padding", output_padding, ndim)
        output_padding = (added[0], 0) if ndim == 1 else added
    geometry = strides, padding, dilation, output_padding
    return _by_rank(_conv2d_transpose, _conv3d_transpose, inputs, kernel, *geometry)


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
    if ndim == 1:
        return squeeze(operation(expand_dims(inputs, 2), size, steps, padding), 2)
    if ndim == 2:
        return operation(inputs, size, steps, padding)
    N, D, H, W, C = shape_of(inputs)
    if None in (D, H, W):
        raise ValueError(f"{name}: the sizes of volumes must be known, got the shape {shape_of(inputs)}")
    # The largest (the mean) of a box is that of those of its slices.
    z = operation(reshape(inputs, (-1, H, W, C)), size[1:], steps[1:], padding)
    OH, OW = shape_of(z)[1:3]
    z = operation(reshape(z, (-1, D, OH * OW, C)), (size[0], 1), (steps[0], 1), padding)
    return reshape(z, (-1, shape_of(z)[1], OH, OW, C))

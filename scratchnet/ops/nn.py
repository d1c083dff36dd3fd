"""The functions of `keras.ops.nn`, by that name; where they stand is for readers."""

# ruff: noqa: F401 (the names are for those who import this module)

from scratchnet.ops.activation import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from scratchnet.ops.adaptive import adaptive_average_pool, adaptive_max_pool
from scratchnet.ops.attention import dot_product_attention
from scratchnet.ops.convolution import average_pool, conv, conv_transpose, depthwise_conv, max_pool, separable_conv
from scratchnet.ops.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from scratchnet.ops.ctc import ctc_decode, ctc_loss
from scratchnet.ops.normalization import (
    batch_normalization,
    layer_normalization,
    moments,
    normalize,
    psnr,
    rms_normalization,
)
from scratchnet.ops.selection import multi_hot, one_hot
from scratchnet.ops.shapes import depth_to_space, space_to_depth
from scratchnet.ops.windows import fold, unfold

"""Compiled by Numba, at the first call of each function; the result is cached beside the source."""

from scratchnet.kernels.with_numba.adam import adam_update
from scratchnet.kernels.with_numba.convolution import conv2d_backward, conv2d_forward
from scratchnet.kernels.with_numba.matrix_product import matmul
from scratchnet.kernels.with_numba.pooling import (
    average_pool2d_backward,
    average_pool2d_forward,
    max_pool2d_backward,
    max_pool2d_forward,
)
from scratchnet.kernels.with_numba.recurrent import (
    lstm_backward,
    lstm_forward,
    simple_rnn_backward,
    simple_rnn_forward,
)
from scratchnet.kernels.with_numba.upsampling import upsample2d_backward, upsample2d_forward

__all__ = [
    "adam_update",
    "average_pool2d_backward",
    "average_pool2d_forward",
    "conv2d_backward",
    "conv2d_forward",
    "lstm_backward",
    "lstm_forward",
    "matmul",
    "max_pool2d_backward",
    "max_pool2d_forward",
    "simple_rnn_backward",
    "simple_rnn_forward",
    "upsample2d_backward",
    "upsample2d_forward",
]

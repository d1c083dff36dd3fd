"""Pooling: the largest, or the mean, of each window."""

from scratchnet.explain.views.base import Line, View
from scratchnet.kernels.loops import pooling
from scratchnet.layers import AveragePooling2D, MaxPooling2D


def _winners(layer, call):
    return {"argmax": call.cache.argmax}


def _geometry(layer, call):
    return {
        "size": list(layer.pool_size),
        "strides": list(layer.strides),
        "padding": [int(before) for before, _ in call.cache.padding],
        "mean": isinstance(layer, AveragePooling2D),
    }


MAX = View(
    "pool2d",
    _winners,
    (
        Line(
            "y",
            "y_{i,j,c} = max_{a,b} x_{S i+a, S j+b, c}",
            pooling.max_pool2d_forward,
            "best, place = value, a * pool_size[1] + b",
        ),
    ),
    (
        Line(
            "dx",
            "dx_{p,q,c} = sum_{(p,q) won (i,j)} dy_{i,j,c}",
            pooling.max_pool2d_backward,
            "dx[n, p, q, c] += dy[n, i, j, c]",
        ),
    ),
    _geometry,
)
MEAN = View(
    "pool2d",
    lambda layer, call: {},
    (
        Line(
            "y",
            "y_{i,j,c} = 1 / M sum_{a,b} x_{S i+a, S j+b, c}",
            pooling.average_pool2d_forward,
            "y[n, i, j, c] = total / (len(rows) * len(columns))",
        ),
    ),
    (
        Line(
            "dx",
            "dx_{p,q,c} = sum_{i,j} dy_{i,j,c} / M",
            pooling.average_pool2d_backward,
            "dx[n, p, q, c] += dy[n, i, j, c] / (len(rows) * len(columns))",
        ),
    ),
    _geometry,
)

POOLING = {MaxPooling2D: MAX, AveragePooling2D: MEAN}

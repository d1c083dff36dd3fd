"""Layers that move numbers, or put several inputs together."""

import numpy as np

from scratchnet.explain.views.base import Line, View
from scratchnet.kernels.loops import upsampling
from scratchnet.layers import (
    Add,
    Average,
    Concatenate,
    Cropping1D,
    Cropping2D,
    Flatten,
    Maximum,
    Minimum,
    Multiply,
    Permute,
    RepeatVector,
    Reshape,
    Subtract,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from scratchnet.structure import flatten


def _moved(layer, call):
    """`source`: of each number of y, which of x it is, counted from 1; 0 is padding.

    Found by having the layer move the numbers 1, 2, 3, ...; of one sample, since all are moved alike.
    """
    if getattr(layer, "interpolation", "nearest") != "nearest":
        return {}
    first, numbered = 1, []
    for x in flatten(call.x):
        size = x[:1].size
        numbered.append(np.arange(first, first + size, dtype=np.float64).reshape(x[:1].shape))
        first += size
    y, _ = layer.forward(numbered if isinstance(call.x, list) else numbered[0])
    return {"source": np.asarray(y).astype(np.int32)}


def _lines(layer, forward, backward, equation, adjoint):
    return View(
        "moved",
        _moved,
        (Line("y", equation, layer.forward, forward),),
        (Line("dx", adjoint, layer.backward, backward),),
    )


_FLAT = "y_k = x_{i,j,c}", "dx_{i,j,c} = dy_k"
_SHAPES = {
    Flatten: _lines(Flatten, "return x.reshape(", "return dy.reshape(cache.shape), {}", *_FLAT),
    Reshape: _lines(Reshape, "return x.reshape(", "return dy.reshape(cache.shape), {}", *_FLAT),
    Permute: _lines(
        Permute,
        "return np.ascontiguousarray(x.transpose(",
        "return dy.transpose(",
        "y_{j,i} = x_{i,j}",
        "dx_{i,j} = dy_{j,i}",
    ),
    RepeatVector: _lines(
        RepeatVector, "return np.broadcast_to(", "return dy.sum(axis=1), {}", "y_{t,d} = x_d", "dx_d = sum_t dy_{t,d}"
    ),
    Concatenate: _lines(
        Concatenate,
        "return np.concatenate(",
        "return np.split(",
        "y = [ x_1 , x_2 ]",
        "[ dx_1 , dx_2 ] = dy",
    ),
    UpSampling2D: View(
        "moved",
        _moved,
        (
            Line(
                "y",
                "y_{i,j,c} = x_{i/S, j/S, c}",
                upsampling.upsample2d_forward,
                "y[n, i, j, c] = x[n, i // size[0], j // size[1], c]",
            ),
        ),
        (
            Line(
                "dx",
                "dx_{p,q,c} = sum_{i/S=p, j/S=q} dy_{i,j,c}",
                upsampling.upsample2d_backward,
                "dx[n, i // size[0], j // size[1], c] += dy[n, i, j, c]",
            ),
        ),
    ),
    **dict.fromkeys((UpSampling1D, Cropping1D, Cropping2D, ZeroPadding1D, ZeroPadding2D), View("moved", _moved)),
}


def _merged(layer, sign, equation, adjoint, forward, backward):
    return View(
        "merge",
        forward=(Line("y", equation, layer.merge, forward),) if forward else (),
        backward=(Line("dx", adjoint, layer.merge_backward, backward),) if backward else (),
        options=lambda layer, call: {"sign": sign},
    )


_MERGED = {
    Add: _merged(Add, "+", "y = x_1 + x_2", "dx_1 = dx_2 = dy", "y = y + x", "return [dy] * terms"),
    Subtract: _merged(
        Subtract, "−", "y = x_1 - x_2", "dx_1 = dy , dx_2 = - dy", "return xs[0] - xs[1], None", "return [dy, -dy]"
    ),
    Multiply: _merged(Multiply, "×", "y = x_1 ⊙ x_2", "dx_1 = dy ⊙ x_2", "y = times(y, x)", "before = [dy]  # dy x_1"),
    Average: _merged(
        Average,
        "mean",
        "y = ( x_1 + x_2 ) / 2",
        "dx_1 = dy / 2",
        "return y / y.dtype.type(len(xs)), len(xs)",
        "return [dy / dy.dtype.type(terms)] * terms",
    ),
    Maximum: _merged(Maximum, "max", "y = max ( x_1 , x_2 )", "dx_1 = dy where x_1 won", "", ""),
    Minimum: _merged(Minimum, "min", "y = min ( x_1 , x_2 )", "dx_1 = dy where x_1 won", "", ""),
}

SHAPES = {**_SHAPES, **_MERGED}

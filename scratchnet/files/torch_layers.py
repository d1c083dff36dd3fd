"""The weights of each kind of layer, translated from PyTorch.

A translation takes the arrays of a PyTorch module and returns the layer's weights by name, each with the array it was
made from and how it was transformed. It returns None if layer and module do not belong together.
"""

from typing import NamedTuple

import numpy as np


class Translated(NamedTuple):
    array: np.ndarray
    source: str  # "weight", or "bias_ih + bias_hh"
    done: str = ""


def translate(layer, module, order_in=None, order_out=None):
    """Dict from the name of a weight to what it becomes, a `Translated`; None if layer and module do not fit.

    `order_in`, `order_out`: see `scratchnet.files.channel_order`.
    """
    names = (cls.__name__ for cls in type(layer).__mro__)
    translation = next((_TRANSLATIONS[name] for name in names if name in _TRANSLATIONS), None)
    if translation is None:
        return None
    try:
        found = translation(layer, module.arrays, order_in, order_out)
    except (KeyError, ValueError, IndexError):  # an array that is not there, or has other axes
        return None
    own = layer.named_arrays()
    if found is None or set(found) != set(own):
        return None
    return found if all(found[name].array.shape == own[name].shape for name in own) else None


_IMAGE_ORDER = "(c, h, w) to (h, w, c)"


def _dense(layer, arrays, order_in, order_out):
    kernel, done = arrays["weight"].transpose(1, 0), "transposed"
    if order_in is not None:
        kernel, done = kernel[order_in], f"{done}, rows from {_IMAGE_ORDER}"
    if order_out is not None:
        kernel, done = kernel[:, order_out], f"{done}, columns from {_IMAGE_ORDER}"
    return {"kernel": Translated(kernel, "weight", done), **_bias(arrays, order_out)}


def _bias(arrays, order=None):
    return {"bias": _ordered(arrays, "bias", order)} if "bias" in arrays else {}


def _ordered(arrays, name, order):
    if order is None:
        return Translated(arrays[name], name)
    return Translated(arrays[name][order], name, _IMAGE_ORDER)


def _convolution(layer, arrays, *_):
    kernel = arrays["weight"]  # (F, C, KH, KW)
    axes = (*range(2, kernel.ndim), 1, 0)
    return {"kernel": Translated(kernel.transpose(axes), "weight", "OIHW to HWIO"), **_bias(arrays)}


def _transposed(layer, arrays, *_):
    kernel = arrays["weight"]  # (C, F, KH, KW)
    axes = (*range(2, kernel.ndim), 1, 0)
    return {"kernel": Translated(kernel.transpose(axes), "weight", "IOHW to HWOI"), **_bias(arrays)}


def _depthwise(layer, arrays, *_):
    return {"kernel": depthwise_kernel(arrays, layer.depth_multiplier), **_bias(arrays)}


def depthwise_kernel(arrays, multiplier):
    """The kernels of a convolution in as many groups as there are channels. Raises ValueError if it is not one."""
    kernel = arrays["weight"]  # (C M, 1, KH, KW)
    CM, one, *sizes = kernel.shape
    if one != 1:
        raise ValueError("not one channel a group")
    axes = (*range(2, 2 + len(sizes)), 0, 1)
    kernel = kernel.reshape(CM // multiplier, multiplier, *sizes).transpose(axes)  # (KH, KW, C, M)
    return Translated(kernel, "weight", "(C M, 1, H, W) to (H, W, C, M)")


def _embedding(layer, arrays, *_):
    return {"embeddings": Translated(arrays["weight"], "weight")}


_NORMALIZED = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def _normalization(layer, arrays, order_in, _):
    found = {_NORMALIZED[name]: _ordered(arrays, name, order_in) for name in arrays if arrays[name].ndim == 1}
    for name, array in arrays.items():
        if array.ndim > 1:  # LayerNorm over (C, H, W)
            found[_NORMALIZED[name]] = Translated(np.moveaxis(array, 0, -1), name, "(C, H, W) to (H, W, C)")
    return found


def _batch_normalization(layer, arrays, order_in, order_out):
    return _normalization(layer, arrays, order_in, order_out) if "running_mean" in arrays else None


def _other_normalization(layer, arrays, order_in, order_out):
    return None if "running_mean" in arrays else _normalization(layer, arrays, order_in, order_out)


def _rms(layer, arrays, order_in, _):
    return {"scale": _ordered(arrays, "weight", order_in)}


def _prelu(layer, arrays, *_):
    slopes, shape = arrays["weight"], layer.params["alpha"].shape
    if len(arrays) > 1:
        return None
    if slopes.size == 1:
        return {"alpha": Translated(np.broadcast_to(slopes, shape), "weight", "one for all")}
    return {"alpha": Translated(slopes.reshape(shape), "weight")}


def _recurrent(layer, arrays, order_in, _, ending=""):
    if "weight_hr" in arrays:  # a projection of the state, which no layer here has
        return None
    gru = any(cls.__name__ == "GRU" for cls in type(layer).__mro__)
    gates, note = (_z_first, ", gates r z n to z r n") if gru else (lambda array: array, "")
    kernel, done = arrays[f"weight_ih{ending}"].T, f"transposed{note}"
    if order_in is not None:
        kernel, done = kernel[order_in], f"{done}, rows from {_IMAGE_ORDER}"
    recurrent = gates(arrays[f"weight_hh{ending}"].T)
    found = {
        "kernel": Translated(gates(kernel), f"weight_ih{ending}", done),
        "recurrent_kernel": Translated(recurrent, f"weight_hh{ending}", f"transposed{note}"),
    }
    if f"bias_ih{ending}" in arrays:
        biases = [gates(arrays[f"bias_ih{ending}"]), gates(arrays[f"bias_hh{ending}"])]
        if gru and not layer.reset_after:  # PyTorch's is reset_after=True, with two biases
            return None
        sources = f"bias_ih{ending}, bias_hh{ending}"
        found["bias"] = Translated(
            np.stack(biases) if gru else sum(biases), sources, f"two rows{note}" if gru else "sum"
        )
    return found


def _z_first(array):
    r, z, n = np.split(array, 3, axis=-1)
    return np.concatenate([z, r, n], axis=-1)


def _bidirectional(layer, arrays, order_in, _):
    found = {}
    for one, ending in ((layer.forward_layer, ""), (layer.backward_layer, "_reverse")):
        translated = _recurrent(one, arrays, order_in, None, ending)
        if translated is None:
            return None
        found.update((layer.weight_keys[one, name], value) for name, value in translated.items())
    return found


def _attention(layer, arrays, *_):
    """in_proj holds the kernels of query, key and value below one another, all heads of each side by side."""
    E, H, D = layer.query_dense.params["kernel"].shape
    found = {}
    kernels, biases = np.split(arrays["in_proj_weight"], 3), np.split(arrays["in_proj_bias"], 3)
    for name, kernel, bias in zip(("query", "key", "value"), kernels, biases):
        done = "a third, transposed, by heads"
        found[f"{name}/kernel"] = Translated(kernel.T.reshape(E, H, D), "in_proj_weight", done)
        found[f"{name}/bias"] = Translated(bias.reshape(H, D), "in_proj_bias", "a third, by heads")
    kernel = arrays["out_proj_weight"].T.reshape(H, D, E)
    found["attention_output/kernel"] = Translated(kernel, "out_proj_weight", "transposed, by heads")
    found["attention_output/bias"] = Translated(arrays["out_proj_bias"], "out_proj_bias")
    return found


# By the names of classes, those of bases too; a layer's most derived class counts.
_TRANSLATIONS = {
    "Dense": _dense,
    "Conv2D": _convolution,
    "BaseConvolution": _convolution,
    "TransposedConvolution": _transposed,
    "DepthwiseConvolution": _depthwise,
    "Embedding": _embedding,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _other_normalization,
    "GroupNormalization": _other_normalization,
    "RMSNormalization": _rms,
    "PReLU": _prelu,
    "SimpleRNN": _recurrent,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "Bidirectional": _bidirectional,
    "MultiHeadAttention": _attention,
}

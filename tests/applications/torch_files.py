"""Weights that anybody can draw again, and files of them as PyTorch names and orders its arrays."""

import pickle

import numpy as np

NORMALIZED = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}


def draw_weights(model, seed=0):
    """Give every weight numbers that keep what flows through the model near 1."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for name, weight in layer.named_arrays().items():
            if "kernel" in name:
                inputs = weight.shape[:-1] if weight.ndim < 4 or weight.shape[-1] > 1 else weight.shape[:2]
                weight[...] = rng.normal(0, np.sqrt(2 / np.prod(inputs)), weight.shape)
            elif name in ("gamma", "moving_variance"):
                weight[...] = rng.uniform(0.7, 1.3, weight.shape)
            else:
                weight[...] = rng.normal(0, 0.1, weight.shape)
    return model


def arrays_of(model, names=None):
    """Dict from name to array as PyTorch would have them.

    Args:
        model: a model here.
        names: dict from a layer's name to its module's; by default the layer's own.
    """
    arrays = {}
    for layer in model.layers:
        for name, weight in layer.named_arrays().items():
            if weight.ndim == 4:
                depthwise = type(layer).__name__ == "DepthwiseConv2D"
                weight = weight.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
            elif weight.ndim == 2:
                weight = weight.T
            module = layer.name if names is None else names.get(layer.name, layer.name)
            arrays[f"{module}.{NORMALIZED.get(name, 'weight' if 'kernel' in name else name)}"] = weight.copy()
        if "moving_mean" in layer.named_arrays():
            arrays[f"{module}.num_batches_tracked"] = np.array(1)
    return arrays


def write_pth(path, arrays):
    """A file in PyTorch's older format, of NumPy's arrays in place of tensors."""
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    parts = (0x1950A86A20F9469CFC6C, 1001, facts, arrays, [])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))


def images(height, width, seed=1):
    """Two images of noise, as a network may see them behind its `preprocess_input`."""
    return np.random.default_rng(seed).normal(size=(2, height, width, 3)).astype("float32")

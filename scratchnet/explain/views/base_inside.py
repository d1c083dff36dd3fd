"""What several kinds of layers have between x and y."""

import numpy as np


def pre_activation(layer, call):
    """z and dz of a layer that ends in an activation, y = f(z): neither need be in its cache."""
    if call.logits is not None:
        z, dz = call.logits
        return {"z": z, "dz": dz}
    twin, activation = layer.without_last_activation()
    if activation.name == "linear":
        return {"z": call.y, "dz": call.dy}
    with np.errstate(all="ignore"):
        z, _ = twin.forward(call.x)
        dz = None if call.dy is None else activation.adjoint(call.dy, z, call.y)
    return {"z": z, "dz": dz}


def activation_options(layer, call):
    """What the page says of the activation."""
    activation = getattr(layer, "activation", None)
    return {"activation": getattr(activation, "name", "linear"), "fused": call.logits is not None}

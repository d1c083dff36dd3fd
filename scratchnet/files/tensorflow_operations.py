"""Operations between layers as Keras 2 wrote them: functions of TensorFlow, each in a layer ``TFOpLambda``.

    {"class_name": "TFOpLambda", "name": "tf.math.multiply", "config": {"function": "math.multiply", ...},
     "inbound_nodes": [["dense", 0, 0, {"y": 2, "name": null}]]}

They become operations of `scratchnet.ops`, in the form in which Keras 3 writes these.
"""

_RENAMED = {
    "y": "x2",
    "b": "x2",
    "shape": "newshape",
    "perm": "axes",
    "multiples": "repeats",
    "alpha": "negative_slope",
}
_RENAMED.update(clip_value_min="x_min", clip_value_max="x_max")
# By TensorFlow's name, where it is not the last part of that name.
_OPERATIONS = {
    "math.truediv": "divide",
    "math.pow": "power",
    "math.abs": "absolute",
    "math.floordiv": "floor_divide",
    "math.floormod": "mod",
    "math.reduce_mean": "mean",
    "math.reduce_sum": "sum",
    "math.reduce_max": "max",
    "math.reduce_min": "min",
    "math.reduce_prod": "prod",
    "nn.bias_add": "add",
    "nn.swish": "silu",
    "concat": "concatenate",
    "clip_by_value": "clip",
}
_SAME = (
    "add subtract multiply maximum minimum relu relu6 softmax log_softmax sigmoid tanh gelu elu selu silu leaky_relu "
    "softplus softsign exp log sqrt rsqrt square negative sin cos tan floor ceil round sign reciprocal reshape "
    "transpose stack expand_dims squeeze matmul cast zeros_like ones_like tile divide"
).split()


def from_tensorflow(entry):
    """The dict of a layer of Keras 2 that applies a function, as Keras 3 writes an operation; others stay.

    Raises ValueError for a function that is not known, by name.
    """
    if not isinstance(entry, dict) or entry.get("class_name") not in ("TFOpLambda", "SlicingOpLambda"):
        return entry
    function = str(entry["config"]["function"])
    last = function.rpartition(".")[2]
    name = "get_item" if last == "getitem" else _OPERATIONS.get(function, last if last in _SAME else None)
    if name is None:
        raise ValueError(f"{entry['name']!r}: the function {function!r} of TensorFlow is not read")
    config, uses = {}, []
    for use in entry["inbound_nodes"]:
        several = isinstance(use[0], list)  # a list of tensors
        tensors = [_tensor(place) for place in (use if several else [use])]
        options = (use[0] if several else use)[3]
        named = {_RENAMED.get(key, key): value for key, value in options.items() if not _idle(key, value)}
        args = [tensors] if several else tensors
        if name == "get_item":
            args.append([_slice(part) for part in named.pop("slice_spec")])
        if "x2" in named:
            args.append(_tensor(named.pop("x2")))
        if "bias" in named:
            args.append(_tensor(named.pop("bias")))
        if uses and named != config:
            raise ValueError(f"{entry['name']!r}: {function!r} of TensorFlow is used twice, with other options")
        config = named
        uses.append({"args": args, "kwargs": {}})
    return {
        "module": "keras.src.ops.numpy",
        "class_name": name,
        "config": {"name": entry["name"], **config},
        "name": entry["name"],
        "inbound_nodes": uses,
    }


def _idle(key, value):
    return key == "name" or value is None or value is False


def _tensor(place):
    """``["dense", 0, 0, ...]`` as a tensor of Keras 3, or the constant that stands in its place."""
    if not isinstance(place, list) or not place or not isinstance(place[0], str):
        return place
    if place[0] == "_CONSTANT_VALUE":
        return place[2]
    return {"class_name": "__keras_tensor__", "config": {"keras_history": place[:3]}}


def _slice(part):
    return {"class_name": "__slice__", "config": part} if isinstance(part, dict) else part

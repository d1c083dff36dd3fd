"""Operations between layers, ``x + y`` or ``ops.exp(x)``, as Keras writes them among the layers of a graph.

    {"module": "keras.src.ops.numpy", "class_name": "Sum", "config": {"name": "sum", "axis": 1, "keepdims": false},
     "registered_name": "Sum", "name": "sum", "inbound_nodes": [{"args": [tensor], "kwargs": {}}]}

They are ours but for the module, which Keras has to find the class in, and for a few arguments that stand in the call
there and in the config here. Reading them is the business of `scratchnet.graph.operation_config`.
"""

from scratchnet.names import snake_case

# Modules of Keras's that hold operations; all others stand in keras.src.ops.numpy.
_MODULES = {
    "core": "cast stop_gradient slice_update scatter scatter_update",
    "math": "rsqrt erf erfc erfinv segment_sum segment_max segment_min segment_prod",
    "linalg": "inv det solve cholesky pinv matrix_rank",
    "nn": "one_hot relu relu6 leaky_relu elu selu celu sigmoid log_sigmoid softsign softplus squareplus silu gelu "
    "softmax log_softmax sparsemax sparse_plus sparse_sigmoid hard_sigmoid hard_silu hard_tanh hard_shrink soft_shrink "
    "tanh_shrink threshold",
}
_MODULE = {name: module for module, names in _MODULES.items() for name in names.split()}
_ONLY_HERE = (
    "size conv2d conv2d_transpose max_pool2d average_pool2d zeros ones eye tri resize_images log_abs_det sign_of_det "
    "mish linear top_k_places searchsorted isin shape singular_values conv3d conv3d_transpose between distance "
    "saturated part_of_histogram eigh_in_one svd_in_one qr_in_one all_singular_vectors places_of_quantile "
    "shares_of_quantile places_of_nanquantile shares_of_nanquantile finite_or_zero"
).split()
_IN_CALL = {"get_item": ("key",), "pad": ("constant_values",), "isclose": ("rtol", "atol")}
_IN_CONFIG = {"clip": ("x_min", "x_max")}  # arguments behind the first
_LEFT_OUT = {"relu": {"negative_slope": 0, "max_value": None, "threshold": 0}}  # where it is just this


def operation_to_keras(entry):
    """The dict of an operation of ours, as `scratchnet.graph.operation_config` writes it, in Keras's words.

    Raises ValueError for what Keras has no operation for, by name.
    """
    name, config, use = snake_case(entry["class_name"]), dict(entry["config"]), entry["inbound_nodes"][0]
    left_out = _LEFT_OUT.get(name, {})
    if name in _IN_CONFIG and any(isinstance(argument, dict) for argument in use["args"][1:]):
        raise ValueError(f"{entry['name']!r}: Keras has no operation {name!r} between tensors, save to an .npz file")
    special = [key for key, value in left_out.items() if config.pop(key, value) != value]
    if name.startswith("_") or name in _ONLY_HERE or special or use["kwargs"] or "seed" in config:
        told = f" with {', '.join(special)}" if special else " of sizes that are not fixed" if use["kwargs"] else ""
        raise ValueError(f"{entry['name']!r}: Keras has no operation {name!r}{told}, save to an .npz file")
    args = use["args"]
    if name == "einsum":
        args = args[0]
    if name in _IN_CONFIG:
        config, args = {**config, **dict(zip(_IN_CONFIG[name], args[1:]))}, args[:1]
    args = args + [_plain(config.pop(key)) for key in _IN_CALL.get(name, ()) if config.get(key) is not None]
    if name == "get_item":
        args[1] = _without_ellipsis(args[1], len(args[0]["config"]["shape"]))
    config = {key: _plain(value) for key, value in config.items() if key not in _IN_CALL.get(name, ())}
    return {
        **entry,
        "module": f"keras.src.ops.{_MODULE.get(name, 'numpy')}",
        "config": config,
        "registered_name": entry["class_name"],
        "inbound_nodes": [{"args": args, "kwargs": {}}],
    }


def _without_ellipsis(key, rank):
    """An index with as many slices in place of an ellipsis as it stands for: in an `.h5` file Keras cannot read one."""
    if not isinstance(key, list):
        key = [key]
    kinds = [entry.get("class_name") if isinstance(entry, dict) else None for entry in key]
    if "__ellipsis__" not in kinds:
        return key
    at = kinds.index("__ellipsis__")
    count = rank - sum(entry is not None for entry in key) + 1
    whole = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}
    return key[:at] + [whole] * count + key[at + 1 :]


def _plain(value):
    """Tuples as lists, as Keras writes them."""
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        return [_plain(entry) for entry in value["items"]]
    return [_plain(entry) for entry in value] if isinstance(value, list) else value

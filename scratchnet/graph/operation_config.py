"""The use of an operation as values that JSON can hold, in the form in which Keras writes it.

    {"module": "scratchnet.ops", "class_name": "Mean", "name": "mean", "config": {"name": "mean", "axis": 1, ...},
     "inbound_nodes": [{"args": [tensor], "kwargs": {}}]}

The operands are the arguments of the call, the options stand in the config. A formula of sizes stands there with
numbers for the tensors whose axes it names: their places in the argument ``sizes_of`` of the call.
"""

import functools
import inspect

from scratchnet import ops, registry
from scratchnet.graph.operation_node import OperationNode
from scratchnet.graph.symbolic import Size, record
from scratchnet.names import snake_case
from scratchnet.ops.operation import TABLE, get
from scratchnet.ops.random import SeedGenerator
from scratchnet.streams import RandomStream

_RENAMED = {"true_divide": "divide"}  # operations of Keras under another name


def written_operation(node, leaf):
    """The dict of a node that is an operation or a size; ``leaf(tensor or constant)`` writes an argument."""
    operands, sizes_of = (node.operands, node.sizes_of) if isinstance(node, OperationNode) else ([], node.inputs)
    if isinstance(node, OperationNode):
        name = node.operation.name
        options = {key: _written(value, sizes_of) for key, value in node.options.items()}
        args = [[leaf(a) for a in operands]] if node.operation.sequence else [leaf(a) for a in operands]
    else:
        name, args, options = "size", [], {"formula": _written(node.formula, sizes_of)}
    return {
        "module": "scratchnet.ops",
        "class_name": name if name.startswith("_") else "".join(word.capitalize() for word in name.split("_")),
        "config": {"name": node.name, **options},
        "registered_name": None,
        "name": node.name,
        "inbound_nodes": [{"args": args, "kwargs": {"sizes_of": [leaf(t) for t in sizes_of]} if sizes_of else {}}],
    }


def is_operation(entry):
    """Whether an entry of a graph's "layers" is an operation."""
    module, config = entry.get("module"), entry.get("config")
    if module is not None or registry.get_registered_object(entry["class_name"]) is not None:
        return module == "scratchnet.ops" or str(module).startswith("keras.src.ops.")
    # In an .h5 file Keras 3 names no modules, but a layer's config has more than an operation's.
    uses = entry.get("inbound_nodes") or [None]
    of_keras_3 = isinstance(uses[0], dict) and "args" in uses[0]
    return of_keras_3 and isinstance(config, dict) and not {"trainable", "layers", "batch_shape"} & config.keys()


def read_operation(entry):
    """A function that applies the operation of such a dict to the arguments of a call.

    Beside the operations of the table these are the functions of `scratchnet.ops` that are made of them.
    Raises ValueError for an operation that is neither.
    """
    name, config = entry["class_name"], dict(entry["config"])
    own_name = config.pop("name", None)
    if name == "Size":
        return lambda sizes_of: read_value(config["formula"], sizes_of).as_tensor(own_name)
    name = name if name in TABLE else snake_case(name)
    name = _RENAMED.get(name, name)
    made_of_others = None if name in TABLE else vars(ops).get(name)
    if inspect.isfunction(made_of_others) and not name.startswith("_"):
        return functools.partial(_call, made_of_others, config)
    return functools.partial(_apply, get(name), own_name, config)


def _apply(operation, name, config, *args, sizes_of=(), **kwargs):
    values = _arguments(operation.name, operation.parameters, config, args, sizes_of, kwargs)
    operands, options = operation.bind((), {key: values[key] for key in operation.parameters if key in values})
    return record(operation, operands, options, name)


def _call(function, config, *args, sizes_of=(), **kwargs):
    parameters = inspect.signature(function).parameters
    return function(**_arguments(function.__name__, parameters, config, args, sizes_of, kwargs))


def _arguments(name, parameters, config, args, sizes_of, kwargs):
    """The arguments of a call by name: options by name, the rest in order."""
    options = {key: read_value(value, sizes_of) for key, value in config.items()}
    unknown = [key for key, value in options.items() if key not in parameters and value not in (None, False)]
    if unknown:
        raise ValueError(f"the operation {name!r} knows no {', '.join(unknown)}")
    if len(parameters) == 1 + len(options.keys() & set(parameters)) and len(args) > 1:  # as Keras writes einsum(a, b)
        args = [list(args)]
    values = {**options, **dict(zip((n for n in parameters if n not in options), args)), **kwargs}
    if isinstance(values.get("key"), list):
        values["key"] = tuple(values["key"])  # as Keras writes x[0, 1:]
    return {key: value for key, value in values.items() if key in parameters}


def _written(value, sizes_of):
    if isinstance(value, Size):
        operands = value.operands
        if value.function is None:
            operands = [next(k for k, tensor in enumerate(sizes_of) if tensor is operands[0]), operands[1]]
        return {
            "class_name": "__size__",
            "function": value.function,
            "items": [_written(v, sizes_of) for v in operands],
        }
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [_written(entry, sizes_of) for entry in value]}
    if isinstance(value, slice):
        span = {"start": value.start, "stop": value.stop, "step": value.step}
        return {"class_name": "__slice__", "config": {key: _written(entry, sizes_of) for key, entry in span.items()}}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, (SeedGenerator, RandomStream)):
        return {"class_name": "SeedGenerator", "config": {"seed": value.seed}}
    return [_written(entry, sizes_of) for entry in value] if isinstance(value, list) else registry.serialize(value)


def read_value(value, sizes_of=()):
    """What `_written` wrote, or Keras: a slice, the places of an index, a number, an array, a formula of sizes."""
    if isinstance(value, list):
        return [read_value(entry, sizes_of) for entry in value]
    kind = value.get("class_name") if isinstance(value, dict) else None
    if kind == "__size__":
        operands = [read_value(entry, sizes_of) for entry in value["items"]]
        if value["function"] is None:
            operands[0] = sizes_of[operands[0]]
        return Size(value["function"], *operands)
    if kind == "__tuple__":
        return tuple(read_value(entry, sizes_of) for entry in value["items"])
    if kind == "__slice__":
        return slice(*(read_value(value["config"][key], sizes_of) for key in ("start", "stop", "step")))
    if kind == "__ellipsis__":
        return Ellipsis
    return SeedGenerator(value["config"]["seed"]) if kind == "SeedGenerator" else registry.deserialize(value)

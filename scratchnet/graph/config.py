"""A graph of layers as values that JSON can hold, in Keras's words.

    {"layers": [{"class_name": "Dense", "config": {...}, "name": "dense",
                 "inbound_nodes": [{"args": [tensor], "kwargs": {}}]}, ...],
     "input_layers": ["input", 0, 0], "output_layers": ["dense", 0, 0]}

Each layer stands there once, with a list of its uses, which are calls with tensors as arguments. A tensor is named by
its history: the layer that it comes out of, the number of that layer's use, and which of the outputs it is. (In
"input_layers" and "output_layers" Keras counts a nested model's uses from one, as if its own graph were the first.)

Keras 2 wrote the uses in another way, ``[[["dense", 0, 0, {}]]]``, and version 0.1.0 of this library the whole graph:
a list of nodes, each with a layer's name and the numbers of the nodes that it reads. Both are read as well.
"""

from typing import NamedTuple

from scratchnet import registry
from scratchnet.graph.operation_config import is_operation, read_operation, read_value, written_operation
from scratchnet.graph.symbolic import KerasTensor
from scratchnet.structure import flatten


class History(NamedTuple):
    """Where a tensor comes from."""

    layer: str
    use: int
    output: int


# ---- writing ----


def graph_config(inputs, outputs, layers, nodes, losses=()):
    """The dict of a graph.

    Args:
        inputs, outputs: KerasTensors, in any structure.
        layers: all layers, those of the inputs too, in the order in which they are to be written.
        nodes: the uses of layers and operations.
        losses: tensors that are added to the loss.

    Of losses, and of a tuple of outputs, Keras writes nothing.
    """
    uses = {layer: [] for layer in layers}
    histories = {tensor: History(tensor.name, 0, 0) for tensor in flatten(inputs)}
    for node in nodes:
        if node.layer is None:
            if isinstance(node.outputs, list):
                raise TypeError(f"the {node} has functions in it that cannot be saved: put it into a Layer with call")
            histories[node.outputs] = History(node.name, 0, 0)
            continue
        for k, tensor in enumerate(flatten(node.outputs)):
            histories[tensor] = History(node.layer.name, len(uses[node.layer]), k)
        uses[node.layer].append(node)
    written = []
    for layer in layers:
        entry = registry.serialize(layer)
        entry["name"] = layer.name
        entry["inbound_nodes"] = [_use(node, histories) for node in uses[layer]]
        written.append(entry)
    operations = [node for node in nodes if node.layer is None]
    written += [written_operation(node, lambda leaf: _leaf(leaf, histories)) for node in operations]
    own_uses = {layer.name: getattr(layer, "uses_of_its_own", 0) for layer in layers}

    def end(tensor):
        name, use, output = histories[tensor]
        return [name, use + own_uses.get(name, 0), output]

    config = {"layers": written, "input_layers": _map(end, inputs), "output_layers": _map(end, outputs)}
    if isinstance(outputs, tuple):  # of which JSON makes a list
        config["output_tuple"] = True
    return {**config, "added_losses": _map(end, losses)} if losses else config


def _use(node, histories):
    args, kwargs = node.call_arguments()
    return {
        "args": [_map(lambda leaf: _leaf(leaf, histories), argument) for argument in args],
        "kwargs": _map(lambda leaf: _leaf(leaf, histories), kwargs),
    }


def _leaf(tensor, histories):
    if not isinstance(tensor, KerasTensor):
        return registry.serialize(tensor)
    config = {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": list(histories[tensor])}
    return {"class_name": "__keras_tensor__", "config": config}


def _map(function, structure):
    """`function` of each leaf; tuples become lists."""
    if isinstance(structure, dict):
        return {key: _map(function, value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_map(function, value) for value in structure]
    return function(structure)


# ---- reading ----


def graph_from_config(config):
    """``(inputs, outputs, losses)``: KerasTensors of a graph of new layers, in the structures of "input_layers" etc.

    Raises ValueError for a use that reads what is not there, and for a graph that goes in a circle.
    """
    if "nodes" in config:
        return *_from_version_0(config), []
    layers, uses, tensors = {}, {}, {}
    for entry in config["layers"]:
        layer = read_operation(entry) if is_operation(entry) else registry.deserialize(entry, "layers")
        name = entry.get("name") or entry["config"]["name"]
        if name in layers:
            raise ValueError(f"two layers are named {name!r}")
        layers[name] = layer
        uses[name] = [_read_use(use) for use in entry.get("inbound_nodes", [])]
        if hasattr(layer, "batch_shape"):
            tensor = KerasTensor(layer.batch_shape, layer.dtype, name)
            tensor.optional, tensor.sparse = layer.optional, layer.sparse
            tensors[name, 0] = [tensor]
    ends = [_read_ends(config[key]) for key in ("input_layers", "output_layers")]
    ends.append([History(*loss) for loss in config.get("added_losses", [])])
    if any(isinstance(use, list) for entry in config["layers"] for use in entry.get("inbound_nodes", [])):
        first = _first_uses([*uses.values(), *ends])  # Keras 2
        uses = {name: [_counted_from_0(use, first) for use in of_layer] for name, of_layer in uses.items()}
    else:
        first = {name: getattr(layer, "uses_of_its_own", 0) for name, layer in layers.items()}
    ends = [_counted_from_0(end, first) for end in ends]
    for name, use in _in_order(uses, tensors):
        args, kwargs = _map_histories(lambda h: _find(tensors, h), uses[name][use])
        tensors[name, use] = flatten(layers[name](*args, **kwargs))
    inputs, outputs, losses = (_map_histories(lambda h: _find(tensors, h), end) for end in ends)
    return inputs, tuple(outputs) if config.get("output_tuple") else outputs, losses


def _first_uses(structures):
    """The number of each layer's first use: Keras 2 counts a nested model's own graph as one before it."""
    first = {}
    for history in _histories(structures):
        first[history.layer] = min(history.use, first.get(history.layer, history.use))
    return first


def _counted_from_0(structure, first):
    return _map_histories(lambda h: h._replace(use=h.use - first.get(h.layer, 0)), structure)


def _in_order(uses, known):
    """Yields ``(layer, number of the use)``, each after those that it reads and after its layer's earlier ones."""
    done, begun = set(known), set()
    number = {(name, k): use for name, of_layer in uses.items() for k, use in enumerate(of_layer)}
    for start in number:
        stack = [start]
        while stack:
            current = stack[-1]
            if current in done:
                stack.pop()
                continue
            if current not in number:
                raise ValueError(f"a layer reads use {current[1]} of {current[0]!r}, which is not there")
            needed = [(h.layer, h.use) for h in _histories(number[current])]
            if (current[0], current[1] - 1) in number:
                needed.append((current[0], current[1] - 1))
            waiting = [key for key in needed if key not in done]
            if not waiting:
                done.add(stack.pop())
                yield current
            elif current in begun:
                raise ValueError(f"the graph goes in a circle through {current[0]!r}")
            else:
                begun.add(current)
                stack.extend(waiting)


def _read_use(use):
    """``(args, kwargs)`` of one use, as Keras 3 or Keras 2 write it, with a History for each tensor."""
    if isinstance(use, dict) and "args" in use:
        args, kwargs = _read(use["args"]), _read(use["kwargs"])
    elif isinstance(use, dict):  # Keras 2, a layer that reads a dict
        args, kwargs = [{key: History(*value[:3]) for key, value in use.items()}], {}
    else:
        tensors = [History(*value[:3]) for value in use]
        kwargs = {key: _read_keras_2(value) for value in use for key, value in (value[3:] or [{}])[0].items()}
        args = [tensors[0] if len(tensors) == 1 else tensors]
    return args, {key: value for key, value in kwargs.items() if value is not None}


def _read(value):
    if isinstance(value, list):
        return [_read(entry) for entry in value]
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return History(*value["config"]["keras_history"])
    if isinstance(value, dict) and "class_name" not in value:
        return {key: _read(entry) for key, entry in value.items()}
    return read_value(value)


def _read_keras_2(value):
    if isinstance(value, list):
        return History(*value) if _is_history(value) else [_read_keras_2(entry) for entry in value]
    return value


def _read_ends(structure):
    if _is_history(structure):
        return History(*structure)
    if isinstance(structure, dict):
        return {key: _read_ends(value) for key, value in structure.items()}
    if isinstance(structure, list):
        return [_read_ends(value) for value in structure]
    raise ValueError("the inputs or outputs of a graph are no tensors")


def _is_history(value):
    return isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)


def _histories(structure):
    """All Histories in lists, tuples and dicts."""
    if isinstance(structure, History):
        return [structure]
    if isinstance(structure, dict):
        structure = structure.values()
    elif not isinstance(structure, (list, tuple)):
        return []
    return [history for value in structure for history in _histories(value)]


def _map_histories(function, structure):
    if isinstance(structure, History):
        return function(structure)
    if isinstance(structure, dict):
        return {key: _map_histories(function, value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_map_histories(function, value) for value in structure]
    return structure


def _find(tensors, history):
    found = tensors.get((history.layer, history.use), [])
    if history.output not in range(len(found)):
        raise ValueError(f"there is no output {history.output} of use {history.use} of {history.layer!r}")
    return found[history.output]


# ---- the format of version 0.1.0 ----


def _from_version_0(config):
    inputs = [KerasTensor(t["shape"], t["dtype"], t["name"]) for t in config["inputs"]]
    layers = {layer["config"]["name"]: registry.deserialize(layer, "layers") for layer in config["layers"]}
    outputs = []

    def tensor(tagged):
        if "dict" in tagged:
            return {key: tensor(value) for key, value in tagged["dict"].items()}
        if "list" in tagged:
            return [tensor(value) for value in tagged["list"]]
        kind, *place = tagged["tensor"]
        return inputs[place[0]] if kind == "input" else outputs[place[0]][place[1]]

    for node in config["nodes"]:
        outputs.append(flatten(layers[node["layer"]](tensor(node["inputs"]))))
    return tensor(config["input_structure"]), tensor(config["output_structure"])

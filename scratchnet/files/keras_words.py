"""Translation of configurations of models, layers and optimizers between Keras and this library; they hardly differ.

Files come from Keras 3 and Keras 2 (``tf_keras``, ``batch_input_shape``, ``lr``), and may hold unknown arguments. An
unknown argument that asks for nothing (None, False) is left out; any other stays, and the constructor refuses it by
name.
"""

import re

from scratchnet import ops, registry
from scratchnet.files.keras_operations import operation_to_keras
from scratchnet.files.tensorflow_operations import from_tensorflow
from scratchnet.graph.operation_config import is_operation
from scratchnet.recorded import constructor_arguments

# Older names of arguments, by class; () stands for every class.
_RENAMED = {
    (): {"lr": "learning_rate"},
    ("LeakyReLU",): {"alpha": "negative_slope"},
}
# What a class says beyond what matters here, whatever the value.
_IDLE = {
    "groups": (1,),  # of Keras 2, also where there can be none
    "time_major": (False,),
    "decay": (0, 0.0),
    "is_legacy_optimizer": (True, False),
    "jit_compile": (True, False),
    "ema_momentum": None,  # counts only with use_ema
    "interpolation_order": None,
    "rng_type": None,  # which generator Keras 2 draws with
    **dict.fromkeys(("query_shape", "key_shape", "value_shape")),  # of attention in Keras 2
}
# What Keras 2 wrote for these classes, because a base of theirs has it, and they have not.
_OF_BASES = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_WITHOUT_KERNEL = re.compile("SeparableConv|DepthwiseConv")


def from_keras(value):
    """A configuration of Keras in the registry's words; dicts in lists and dicts, too.

    The code of a lambda stays as it is: nobody runs it.
    """
    if isinstance(value, list):
        return [from_keras(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    value = from_tensorflow(value)
    name, config = value.get("class_name"), value.get("config")
    if name == "Sequential" and isinstance(config, list):  # until Keras 2.2 these were just its layers
        value = {**value, "config": {"layers": config}}
    if name == "__lambda__":
        return value
    own = registry.get_registered_object(name) is not None
    if isinstance(config, dict) and name == "Lambda" and config.get("function_type") == "lambda" and not own:
        config = {key: entry for key, entry in config.items() if key != "function_type"}
        value = {**value, "config": {**config, "function": {"class_name": "__lambda__", "config": {}}}}  # of Keras 2
    if name == "DTypePolicy":
        return _dtype(config.get("name") if isinstance(config, dict) else None)
    value = {key: from_keras(entry) for key, entry in value.items()}
    if isinstance(value.get("module"), str):
        value["module"] = _module(value["module"])
    if isinstance(name, str) and "inbound_nodes" in value and is_operation(value):
        return value  # an operation: its arguments are the business of whoever reads it
    if isinstance(name, str) and isinstance(value.get("config"), dict) and not name.startswith("__"):
        cls = _known_class(value, name)
        value["config"] = _arguments(name, value["config"], cls)
        if cls and ".preprocessing" in cls.__module__ and isinstance(value.get("inbound_nodes"), list):
            value["inbound_nodes"] = [_without_training(use) for use in value["inbound_nodes"]]
    return value


@registry.register("activations")
def hard_sigmoid_of_keras_2(x):
    """What hard_sigmoid was until Keras 3, which has a slope of 1/6."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def from_keras_2(value):
    """A configuration in which nothing means something else than in Keras 3: that is, hard_sigmoid."""
    if isinstance(value, list):
        return [from_keras_2(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    found = {key: from_keras_2(entry) for key, entry in value.items()}
    for key, entry in value.items():
        name = entry.get("config") if isinstance(entry, dict) and entry.get("class_name") == "function" else entry
        if key.endswith("activation") and name == "hard_sigmoid":
            found[key] = "hard_sigmoid_of_keras_2"
    return found


def _without_training(use):
    """The use of a layer whose calls say training=True unless they are told otherwise, as the graph tells them."""
    if isinstance(use, dict) and isinstance(use.get("kwargs"), dict) and use["kwargs"].get("training") is True:
        return {**use, "kwargs": {**use["kwargs"], "training": None}}
    return use


def _module(module):
    """Modules of Keras 2 and of Keras's insides as the registry knows them."""
    if module.startswith("tf_keras"):
        module = "keras" + module[len("tf_keras") :]
    if module.startswith("tensorflow.python.keras"):
        module = "keras" + module[len("tensorflow.python.keras") :]
    if ".engine.functional" in module or ".engine.sequential" in module or ".engine.training" in module:
        return "keras.models"
    return module


def _dtype(name):
    """The dtype of the parameters: half precision and mixed precision are read as float32."""
    return name if name in ("float32", "float64") or not isinstance(name, str) else "float32"


def _known_class(value, name):
    """The class, or None where it is somebody's own or unknown: then the arguments are its own business."""
    registered = value.get("registered_name")
    for own in (registered, name, str(registered).rpartition(">")[2]):
        if registry.get_registered_object(own) is not None:
            return None
    for kind in registry.KINDS:
        found = registry.find(kind, name)
        if isinstance(found, type) and (not value.get("module") or f".{kind}" in f".{value['module']}"):
            return found
    return registry.find("layers", name)


def _arguments(name, config, cls):
    if name not in ("InputLayer", "Feature") or "float" in str(config.get("dtype")):  # these may be integers or strings
        config = {key: _dtype(entry) if key == "dtype" else entry for key, entry in config.items()}
    if not isinstance(cls, type):
        return config
    for names, renamed in _RENAMED.items():
        if not names or name in names:
            config = {renamed.get(key, key): entry for key, entry in config.items()}
    if "batch_input_shape" in config:
        shape = config.pop("batch_input_shape")
        if name == "InputLayer":
            config["batch_shape"] = shape
        elif isinstance(shape, list) and shape:
            config.update(input_shape=shape[1:], batch_size=shape[0])
    if isinstance(config.get("axis"), list) and len(config["axis"]) == 1 and name.endswith("Normalization"):
        config["axis"] = config["axis"][0]  # of BatchNormalization in Keras 2
    known = {"name", "layers", "input_layers", "output_layers", "build_input_shape", "input_shape", "batch_size"}
    known |= set(constructor_arguments(cls))
    for base in cls.__mro__:
        known.update(vars(base).get("harmless", ()), vars(base).get("absent", ()))
    if _WITHOUT_KERNEL.match(name):
        config = {key: entry for key, entry in config.items() if key not in _OF_BASES}
    return {key: entry for key, entry in config.items() if key in known or not _asks_for_nothing(key, entry)}


def _asks_for_nothing(key, value):
    if key in _IDLE:
        return _IDLE[key] is None or value in _IDLE[key]
    return value is None or value is False or key == "dtype"


# ---- writing ----

# Arguments that are taken here, and that Keras's constructors do not know.
_NOT_IN_KERAS = {
    "InputLayer": ("trainable",),
    "Cropping1D": ("data_format",),
    "Discretization": ("trainable",),
    "HashedCrossing": ("trainable",),
    "Pipeline": ("trainable", "dtype"),
    "SpatialDropout1D": ("noise_shape", "trainable"),
    "SpatialDropout2D": ("noise_shape", "trainable"),
    "SpatialDropout3D": ("noise_shape", "trainable"),
}
# Where Keras has classes that it does not show in the room of their kind.
_ELSEWHERE = {
    **dict.fromkeys(("Cross", "Feature"), "keras.src.layers.preprocessing.feature_space"),
    "FeatureSpace": "keras.utils",
}


def to_keras(value):
    """What the registry wrote, in the words of Keras 3."""
    if isinstance(value, (list, tuple)):
        return [to_keras(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    value = {key: to_keras(entry) for key, entry in value.items()}
    module = value.get("module")
    if not isinstance(module, str) or module.partition(".")[0] != "scratchnet":
        return value
    if module == "scratchnet.ops" and "inbound_nodes" in value:
        return operation_to_keras(value)
    value["module"] = "keras" + module[len("scratchnet") :]
    name, config = value["class_name"], value["config"]
    value["class_name"] = {"GroupedQueryAttention": "GroupQueryAttention"}.get(name, name)
    if name in ("Model", "Sequential"):
        value["module"] = "keras" if name == "Sequential" else "keras.src.models.functional"
        value["class_name"] = value["registered_name"] = "Sequential" if name == "Sequential" else "Functional"
    if name in _ELSEWHERE:
        value["module"] = _ELSEWHERE[name]
        value["registered_name"] = None if name == "FeatureSpace" else name
    if name in _NOT_IN_KERAS:
        value["config"] = {key: entry for key, entry in config.items() if key not in _NOT_IN_KERAS[name]}
    if name == "function" and value["module"] == "keras.losses":
        value["registered_name"] = config
    return value

"""The public face of Keras beside ours: which names there are, and which arguments they take.

`docs/keras.md` is written from this by ``python tests/reference/make_keras_page.py``.
"""

import importlib
import inspect

DATASETS = (
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
)
APPLICATIONS = ("imagenet_utils", "mobilenet_v2", "resnet50")
# Keras's rooms and ours; the page shows them in this order.
ROOMS = {
    "keras": "scratchnet",
    "keras.models": "scratchnet.models",
    "keras.layers": "scratchnet.layers",
    "keras.activations": "scratchnet.activations",
    "keras.initializers": "scratchnet.initializers",
    "keras.regularizers": "scratchnet.regularizers",
    "keras.constraints": "scratchnet.constraints",
    "keras.losses": "scratchnet.losses",
    "keras.metrics": "scratchnet.metrics",
    "keras.optimizers": "scratchnet.optimizers",
    "keras.optimizers.schedules": "scratchnet.optimizers.schedules",
    "keras.callbacks": "scratchnet.callbacks",
    "keras.ops": "scratchnet.ops",
    "keras.ops.image": "scratchnet.ops.image",
    "keras.ops.linalg": "scratchnet.ops.linalg",
    "keras.ops.nn": "scratchnet.ops.nn",
    "keras.ops.numpy": "scratchnet.ops.numpy",
    "keras.random": "scratchnet.random",
    "keras.saving": "scratchnet.saving",
    "keras.utils": "scratchnet.utils",
    "keras.config": "scratchnet.config",
    "keras.distribution": "scratchnet.distribution",
    "keras.backend": "scratchnet.backend",
    "keras.preprocessing.image": "scratchnet.preprocessing.image",
    "keras.preprocessing.sequence": "scratchnet.preprocessing.sequence",
    **{f"keras.datasets.{name}": f"scratchnet.datasets.{name}" for name in DATASETS},
    "keras.wrappers": "scratchnet.wrappers",
    "keras.applications": "scratchnet.applications",
    **{f"keras.applications.{name}": f"scratchnet.applications.{name}" for name in APPLICATIONS},
}

# Why something of Keras is not there, by its full name; of a room, for everything in it.
REASONS = {
    "keras.distillation": "a training loop of its own",
    "keras.Function": "`Model(inputs, outputs)` is that, and `backend.function`",
    "keras.Operation": "a Layer with `call` is that; those of `ops` are entries of a table",
    **{
        f"keras.distribution.{name}": "a layer is computed on one machine as a whole"
        for name in ("LayoutMap", "ModelParallel", "TensorLayout", "distribute_tensor")
    },
    "keras.dtype_policies": "float32 and float64 are the only dtypes to compute in",
    "keras.mixed_precision": "float32 and float64 are the only dtypes to compute in",
    "keras.export": "writes graphs of a framework",
    "keras.quantizers": "float32 and float64 are the only dtypes to compute in",
    "keras.legacy": "Keras's own names for what it no longer has",
    "keras.tree": "`scratchnet.structure` is that",
    "keras.visualization": "needs a package of its own for boxes and masks",
    "keras.FloatDTypePolicy": "float32 and float64 are the only dtypes to compute in",
    "keras.Quantizer": "float32 and float64 are the only dtypes to compute in",
    "keras.StatelessScope": "layers are pure functions already",
    "keras.SymbolicScope": "symbolic tensors need no scope",
    "keras.RematScope": "trades memory for time in a framework's compiler",
    "keras.remat": "trades memory for time in a framework's compiler",
    "keras.device": "there is one device",
    "keras.name_scope": "names are those of layers",
    "keras.initializers.STFT": "STFTSpectrogram makes its kernels itself",
    "keras.initializers.STFTInitializer": "STFTSpectrogram makes its kernels itself",
    "keras.initializers.stft": "STFTSpectrogram makes its kernels itself",
    "keras.callbacks.OrbaxCheckpoint": "a file format of JAX",
    "keras.callbacks.RemoteMonitor": "sends figures over the net; a LambdaCallback does, if wanted",
    "keras.optimizers.LossScaleOptimizer": "guards half precision, which is not there",
    "keras.optimizers.MultiOptimizer": "train two models instead, or two calls of apply_gradients",
    "keras.optimizers.OptimizerMap": "of MultiOptimizer",
    **{
        f"keras.ops.{name}": "arrays are real: `fft` and its kin give pairs (re, im)"
        for name in (
            *("angle", "conj", "conjugate", "eig", "imag", "isreal", "polar", "real"),
            *("view_as_complex", "view_as_real"),
        )
    },
    **{
        f"keras.ops.numpy.{name}": "arrays are real: `fft` and its kin give pairs (re, im)"
        for name in ("angle", "conj", "conjugate", "imag", "isreal", "real")
    },
    "keras.ops.jvp": "derivatives are taken backward here, not forward",
    "keras.ops.linalg.jvp": "derivatives are taken backward here, not forward",
    "keras.ops.linalg.eig": "arrays are real: `fft` and its kin give pairs (re, im)",
    "keras.ops.nn.polar": "arrays are real: `fft` and its kin give pairs (re, im)",
    **{
        f"keras.ops.image.{name}": "the layers RandomRotation, RandomPerspective, RandomElasticTransform, ... do it"
        for name in (
            *("affine_transform", "elastic_transform", "map_coordinates", "perspective_transform"),
            "scale_and_translate",
        )
    },
    "keras.saving.KerasFileEditor": "`load_weights` takes files of other names of layers; h5py edits them",
    "keras.utils.Config": "a dict with attributes for keys, which types.SimpleNamespace is",
    "keras.config.enable_unsafe_deserialization": "nothing is read that would be run",
    "keras.config.is_nnx_enabled": "of JAX",
    "keras.config.set_backend": "the compiled kernels are chosen by `scratchnet.set_backend`",
    **{
        f"keras.config.{name}": "`fit` is told by its arguments epochs and steps_per_epoch"
        for name in ("max_epochs", "max_steps_per_epoch", "set_max_epochs", "set_max_steps_per_epoch")
    },
    **{
        f"keras.layers.{name}": "`Pipeline`, a chain of random layers that each draw for themselves, does it"
        for name in ("AugMix", "RandAugment")
    },
    "keras.layers.MaxNumBoundingBoxes": "boxes go with their images nowhere here",
    "keras.layers.TFSMLayer": "runs a graph of TensorFlow",
    "keras.layers.TorchModuleWrapper": "runs a module of PyTorch",
    "keras.layers.FlaxLayer": "runs a module of JAX",
    "keras.layers.JaxLayer": "runs a function of JAX",
}

# Signatures that differ on purpose, by Keras's full name.
WANTED = {
    "keras.activations.threshold": "Keras's has no defaults for what it calls required",
    "keras.KerasTensor": "made by Input and by layers; there are no sparse or ragged ones",
    "keras.Layer": "autocast is taken with the other arguments by name, since it changes no result",
    "keras.layers.Layer": "autocast is taken with the other arguments by name, since it changes no result",
    "keras.Variable": "layout says on which devices, of which there is one",
    "keras.layers.Dense": "lora_rank and quantization_config are of fine-tuned and of quantized large models",
    "keras.layers.EinsumDense": "lora_rank and quantization_config are of fine-tuned and of quantized large models",
    "keras.layers.InputLayer": "input_shape is the older name of shape",
}


def names_of(module):
    """The public names of a module of Keras: no modules, no private ones."""
    found = (name for name in dir(module) if not name.startswith("_"))
    return [name for name in found if not inspect.ismodule(getattr(module, name))]


def room(name):
    """The module of that name."""
    return importlib.import_module(name)


def parameters_of(thing):
    """The parameters of what can be called, or None where nobody says."""
    hidden = inspect.isclass(thing) and thing.__module__.startswith("keras")  # Keras's classes show those of __new__
    try:
        return list(inspect.signature(thing.__init__ if hidden else thing).parameters.values())[hidden:]
    except (TypeError, ValueError):
        return None


def arguments_of(parameters, kinds):
    """``[(name, default)]`` of the parameters of these kinds."""
    return [(p.name, "required" if p.default is p.empty else repr(p.default)) for p in parameters if p.kind in kinds]


def missing_names(keras_room):
    """The names of a room of Keras that ours has not."""
    ours = room(ROOMS[keras_room])
    return [name for name in names_of(room(keras_room)) if not hasattr(ours, name)]


def differing_signatures(keras_room):
    """``{full name: (ours, Keras's)}`` for the names of a room that both have; of arguments by name the order is free.

    Where Keras takes ``**kwargs``, ours may be named; where it takes ``*args`` as well, nothing is said.
    """
    theirs, ours, found = room(keras_room), room(ROOMS[keras_room]), {}
    for name in names_of(theirs):
        if not hasattr(ours, name) or not callable(getattr(theirs, name)):
            continue
        pair = [parameters_of(getattr(side, name)) for side in (ours, theirs)]
        if None in pair or any(p.kind is p.VAR_POSITIONAL and p.name == "args" for p in pair[1]):
            continue
        placed = [
            arguments_of(p, (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)) for p in pair
        ]
        named = [sorted(arguments_of(p, (inspect.Parameter.KEYWORD_ONLY,))) for p in pair]
        if any(p.kind is p.VAR_KEYWORD for p in pair[1]):
            named[0] = [argument for argument in named[0] if argument in named[1]]
        if placed[0] != placed[1] or named[0] != named[1]:
            found[f"{keras_room}.{name}"] = placed[0] + named[0], placed[1] + named[1]
    return found


def missing_rooms(keras):
    """The modules of Keras that no room of ours stands for."""
    modules = (name for name in dir(keras) if inspect.ismodule(getattr(keras, name)) and not name.startswith("_"))
    inside = ("src", "preprocessing", "datasets")  # their rooms stand for them
    return [f"keras.{name}" for name in modules if f"keras.{name}" not in ROOMS and name not in inside]


def face(keras):
    """What the page tells: a dict with an entry for each room, and the rooms that are missing."""
    rooms = {
        name: {
            "there": sum(hasattr(room(ours), known) for known in names_of(room(name))),
            "missing": missing_names(name),
            "differing": differing_signatures(name),
        }
        for name, ours in ROOMS.items()
    }
    return rooms, missing_rooms(keras)

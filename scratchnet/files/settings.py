"""What compile was told, as it stands in files."""

import warnings

from scratchnet import registry


def compile_settings(model):
    """compile's arguments as `registry.serialize` writes them; None where the model is not compiled.

    Among them may be what cannot be written, such as a lambda for a loss. Then the model is saved without them, and a
    warning says so: what was trained is not lost for that.
    """
    if model.optimizer is None:
        return None
    try:
        return registry.serialize({**model._compile_config, "optimizer": model.optimizer})
    except TypeError as problem:
        message = f"{model.name} is saved without what compile was told: {problem}"
        warnings.warn(message, stacklevel=5)
        return None

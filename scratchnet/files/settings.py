"""The arguments of compile, as they are written to files."""

import warnings

from scratchnet import registry


def compile_settings(model):
    """compile's arguments as `registry.serialize` writes them; None where the model is not compiled.

    If one of them cannot be written, such as a lambda for a loss, the model is saved without them, and a warning says
    so: the trained parameters are not lost.
    """
    if not model.compiled:
        return None
    try:
        return registry.serialize({**model._compile_config, "optimizer": model.optimizer})
    except TypeError as problem:
        message = f"{model.name} is saved without what compile was told: {problem}"
        warnings.warn(message, stacklevel=5)
        return None

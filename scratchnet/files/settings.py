"""The arguments of compile, as they are written to files, or what a class of one's own writes instead."""

import warnings

from scratchnet import lambdas, registry


def compile_settings(model, asked=True):
    """What `get_compile_config` says, as `registry.serialize` writes it; None where the model is not compiled.

    `asked`: whether a class of one's own is; otherwise these are the arguments of compile.

    If one of them cannot be written, such as a lambda for a loss, the model is saved without them, and a warning says
    so: the trained parameters are not lost.
    """
    if not hasattr(model, "compile"):  # a FeatureSpace
        return None
    if asked:
        settings = model.get_compile_config()
    else:
        settings = model._compile_config and {**model._compile_config, "optimizer": model.optimizer}
    if not settings:
        return None
    try:
        written = registry.serialize(settings)
        if lambdas.holds_lambda(written):
            raise TypeError("a lambda in it cannot be saved; a function with a name can")
        return written
    except TypeError as problem:
        message = f"{model.name} is saved without what compile was told: {problem}"
        warnings.warn(message, stacklevel=5)
        return None


def is_own(model, method):
    """Whether the model's class has a `method` of its own, such as `compile_from_config`."""
    return not getattr(type(model), method).__module__.startswith("scratchnet.")


def warn_not_compiled(model, filepath, problem):
    """Say that a file's settings of compile cannot be used, and leave the model without any."""
    message = f"{filepath}: the model is not compiled, its settings cannot be used: {problem}"
    warnings.warn(message, stacklevel=6)
    model.optimizer = model._compile_config = None

"""Going on after an interruption: everything that the rest of a fit depends on, in one dict of arrays."""

import numpy as np

from scratchnet.parallel.ranks import current_ranks


def training_state(model):
    """Weights, the optimizer's state and the seeds of random streams, as a dict of arrays."""
    state = {f"weights/{key}": w.copy() for key, w in model.named_arrays().items()}
    if model.optimizer is not None:
        state.update((f"optimizer/{key}", np.asarray(value)) for key, value in model.optimizer.get_state().items())
    state.update((f"random/{key}", np.asarray(stream.seed)) for key, stream in model.random_streams().items())
    state["random/shuffle"] = np.asarray(model.shuffle_seed)
    return state


def set_training_state(model, state):
    """Go on from `training_state`. Raises ValueError, and changes nothing, if it belongs to another model."""
    arrays, streams = model.named_arrays(), model.random_streams()
    expected = {f"weights/{key}" for key in arrays} | {f"random/{key}" for key in streams} | {"random/shuffle"}
    found = {key for key in state if not key.startswith("optimizer/")}
    if found != expected:
        raise model.error(f"the training state is of another model: {sorted(found ^ expected)} differ")
    for key, w in arrays.items():
        shape = state[f"weights/{key}"].shape
        if shape != w.shape:
            raise model.error(f"the training state is of another model: {key} has shape {shape}, not {w.shape}")
    if model.optimizer is not None:
        model.optimizer.divide_among(current_ranks(), model.trainable_params)
        model.optimizer.set_state(
            {key.removeprefix("optimizer/"): value for key, value in state.items() if key.startswith("optimizer/")}
        )
    for key, w in arrays.items():
        w[...] = state[f"weights/{key}"]
    for key, stream in streams.items():
        stream.seed = int(state[f"random/{key}"])
    model.shuffle_seed = int(state["random/shuffle"])

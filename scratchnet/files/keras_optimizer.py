"""The state of optimizers as Keras saves it: a numbered row of arrays.

First the number of steps and the learning rate (unless a schedule gives it), then the running averages of parameters
if there are any, then the slots: of one parameter after the other, those that were made together side by side; last, of
Nadam, the product of its momentums. Keras 2 had no learning rate there, nor that product, and until TensorFlow 2.10 one
slot of all parameters stood after the other.
"""

import numpy as np

from scratchnet.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Ftrl, Lamb, Lion, Nadam, RMSprop

# Slots in the order in which Keras makes them; those of one tuple stand side by side.
_SLOTS = {
    Adam: [("m", "v"), ("v_hat",)],
    AdamW: [("m", "v"), ("v_hat",)],
    RMSprop: [("v",), ("momentum",), ("mean",)],
    SGD: [("momentum",)],
    Adagrad: [("accumulator",)],
    Adadelta: [("accumulated_grad", "accumulated_delta_var")],
    Adamax: [("m", "u")],
    Ftrl: [("accumulator", "linear")],
    Lamb: [("m", "v")],
    Lion: [("m",)],
    Nadam: [("m", "v")],
}


def _keys(optimizer, params, state, older=False):
    """The keys of the optimizer's state in Keras's order, or None for an optimizer whose state is not translated."""
    if optimizer.takes_variables and not optimizer.gradient_accumulation_steps:  # in the order in which they were made
        return [key for key in state if key not in ("iterations", "learning_rate")]
    slots = _SLOTS.get(type(optimizer))
    if slots is None or optimizer.gradient_accumulation_steps:
        return None
    if older and type(optimizer) is Nadam:  # it had other momentums
        return None
    groups = [(slot,) for group in slots for slot in group] if older else [("average",), *slots]
    return [f"{slot}/{key}" for group in groups for key in params for slot in group if f"{slot}/{key}" in state]


def optimizer_arrays(optimizer, params):
    """The row of arrays, or None for an optimizer whose state is not translated. Builds the optimizer if need be."""
    optimizer.build(params)
    state = optimizer.get_state()
    keys = _keys(optimizer, params, state)
    if keys is None:
        return None
    row = [np.asarray(state["iterations"], np.int64)]
    if "learning_rate" in state:
        row.append(np.asarray(state["learning_rate"], np.float32))
    row += [state[key] for key in keys]
    if type(optimizer) is Nadam:
        row.append(np.asarray(optimizer.momentum_product(optimizer.steps), np.float32))
    return row


def set_optimizer_arrays(optimizer, params, row, older=False):
    """Go on from a row of arrays, `older` for the order of before TensorFlow 2.11. Returns whether it could be used.

    Raises ValueError if the arrays have other shapes than the parameters; nothing of the state is changed then.
    """
    optimizer.build(params)
    state = optimizer.get_state()
    keys = _keys(optimizer, params, state, older)
    if keys is None:
        return False
    first = 2 if "learning_rate" in state and len(row) != 1 + len(keys) else 1
    if type(optimizer) is Nadam and len(row) == first + len(keys) + 1:
        row = row[:-1]  # the product is computed from the number of steps
    if len(row) != first + len(keys):
        return False
    found = {"iterations": np.asarray(row[0]), **dict(zip(keys, row[first:]))}
    if first == 2:
        found["learning_rate"] = np.asarray(row[1], np.float64)
    optimizer.set_state(found)
    return True

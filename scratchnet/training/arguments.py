"""What fit, evaluate and predict are given: counts and words are checked, data become data sets."""

import inspect
import warnings

import numpy as np

from scratchnet import config, losses
from scratchnet.graph.logits import logits_of
from scratchnet.parallel.ranks import current_ranks
from scratchnet.training.batches import Batches, come_in_batches
from scratchnet.training.data import Arrays


def check_count(model, name, value, smallest, optional=False):
    """`value` as an int of at least `smallest`, or None where that is `optional`. Raises ValueError otherwise."""
    if value is None and optional:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < smallest:
        raise model.error(f"{name} must be an integer of at least {smallest}, got {value!r}")
    return int(value)


def check_shuffle(model, shuffle):
    """True, False or "batch". Raises ValueError for anything else."""
    if isinstance(shuffle, (bool, np.bool_, int)):
        return bool(shuffle)
    if shuffle == "batch":
        return shuffle
    raise model.error(f'shuffle must be True, False or "batch", got {shuffle!r}')


def check_validation_freq(model, frequency):
    """Raise ValueError unless `frequency` is a number of epochs, or several numbers of epochs."""
    for epoch in frequency if isinstance(frequency, (list, tuple, set)) else [frequency]:
        check_count(model, "validation_freq", epoch, 1)


def check_verbose(verbose):
    """0, 1 or 2; "auto" is 1. Raises ValueError for anything else."""
    if verbose == "auto":
        return 1 if config.is_interactive_logging_enabled() else 2
    if verbose not in (0, 1, 2):
        raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r}')
    return int(verbose)


def as_list(callbacks):
    """One callback, several, or none, as a list."""
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


def data_set(model, x, y=None, sample_weight=None, what="training", steps=None, class_weight=None):
    """`Arrays` or `Batches`, with targets where the model has a loss."""
    if x is None:
        raise model.error(f"the {what} data x is missing")
    if inspect.isroutine(x):
        raise model.error(f"the {what} data x is a function; a generator is what it returns when it is called")
    if come_in_batches(x):
        if y is not None or sample_weight is not None:
            raise model.error(f"the {what} data come in batches, which bring their targets; y must be left out")
        return Batches(model, x, steps, what, class_weight=class_weight)
    if y is None and model.loss is not None:
        hint = "; an autoencoder's targets are its inputs: fit(x, x)" if what == "training" else ""
        if isinstance(x, tuple) and len(x) == 2 and len(model.inputs) < 2:
            hint = "; x is a pair of which the second may be y: take it apart"
        raise model.error(f"needs targets: the {what} data have no y{hint}")
    return Arrays(model, x, y, sample_weight, what)


def warn_of_the_useless(model, train, validation):
    """A line for each of the mistakes that train without an error and learn nothing."""
    if not model.trainable_params:
        warnings.warn(f"{model.name}: there is nothing to train: no layer has a trainable parameter", stacklevel=3)
    terms = [model._objective.term_of(k) for k in range(len(model.outputs))]
    own_losses = [None if term is None else term.loss for term in terms]
    for tensor, loss in zip(model.outputs, own_losses):
        if loss is None or tensor.node is None or tensor.shape[-1:] != (1,):
            continue
        found = logits_of(tensor.node)
        if found is not None and found[1].name == "softmax":
            warnings.warn(
                f"{model.name}: a softmax of one unit is always 1 and learns nothing; use sigmoid", stacklevel=3
            )
    if train.size is None or validation is None or validation.size is None:
        return
    if current_ranks().size > 1 and (train.is_large or validation.is_large):  # each rank reads its own rows alone
        return
    for y, y_validation, loss in zip(train.y, validation.y, own_losses):
        if y is not None and y_validation is not None and y.size < 1 << 22:
            unseen = np.setdiff1d(_classes(y_validation, loss), _classes(y, loss))
            if unseen.size:
                warnings.warn(
                    f"{model.name}: training never sees {_listed(unseen)}, which validation has; shuffle the data "
                    "before validation_split",
                    stacklevel=3,
                )


def _classes(y, loss):
    """The classes among these targets, if the loss is one of classes."""
    if isinstance(loss, losses.SparseCategoricalCrossentropy):
        return np.unique(y)
    if isinstance(loss, losses.CategoricalCrossentropy):
        return np.flatnonzero(y.reshape(-1, y.shape[-1]).any(axis=0))
    if isinstance(loss, losses.BinaryCrossentropy) and (y.ndim == 1 or y.shape[-1] == 1):
        found = np.unique(y)
        return found if np.isin(found, (0, 1)).all() else []
    return []


def _listed(classes):
    return f"class{'es' * (len(classes) > 1)} {', '.join(f'{c:g}' for c in classes[:5])}{', ...' * (len(classes) > 5)}"

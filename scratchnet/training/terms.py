"""What compile's ``loss=`` and ``loss_weights=`` say, term by term: which loss, of which outputs, with which weight.

    total = sum over the terms of weight * loss(y_true, y_pred)

The losses are nested as the outputs are. Where one of them stands for a list or dict of outputs, it is a term of all of
these together; where several stand for one output among others, they are several terms of it. As in Keras, of several
for the one output of a model the first counts, and outputs that a short list does not reach go without; a warning says
so.
"""

import warnings
from typing import Any, NamedTuple

from scratchnet import losses
from scratchnet.losses.several_outputs import of_several_outputs
from scratchnet.structure import flatten, packed_like


class Term(NamedTuple):
    """One loss.

    Attributes:
        outputs: the number of the output; or a list or dict of numbers, of a loss of several outputs together.
        name: what logs call it, without "_loss".
    """

    loss: Any
    weight: float
    name: str
    outputs: Any

    @property
    def is_joint(self):
        return isinstance(self.outputs, (list, tuple, dict))


class _Weighted(NamedTuple):
    """What is said of one loss; in the place of None, that there is none."""

    loss: Any
    weight: float


def terms_of(model, loss, loss_weights=None):
    """The list of `Term`s of a model. Raises ValueError, TypeError for a loss that does not fit its outputs."""
    structure, names = model.pack_outputs(range(len(model.outputs))), model.output_names
    if not _is_nested(loss):
        loss, loss_weights = [loss] * len(names), _of_one_loss(loss_weights, len(names))
    elif isinstance(loss, dict) and not isinstance(structure, dict):
        check_keys("loss", loss, names)
        loss = [loss.get(name) for name in names]
    if len(names) == 1 and not _is_nested(structure):
        loss, loss_weights = _of_one_output(loss, loss_weights, names[0])
    if isinstance(loss_weights, dict) and not isinstance(loss, dict):
        check_keys("loss_weights", loss_weights, names)
        loss_weights = [loss_weights.get(name) for name in names]
    elif loss_weights is not None and not isinstance(loss_weights, (list, tuple, dict)):
        if not (isinstance(loss_weights, float) and len(names) == 1):
            raise ValueError(f"compile: loss_weights must be a list or dict, got {loss_weights!r}")
        loss_weights = [loss_weights]
    terms = []
    _find(_weighted(loss, loss_weights), structure, (), model, terms)
    return terms


def _find(said, outputs, path, model, terms):
    """Add to `terms` what is said of these outputs, those at `path` among the outputs."""
    if isinstance(said, _Weighted):
        if said.loss is not None:
            terms.append(_term(said, outputs, path, model))
        return
    leaves = flatten(outputs)
    if isinstance(said, list) and len(said) == len(leaves) and all(isinstance(one, _Weighted) for one in said):
        said = packed_like(outputs, said)  # one for each, whatever they are nested in
        if isinstance(said, _Weighted):
            _find(said, outputs, path, model, terms)
            return
    elif isinstance(said, list) and not isinstance(outputs, (list, tuple)) and (path or isinstance(outputs, dict)):
        for one in said:  # several of the same output
            _find(one, outputs, path, model, terms)
        return
    if isinstance(said, dict):
        if not isinstance(outputs, dict):
            raise ValueError(f"compile: loss has a dict for {_place(path)}, which are no dict of outputs")
        check_keys("loss", said, list(outputs))
        inner = [(key, said[key], outputs[key]) for key in said]
    else:
        told = f"loss has {len(said)} entries, the model {len(leaves)} outputs: "
        told += f"{[model.output_names[k] for k in leaves]}"
        if not isinstance(outputs, (list, tuple)) or len(said) > len(outputs):
            raise ValueError(f"compile: {told}")
        if len(said) < len(outputs):
            warnings.warn(f"compile: {told}; the last ones go without", stacklevel=2)
        inner = [(key, one, output) for key, (one, output) in enumerate(zip(said, outputs))]
    for key, one, output in inner:
        _find(one, output, (*path, key), model, terms)


def _term(said, outputs, path, model):
    loss, words = losses.resolve(said.loss), list(path)
    if not _is_nested(outputs):
        named = model.names_outputs or len(model.output_names) == 1
        name = model.output_names[outputs] if named else said.loss if isinstance(said.loss, str) else loss.name
        if not words:
            words = [name]
        elif isinstance(words[-1], int):
            words[-1] = name
    else:
        loss = of_several_outputs(loss, _place(path))
    return Term(loss, said.weight, "/".join(map(str, words)) or "_".join(model.output_names), outputs)


def _weighted(loss, weights):
    """`loss` with a `_Weighted` for each loss in it, and lists for tuples."""
    if not _is_nested(loss):
        weight = weights[0] if isinstance(weights, (list, tuple)) and len(weights) == 1 else weights
        if _is_nested(weight):
            raise ValueError(f"compile: loss_weights has {weights!r} for the one loss {loss!r}")
        return _Weighted(loss, 1.0 if weight is None else float(weight))
    if isinstance(loss, dict) and isinstance(weights, dict):
        check_keys("loss_weights", weights, list(loss), "the losses are for")
        return {key: _weighted(one, weights.get(key)) for key, one in loss.items()}
    entries = list(loss.values()) if isinstance(loss, dict) else list(loss)
    if weights is None:
        weights = [None] * len(entries)
    elif isinstance(weights, dict) or len(weights) != len(entries) or _is_flat_for(weights, entries):
        weights, count = flatten(weights), len(leaves_of(loss))
        if len(weights) != count:
            raise ValueError(f"compile: loss_weights has {len(weights)} entries, for {count} losses")
        remaining = iter(weights)
        weights = [[next(remaining) for _ in leaves_of(entry)] for entry in entries]
    found = [_weighted(entry, weight) for entry, weight in zip(entries, weights)]
    return dict(zip(loss, found)) if isinstance(loss, dict) else found


def _is_flat_for(weights, entries):
    """Whether some of the losses are nested where the weights are not."""
    return any(_is_nested(entry) and not _is_nested(weight) for entry, weight in zip(entries, weights))


def _is_nested(value):
    return isinstance(value, (list, tuple)) or (isinstance(value, dict) and "class_name" not in value)


def _of_one_loss(weights, count):
    """The weights of one loss for all of `count` outputs: a single number, however nested, holds for each of them."""
    leaves = flatten(weights)
    return leaves * count if len(leaves) == 1 and (weights is not leaves[0] or isinstance(weights, float)) else weights


def _of_one_output(loss, weights, name):
    """``(loss, weights)`` of a model's only output, as one loss."""
    given = leaves_of(loss)
    if len(given) > 1:
        warnings.warn(f"compile: of the losses {loss} for the one output {name!r} the first counts", stacklevel=2)
        weights = weights[:1] if isinstance(weights, (list, tuple)) and len(weights) == len(given) else weights
    return given[0] if given else loss, weights


def leaves_of(loss):
    """All losses, or metrics, in lists and dicts, as a list."""
    if not _is_nested(loss):
        return [loss]
    return [leaf for entry in (loss.values() if isinstance(loss, dict) else loss) for leaf in leaves_of(entry)]


def _place(path):
    return "outputs" + "".join(f"[{key!r}]" for key in path)


def check_keys(argument, value, names, whose="the model has"):
    """Raise ValueError for keys of a dict that are no names of outputs."""
    unknown = [key for key in value if key not in names]
    if unknown:
        raise ValueError(f"compile: {argument} names the outputs {unknown}; {whose} {names}")

"""The arrays of a PyTorch file, gathered by the modules that they belong to."""

import re
from typing import NamedTuple

import numpy as np

# Of LSTM, GRU and RNN: weight_ih_l0, weight_hh_l1_reverse, ...; of LSTMCell and the like: weight_ih, ...
_RECURRENT = re.compile(r"(weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)(?:_l(\d+))?(_reverse)?")
_KNOWN = ("weight", "bias", "running_mean", "running_var", "in_proj_weight", "in_proj_bias")


class Module(NamedTuple):
    """A module (or one layer of a stacked LSTM) with its arrays: weight, bias, running_mean, weight_ih, ..."""

    name: str
    arrays: dict  # those of the other direction end in _reverse

    @property
    def kind(self):
        if "weight_ih" in self.arrays:
            return "recurrent"
        return "attention" if "in_proj_weight" in self.arrays else "plain"

    def __str__(self):
        return f"{self.name} ({', '.join(f'{key} {array.shape}' for key, array in self.arrays.items())})"


def modules_of(arrays):
    """``(modules, left over)``: the list of Modules in the order of the file, and the names of mere counters."""
    found, counters = {}, []
    for name, array in arrays.items():
        prefix, _, leaf = name.rpartition(".")
        if leaf == "num_batches_tracked":
            counters.append(name)
            continue
        match = _RECURRENT.fullmatch(leaf)
        if match:
            leaf, layer, reverse = match.groups()
            prefix, leaf = (f"{prefix}.l{layer}" if layer is not None else prefix), leaf + (reverse or "")
        elif prefix.endswith(".out_proj") and f"{prefix.removesuffix('.out_proj')}.in_proj_weight" in arrays:
            prefix, leaf = prefix.removesuffix(".out_proj"), f"out_proj_{leaf}"
        elif leaf not in _KNOWN:  # a parameter by itself
            prefix, leaf = name, "weight"
        found.setdefault(prefix, {})[leaf] = np.asarray(array)
    return [Module(name, arrays) for name, arrays in found.items()], counters

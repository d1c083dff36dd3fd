"""What fit, evaluate and predict are given, checked once and then handed out batch by batch."""

import warnings
from typing import NamedTuple

import numpy as np

from scratchnet.structure import flatten


class Batch(NamedTuple):
    """Some rows of the data; each field is a list with one array for each input or output of the model."""

    x: list
    y: list
    weights: list  # None where an output has no sample weights

    def rows(self, part):
        """The same batch cut down to the slice `part` of its rows."""
        return Batch(*([None if a is None else a[part] for a in field] for field in self))

    @property
    def size(self):
        return len(self.x[0])


class Arrays:
    """Inputs, targets and sample weights of one data set, all with the same number of samples.

    Args:
        model: whose inputs and outputs the arrays belong to.
        x, y: array, list or dict, as the model's inputs and outputs are; `y` may be None for predict.
        sample_weight: None, one array for all outputs, or a list or dict with one for each.
        what: how errors call the data ("training", "validation", ...).
        finite: whether NaN and infinity are refused.

    Raises:
        TypeError: for data that are not arrays of numbers.
        ValueError: for no samples, different numbers of them, a shape that the model does not take, NaN or infinity.
    """

    def __init__(self, model, x, y=None, sample_weight=None, what="training", finite=True):
        self.what = what
        self.model = model
        if x is None:
            raise model.error(f"the {what} data x is missing")
        self.x = [self._array("x", v) for v in model.flatten_inputs(x)] if model.built else [self._array("x", x)]
        self.size = len(self.x[0])
        if not model.built:
            model.ensure_built(self.x[0].shape)
        model.check_inputs(self.x)
        self.y = [] if y is None else [self._array("y", v) for v in self._by_output(y, "y")]
        weights = self._by_output(sample_weight, "sample_weight") if sample_weight is not None else [None] * len(self.y)
        self.weights = [None if w is None else self._array("sample_weight", w) for w in weights]
        for name, values in (("x", self.x), ("y", self.y), ("sample_weight", self.weights)):
            for value in values:
                if value is not None and len(value) != self.size:
                    raise model.error(
                        f"the {what} data do not match: x has {self.size} samples, {name} has {len(value)}"
                    )
        if self.size == 0:
            raise model.error(f"the {what} data have no samples: x has shape {self.x[0].shape}")
        if finite:
            for name, values in (("x", self.x), ("y", self.y), ("sample_weight", self.weights)):
                self._refuse_non_finite(name, values)

    def _array(self, name, value):
        if not hasattr(value, "__array__") and not isinstance(value, (list, tuple, int, float)):
            raise self.model.error(
                f"the {self.what} data {name} must be arrays, got {type(value).__name__}; generators and data set "
                "objects of other libraries are not supported",
                TypeError,
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # before NumPy 1.24 a ragged list was only a warning
                array = np.asarray(value)
        except (ValueError, UserWarning):
            raise self.model.error(f"the {self.what} data {name} is a ragged list: its rows differ in length") from None
        if array.dtype.kind not in "fiub":
            raise self.model.error(f"the {self.what} data {name} must be numbers, got dtype {array.dtype}", TypeError)
        if array.ndim == 0:
            raise self.model.error(f"the {self.what} data {name} is a single number; it needs an axis of samples")
        return array

    def _by_output(self, value, name):
        """`value` as a list with one entry for each output of the model."""
        names = self.model.output_names
        if isinstance(value, dict):
            unknown = [key for key in value if key not in names]
            if unknown:
                raise self.model.error(f"{name} names the outputs {unknown}; the model has {names}")
            return [value.get(key) for key in names]
        if len(names) == 1:
            return (
                flatten(value)
                if isinstance(value, (list, tuple)) and len(value) == 1 and np.ndim(value[0])
                else [value]
            )
        if isinstance(value, (list, tuple)):
            if len(value) != len(names):
                raise self.model.error(f"{name} has {len(value)} entries, the model {len(names)} outputs: {names}")
            return list(value)
        if name == "sample_weight":
            return [value] * len(names)
        raise self.model.error(f"{name} must be a list or dict with one array for each of the outputs {names}")

    def _refuse_non_finite(self, name, values):
        for array in values:
            if array is None or array.dtype.kind != "f":
                continue
            for start in range(0, len(array), 4096):  # in pieces, so that the mask stays small
                finite = np.isfinite(array[start : start + 4096])
                if not finite.all():
                    row = start + int(np.argwhere(~finite)[0][0])
                    raise self.model.error(f"the {self.what} data {name} hold NaN or infinity (first in sample {row})")

    def split(self, fraction):
        """Two data sets: all but the last `fraction` of the samples, and those; before any shuffling, as in Keras."""
        if not 0 < fraction < 1:
            raise self.model.error(f"validation_split must be between 0 and 1, got {fraction!r}")
        at = int(self.size * (1 - fraction))
        if at == 0 or at == self.size:
            raise self.model.error(f"validation_split={fraction} of {self.size} samples leaves one part empty")
        return self._slice(slice(0, at), "training"), self._slice(slice(at, None), "validation")

    def _slice(self, rows, what):
        part = object.__new__(Arrays)
        part.model, part.what = self.model, what
        part.x, part.y = [a[rows] for a in self.x], [a[rows] for a in self.y]
        part.weights = [None if w is None else w[rows] for w in self.weights]
        part.size = len(part.x[0])
        return part

    def with_class_weight(self, class_weight):
        """Multiply the sample weights by ``class_weight[label]`` (labels or one-hot rows; classes not named count 1)."""
        if not isinstance(class_weight, dict):
            raise self.model.error(f"class_weight must be a dict from class to weight, got {class_weight!r}", TypeError)
        if len(self.y) != 1:
            raise self.model.error("class_weight works for models with one output only")
        y = self.y[0]
        labels = y.argmax(axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(self.size, -1)[:, 0]
        if labels.ndim != 1:
            raise self.model.error(f"class_weight needs one label for each sample, got targets of shape {y.shape}")
        weights = np.ones(self.size)
        for label, weight in class_weight.items():
            weights[labels == label] = weight
        self.weights = [weights if self.weights[0] is None else self.weights[0] * weights]

    def batch(self, rows):
        """The samples `rows` (a slice or an array of indices); x in the model's dtype."""
        taken = {}

        def take(array):
            if array is None:
                return None
            if id(array) not in taken:  # an autoencoder's x and y are the same array
                taken[id(array)] = array[rows]
            return taken[id(array)]

        x = [take(a).astype(self.model.compute_dtype, copy=False) for a in self.x]
        return Batch(x, [take(a) for a in self.y], [take(w) for w in self.weights])


def batches(size, batch_size, order=None):
    """The rows of each batch: slices, or pieces of the permutation `order`; the last batch may be smaller."""
    for start in range(0, size, batch_size):
        rows = slice(start, min(start + batch_size, size))
        yield rows if order is None else order[rows]


def check_batch_size(model, batch_size):
    """`batch_size` as an int of at least 1; None is Keras's default, 32."""
    if batch_size is None:
        return 32
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise model.error(f"batch_size must be a positive integer, got {batch_size!r}")
    return int(batch_size)

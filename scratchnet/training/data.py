"""What fit, evaluate and predict are given, checked and then handed out batch by batch."""

import copy
import warnings
from typing import NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.parallel.batch import Division
from scratchnet.structure import flatten, flattened_like, is_deep, map_structure
from scratchnet.training.agreement import described
from scratchnet.training.step import gradients

_LARGE = 1 << 28  # bytes: larger arrays, and those that lie on a disk, are looked through batch by batch as they come
_MUCH_TO_COPY = 1 << 20  # bytes of a batch, which several threads copy sooner than one


class LateRows:
    """Rows of an array that are copied out of it by the threads that compute them, each its own; as `dtype`.

    A slice of them waits as well. NumPy's functions take them for the array that they stand for.
    """

    def __init__(self, array, rows, dtype):
        self._array, self._rows, self.dtype = array, rows, dtype

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, part):
        return LateRows(self._array, self._rows[part], self.dtype)

    def __array__(self, dtype=None, copy=None):
        array = self._array
        if array.dtype == np.float32 and array.flags.carray:  # as there is a kernel for
            rows = kernels.take_rows(array.reshape(len(array), -1), self._rows)
            taken = rows.reshape(len(self), *array.shape[1:])
        else:
            taken = array.take(self._rows, axis=0)
        return taken.astype(self.dtype if dtype is None else dtype, copy=False)


class Batch(NamedTuple):
    """Some rows of the data; x, y and weights are lists with one array for each input or output of the model.

    Where several ranks compute a batch, its arrays have those rows alone that this rank computes.
    """

    x: list
    y: list
    weights: list  # None where an output has no sample weights
    division: Division | None = None  # of the whole batch

    def rows(self, part):
        """The same batch cut down to the slice `part` of its rows."""
        fields = self.x, self.y, self.weights
        return Batch(*([None if a is None else a[part] for a in field] for field in fields))

    def of_rank(self, divide):
        """The rows of a batch that is here as a whole that this rank is to compute."""
        division = divide(self.size, self.y)
        return self.rows(division.rows)._replace(division=division)

    @property
    def size(self):
        """How many rows the whole batch has."""
        return rows_of(self.x) if self.division is None else self.division.size

    def own_rows(self, part):
        """`rows` of a slice that counts the rows of the whole batch."""
        first = 0 if self.division is None else self.division.rows.start
        return self.rows(slice(part.start - first, part.stop - first))

    def taken(self):
        """The same batch, all of whose x are arrays, none `LateRows`."""
        return self._replace(x=[np.asarray(x) if isinstance(x, LateRows) else x for x in self.x])


class Arrays:
    """Inputs, targets and sample weights of one data set, all with the same number of samples.

    Args:
        model: whose inputs and outputs the arrays belong to.
        x, y: array, list or dict, as the model's inputs and outputs are; `y` may be None for predict.
        sample_weight: None, one array for all outputs, or a list or dict with one for each.
        what: how errors call the data ("training", "validation", ...).
        finite: whether NaN and infinity are refused, where they would reach the loss or a gradient.

    Raises:
        TypeError: for data that are not arrays of numbers.
        ValueError: for no samples, different numbers of them, a shape that the model does not take, NaN or infinity, or
            a target that the loss does not take.
    """

    _class_weight = None

    def __init__(self, model, x, y=None, sample_weight=None, what="training", finite=True):
        self.what = what
        self.model = model
        if x is None:
            raise model.error(f"the {what} data x is missing")
        if not model.knows_inputs:
            strings = model.takes_strings
            nested = _is_structure(x)
            x = map_structure(lambda v: self._array("x", v, strings), x) if nested else self._array("x", x, strings)
            self._check_samples(flatten(x)[0])
            model.build_on(x)
        inputs = zip(model.inputs, model.flatten_inputs(x, adjust=False))
        self.x = [None if v is None and t.optional else self._array("x", v, model.takes_strings) for t, v in inputs]
        self.size = rows_of(self.x)
        self._check_samples(next(x for x in self.x if x is not None))
        self.x = model.flatten_inputs(self.x)
        model.check_inputs(self.x)
        self.y = [] if y is None else self._targets(y)
        weights = self._by_output(sample_weight, "sample_weight") if sample_weight is not None else [None] * len(self.y)
        self.weights = [None if w is None else self._array("sample_weight", w) for w in weights]
        for name, values in self._named():
            for value in values:
                if value is not None and len(value) != self.size:
                    raise model.error(
                        f"the {what} data do not match: x has {self.size} samples, {name} has {len(value)}"
                    )
        self._refuse_late = finite and any(_is_large(a) for _, values in self._named() for a in values)
        if finite and not self._refuse_late:
            self._refuse_non_finite(self, 0)
        if self.y and not self._refuse_late:
            model.check_targets(self.y, self.size)

    def _check_samples(self, x):
        if len(x) == 0:
            raise self.model.error(f"the {self.what} data have no samples: x has shape {x.shape}")

    def _named(self):
        return ("x", self.x), ("y", self.y), ("sample_weight", self.weights)

    def _array(self, name, value, strings=False):
        array = value if type(value) is np.ndarray else self._as_array(name, value)
        if array.dtype.kind not in ("fiubUSO" if strings else "fiub"):
            hint = ""
            if name == "y" and array.dtype.kind in "OUS":
                hint = "; labels that are strings become integers by np.unique(y, return_inverse=True)[1]"
            raise self.model.error(
                f"the {self.what} data {name} must be numbers, got dtype {array.dtype}{hint}", TypeError
            )
        if array.ndim == 0:
            raise self.model.error(f"the {self.what} data {name} is a single number; it needs an axis of samples")
        return array

    def _as_array(self, name, value):
        if hasattr(value, "toarray"):  # a sparse matrix
            value = value.toarray()
        if not hasattr(value, "__array__") and not isinstance(value, (list, tuple, int, float)):
            raise self.model.error(f"the {self.what} data {name} must be arrays, got {type(value).__name__}", TypeError)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # before NumPy 1.24 a ragged list was only a warning
                return np.asarray(_of_numbers(value))
        except (ValueError, UserWarning):
            raise self.model.error(f"the {self.what} data {name} is a ragged list: its rows differ in length") from None

    def _targets(self, y):
        """The targets of each output; None where the output has no loss and none was given."""
        values = self._by_output(y, "y")
        for k, (value, wanted) in enumerate(zip(values, self.model.outputs_with_loss())):
            if value is None and wanted:
                raise self.model.error(f"y has no targets for the output {self.model.output_names[k]!r}")
        return [None if v is None else self._array("y", v) for v in values]

    def _by_output(self, value, name):
        """`value` as a list with one entry for each output of the model."""
        names, structure = self.model.output_names, self.model.output_structure
        if is_deep(structure) and (found := flattened_like(structure, value)) is not None:
            return found
        if isinstance(value, dict):
            unknown = [key for key in value if key not in names]
            if unknown:
                raise self.model.error(f"{name} names the outputs {unknown}; the model has {names}")
            return [value.get(key) for key in names]
        if len(names) == 1:
            return (
                flatten(value)
                if isinstance(value, (list, tuple))
                and len(value) == 1
                and hasattr(value[0], "shape")
                and np.ndim(value[0])
                else [value]
            )
        if isinstance(value, (list, tuple)):
            wanted = self.model.outputs_with_loss()
            if len(value) == sum(wanted):  # those without a loss are left out
                given = iter(value)
                return [next(given) if takes_part else None for takes_part in wanted]
            if len(value) != len(names):
                raise self.model.error(f"{name} has {len(value)} entries, the model {len(names)} outputs: {names}")
            return list(value)
        if name == "sample_weight":
            return [value] * len(names)
        wanted = self.model.outputs_with_loss()
        if sum(wanted) == 1:
            return [value if takes_part else None for takes_part in wanted]
        raise self.model.error(f"{name} must be a list or dict with one array for each of the outputs {names}")

    def _refuse_non_finite(self, data, first_row):
        """Raise ValueError if `data` (these, or a `Batch` of them) hold NaN or infinity.

        Unless the model and its loss look after them: the first such sample of each array is tried.
        """
        seen = []
        for name, values in (("x", data.x), ("y", data.y), ("sample_weight", data.weights)):
            for array in values:
                if array is None or array.dtype.kind != "f" or any(array is other for other in seen):
                    continue
                seen.append(array)  # an autoencoder's x and y are the same array
                for start in range(0, len(array), 4096):  # in pieces, so that the mask stays small
                    finite = np.isfinite(array[start : start + 4096])
                    if not finite.all():
                        row = start + int(np.argwhere(~finite)[0][0])
                        if _is_trained_on(self.model, Batch(data.x, data.y, data.weights).rows(slice(row, row + 1))):
                            break
                        raise self.model.error(
                            f"the {self.what} data {name} hold NaN or infinity (first in sample {first_row + row})"
                        )

    @property
    def is_large(self):
        """Whether nobody reads all of it at once."""
        return self._refuse_late

    @property
    def row_bytes(self):
        """How many bytes a row of x has."""
        return sum(x.nbytes for x in self.x if x is not None) // self.size

    def described(self):
        """What the ranks that share a fit must agree in."""
        return described([self.x, self.y, self.weights])

    def split(self, fraction):
        """Two data sets: all but the last `fraction` of the samples, and those; before any shuffling, as in Keras."""
        if not isinstance(fraction, (int, float, np.number)) or not 0 < fraction < 1:
            raise self.model.error(f"validation_split must be between 0 and 1, got {fraction!r}")
        at = int(self.size * (1 - fraction))
        if at == 0 or at == self.size:
            raise self.model.error(f"validation_split={fraction} of {self.size} samples leaves one part empty")
        return self._slice(slice(0, at), "training"), self._slice(slice(at, None), "validation")

    def _slice(self, rows, what):
        part = copy.copy(self)
        part.what = what
        part.x, part.y, part.weights, _ = Batch(self.x, self.y, self.weights).rows(rows)
        part.size = rows_of(part.x)
        return part

    def with_class_weight(self, class_weight):
        """Multiply the sample weights by those of the classes, see `weights_by_class`."""
        if len(self.y) != 1:
            raise self.model.error("class_weight works for models with one output only")
        if self._refuse_late:  # of large data each batch brings its own
            self._class_weight = class_weight
            weights_by_class(self.model, self.y[0][:1], class_weight)  # classes that there are not are told now
            return
        weights = weights_by_class(self.model, self.y[0], class_weight)
        self.weights = [times(self.weights[0], weights)]

    def steps(self, batch_size):
        """How many batches an epoch has."""
        return -(-self.size // batch_size)

    in_a_pass = steps

    def batches(self, batch_size, order=None, divide=None, wanted=None, part=None):
        """The batches of one pass over the data: slices, or pieces of the permutation `order`, with `LateRows`.

        Args:
            divide: None, or gives for the size and the targets of a batch its `Division`: which rows are read here.
            wanted: None, or says by its number whether a batch is read; None stands for one that is not.
            part: None, or the range of those batches of the pass that are gone through.
        """
        dtype = self.model.compute_dtype  # asked once: a model with `call` has to look for its parameters
        for number in range(self.steps(batch_size)) if part is None else part:
            start = number * batch_size
            if wanted is not None and not wanted(number):
                yield None
                continue
            stop, division = min(start + batch_size, self.size), None
            if divide is not None:
                division = divide(stop - start, self.y)
                start, stop = start + division.rows.start, start + division.rows.stop
            rows = slice(start, stop)
            batch = self.batch(rows if order is None else order[rows], start, dtype)
            yield batch._replace(division=division)

    def batch(self, rows, start=0, dtype=None):
        """The samples `rows` (a slice or an array of indices); floating point x in `dtype`, by default the model's."""
        taken = {}

        def take(array):
            if array is None:
                return None
            if id(array) not in taken:  # an autoencoder's x and y are the same array
                # `take` begins sooner than an index that may be anything
                taken[id(array)] = array[rows] if isinstance(rows, slice) else array.take(rows, axis=0)
            return taken[id(array)]

        dtype = self.model.compute_dtype if dtype is None else dtype

        def take_x(array):
            is_float = array is not None and array.dtype.kind == "f"
            if not isinstance(rows, slice) and self._may_be_late(array, len(rows)):
                return LateRows(array, rows, dtype if is_float else array.dtype)
            return take(array).astype(dtype, copy=False) if is_float else take(array)

        x = [take_x(a) for a in self.x]
        batch = Batch(x, [take(a) for a in self.y], [take(w) for w in self.weights])
        if self._refuse_late:
            self._refuse_non_finite(batch, start)
        if self._class_weight is not None:
            y = batch.y[0]
            weights = weights_by_class(self.model, y, self._class_weight)
            batch = batch._replace(weights=[times(batch.weights[0], weights)])
        return batch

    def _may_be_late(self, array, rows):
        """Whether so many rows of an x are much to copy, and nobody else reads them."""
        if array is None or self._refuse_late or rows * array[:1].nbytes < _MUCH_TO_COPY:
            return False
        return not any(array is y for y in self.y)

    def neighbours(self, batches, start):
        """x of several batches, the first of which begins at `start`: views of the data if theirs are."""
        stop = start + sum(batch.size for batch in batches)
        return [
            None if x is None else x[start:stop] if x.dtype == of_batches[0].dtype else np.concatenate(of_batches)
            for x, *of_batches in zip(self.x, *(batch.x for batch in batches))
        ]


def _is_trained_on(model, sample):
    """Whether loss and gradients of a sample are finite; nothing is changed."""
    dtype = model.compute_dtype
    x = [a.astype(dtype) if a is not None and a.dtype.kind == "f" else a for a in sample.taken().x]
    sample = sample._replace(x=x)
    try:
        with np.errstate(all="ignore"):
            model._prepare("evaluate")
            part = gradients(model._objective, sample, model._objective.counts(sample))
    except (TypeError, ValueError):  # it is refused for something else as well, or the model is not compiled
        return False
    return all(np.isfinite(found).all() for found in (part.values, part.added, *part.grads.values()))


def rows_of(xs):
    """How many samples a list of arrays has, in which None stands for an input that is missing."""
    for x in xs:
        if x is not None:
            return len(x)
    raise ValueError("all inputs are missing")


def weights_by_class(model, y, class_weight):
    """``class_weight[label]`` of each sample, or of each step of sequences of labels.

    Labels are (N,) or (N, 1); the largest entry of rows (N, classes) that sum to 1, one-hot or soft; or (N, T), where
    the model has outputs for each step. Raises ValueError for any other targets, several labels a row among them, and
    for classes that the model does not have.
    """
    if not isinstance(class_weight, dict):
        raise model.error(f"class_weight must be a dict from class to weight, got {class_weight!r}", TypeError)
    if y.ndim > 2:
        raise model.error(f"class_weight needs one label for each sample, got targets of shape {y.shape}")
    of_steps = y.ndim == 2 and y.ndim < model.outputs[0].ndim
    if y.ndim == 2 and y.shape[1] > 1 and not of_steps:
        if (y < 0).any() or not np.allclose(y.sum(axis=1, dtype=np.float64), 1, rtol=0, atol=1e-3):
            raise model.error(
                "class_weight needs one class for each sample, got rows with several labels or none: the entries of a "
                "row, one-hot or soft, must sum to 1"
            )
        labels, classes = y.argmax(axis=1), y.shape[1]
    else:
        labels, classes = y if of_steps else y.reshape(len(y)), max(model.outputs[0].shape[-1] or 0, 2)
        no_class = labels[labels != np.round(labels)]
        if len(no_class):
            raise model.error(f"class_weight needs one class for each sample, got the target {no_class[0]:g}")
    weights = np.ones(labels.shape)
    for label, weight in class_weight.items():
        is_class = isinstance(label, (int, np.integer)) and not isinstance(label, bool)
        if not is_class or not 0 <= label < classes:
            raise model.error(f"class_weight names the class {label!r}; classes are integers from 0 to {classes - 1}")
        if not isinstance(weight, (int, float, np.number)) or not 0 <= weight < np.inf:
            raise model.error(f"class_weight gives the class {label} the weight {weight!r}; weights are at least 0")
        weights[labels == label] = weight
    return weights


def times(weights, by_class):
    """Sample weights, or None, multiplied by those of the classes, each for samples or for their steps."""
    if weights is None:
        return by_class
    ndim = max(weights.ndim, by_class.ndim)
    weights, by_class = (w.reshape(w.shape + (1,) * (ndim - w.ndim)) for w in (weights, by_class))
    return weights * by_class


def _is_structure(x):
    """Whether `x` holds arrays, and is not one itself (a list of numbers is)."""
    values = list(x.values()) if isinstance(x, dict) else x
    return isinstance(values, (list, tuple)) and all(hasattr(v, "__array__") or isinstance(v, dict) for v in values)


def _is_large(array):
    """Whether to leave reading all of it until it is needed."""
    if array is None:
        return False
    base = array
    while base is not None and not isinstance(base, np.memmap):
        base = getattr(base, "base", None)
    return base is not None or array.nbytes > _LARGE


def _of_numbers(value):
    """`value` as NumPy takes it: pandas' nullable columns (Int64, Float64, boolean) become floating point numbers."""
    dtypes = getattr(value, "dtypes", getattr(value, "dtype", None))
    dtypes = list(dtypes) if hasattr(dtypes, "__iter__") else [dtypes]
    nullable = any(hasattr(dtype, "na_value") for dtype in dtypes)
    if nullable and hasattr(value, "to_numpy") and all(getattr(dtype, "kind", "O") in "fiub" for dtype in dtypes):
        return value.to_numpy(dtype=np.float64, na_value=np.nan)
    return value


def check_batch_size(model, batch_size):
    """`batch_size` as an int of at least 1; None is what the model's inputs say, or else Keras's default, 32."""
    if batch_size is None:
        return next((tensor.shape[0] for tensor in model.inputs if tensor.shape[:1] not in ((None,), ())), 32)
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise model.error(f"batch_size must be a positive integer, got {batch_size!r}")
    return int(batch_size)

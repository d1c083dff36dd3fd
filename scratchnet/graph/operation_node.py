"""The use of an operation of `scratchnet.ops` in a graph.

Where a batch is computed in parts, each part walks through the graph by itself. Most operations do not notice. A sum or
a mean over the samples is that of all parts: `sum_over_batch` forward, and backward, since every part has a share in
the adjoint of what is the same for all. Random numbers belong to rows, wherever these are; a number of rows among
tensors is that of the whole batch. All else that looks at several samples cannot be computed in parts:
`rows_of_outputs` says so.
"""

from typing import Any, NamedTuple

import numpy as np

from scratchnet.graph.nodes import Node
from scratchnet.graph.sizes import formulas_in, with_numbers
from scratchnet.ops.dtypes import floatx
from scratchnet.ops.operation import Kept, ToKeep
from scratchnet.ops.selection import get_item, is_basic
from scratchnet.ops.trial import Spec, with_rows
from scratchnet.parallel.batch import in_several_parts, rows_of_batch, sum_over_batch
from scratchnet.streams import SharedStream


class ReducedCache(NamedTuple):
    """Of a sum or mean over a batch that is computed in parts."""

    own: Any  # what the operation keeps, of this part
    share: float  # of this part in the result


class Settled(NamedTuple):
    """What an operation's operands become, for arrays of these dtypes, which it takes as they are."""

    floatx: Any  # the dtype of floats there
    dtypes: list  # pairs: the place of a tensor among the operands, and its dtype
    operands: list  # the constants, and None in the places of tensors
    to_keep: ToKeep

    def filled(self, arrays):
        """The operands with these arrays, or None if they are others; nearly always they are those of the last time."""
        if self.floatx is not floatx():
            return None
        operands = self.operands.copy()
        for (k, dtype), array in zip(self.dtypes, arrays):
            if array.dtype is not dtype or type(array) is not np.ndarray:
                return None
            operands[k] = array
        return operands


class OperationNode(Node):
    """An operation of `scratchnet.ops` applied to `operands`: tensors, arrays and numbers.

    Args:
        options: the rest of the operation's arguments; they may hold formulas of sizes.
        stream: where a random operation draws from.
        is_tensor: tells a symbolic tensor from a constant.
    """

    def __init__(self, operation, operands, options, name, is_tensor, stream=None):
        self.places = [k for k, a in enumerate(operands) if is_tensor(a)]  # the places of tensors
        self._formulas = formulas_in(options)
        self.sizes_of = list(dict.fromkeys(tensor for formula in self._formulas for tensor, _ in formula.axes))
        super().__init__([operands[k] for k in self.places] + self.sizes_of)
        self.operation = operation
        self.operands = operands
        self.options = options
        self.name = name
        self.stream = stream
        if operation is get_item and not self._formulas and is_basic(options["key"]):
            self.tile = options["key"]
        self._kinds = {k: _kind(operands[k].dtype) for k in self.places}
        self._needs = [False] * len(operands)  # which of the operands can have an adjoint
        self.settled = None  # the `Settled` of the last time
        # Whether it is no more than that: what is computed depends on the operands alone, each part for itself.
        self.is_function = not (operation.random or stream or self._formulas or self._may_be_over_batch())
        self._over_batch = False  # whether this is a sum or mean over the samples of the batch
        self._draws_rows = False  # whether the random numbers of a row belong to a sample
        self._differentiable = [
            operation.differentiable(k) and operands[k].dtype.startswith("float") for k in self.places
        ]
        for k, can in zip(self.places, self._differentiable):
            self._needs[k] = can
        self._adds = [operation.adds_into(k) for k in self.places]

    def wanted(self, reaches):
        """For each tensor among the operands, whether its adjoint is wanted and can be had."""
        return [can and self.operands[k] in reaches for k, can in zip(self.places, self._differentiable)]

    def rows_of_outputs(self, rows):
        if not any(rows):
            return [0]
        counts = [0] * len(self.operands)
        for k, count in zip(self.places, rows):
            counts[k] = count
        if self.stream is not None:
            return self._rows_drawn(max(counts, default=0))
        if self._may_be_over_batch():
            self._over_batch = True
            return [0]
        count = self.operation.rowwise(self.operands, self._settled_options(), counts)
        return [count] if count else None

    def _may_be_over_batch(self):
        """Whether the first axis of the operand is summed up."""
        name, operands = self.operation.name, self.operands
        return name in ("sum", "mean") and self.operation.reduces_axis(0, operands, self.options)

    def _rows_drawn(self, rows):
        """The same for a random operation: each row has numbers of its own, whatever part of the batch it is in."""
        if self.outputs.shape[:1] != (None,):
            return [0]
        self._draws_rows = True
        if "shape" not in self.options:
            return None if self.options.get("axis") == 0 else [rows]  # a batch in random order is no row by row
        count, left_over = divmod(with_rows(self.options["shape"], 12)[0], 12)
        return None if left_over else [count]

    def _settled_options(self):
        """The options to try the operation with: no stream must move on for that."""
        return self.options if self.stream is None else {**self.options, "seed": 0}

    def output_shapes(self, shapes):
        operands, shape_of = list(self.operands), dict(zip(self.inputs, shapes))
        for k in self.places:
            tensor, shape = operands[k], shape_of[operands[k]]
            operands[k] = Spec(shape, tensor.dtype, tensor.trials if tuple(shape) == tensor.shape else None)
        options = self._settled_options()
        if not any(shape_of[t][axis] is None for f in self._formulas for t, axis in f.axes):
            options = with_numbers(options, lambda tensor, axis: shape_of[tensor][axis])
        return self.operation.output_spec(operands, options).shape

    def read(self, values):
        return list(map(values.__getitem__, self.inputs))

    def forward(self, x, training, mask=None):
        options = self.options
        if self._formulas:
            size_of = dict(zip(self.inputs, x))
            options = with_numbers(options, lambda tensor, axis: size_of[tensor].shape[axis])
        if self.stream is not None:
            options = {**options, "seed": self.stream if self._draws_rows else SharedStream(self.stream)}
        last = self.settled
        operands = None if last is None else last.filled(x)
        if operands is None:
            operands, to_keep = self._settled(x)
        else:
            to_keep = last.to_keep
        z, kept = self.operation.forward_settled(operands, options, to_keep)
        if self._over_batch and in_several_parts(asking=True):
            return self._of_whole_batch(z, kept, operands[0].size)
        return z, kept

    def _settled(self, x):
        """``(operands, to_keep)`` of the operation."""
        given = list(self.operands)
        for k, array in zip(self.places, x):
            given[k] = array if array.dtype.kind == self._kinds[k] else _of_kind(array, given[k].dtype)
        operands, to_keep = self.operation.settle(given), self.operation.to_keep(given, self._needs)
        if all(operands[k] is array for k, array in zip(self.places, x)):
            dtypes = [(k, array.dtype) for k, array in zip(self.places, x)]
            constants = [None if k in self.places else a for k, a in enumerate(operands)]
            self.settled = Settled(floatx(), dtypes, constants, to_keep)
        return operands, to_keep

    def _of_whole_batch(self, z, kept, size):
        """The sum or mean over all parts of the batch, given that over this part, of an operand of this size."""
        if self.operation.name == "sum":
            return np.asarray(sum_over_batch(z)[0]), ReducedCache(kept, 1.0)
        total_size, total = sum_over_batch(size, z * z.dtype.type(size))
        return np.asarray(total / z.dtype.type(total_size)), ReducedCache(kept, size / total_size)

    def backward(self, dz, kept, adjoints, wanted):
        operation, operands = self.operation, self.operands
        if type(kept) is ReducedCache:  # z is the same in all parts, and each part has a share in its adjoint
            dz = np.asarray(sum_over_batch(dz)[0] * dz.dtype.type(kept.share))
            kept = kept.own
        if operation.sequence:
            needs = [False] * len(operands)
            for k, want in zip(self.places, wanted):
                needs[k] = want and kept.needs[k]
            for operand, d in zip(operands, operation.backward(dz, Kept({**kept, "needs": needs}))):
                if d is not None:
                    adjoints.add(operand, d)
            return {}
        needs = kept["needs"]
        for k, want, adds in zip(self.places, wanted, self._adds):
            if not want or not needs[k]:
                continue
            if adds:
                self._add_adjoint(k, dz, kept, adjoints)
            else:
                adjoints.add(operands[k], operation.adjoint(k, dz, kept))
        return {}

    def _add_adjoint(self, k, dz, kept, adjoints):
        tensor, like = self.operands[k], (kept["shapes"][k], kept["dtypes"][k])
        whole = adjoints.to_put_together(tensor, self, *like) if self.tile is not None else None
        if whole is None:
            self.operation.add_adjoint(k, adjoints.to_add_into(tensor, *like), dz, kept)
        else:
            whole[self.tile] = dz

    def __getstate__(self):
        return {**vars(self), "settled": None}

    def __str__(self):
        return f"operation {self.operation.name!r}, {self.place}"

    def __repr__(self):
        return f"<operation {self.operation.name!r} in a graph>"


class JoinedBatchNode(OperationNode):
    """An operation that joins the batch with rows of another origin: only a batch of as many samples will do.

    Args: as of `OperationNode`, and `batch`, how many.
    """

    def __init__(self, *args, batch):
        super().__init__(*args)
        self.batch = batch
        self.is_function = False

    def rows_of_outputs(self, rows):
        return None if any(rows) else [0]

    def output_shapes(self, shapes):
        self._check([shape[:1] for shape in shapes])
        return super().output_shapes(shapes)

    def forward(self, x, training, mask=None):
        self._check([array.shape[:1] for array in x])
        return super().forward(x, training, mask)

    def _check(self, rows):
        """Raise ValueError for other numbers of samples: a single one would be spread over all rows."""
        for tensor, found in zip(self.inputs, rows):
            if tensor.shape[:1] == (None,) and tensor.trials is None and found not in ((None,), (self.batch,)):
                raise ValueError(
                    f"{self.operation.name} joins the batch with {self.batch} rows, so only batches of {self.batch} "
                    f"samples will do, got {found[0]}; make as many rows as the batch has, ops.shape(x)[0]"
                )


class SizeNode(Node):
    """A formula of sizes as a number among tensors: where rows are samples, those of the whole batch."""

    def __init__(self, formula, name):
        super().__init__(list(dict.fromkeys(tensor for tensor, _ in formula.axes)))
        self.formula = formula
        self.name = name
        self._of_batch = set()  # the tensors whose rows belong to samples

    def output_shapes(self, shapes):
        return ()

    def rows_of_outputs(self, rows):
        self._of_batch = {tensor for tensor, count in zip(self.inputs, rows) if count}
        return [0]

    def forward(self, x, training, mask=None):
        arrays = dict(zip(self.inputs, x))

        def size_of(tensor, axis):
            n = arrays[tensor].shape[axis]
            return rows_of_batch(n) if axis == 0 and tensor in self._of_batch else n

        return np.asarray(self.formula.value(size_of), np.int32), None

    def wanted(self, reaches):
        return []

    def __str__(self):
        return f"size {self.formula!r}, {self.place}"


def _kind(dtype):
    """NumPy's letter for a kind of dtype; that of strings is no single one."""
    return None if dtype == "string" else np.dtype(dtype).kind


def _of_kind(array, dtype):
    """Integers where floats were promised as floats: pixels as uint8 would overflow. And the other way round."""
    return array if dtype == "string" else array.astype(dtype)

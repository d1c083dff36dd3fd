"""evaluate and predict: batches through the model, forward only, as many at a time as there are threads."""

import contextlib
import itertools
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratchnet import kernels
from scratchnet.callbacks import CallbackList
from scratchnet.callbacks.base import Callback
from scratchnet.parallel.agreement import check_agreement, together
from scratchnet.parallel.batch import Part, computing
from scratchnet.parallel.ranks import current_ranks
from scratchnet.parallel.threads import Workers, get_num_threads
from scratchnet.structure import flatten
from scratchnet.training.agreement import facts_of
from scratchnet.training.arguments import as_list, check_count, check_verbose, data_set
from scratchnet.training.batches import Batches, check_end, come_in_batches
from scratchnet.training.collected import Collected
from scratchnet.training.compiled import Compiled
from scratchnet.training.data import Arrays, check_batch_size, rows_of
from scratchnet.training.in_use import in_use
from scratchnet.training.work import (
    LEAST_HELPED,
    batches_worth,
    is_helped,
    most_numbers,
    multiply_adds,
    shared_in_use,
    way_in_use,
    weights_of,
)

_LEAST_ROWS = 16  # of a batch that is the only one, with which two threads are not busy otherwise
_AHEAD = 16  # times that each thread computes before they meet again, if nobody wants to know in between,
_ROOM = 1 << 26  # and bytes that go in and come out meanwhile
_NOBODY = Callback()  # none of whose hooks does anything


class Counted(NamedTuple):
    """What the figures need of a batch."""

    size: int
    y: list | None
    weights: list | None
    x: list | None = None
    division: None = None


class Evaluator(Compiled):
    """The part of a Model that evaluates and predicts."""

    _predictions_begun = 0
    fits_running = 0  # of this model, in any thread

    @property
    def compute_dtype(self):
        """The dtype of the parameters, which floating point data are converted to."""
        within = (layer.params for layer in self.sublayers.values())  # asked until one of them has any
        parameters = (parameter for found in itertools.chain((self._params,), within) for parameter in found.values())
        parameter = next(parameters, None)
        return np.dtype(self.dtype) if parameter is None else parameter.dtype

    @together
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on `x`, `y`: a float, or a list when there is more than one figure, or a dict."""
        verbose = check_verbose(verbose)
        batch_size = check_batch_size(self, batch_size)
        steps = check_count(self, "steps", steps, 1, optional=True)
        if not self.compiled:
            self._prepare("evaluate")
        check_end(self, x, "test", steps is not None or callbacks)
        data = data_set(self, x, y, sample_weight, "test", steps)
        self._prepare("evaluate")
        self._agree_in("evaluate", data, batch_size)
        callbacks = self._test_callbacks(callbacks, verbose, data.steps(batch_size))
        # While a fit is running (this is called by one of its callbacks, or in another thread) it counts in its own.
        averages = self._new_averages(own=True) if self.fits_running else self._averages
        averages.reset()
        with Workers() as workers:
            logs = self._evaluate(data, batch_size, workers, callbacks, averages, steps)
        return dict(sorted(logs.items())) if return_dict else as_keras(logs)

    def _evaluate(self, data, batch_size, workers, callbacks, averages, steps=None):
        objective = self._objective
        model = objective.model if self.run_eagerly else in_use(objective.model)

        def use_of(batch, ys, masks, added):
            values = objective.forward(batch, ys, objective.counts(batch), masks, training=False)[0]
            counted = Counted(batch.size, batch.y, batch.weights, batch.x)
            if not averages.wants_predictions:
                return counted._replace(y=None, weights=None, x=None), values, None, added + penalty, None
            return counted, values, objective.predictions(ys), added + penalty, masks

        penalty = model.penalty()[0]
        self.stop_evaluating = False
        callbacks.on_test_begin()
        self._run(
            model,
            use_of,
            data,
            batch_size,
            steps,
            workers,
            callbacks.on_test_batch_begin,
            lambda result: averages.add(*result, training=False),
            _nothing
            if callbacks is _NOBODY
            else lambda step: callbacks.on_test_batch_end(step, averages.logs_in_order()),
            lambda: self.stop_evaluating,
            adds=model.adds_loss,
        )
        logs = averages.logs()
        callbacks.on_test_end(averages.logs_in_order())
        return logs

    @together
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
    ) -> Any:
        """The outputs for `x`, as arrays in the structure of the model's outputs.

        Without `steps`, data that come in batches are taken to their end.
        """
        verbose = check_verbose(verbose)
        batch_size = check_batch_size(self, batch_size)
        steps = check_count(self, "steps", steps, 1, optional=True)
        check_end(self, x, "prediction", steps is not None or callbacks)
        if come_in_batches(x):
            data = Batches(self, x, steps, "prediction", finite=False)
        else:
            data = Arrays(self, x, what="prediction", finite=False)
        self._agree_in("predict", data, batch_size)
        self.trace_ahead((False,))
        callbacks = self._test_callbacks(callbacks, verbose, data.steps(batch_size))
        results, collected = [], None
        if _is_many_batches(data, batch_size) and current_ranks().size == 1:
            collected = Collected(data.size if steps is None else min(data.size, steps * batch_size), self.outputs)
        self.stop_predicting = False
        callbacks.on_predict_begin()
        with Workers() as workers:
            self._run(
                self if self.run_eagerly else in_use(self),
                lambda batch, ys, masks, added: (batch.x, ys),
                data,
                batch_size,
                steps,
                workers,
                callbacks.on_predict_batch_begin,
                results.append,
                _nothing
                if callbacks is _NOBODY
                else lambda step: callbacks.on_predict_batch_end(step, {"outputs": self.pack_outputs(results[-1][1])}),
                lambda: self.stop_predicting,
                tell=lambda result: ([], result[1]),
                kept=collected,
            )
        callbacks.on_predict_end()
        if not results:
            raise self.error("the prediction data have no batches")
        return self.pack_outputs(_together_again(results, collected))

    def _run(
        self, model, use_of, data, batch_size, steps, workers, begin, use, end, stops, adds=False, tell=None, kept=None
    ):
        """Compute as many batches at a time as there are workers on all ranks; use the results in their order.

        Args:
            model: computes the outputs.
            use_of: ``use_of(batch, ys, masks, added)`` makes the result of a batch of its outputs, their masks and what
                layers add to the loss.
            stops: whether a callback has asked for no more batches.
            adds: whether layers add to the loss, and somebody wants to know.
            tell: of a result, what other ranks need; by default all of it.
            kept: a `Collected`, where the outputs are kept; each is used as it lies there.
        """
        self._predictions_begun += 1  # layers that draw even now (Monte Carlo dropout) draw anew each time
        run = (1 << 33) + self._predictions_begun
        ranks, stateful = current_ranks(), self.stateful
        quiet = end is _nothing and ranks.size == 1 and isinstance(data, Arrays)
        most, one, helped = self._together(model, data, batch_size, workers, stateful, quiet)
        here = 1 if one else workers.count
        may_join = _is_many_batches(data, batch_size)  # here, but not on several ranks
        together = 1 if stateful else here * ranks.size
        row_by_row = []  # whether the rows of each group of batches were computed each by itself
        sizes = []  # of a row in each of them, what goes in and comes out, in bytes

        def is_own(number):
            return number % together // here == ranks.rank

        def compute(numbered):
            """The results of a few batches that are computed as one; None if their rows have turned out to meet."""
            numbers, batches = zip(*numbered)
            size = sum(batch.size for batch in batches)
            part = Part((run, numbers[0]), rows=size)
            with computing(part), kernels.row_by_row() if may_join else contextlib.nullcontext():
                xs = batches[0].x if len(batches) == 1 else data.neighbours(batches, numbers[0] * batch_size)
                y, cache = model.forward(model.pack_inputs(xs), training=False)
                if stateful:
                    model.remember(cache)
                ys, masks, added = flatten(y), cache.masks, model.added_loss(cache) if adds else 0.0
                row_by_row.append(part.is_row_by_row)
                if len(batches) > 1 and not part.is_row_by_row:  # known otherwise from before
                    return None
                sizes.append(sum(array.nbytes for array in (*xs, *ys) if array is not None) // max(size, 1))
                if kept is not None:
                    ys = kept.put(numbers[0] * batch_size, ys, size)
                if len(batches) == 1:
                    return [(numbers[0], use_of(batches[0], ys, masks, added))]
                return [
                    (number, use_of(batch, _of_rows(ys, rows), _of_rows(masks, rows), added))
                    for number, batch, rows in zip(numbers, batches, _rows_of(batches))
                ]

        def compute_those_left(pieces):
            """The results of pieces that no other thread has taken."""
            results = []
            for piece in pieces:
                found = compute(piece)
                results += [result for pair in piece for result in compute([pair])] if found is None else found
            return results

        def at_a_time():
            """How many batches a thread computes as one, and how often before all meet, as far as is known."""
            joined = most if all(row_by_row) else 1
            return joined, max(1, min(_AHEAD, _ROOM // max(max(sizes) * batch_size * here * joined, 1))) if quiet else 1

        remembered = model.graph.rows_in_use if may_join and model.graph is not None else {}
        if remembered and (known := remembered.get(data.row_bytes)) is not None:
            sizes.append(known)
        first = 0
        joined, ahead = at_a_time() if sizes else (1, 1)
        batches = iter(data.batches(batch_size, wanted=None if ranks.size == 1 else is_own))
        while steps is None or first < steps:
            room = together * joined * ahead
            room = room if steps is None else min(room, steps - first)
            group = [batch for _, batch in zip(range(room), batches)]
            if not group:
                break
            begin(first)
            own = [(number, batch) for number, batch in enumerate(group, first) if is_own(number)]
            pieces = _in_pieces(own, joined, here)
            if helped:
                workers.help_one()
            threads, left = min(here, len(pieces)), iter(pieces)
            results = [result for found in workers.map(compute_those_left, [left] * threads) for result in found]
            results.sort(key=operator.itemgetter(0))  # by number
            for number, result in results if ranks.size == 1 else _of_all_ranks(results, tell):
                if number > first:  # each begins when the one before has ended, though they are computed together
                    begin(number)
                use(result)
                end(number)
                if stops():
                    return
            first += len(group)
            joined, ahead = at_a_time()
        remembered.clear()
        if may_join and sizes and all(row_by_row):
            remembered[data.row_bytes] = max(sizes)
        if not isinstance(data, Arrays):
            next(batches, None)  # there are no more: data with hooks learn that they have been gone through

    def _together(self, model, data, batch_size, workers, stateful, quiet):
        """``(most, one, helped)``: how many batches may be computed as one, if each row is computed by itself; whether
        one thread is to compute them all; and whether it has a helper.
        """
        if current_ranks().size > 1 or not isinstance(data, Arrays):
            return 1, stateful, False
        if stateful or data.size <= batch_size:  # one at a time
            return 1, True, _is_enough(min(batch_size, data.size), model)
        work, shared = multiply_adds(model), shared_in_use(model)
        can_join = not (model.adds_loss or model.graph is None or model.in_one_part)
        if can_join:
            can_join = all(rows == 1 for rows in model.graph.rows_of_outputs([1] * len(model.inputs)))
        weights = weights_of(model)
        most = batches_worth(batch_size, work, most_numbers(model), weights) if can_join else 1
        can_help = workers.count == 2 and workers.can_help
        one, helped = way_in_use(data.size * work, data.size * shared, weights, can_help)
        if can_help and not (one or quiet):  # they would meet after each of a few batches, since somebody listens
            one = helped = is_helped(most * batch_size * work, most * batch_size * shared, weights)
        return most, one, helped

    def _is_worth_a_helper(self, x):
        """Whether a call with `x` has so much to compute that two threads should share it; not of symbolic tensors."""
        arrays = [array for array in flatten(x) if isinstance(array, np.ndarray) and array.ndim]
        return bool(arrays) and self.graph is not None and _is_enough(len(arrays[0]), self)

    def _agree_in(self, what, data, batch_size):
        """Ranks that evaluate or predict together must have the same data; within a fit they have agreed."""
        if current_ranks().size > 1:
            settings = {"threads": get_num_threads(), "batch_size": batch_size}
            check_agreement(what, {**facts_of(self, {what: data}), **settings})

    def _test_callbacks(self, callbacks, verbose, steps):
        bar = bool(verbose) and current_ranks().rank == 0
        if not callbacks and not bar:
            return _NOBODY
        return CallbackList(as_list(callbacks), add_progbar=bar, model=self, verbose=verbose, epochs=1, steps=steps)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics on this batch, as `evaluate` returns them."""
        return self.evaluate(x, y, _rows(x), verbose=0, sample_weight=sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for this one batch."""
        return self.predict(x, batch_size=_rows(x), verbose=0)


def _is_enough(rows, model):
    """Whether the only batch there is, of so many rows, is enough for two threads."""
    return rows >= _LEAST_ROWS and rows * shared_in_use(model) >= LEAST_HELPED


def _in_pieces(batches, most, threads):
    """Lists of at most so many batches each, of about the same length, as many for each thread."""
    count = min(-(-len(batches) // (most * threads)) * threads, len(batches))
    edges = [len(batches) * k // max(count, 1) for k in range(count + 1)]
    return [batches[a:b] for a, b in zip(edges, edges[1:])]


def _nothing(step):
    """What is done behind a batch where nobody listens."""


def _of_all_ranks(results, tell):
    """``(number, result)`` of all ranks in order: this one's as they are, of the others what they tell."""
    ranks = current_ranks()
    told = results if tell is None else [(number, tell(result)) for number, result in results]
    everybody = ranks.gather("results of batches", told)
    everybody[ranks.rank] = results
    return [result for results in everybody for result in results]


def _rows_of(batches):
    """The slice of each of some batches that stand behind one another."""
    edges = [0, *itertools.accumulate(batch.size for batch in batches)]
    return [slice(*pair) for pair in zip(edges, edges[1:])]


def _together_again(results, collected):
    """The outputs of predict, as arrays that belong to the caller, from those of all batches, ``(xs, ys)`` each."""
    if len(results) == 1:
        ((xs, ys),) = results
        return [_as_new(y, xs) for y in ys]
    whole = None if collected is None else collected.hand_over(sum(rows_of(xs) for xs, _ in results))
    return [np.concatenate(ys) for ys in zip(*(ys for _, ys in results))] if whole is None else whole


def _is_many_batches(data, batch_size):
    return isinstance(data, Arrays) and data.size > batch_size


def _of_rows(arrays, rows):
    return [None if array is None else array[rows] for array in arrays]


def _as_new(y, xs):
    """`y` as an array that belongs to the caller: not a view of something else, least of all of the data."""
    shared = not y.flags.writeable or y.base is not None or any(np.may_share_memory(y, x) for x in xs if x is not None)
    return y.copy() if shared else y


def _rows(x):
    first = next(a for a in flatten(x) if a is not None) if isinstance(x, (list, dict)) else x
    return len(first) if np.ndim(first) else len(x)


def as_keras(logs):
    """A single figure as a float, several as a list."""
    figures = list(logs.values())
    return figures[0] if len(figures) == 1 else figures

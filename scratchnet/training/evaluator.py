"""evaluate and predict: batches through the model, forward only, as many at a time as there are threads."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet.callbacks import CallbackList
from scratchnet.callbacks.base import Callback
from scratchnet.parallel.batch import Part, computing
from scratchnet.parallel.threads import Workers
from scratchnet.structure import flatten
from scratchnet.training.arguments import as_list, check_count, check_verbose, data_set
from scratchnet.training.batches import Batches, come_in_batches
from scratchnet.training.compiled import Compiled
from scratchnet.training.data import Arrays, check_batch_size
from scratchnet.training.step import concatenated


class Evaluator(Compiled):
    """The part of a Model that evaluates and predicts."""

    _predictions_begun = 0
    fits_running = 0  # of this model, in any thread

    @property
    def compute_dtype(self):
        """The dtype of the parameters, which floating point data are converted to."""
        parameter = next(iter(self.params.values()), None)
        return np.dtype(self.dtype) if parameter is None else parameter.dtype

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
        if self.optimizer is None:
            self._prepare("evaluate")
        data = data_set(self, x, y, sample_weight, "test", steps)
        self._prepare("evaluate")
        callbacks = self._test_callbacks(callbacks, verbose, data.steps(batch_size))
        # While a fit is running (this is called by one of its callbacks, or in another thread) it counts in its own.
        averages = self._new_averages(own=True) if self.fits_running else self._averages
        averages.reset()
        with Workers() as workers:
            logs = self._evaluate(data, batch_size, workers, callbacks, averages, steps)
        return logs if return_dict else as_keras(logs)

    def _evaluate(self, data, batch_size, workers, callbacks, averages, steps=None):
        objective = self._objective
        model = objective.model

        def compute(batch):
            y, cache = model.forward(model.pack_inputs(batch.x), training=False)
            if model.stateful:
                model.remember(cache)
            ys = flatten(y)
            values = objective.forward(batch, ys, objective.counts(batch), cache.masks)[0]
            return batch, values, objective.predictions(ys), model.added_loss(cache) + penalty, cache.masks

        penalty = model.penalty()[0]
        callbacks.on_test_begin()
        self._run(
            compute,
            data.batches(batch_size),
            steps,
            workers,
            callbacks.on_test_batch_begin,
            lambda result: averages.add(*result),
            lambda step: callbacks.on_test_batch_end(step, averages.logs()),
        )
        logs = averages.logs()
        callbacks.on_test_end(logs)
        return logs

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        steps: int | None = None,
        callbacks: Sequence[Callback] | Callback | None = None,
    ) -> Any:
        """The outputs for `x`, as arrays in the structure of the model's outputs."""
        verbose = check_verbose(verbose)
        batch_size = check_batch_size(self, batch_size)
        steps = check_count(self, "steps", steps, 1, optional=True)
        if come_in_batches(x):
            data = Batches(self, x, steps, "prediction", finite=False)
        else:
            data = Arrays(self, x, what="prediction", finite=False)
        callbacks = self._test_callbacks(callbacks, verbose, data.steps(batch_size))
        given, y_preds = [], []

        def compute(batch):
            y, cache = self.forward(self.pack_inputs(batch.x), training=False)
            if self.stateful:
                self.remember(cache)
            return batch.x, flatten(y)

        def use(result):
            given.append(result[0])
            y_preds.append(result[1])

        callbacks.on_predict_begin()
        with Workers() as workers:
            self._run(
                compute,
                data.batches(batch_size),
                steps,
                workers,
                callbacks.on_predict_batch_begin,
                use,
                callbacks.on_predict_batch_end,
            )
        callbacks.on_predict_end()
        if not y_preds:
            raise self.error("the prediction data have no batches")
        ys = concatenated(y_preds)
        return self.pack_outputs([_as_new(y, given[0]) for y in ys] if len(y_preds) == 1 else ys)

    def _run(self, compute, batches, steps, workers, begin, use, end):
        """Compute as many batches at a time as there are workers; use the results in their order."""
        self._predictions_begun += 1  # layers that draw even now (Monte Carlo dropout) draw anew each time
        run = (1 << 33) + self._predictions_begun

        def compute_numbered(item):
            number, batch = item
            with computing(Part((run, number), rows=batch.size)):
                return compute(batch)

        first = 0
        batches = iter(batches)
        while steps is None or first < steps:
            room = 1 if self.stateful else workers.count
            room = room if steps is None else min(room, steps - first)
            group = [batch for _, batch in zip(range(room), batches)]
            if not group:
                break
            for k in range(len(group)):
                begin(first + k)
            for k, result in enumerate(workers.map(compute_numbered, enumerate(group, first))):
                use(result)
                end(first + k)
            first += len(group)

    def _test_callbacks(self, callbacks, verbose, steps):
        return CallbackList(
            as_list(callbacks), add_progbar=bool(verbose), model=self, verbose=verbose, epochs=1, steps=steps
        )

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics on this batch, as `evaluate` returns them."""
        return self.evaluate(x, y, _rows(x), verbose=0, sample_weight=sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for this one batch."""
        return self.predict(x, batch_size=_rows(x), verbose=0)


def _as_new(y, xs):
    """`y` as an array that belongs to the caller: not a view of something else, least of all of the data."""
    shared = not y.flags.writeable or y.base is not None or any(np.may_share_memory(y, x) for x in xs)
    return y.copy() if shared else y


def _rows(x):
    first = flatten(x)[0] if isinstance(x, (list, dict)) else x
    return len(first) if np.ndim(first) else len(x)


def as_keras(logs):
    """A single figure as a float, several as a list."""
    figures = list(logs.values())
    return figures[0] if len(figures) == 1 else figures

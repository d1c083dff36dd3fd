"""fit.

One training step is

    y_pred, cache = model.forward(x, training=True)
    value, loss_cache = loss.forward(y, y_pred)
    dx, grads = model.backward(loss.backward(loss_cache), cache)
    optimizer.update(params, grads)

The first three lines stand in `scratchnet.training.step`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import kernels
from scratchnet import streams as seeds
from scratchnet.callbacks import CallbackList, History, ProgbarLogger, TerminateOnNaN
from scratchnet.callbacks.base import Callback
from scratchnet.constraints import put_in_bounds
from scratchnet.parallel.agreement import check_agreement, together
from scratchnet.parallel.ranks import current_ranks
from scratchnet.parallel.threads import Workers, get_num_threads
from scratchnet.training.agreement import facts_of, facts_of_training
from scratchnet.training.arguments import (
    as_list,
    check_count,
    check_shuffle,
    check_validation_freq,
    check_verbose,
    data_set,
    warn_of_the_useless,
)
from scratchnet.training.batches import check_end, come_in_batches
from scratchnet.training.data import check_batch_size
from scratchnet.training.epochs import place_in_pass, warn_of_the_end
from scratchnet.training.evaluator import Evaluator, as_keras
from scratchnet.training.resume import set_training_state, training_state
from scratchnet.training.step import Trained, concatenated, divided, figures_of_all, run_step


class Trainer(Evaluator):
    """The part of a Model that trains it."""

    own_attributes = (
        *("optimizer", "loss", "run_eagerly", "history", "stop_training", "shuffle_seed", "first_epoch", "_objective"),
        *("_averages", "_compile_config", "_predictions_begun", "_stop_at_nan", "fits_running", "begun_epoch"),
        *("stop_evaluating", "stop_predicting"),
    )

    history = None
    stop_training = False
    shuffle_seed = 0  # of the fit that is running, or was the last
    first_epoch = 0  # of the fit that is running; a callback that goes on after an interruption sets it, and this:
    begun_epoch = None  # how many batches of it are done already, and the figures of these (`Averages.get_state`)

    @together
    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Sequence[Callback] | Callback | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> History:
        """Train for `epochs` passes over the data and return the `History`.

        Args:
            x, y: arrays (lists or dicts of arrays for several inputs or outputs), samples along the first axis; or x is
                something that gives batches ``(x, y)`` or ``(x, y, sample_weight)``: a generator, a `PyDataset`, a
                loader.
            batch_size: samples in a step, 32 by default; the last batch of an epoch may be smaller.
            verbose: 0 silent, 1 (or "auto") a progress bar, 2 a line per epoch.
            validation_split: this last fraction of the data is taken away before shuffling and used to validate.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, or something that gives batches; wins over
                `validation_split`.
            shuffle: whether each epoch takes the samples (of a `PyDataset`: the batches) in another order; "batch":
                whole batches of neighbouring samples in another order.
            class_weight: dict from class to weight.
            initial_epoch: where to go on counting.
            steps_per_epoch, validation_steps: how many batches to take; by default all there are. An epoch that takes
                fewer is followed by one that goes on with the next batch; a validation begins with the first.
            validation_freq: validate every so many epochs, or after the epochs (from 1) of a list.

        Raises:
            ValueError, TypeError: for data or arguments that do not fit, before anything is changed.
            FloatingPointError: where the loss becomes NaN or infinite; says in which epoch, batch and layer.
        """
        verbose = check_verbose(verbose)
        batch_size = check_batch_size(self, batch_size)
        validation_batch_size = check_batch_size(self, validation_batch_size or batch_size)
        epochs = check_count(self, "epochs", epochs, 0)
        initial_epoch = check_count(self, "initial_epoch", initial_epoch, 0)
        steps_per_epoch = check_count(self, "steps_per_epoch", steps_per_epoch, 1, optional=True)
        validation_steps = check_count(self, "validation_steps", validation_steps, 1, optional=True)
        shuffle = check_shuffle(self, shuffle)
        check_validation_freq(self, validation_freq)
        train, validation = self._data_sets(
            x, y, sample_weight, class_weight, validation_split, validation_data, steps_per_epoch, validation_steps
        )
        warn_of_the_useless(self, train, validation)
        self.stop_training = False
        self.shuffle_seed = seeds.new_seed()
        self.first_epoch, self.begun_epoch = initial_epoch, None
        settings = {"batch_size": batch_size, "epochs": epochs, "shuffle": shuffle, "initial_epoch": initial_epoch}
        self._agree("fit", {"training": train, "validation": validation}, {**settings, "seed": self.shuffle_seed})
        steps = train.steps(batch_size)
        if steps is not None and steps_per_epoch is not None:
            steps = min(steps, steps_per_epoch)
        callbacks = self._callbacks(callbacks, verbose, steps, epochs)
        wants_logs = callbacks.wants_logs_of_batches
        self._stop_at_nan = not any(isinstance(c, TerminateOnNaN) for c in callbacks)
        averages, optimizer, model = self._averages, self.optimizer, self._objective.model
        if verbose and current_ranks().rank == 0:
            kernels.announce_backend()

        logs = {}
        self.fits_running += 1
        try:
            callbacks.on_train_begin()
            with Workers() as workers:
                for epoch in range(self.first_epoch, epochs):
                    callbacks.on_epoch_begin(epoch)
                    averages.reset()
                    done = 0
                    if self.begun_epoch is not None:
                        (done, figures), self.begun_epoch = self.begun_epoch, None
                        averages.set_state(figures)
                    trained = Trained.of(self._running_objective().model, self.run_eagerly)
                    if current_ranks().size == 1 and trained.params:
                        optimizer.build(trained.params)  # what stays, before the first step fills memory with the rest
                    place, part = place_in_pass(epoch - initial_epoch, steps_per_epoch, train.in_a_pass(batch_size))
                    order = None
                    if shuffle:
                        order = self._order(train, epoch - place, batch_size if shuffle == "batch" else 1)
                    part = part[:0] if done and self.stop_training else part[done:]
                    for batch in train.batches(batch_size, order, self._divide(workers), part=part):
                        callbacks.on_train_batch_begin(done)
                        where = f"epoch {epoch + 1}, batch {done + 1}"
                        self._train_step(batch, trained, workers, averages, where)
                        callbacks.on_train_batch_end(done, averages.logs_in_order() if wants_logs else {})
                        done += 1
                        if self.stop_training:
                            break
                    if not self.stop_training:
                        warn_of_the_end("training", done, steps_per_epoch or 1)
                    if done == 0:  # the data have ended in an epoch before
                        break
                    self._check_parameters(where=f"the last batch of epoch {epoch + 1}")
                    logs = averages.logs()
                    if validation is not None and _validates(epoch, validation_freq):
                        scores = self._evaluate(
                            validation,
                            validation_batch_size,
                            workers,
                            callbacks,
                            self._new_averages(own=True),
                            validation_steps,
                        )
                        logs.update((f"val_{key}", value) for key, value in scores.items())
                    logs = dict(sorted(logs.items()))  # as callbacks of Keras get them; what these add comes after
                    callbacks.on_epoch_end(epoch, logs)
                    if self.stop_training:
                        break
        except BaseException:  # Ctrl-C too: the model stays as the last step left it
            callbacks.on_train_interrupted()
            raise
        finally:
            self.fits_running -= 1
        optimizer.finalize_variable_values(model.trainable_params)
        callbacks.on_train_end(logs)
        return self.history

    def _running_objective(self):
        """What this fit is for. Raises ValueError where a callback has changed that in its midst."""
        if self._objective is None:
            raise self.error(
                "a callback has compiled or changed the model while fit was running; let it end this fit "
                "(model.stop_training = True), and change the model before the next"
            )
        return self._objective

    def _order(self, data, epoch, together):
        """The order of an epoch: it depends on the seed of the fit and the number of the epoch alone.

        `together`: how many neighbouring samples stay together.
        """
        size = data.size if data.size is not None else data.in_a_pass(None)
        if size is None:
            return None
        order = np.random.default_rng([self.shuffle_seed, epoch]).permutation(-(-size // together))
        if together == 1:
            return order
        order = (order[:, None] * together + np.arange(together)).reshape(-1)
        return order[order < size]

    def _agree(self, what, data, settings):
        """Ranks that train together have to have the same program."""
        if current_ranks().size > 1:
            facts = {**facts_of(self, data), **facts_of_training(self), "threads": get_num_threads(), **settings}
            check_agreement(what, facts)

    def _divide(self, workers):
        """How batches are divided among ranks; None for one rank, which takes whole batches."""
        if current_ranks().size == 1:
            return None
        return lambda size, ys: divided(size, ys, self._objective, workers)

    def _train_step(self, batch, trained, workers, averages, where):
        """One step of gradient descent on `batch`."""
        objective, optimizer = self._running_objective(), self.optimizer
        model, params, constraints, is_penalized = trained
        parts = run_step(objective, batch, optimizer.steps, workers, model)
        figures, whole = figures_of_all(parts, batch, averages.wants_predictions)
        values = [sum(values) for values in zip(*(figure.values for figure in figures))]
        penalty, penalty_grads = model.penalty() if is_penalized else (0.0, {})
        added = sum(figure.added for figure in figures) + penalty
        if self._stop_at_nan and not all(map(math.isfinite, (*values, added))):
            raise FloatingPointError(self._describe_non_finite(batch, where))
        y_preds = masks = None
        if averages.wants_predictions:
            y_preds = objective.predictions(concatenated([figure.ys for figure in figures]))
            masks = concatenated([figure.masks for figure in figures])
        averages.add(whole, values, y_preds, added, masks)
        if params:
            grads = [part.grads for part in parts]
            if batch.division is None or batch.division.first == 0:  # what belongs to no part is counted once
                for key, gradient in penalty_grads.items():
                    grads[0][key] = grads[0][key] + gradient
            self.own(optimizer)
            self._update(params, grads, batch.division, workers)
            for key, constraint in constraints.items():
                put_in_bounds(constraint, params[key])
        if parts:
            model.remember(parts[0].cache)
        if batch.division is not None and batch.division.leaves_out(current_ranks()):
            self._take_over_state(model)

    def _update(self, params, grads, division, workers):
        """The step of the optimizer, each rank for its share."""
        ranks, optimizer = current_ranks(), self.optimizer
        if ranks.size > 1 or optimizer.share is not None:
            optimizer.divide_among(ranks, params)
        own = params
        if optimizer.share is not None:
            own = optimizer.share.views(params)
            grads = optimizer.share.reduce(params, grads, division.counts(ranks))
        shares = 1 if workers.is_helped else workers.count
        optimizer.update(own, grads, lambda f, items: workers.map(_quietly(f), items), shares)
        if optimizer.share is not None:
            optimizer.share.hand_round(params)

    def _take_over_state(self, model):
        """Ranks that had no part of a batch take over what the first has remembered of it, in states or parameters."""
        arrays, is_first = model.named_arrays(), current_ranks().rank == 0
        found = current_ranks().gather("what layers remember", arrays if is_first else None)[0]
        for key, array in arrays.items():
            array[...] = found[key]

    def _describe_non_finite(self, batch, where):
        place = None
        if len(batch.x[0]):
            with np.errstate(all="ignore"):
                place = self.first_non_finite(self.pack_inputs(batch.taken().x))
        places = current_ranks().gather("the first non-finite value", place)
        place = next((found for found in places if found), "the loss itself")
        return (
            f'{type(self).__name__} "{self.name}": the loss became NaN or infinite in {where}; the first non-finite '
            f"value is in {place}. A smaller learning rate or clipnorm may help. The parameters are as the step before "
            "left them"
        )

    def _check_parameters(self, where):
        """The update of a step shows in the loss of the next; after the last step of an epoch it is looked for here."""
        if self._stop_at_nan:
            for key, parameter in self.params.items():
                if not np.isfinite(parameter).all():
                    raise FloatingPointError(
                        f'{type(self).__name__} "{self.name}": the update after {where} made the parameter {key} NaN '
                        "or infinite; a smaller learning rate or clipnorm may help"
                    )

    def _data_sets(
        self,
        x,
        y,
        sample_weight=None,
        class_weight=None,
        validation_split=0.0,
        validation_data=None,
        steps=None,
        validation_steps=None,
    ):
        """The checked data sets (training, validation or None) of a fit."""
        if not self.compiled:
            raise self.error("fit before compile: call compile(optimizer=..., loss=...) first")
        if self.optimizer is None:
            raise self.error("was compiled with optimizer=None: it evaluates and predicts, but cannot be trained")
        check_end(self, x, "training", steps is not None, "steps_per_epoch")
        train = data_set(self, x, y, sample_weight, "training", steps, class_weight)
        self._prepare("fit")
        validation = None
        if validation_data is not None:
            pair = isinstance(validation_data, (tuple, list))
            if not pair and not come_in_batches(validation_data) or pair and len(validation_data) not in (2, 3):
                raise self.error("validation_data must be (x, y) or (x, y, sample_weight), or give batches")
            if pair:
                validation = data_set(self, *validation_data, what="validation")
            else:
                validation = data_set(self, validation_data, what="validation", steps=validation_steps)
        elif validation_split:
            if train.size is None:
                raise self.error("validation_split needs arrays; of data in batches give validation_data")
            train, validation = train.split(validation_split)
        if class_weight is not None and train.size is not None:
            train.with_class_weight(class_weight)
        return train, validation

    def _callbacks(self, callbacks, verbose, steps, epochs):
        """What the user gave, the progress bar, and History, told about this fit.

        A backup comes last: it holds the state of the other callbacks, which have to have begun, and ended, the epoch.
        """
        self.history = History()
        given = as_list(callbacks)
        backups = [callback for callback in given if getattr(callback, "is_last", False)]
        others = [callback for callback in given if callback not in backups]
        bar = [ProgbarLogger()] if verbose and current_ranks().rank == 0 else []
        everybody = [*others, *bar, self.history, *backups]
        return CallbackList(everybody, model=self, verbose=verbose, epochs=epochs, steps=steps)

    @together
    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on this batch.

        Returns, as `evaluate` does, the figures of this batch alone, from before the step: calls do not add up.
        """
        data, _ = self._data_sets(x, y, sample_weight, class_weight)
        warn_of_the_useless(self, data, None)
        self._stop_at_nan = True
        self._averages.reset()
        with Workers() as workers:
            trained = Trained.of(self._objective.model, self.run_eagerly)
            (batch,) = data.batches(data.size, divide=self._divide(workers))
            self._train_step(batch, trained, workers, self._averages, where="train_on_batch")
        return self._averages.logs_in_order() if return_dict else as_keras(self._averages.logs())

    # ---- going on after an interruption ----

    def training_state(self):
        """Everything that the rest of a fit depends on, as a dict of arrays: weights, optimizer, random streams."""
        return training_state(self)

    def figures_so_far(self):
        """What the running epoch has counted, see `Averages.get_state`."""
        return self._averages.get_state()

    def set_training_state(self, state):
        """Go on from `training_state`. Raises ValueError, and changes nothing, if it belongs to another model."""
        set_training_state(self, state)


def _quietly(function):
    """`function` without NumPy's floating-point warnings, in any thread: fit tells by itself what is not finite."""

    def quiet(part):
        with np.errstate(all="ignore"):
            return function(part)

    return quiet


def _validates(epoch, frequency):
    return epoch + 1 in frequency if isinstance(frequency, (list, tuple, set)) else (epoch + 1) % frequency == 0

"""compile, fit, evaluate, predict.

One training step is

    y_pred, cache = model.forward(x, training=True)
    value, loss_cache = loss.forward(y, y_pred)
    dx, grads = model.backward(loss.backward(loss_cache), cache)
    optimizer.update(params, grads)

The first three lines stand in `scratchnet.training.step`.
"""

import warnings
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from scratchnet import config, kernels, losses, optimizers, registry
from scratchnet import streams as seeds
from scratchnet.callbacks import BackupAndRestore, CallbackList, History, ProgbarLogger, TerminateOnNaN
from scratchnet.callbacks.base import Callback
from scratchnet.parallel.batch import Part, computing
from scratchnet.parallel.threads import Workers
from scratchnet.structure import flatten
from scratchnet.training.averages import Averages
from scratchnet.training.batches import Batches, come_in_batches
from scratchnet.training.data import Arrays, check_batch_size
from scratchnet.training.objective import Objective
from scratchnet.training.resume import set_training_state, training_state
from scratchnet.training.step import Trained, concatenated, run_step

_owners = weakref.WeakKeyDictionary()  # which model an optimizer belongs to: it knows parameters only


class Trainer:
    """The part of a Model that trains it."""

    own_attributes = (
        *("optimizer", "loss", "history", "stop_training", "shuffle_seed", "first_epoch", "_objective"),
        *("_averages", "_compile_config", "_predictions_begun", "_stop_at_nan", "_last_figures"),
    )

    optimizer = None
    loss = None
    history = None
    stop_training = False
    shuffle_seed = 0  # of the fit that is running, or was the last
    first_epoch = 0  # of the fit that is running; a callback that goes on after an interruption sets it
    _objective = None
    _compile_config = None
    _predictions_begun = 0

    @property
    def compute_dtype(self):
        """The dtype of the parameters, which floating point data are converted to."""
        parameter = next(iter(self.params.values()), None)
        return np.dtype(self.dtype) if parameter is None else parameter.dtype

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is to be trained.

        Args:
            optimizer: a name ("adam") or an `Optimizer`.
            loss: a name ("mse"), a `Loss`, a function of `scratchnet.losses`, or a list or dict with one per output.
            loss_weights: with several outputs, the weight of each in the total: a list or dict.
            metrics: a list of names ("accuracy"), `Metric`s or functions ``(y_true, y_pred) -> values``; with several
                outputs, a list of lists or a dict of them.
            weighted_metrics: like `metrics`, but counted with the sample weights.
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: taken, since they change no result.

        Raises:
            ValueError: for an unknown name, or an optimizer that has trained another model.
        """
        self._refuse_steps_of_ones_own()
        found = optimizers.get(optimizer)
        owner = _owners.get(found)
        if owner is not None and owner() not in (None, self):
            raise self.error(
                f"the optimizer has trained the model {owner().name!r} and goes on from there; give each model its own"
            )
        self._compile_config = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
        }
        self.optimizer = found
        self.loss = loss
        if loss is not None and not isinstance(loss, (list, tuple, dict)):
            losses.resolve(loss)  # an unknown name is told now, not at fit
        self.stop_training = False
        self._forget_objective()

    def _refuse_steps_of_ones_own(self):
        """A step that a class computes itself takes gradients from a tape, which there is not."""
        for name in ("train_step", "test_step", "compute_loss", "make_train_function"):
            if hasattr(type(self), name):
                raise self.error(
                    f"the class defines {name}, with gradients of its own (GradientTape), which cannot be traced: put "
                    "what is computed into call, and the loss into compile(loss=...) or self.add_loss(...); fit does "
                    "the rest",
                    TypeError,
                )

    def get_compile_config(self):
        """What `compile` was told, by its arguments; None before it was called."""
        return None if self._compile_config is None else {**self._compile_config, "optimizer": self.optimizer}

    def compile_from_config(self, config):
        """Compile as `get_compile_config` says; dicts of `registry.serialize` are read as well."""
        self.compile(**registry.deserialize(config))

    @property
    def compiled(self):
        """Whether `compile` has been called."""
        return self.optimizer is not None

    def _forget_objective(self):
        """What the model is trained for depends on its outputs; they have changed."""
        self._objective = None
        self._averages = None

    def _prepare(self, what):
        """What can only be made once the model is both compiled and built."""
        if self.optimizer is None:
            raise self.error(f"{what} before compile: call compile(optimizer=..., loss=...) first")
        if self.loss is None and not (self.knows_inputs and self.adds_loss):
            raise self.error(f"{what} needs a loss: compile(optimizer=..., loss=...)")
        if self.knows_inputs:
            self.trace_ahead()
            settings = self._compile_config
            self._objective = Objective(self, self.loss, settings["loss_weights"])
            if self._averages is None:
                self._averages = self._new_averages()
            self._averages.objective = self._objective

    def _new_averages(self, own=False):
        settings = self._compile_config
        return Averages(self._objective, settings["metrics"], settings["weighted_metrics"], own)

    def outputs_with_loss(self):
        """For each output, whether it has a loss; before compile, all count."""
        if self._compile_config is None or self.loss is None:
            return [self._compile_config is None for _ in self.outputs]
        if self._objective is None:
            self._prepare("fit")
        return [loss is not None for loss in self._objective.losses]

    def check_targets(self, ys, size):
        """Raise what the losses say of targets that they do not take."""
        if self._compile_config is not None and self.loss is not None:
            if self._objective is None:
                self._prepare("fit")
            self._objective.check_targets(ys, self.outputs, size)

    # ---- training ----

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
            steps_per_epoch, validation_steps: how many batches to take; by default all there are.
            validation_freq: validate every so many epochs, or after the epochs (from 1) of a list.

        Raises:
            ValueError, TypeError: for data or arguments that do not fit, before anything is changed.
            FloatingPointError: where the loss becomes NaN or infinite; says in which epoch, batch and layer.
        """
        verbose = check_verbose(verbose)
        batch_size = check_batch_size(self, batch_size)
        validation_batch_size = check_batch_size(self, validation_batch_size or batch_size)
        epochs = self._check_count("epochs", epochs, 0)
        initial_epoch = self._check_count("initial_epoch", initial_epoch, 0)
        steps_per_epoch = self._check_count("steps_per_epoch", steps_per_epoch, 1, optional=True)
        validation_steps = self._check_count("validation_steps", validation_steps, 1, optional=True)
        shuffle = self._check_shuffle(shuffle)
        self._check_validation_freq(validation_freq)
        train, validation = self._data_sets(
            x, y, sample_weight, class_weight, validation_split, validation_data, steps_per_epoch, validation_steps
        )
        self._warn_of_the_useless(train, validation)
        self.stop_training = False
        self.shuffle_seed = seeds.new_seed()
        self.first_epoch = initial_epoch
        steps = train.steps(batch_size)
        if steps is not None and steps_per_epoch is not None:
            steps = min(steps, steps_per_epoch)
        callbacks = self._callbacks(callbacks, verbose, steps, epochs)
        self._stop_at_nan = not any(isinstance(c, TerminateOnNaN) for c in callbacks)
        averages = self._averages
        if verbose:
            kernels.announce_backend()

        logs = {}
        try:
            callbacks.on_train_begin()
            with Workers() as workers:
                for epoch in range(self.first_epoch, epochs):
                    callbacks.on_epoch_begin(epoch)
                    averages.reset()
                    trained = Trained.of(self._objective.model)
                    order = self._order(train, epoch, batch_size if shuffle == "batch" else 1) if shuffle else None
                    for step, batch in enumerate(train.batches(batch_size, order)):
                        callbacks.on_train_batch_begin(step)
                        where = f"epoch {epoch + 1}, batch {step + 1}"
                        self._train_step(batch, trained, workers, averages, where)
                        callbacks.on_train_batch_end(step, averages.logs())
                        if self.stop_training or step + 1 == steps_per_epoch:
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
                    callbacks.on_epoch_end(epoch, logs)
                    if self.stop_training:
                        break
        except BaseException:  # Ctrl-C too: the model stays as the last step left it
            callbacks.on_train_interrupted()
            raise
        self.optimizer.finalize_variable_values(self._objective.model.trainable_params)
        callbacks.on_train_end(logs)
        return self.history

    def _order(self, data, epoch, together):
        """The order of an epoch: it depends on the seed of the fit and the number of the epoch alone.

        `together`: how many neighbouring samples stay together.
        """
        size = data.size if data.size is not None else data.steps(None)
        if size is None:
            return None
        order = np.random.default_rng([self.shuffle_seed, epoch]).permutation(-(-size // together))
        if together == 1:
            return order
        order = (order[:, None] * together + np.arange(together)).reshape(-1)
        return order[order < size]

    def _train_step(self, batch, trained, workers, averages, where):
        """One step of gradient descent on `batch`."""
        objective, optimizer = self._objective, self.optimizer
        model = objective.model
        params, constraints, is_penalized = trained
        parts = run_step(objective, batch, optimizer.steps, workers)
        values = np.sum([part.values for part in parts], axis=0)
        penalty, penalty_grads = model.penalty() if is_penalized else (0.0, {})
        added = sum(part.added for part in parts) + penalty
        if self._stop_at_nan and not (np.isfinite(values).all() and np.isfinite(added)):
            raise FloatingPointError(self._describe_non_finite(batch, where))
        y_preds = masks = None
        if averages.wants_predictions:
            y_preds = objective.predictions(concatenated([part.ys for part in parts]))
            masks = concatenated([part.masks for part in parts])
        averages.add(batch, values, y_preds, added, masks)
        if params:
            grads = [{key: part.grads[key] for key in params} for part in parts]
            for key, gradient in penalty_grads.items():
                grads[0][key] = grads[0][key] + gradient
            _owners.setdefault(optimizer, weakref.ref(self))
            optimizer.update(params, grads, lambda f, shares: workers.map(_quietly(f), shares), workers.count)
            for key, constraint in constraints.items():
                params[key][...] = constraint(params[key])
        model.remember(parts[0].cache)

    def _describe_non_finite(self, batch, where):
        with np.errstate(all="ignore"):
            place = self.first_non_finite(self.pack_inputs(batch.x)) or "the loss itself"
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
        if self.optimizer is None:
            raise self.error("fit before compile: call compile(optimizer=..., loss=...) first")
        train = self._data_set(x, y, sample_weight, "training", steps, class_weight)
        self._prepare("fit")
        validation = None
        if validation_data is not None:
            pair = isinstance(validation_data, (tuple, list))
            if not pair and not come_in_batches(validation_data) or pair and len(validation_data) not in (2, 3):
                raise self.error("validation_data must be (x, y) or (x, y, sample_weight), or give batches")
            if pair:
                validation = self._data_set(*validation_data, what="validation")
            else:
                validation = self._data_set(validation_data, what="validation", steps=validation_steps)
        elif validation_split:
            if train.size is None:
                raise self.error("validation_split needs arrays; of data in batches give validation_data")
            train, validation = train.split(validation_split)
        if class_weight is not None and train.size is not None:
            train.with_class_weight(class_weight)
        return train, validation

    def _data_set(self, x, y=None, sample_weight=None, what="training", steps=None, class_weight=None):
        """`Arrays` or `Batches`, with targets where the model has a loss."""
        if come_in_batches(x):
            if y is not None or sample_weight is not None:
                raise self.error(f"the {what} data come in batches, which bring their targets; y must be left out")
            return Batches(self, x, steps, what, class_weight=class_weight)
        if y is None and self.loss is not None:
            hint = "; an autoencoder's targets are its inputs: fit(x, x)" if what == "training" else ""
            raise self.error(f"needs targets: the {what} data have no y{hint}")
        return Arrays(self, x, y, sample_weight, what)

    def _warn_of_the_useless(self, train, validation):
        """A line for each of the mistakes that train without an error and learn nothing."""
        if not self.trainable_params:
            warnings.warn(f"{self.name}: there is nothing to train: no layer has a trainable parameter", stacklevel=3)
        for tensor, loss in zip(self.outputs, self._objective.losses):
            layer = None if tensor.node is None else tensor.node.layer
            found = None if layer is None else layer.without_last_activation()
            softmax = found is not None and found[1].name == "softmax"
            if loss is not None and softmax and tensor.shape[-1] == 1:
                warnings.warn(
                    f"{self.name}: a softmax of one unit is always 1 and learns nothing; use sigmoid", stacklevel=3
                )
        if train.size is None or validation is None or validation.size is None:
            return
        for y, y_validation, loss in zip(train.y, validation.y, self._objective.losses):
            if isinstance(loss, losses.SparseCategoricalCrossentropy) and y.size < 1 << 22:
                unseen = np.setdiff1d(y_validation, y)
                if unseen.size:
                    warnings.warn(
                        f"{self.name}: training never sees {_listed(unseen)}, which validation has; shuffle the data "
                        "before validation_split",
                        stacklevel=3,
                    )

    def _callbacks(self, callbacks, verbose, steps, epochs):
        """What the user gave, the progress bar, and History, told about this fit.

        Backups come last: they hold the state of the other callbacks, which have to have begun, and ended, the epoch.
        """
        self.history = History()
        given = _as_list(callbacks)
        backups = [callback for callback in given if isinstance(callback, BackupAndRestore)]
        others = [callback for callback in given if callback not in backups]
        bar = [ProgbarLogger()] if verbose else []
        everybody = [*others, *bar, self.history, *backups]
        return CallbackList(everybody, model=self, verbose=verbose, epochs=epochs, steps=steps)

    # ---- evaluation ----

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
        steps = self._check_count("steps", steps, 1, optional=True)
        if self.optimizer is None:
            self._prepare("evaluate")
        data = self._data_set(x, y, sample_weight, "test", steps)
        self._prepare("evaluate")
        callbacks = self._test_callbacks(callbacks, verbose, data.steps(batch_size))
        # A fit may be running: this is called by one of its callbacks, or in another thread.
        averages = self._new_averages(own=True)
        with Workers() as workers:
            logs = self._evaluate(data, batch_size, workers, callbacks, averages, steps)
        self._last_figures = averages
        return logs if return_dict else _as_keras(logs)

    def _evaluate(self, data, batch_size, workers, callbacks, averages, steps=None):
        objective = self._objective
        model = objective.model

        def compute(batch):
            y, cache = model.forward(model.pack_inputs(batch.x))
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
        steps = self._check_count("steps", steps, 1, optional=True)
        if come_in_batches(x):
            data = Batches(self, x, steps, "prediction", finite=False)
        else:
            data = Arrays(self, x, what="prediction", finite=False)
        callbacks = self._test_callbacks(callbacks, verbose, data.steps(batch_size))
        given, y_preds = [], []

        def compute(batch):
            y, cache = self.forward(self.pack_inputs(batch.x))
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
            _as_list(callbacks), add_progbar=bool(verbose), model=self, verbose=verbose, epochs=1, steps=steps
        )

    # ---- single batches ----

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """One step on this batch. Returns its figures as `evaluate` does."""
        data, _ = self._data_sets(x, y, sample_weight, class_weight)
        self._warn_of_the_useless(data, None)
        self._stop_at_nan = True
        self._averages.reset()
        with Workers() as workers:
            trained = Trained.of(self._objective.model)
            self._train_step(data.batch(slice(None)), trained, workers, self._averages, where="train_on_batch")
        logs = self._averages.logs()
        return logs if return_dict else _as_keras(logs)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics on this batch, as `evaluate` returns them."""
        return self.evaluate(x, y, _rows(x), verbose=0, sample_weight=sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for this one batch."""
        return self.predict(x, batch_size=_rows(x), verbose=0)

    # ---- figures ----

    @property
    def metrics(self):
        """The metrics that compile was given, once a batch has told which ones its names mean."""
        return [] if self._averages is None else self._averages.metrics

    @property
    def metrics_names(self):
        """The keys of what `evaluate` returns, in this order, once a batch has been seen."""
        return ["loss"] if self._averages is None else list(self._averages.logs())

    def reset_metrics(self):
        """Forget what the metrics have counted."""
        if self._averages is not None:
            self._averages.reset()

    # ---- going on after an interruption ----

    def training_state(self):
        """Everything that the rest of a fit depends on, as a dict of arrays: weights, optimizer, random streams."""
        return training_state(self)

    def set_training_state(self, state):
        """Go on from `training_state`. Raises ValueError, and changes nothing, if it belongs to another model."""
        set_training_state(self, state)

    # ---- arguments ----

    def _check_count(self, name, value, smallest, optional=False):
        if value is None and optional:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < smallest:
            raise self.error(f"{name} must be an integer of at least {smallest}, got {value!r}")
        return int(value)

    def _check_shuffle(self, shuffle):
        if isinstance(shuffle, (bool, np.bool_, int)):
            return bool(shuffle)
        if shuffle == "batch":
            return shuffle
        raise self.error(f'shuffle must be True, False or "batch", got {shuffle!r}')

    def _check_validation_freq(self, frequency):
        for epoch in frequency if isinstance(frequency, (list, tuple, set)) else [frequency]:
            self._check_count("validation_freq", epoch, 1)


def _quietly(function):
    """`function` without NumPy's floating-point warnings, in any thread: fit tells by itself what is not finite."""

    def quiet(part):
        with np.errstate(all="ignore"):
            return function(part)

    return quiet


def _as_new(y, xs):
    """`y` as an array that belongs to the caller: not a view of something else, least of all of the data."""
    shared = not y.flags.writeable or y.base is not None or any(np.may_share_memory(y, x) for x in xs)
    return y.copy() if shared else y


def _rows(x):
    first = flatten(x)[0] if isinstance(x, (list, dict)) else x
    return len(first) if np.ndim(first) else len(x)


def _listed(classes):
    return f"class{'es' * (len(classes) > 1)} {', '.join(f'{c:g}' for c in classes[:5])}{', ...' * (len(classes) > 5)}"


def _as_list(callbacks):
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


def _validates(epoch, frequency):
    return epoch + 1 in frequency if isinstance(frequency, (list, tuple, set)) else (epoch + 1) % frequency == 0


def check_verbose(verbose):
    """0, 1 or 2; "auto" is 1. Raises ValueError for anything else."""
    if verbose == "auto":
        return 1 if config.is_interactive_logging_enabled() else 2
    if verbose not in (0, 1, 2):
        raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r}')
    return int(verbose)


def _as_keras(logs):
    """A single figure as a float, several as a list."""
    figures = list(logs.values())
    return figures[0] if len(figures) == 1 else figures

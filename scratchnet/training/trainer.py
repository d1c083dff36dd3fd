"""compile, fit, evaluate, predict.

One training step is

    y_pred, cache = model.forward(x, training=True)
    value, loss_cache = loss.forward(y, y_pred)
    dx, grads = model.backward(loss.backward(loss_cache), cache)
    optimizer.update(params, grads)

and `_train_step` is just that, done for several parts of the batch at the same time, whose losses and gradients are
then added in the order of the parts: who is quicker never changes the result.
"""

import numpy as np

from scratchnet import kernels, losses, optimizers
from scratchnet import random as seeds
from scratchnet.callbacks import BackupAndRestore, CallbackList, History, ProgbarLogger, TerminateOnNaN
from scratchnet.parallel.threads import Workers
from scratchnet.structure import flatten, map_structure
from scratchnet.training.data import Arrays, batches, check_batch_size
from scratchnet.training.objective import Averages, Objective, metrics_per_output

_SMALLEST_PART = 16  # rows: below this, a thread of its own costs more than it saves


class Trainer:
    """The part of a Model that trains it."""

    optimizer = None
    loss = None
    history = None
    stop_training = False
    _objective = None

    @property
    def compute_dtype(self):
        """The dtype of the parameters, which data are converted to."""
        parameter = next(iter(self.params.values()), None)
        return np.dtype(self.dtype) if parameter is None else parameter.dtype

    def compile(self, optimizer="rmsprop", loss=None, metrics=None, loss_weights=None, weighted_metrics=None, **kwargs):
        """Say how the model is to be trained.

        Args:
            optimizer: a name ("adam") or an `Optimizer`.
            loss: a name ("mse"), a `Loss`, a function of `scratchnet.losses`, or a list or dict with one per output.
            metrics: a list of names ("accuracy"), `Metric`s or functions ``(y_true, y_pred) -> values``; with several
                outputs, a list of lists or a dict of them.
            loss_weights: with several outputs, the weight of each in the total: a list or dict.
            weighted_metrics: like `metrics`, but counted with the sample weights.

        Raises:
            TypeError: for an argument that only Keras has.
            ValueError: for an unknown name.
        """
        harmless = {
            "run_eagerly": (False, True),
            "jit_compile": ("auto", False),
            "steps_per_execution": (1,),
            "auto_scale_loss": (True, False),
        }
        for key, value in kwargs.items():
            if key not in harmless:
                raise TypeError(f"compile has no argument {key!r}")
            if value not in harmless[key]:
                raise TypeError(f"compile: Keras's {key}={value!r} is not implemented in scratchnet")
        self._compile_config = {
            "optimizer": optimizer,
            "loss": loss,
            "metrics": metrics,
            "loss_weights": loss_weights,
            "weighted_metrics": weighted_metrics,
        }
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss
        if loss is not None and not isinstance(loss, (list, tuple, dict)):
            losses.get(loss)  # an unknown name is told now, not at fit
        self._objective = None
        self.stop_training = False

    def _prepare(self, what):
        """What can only be made once the model is both compiled and built."""
        if self.optimizer is None:
            raise self.error(f"{what} before compile: call compile(optimizer=..., loss=...) first")
        if self.loss is None:
            raise self.error(f"{what} needs a loss: compile(optimizer=..., loss=...)")
        if self._objective is None:
            names, settings = self.output_names, self._compile_config
            plain = metrics_per_output(names, settings["metrics"], "metrics")
            weighted = metrics_per_output(names, settings["weighted_metrics"], "weighted_metrics")
            ranks = [tensor.ndim for tensor in self.outputs]
            self._objective = Objective(names, ranks, self.loss, settings["loss_weights"])
            self._averages = Averages(self._objective, plain, weighted)

    # ---- training ----

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        validation_batch_size=None,
        validation_freq=1,
        **kwargs,
    ):
        """Train for `epochs` passes over the data and return the `History`.

        Args:
            x, y: arrays (lists or dicts of arrays for several inputs or outputs), samples along the first axis.
            batch_size: samples in a step, 32 by default; the last batch of an epoch may be smaller.
            verbose: 0 silent, 1 (or "auto") a progress bar, 2 a line per epoch.
            validation_split: this last fraction of the data is taken away before shuffling and used to validate.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``; wins over `validation_split`.
            class_weight: dict from class to weight.
            initial_epoch: where to go on counting.
            validation_freq: validate every so many epochs, or after the epochs (from 1) of a list.

        Raises:
            ValueError, TypeError: for data or arguments that do not fit, before anything is changed.
            FloatingPointError: where the loss becomes NaN or infinite; says in which epoch, batch and layer.
        """
        for key, value in kwargs.items():
            if key not in ("steps_per_epoch", "validation_steps"):
                raise TypeError(f"fit has no argument {key!r}")
            if value is not None:
                raise TypeError(f"fit: Keras's argument {key!r} is not implemented in scratchnet")
        verbose = _check_verbose(verbose)
        batch_size = check_batch_size(self, batch_size)
        train, validation = self._training_arrays(x, y, sample_weight, class_weight, validation_split, validation_data)
        validation_batch_size = check_batch_size(self, validation_batch_size or batch_size)
        self.stop_training = False
        self._shuffle_seed = seeds.new_seed()
        self._initial_epoch = initial_epoch
        steps = -(-train.size // batch_size)
        callbacks = self._callbacks(callbacks, verbose, steps, epochs)
        self._stop_at_nan = not any(isinstance(c, TerminateOnNaN) for c in callbacks)
        if verbose:
            kernels.announce_backend()

        logs = {}
        try:
            callbacks.on_train_begin()
            with Workers() as workers:
                for epoch in range(self._initial_epoch, epochs):
                    callbacks.on_epoch_begin(epoch)
                    self._averages.reset()
                    order = self._order(train.size, epoch) if shuffle else None
                    for step, rows in enumerate(batches(train.size, batch_size, order)):
                        callbacks.on_train_batch_begin(step)
                        self._train_step(train.batch(rows), workers, where=f"epoch {epoch + 1}, batch {step + 1}")
                        callbacks.on_train_batch_end(step, self._averages.logs())
                        if self.stop_training:
                            break
                    self._check_parameters(where=f"the last batch of epoch {epoch + 1}")
                    logs = self._averages.logs()
                    if validation is not None and _validates(epoch, validation_freq):
                        scores = self._evaluate(validation, validation_batch_size, workers, callbacks)
                        logs.update((f"val_{key}", value) for key, value in scores.items())
                    callbacks.on_epoch_end(epoch, logs)
                    if self.stop_training:
                        break
        except BaseException:  # Ctrl-C too: the model stays as the last step left it
            callbacks.on_train_interrupted()
            raise
        callbacks.on_train_end(logs)
        return self.history

    def _order(self, size, epoch):
        """The order of the samples in an epoch: it depends on the seed of the fit and the number of the epoch alone."""
        return np.random.default_rng([self._shuffle_seed, epoch]).permutation(size)

    def _train_step(self, batch, workers, where):
        """One step of gradient descent on `batch`."""
        objective, params = self._objective, self.trainable_params
        counts = objective.counts(batch)
        step = self.optimizer.iterations

        @_quietly
        def compute(part):
            piece = batch.rows(part)
            with seeds.drawing_rows(step, part.start):
                y_pred, cache = self.forward(self.pack_inputs(piece.x), training=True)
                values, loss_caches = objective.forward(piece, flatten(y_pred), counts)
                dy = self.pack_outputs(objective.backward(loss_caches))
                _, grads = self.backward(dy, cache, needs_dx=False)
            return values, flatten(y_pred), grads

        parts = _parts(batch.size, workers.count)
        all_values, y_preds, all_grads = zip(*workers.map(compute, parts))
        values = np.sum(all_values, axis=0)
        if not np.isfinite(values).all() and self._stop_at_nan:
            raise FloatingPointError(self._describe_non_finite(batch, where))
        self._averages.add(batch, values, _concatenate(y_preds) if self._averages.wants_predictions else None)
        if params:
            grads = [{key: grads[key] for key in params} for grads in all_grads]
            self.optimizer.update(params, grads, lambda f, shares: workers.map(_quietly(f), shares), workers.count)

    def _describe_non_finite(self, batch, where):
        with np.errstate(all="ignore"):
            place = self.first_non_finite(self.pack_inputs(batch.x)) or "the loss itself"
        return (
            f'{type(self).__name__} "{self.name}": the loss became NaN or infinite in {where}; the first non-finite value '
            f"is in {place}. A smaller learning rate or clipnorm may help. The parameters are as the step before left them"
        )

    def _check_parameters(self, where):
        """The update of a step shows in the loss of the next; after the last step of an epoch it is looked for here."""
        if self._stop_at_nan:
            for key, parameter in self.params.items():
                if not np.isfinite(parameter).all():
                    raise FloatingPointError(
                        f'{type(self).__name__} "{self.name}": the update after {where} made the parameter {key} NaN or '
                        "infinite; a smaller learning rate or clipnorm may help"
                    )

    def _training_arrays(self, x, y, sample_weight, class_weight, validation_split, validation_data):
        """The checked data sets (training, validation or None) of a fit."""
        if self.optimizer is None:
            raise self.error("fit before compile: call compile(optimizer=..., loss=...) first")
        if y is None:
            raise self.error("fit needs targets y; an autoencoder's targets are its inputs: fit(x, x)")
        train, validation = Arrays(self, x, y, sample_weight), None
        self._prepare("fit")
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
                raise self.error("validation_data must be (x, y) or (x, y, sample_weight)")
            validation = Arrays(self, *validation_data, what="validation")
        elif validation_split:
            train, validation = train.split(validation_split)
        if class_weight is not None:
            train.with_class_weight(class_weight)
        return train, validation

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
        self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, callbacks=None, return_dict=False
    ):
        """The loss and the metrics on `x`, `y`: a float, or a list when there is more than one figure, or a dict."""
        verbose = _check_verbose(verbose)
        batch_size = check_batch_size(self, batch_size)
        if y is None:
            raise self.error("evaluate needs targets y")
        if self.optimizer is None:
            self._prepare("evaluate")
        data = Arrays(self, x, y, sample_weight, what="test")
        self._prepare("evaluate")
        callbacks = self._test_callbacks(callbacks, verbose, -(-data.size // batch_size))
        with Workers() as workers:
            logs = self._evaluate(data, batch_size, workers, callbacks)
        return logs if return_dict else _as_keras(logs)

    def _evaluate(self, data, batch_size, workers, callbacks):
        def compute(rows):
            batch = data.batch(rows)
            y_preds = flatten(self.forward(self.pack_inputs(batch.x))[0])
            return batch, self._objective.forward(batch, y_preds, self._objective.counts(batch))[0], y_preds

        self._averages.reset()
        callbacks.on_test_begin()
        self._run(
            compute,
            list(batches(data.size, batch_size)),
            workers,
            callbacks.on_test_batch_begin,
            lambda result: self._averages.add(*result),
            lambda step: callbacks.on_test_batch_end(step, self._averages.logs()),
        )
        logs = self._averages.logs()
        callbacks.on_test_end(logs)
        return logs

    def predict(self, x, batch_size=None, verbose="auto", callbacks=None, steps=None):
        """The outputs for `x`, as arrays in the structure of the model's outputs."""
        if steps is not None:
            raise TypeError("predict: Keras's argument 'steps' is not implemented in scratchnet")
        verbose = _check_verbose(verbose)
        batch_size = check_batch_size(self, batch_size)
        data = Arrays(self, x, what="prediction", finite=False)
        callbacks = self._test_callbacks(callbacks, verbose, -(-data.size // batch_size))
        y_preds = []
        callbacks.on_predict_begin()
        with Workers() as workers:
            self._run(
                lambda rows: flatten(self.forward(self.pack_inputs(data.batch(rows).x))[0]),
                list(batches(data.size, batch_size)),
                workers,
                callbacks.on_predict_batch_begin,
                y_preds.append,
                callbacks.on_predict_batch_end,
            )
        callbacks.on_predict_end()
        return self.pack_outputs(_concatenate(y_preds))

    @staticmethod
    def _run(compute, all_rows, workers, begin, use, end):
        """Compute as many batches at a time as there are workers; use the results in their order."""
        for first in range(0, len(all_rows), workers.count):
            group = all_rows[first : first + workers.count]
            for k in range(len(group)):
                begin(first + k)
            for k, result in enumerate(workers.map(compute, group)):
                use(result)
                end(first + k)

    def _test_callbacks(self, callbacks, verbose, steps):
        return CallbackList(
            _as_list(callbacks), add_progbar=bool(verbose), model=self, verbose=verbose, epochs=1, steps=steps
        )

    # ---- single batches ----

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step on this batch. Returns the figures as `evaluate` does; metrics accumulate until they are reset."""
        data, _ = self._training_arrays(x, y, sample_weight, class_weight, 0, None)
        self._stop_at_nan = True
        self._averages.reset()
        with Workers() as workers:
            self._train_step(data.batch(slice(None)), workers, where="train_on_batch")
        logs = self._averages.logs()
        return logs if return_dict else _as_keras(logs)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """The loss and the metrics on this batch, as `evaluate` returns them."""
        return self.evaluate(x, y, len(x), verbose=0, sample_weight=sample_weight, return_dict=return_dict)

    def predict_on_batch(self, x):
        """The outputs for this one batch."""
        return self.predict(x, batch_size=len(flatten(x)[0]) if isinstance(x, (list, dict)) else len(x), verbose=0)

    # ---- structures ----

    def pack_inputs(self, xs):
        """A flat list of arrays in the structure of the model's inputs."""
        return map_structure(dict(zip(self.inputs, xs)).__getitem__, self._input_structure)

    def pack_outputs(self, ys):
        """A flat list of arrays in the structure of the model's outputs."""
        if len(set(self.outputs)) == len(self.outputs):
            return map_structure(dict(zip(self.outputs, ys)).__getitem__, self._output_structure)
        remaining = iter(ys)  # the same tensor is an output twice
        return map_structure(lambda _: next(remaining), self._output_structure)

    # ---- going on after an interruption ----

    def training_state(self):
        """Everything that the rest of a fit depends on, as a dict of arrays: parameters, optimizer, random streams."""
        state = {f"weights/{key}": w.copy() for key, w in self.params.items()}
        state.update((f"optimizer/{key}", np.asarray(value)) for key, value in self.optimizer.get_state().items())
        state.update((f"random/{key}", np.asarray(stream.seed)) for key, stream in self.random_streams().items())
        state["random/shuffle"] = np.asarray(self._shuffle_seed)
        return state

    def set_training_state(self, state):
        """Go on from `training_state`. Raises ValueError, and changes nothing, if it belongs to another model."""
        params, streams = self.params, self.random_streams()
        expected = {f"weights/{key}" for key in params} | {f"random/{key}" for key in streams} | {"random/shuffle"}
        found = {key for key in state if not key.startswith("optimizer/")}
        if found != expected:
            raise self.error(f"the training state is of another model: {sorted(found ^ expected)} differ")
        for key, w in params.items():
            if state[f"weights/{key}"].shape != w.shape:
                raise self.error(
                    f"the training state is of another model: {key} has shape {state[f'weights/{key}'].shape}, not {w.shape}"
                )
        self.optimizer.build(self.trainable_params)
        self.optimizer.set_state(
            {k.removeprefix("optimizer/"): v for k, v in state.items() if k.startswith("optimizer/")}
        )
        for key, w in params.items():
            w[...] = state[f"weights/{key}"]
        for key, stream in streams.items():
            stream.seed = int(state[f"random/{key}"])
        self._shuffle_seed = int(state["random/shuffle"])


def _quietly(function):
    """`function` without NumPy's floating-point warnings, in any thread: fit tells by itself what is not finite."""

    def quiet(part):
        with np.errstate(all="ignore"):
            return function(part)

    return quiet


def _parts(size, workers):
    """Slices of nearly equal size, one for each worker, of at least `_SMALLEST_PART` rows where there are several."""
    count = max(1, min(workers, size // _SMALLEST_PART))
    edges = [size * k // count for k in range(count + 1)]
    return [slice(a, b) for a, b in zip(edges, edges[1:])]


def _concatenate(pieces):
    """Lists of arrays, one list for each piece of the batch, as one list of whole arrays."""
    return [ys[0] if len(ys) == 1 else np.concatenate(ys) for ys in zip(*pieces)]


def _as_list(callbacks):
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


def _validates(epoch, frequency):
    return epoch + 1 in frequency if isinstance(frequency, (list, tuple)) else (epoch + 1) % frequency == 0


def _check_verbose(verbose):
    if verbose == "auto":
        return 1
    if verbose not in (0, 1, 2):
        raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r}')
    return int(verbose)


def _as_keras(logs):
    """A single figure as a float, several as a list."""
    figures = list(logs.values())
    return figures[0] if len(figures) == 1 else figures

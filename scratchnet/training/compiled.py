"""compile: what a model is trained for, with what, and which figures it shows."""

import weakref
from typing import Any

from scratchnet import losses, optimizers, registry
from scratchnet.training.averages import Averages, RunningLoss, check_names, metrics_held_by
from scratchnet.training.objective import Objective
from scratchnet.training.own_loss import OwnLoss, overrides

_owners = weakref.WeakKeyDictionary()  # which model an optimizer belongs to: it knows parameters only


def step_of_ones_own(cls):
    """What to say of a class that computes a step itself, with gradients from a tape, which there is not; or None."""
    for name in ("train_step", "test_step", "make_train_function"):
        if hasattr(cls, name):
            return (
                f"the class defines {name}, with gradients of its own (GradientTape), which cannot be traced: put what "
                "is computed into call, and the loss into compile(loss=...) or self.add_loss(...); fit does the rest; "
                "two models that train against each other take turns by train_on_batch"
            )
    return None


class Compiled(OwnLoss):
    """The part of a Model that knows what it is trained for."""

    optimizer = None
    loss = None
    run_eagerly = False
    _objective = None
    _compile_config = None
    _averages = None

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
            optimizer: a name ("adam") or an `Optimizer`; None for a model that is evaluated only.
            loss: a name ("mse"), a `Loss`, a function ``(y_true, y_pred) -> values``; or a list or dict with one for
                each output, nested as the outputs are. One that stands for a list or dict of outputs gets them
                together; of several that stand for one output among others the sum is taken.
            loss_weights: with several losses, the weight of each in the total: a list or dict.
            metrics: a list of names ("accuracy"), `Metric`s or functions ``(y_true, y_pred) -> values``; with several
                outputs, a list of lists or a dict of them.
            weighted_metrics: like `metrics`, but counted with the sample weights.
            run_eagerly: whether fit, evaluate and predict go layer by layer, also where several could be computed
                together, so that each line of their code is passed. Where a debugger is at work they do so anyway.
            steps_per_execution, jit_compile, auto_scale_loss: taken, since they change no result.

        Raises:
            ValueError: for an unknown name, or an optimizer that has trained another model.
        """
        problem = step_of_ones_own(type(self))
        if problem:
            raise self.error(problem, TypeError)
        found = optimizers.get(optimizer)
        self._refuse_optimizer_of_another(found)
        self._compile_config = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": bool(run_eagerly),
        }
        self.optimizer = found
        self.loss = loss
        self.run_eagerly = bool(run_eagerly)
        if loss is not None and not isinstance(loss, (list, tuple, dict)):
            losses.resolve(loss)  # an unknown name is told now, not at fit
        check_names([metrics, weighted_metrics])
        self.stop_training = False
        self._forget_objective()

    def get_compile_config(self):
        """What `compile` was told, by its arguments; empty before it was called.

        A class of one's own may say something else, which files keep, and `compile_from_config` is given again.
        """
        return {} if self._compile_config is None else {**self._compile_config, "optimizer": self.optimizer}

    def compile_from_config(self, config):
        """Compile as `get_compile_config` of this or another model says, with an optimizer and metrics of its own.

        Dicts of `registry.serialize` are read as well.
        """
        self.compile(**registry.clone(config))

    @property
    def compiled(self):
        """Whether `compile` has been called."""
        return self._compile_config is not None

    def _refuse_optimizer_of_another(self, optimizer):
        owner = None if optimizer is None else _owners.get(optimizer)
        if owner is not None and owner() is not self:
            which = "another model" if owner() is None else f"the model {owner().name!r}"
            raise self.error(f"the optimizer has trained {which} and goes on from there; give each model its own")

    def own(self, optimizer):
        """From its first step on an optimizer belongs to one model."""
        _owners.setdefault(optimizer, weakref.ref(self))

    def _forget_objective(self):
        """What the model is trained for depends on its outputs; they have changed."""
        self._objective = None
        self._averages = None

    def _prepare(self, what):
        """What can only be made once the model is both compiled and built."""
        if not self.compiled:
            raise self.error(f"{what} before compile: call compile(optimizer=..., loss=...) first")
        is_own = overrides(self, "compute_loss")
        if self.loss is None and not is_own and not (self.knows_inputs and self.adds_loss):
            raise self.error(f"{what} needs a loss: compile(optimizer=..., loss=...)")
        if what == "fit":
            self._refuse_optimizer_of_another(self.optimizer)
        if self.knows_inputs:
            self.trace_ahead()
            settings, before = self._compile_config, self._objective
            if before is None or not before.still_holds:
                self._objective = Objective(self, self.loss, settings["loss_weights"])
                if before is not None:
                    self._objective.trial = before.trial  # goes on
            if self._averages is None:
                self._averages = self._new_averages()
            self._averages.objective = self._objective

    def _new_averages(self, own=False):
        settings = self._compile_config
        return Averages(self._objective, settings["metrics"], settings["weighted_metrics"], own)

    def outputs_with_loss(self):
        """For each output, whether it has a loss; before compile, all count."""
        if self._compile_config is None or self.loss is None or overrides(self, "compute_loss"):
            return [self._compile_config is None for _ in self.outputs]
        if self._objective is None:
            self._prepare("fit")
        return self._objective.with_loss

    def check_targets(self, ys, size):
        """Raise what the losses say of targets that they do not take."""
        if self._compile_config is not None and self.loss is not None:
            if self._objective is None:
                self._prepare("fit")
            self._objective.check_targets(ys, self.outputs, size)

    # ---- figures ----

    @property
    def metrics(self):
        """Of a compiled model the "loss" so far; the metrics that compile was given, once a batch has told which ones
        its names mean; and those that are attributes of the model and of layers within.
        """
        compiled = [] if self._averages is None else self._averages.metrics
        loss = [RunningLoss(self)] if self.compiled else []
        return [*loss, *{id(metric): metric for metric in [*compiled, *metrics_held_by(self)]}.values()]

    @property
    def metrics_names(self):
        """The keys of what `evaluate` returns, in this order, once a batch has been seen."""
        if self._averages is None:
            return ["loss"] if self.compiled else []
        return list(self._averages.logs())

    def reset_metrics(self):
        """Forget what the metrics have counted."""
        if self._averages is not None:
            self._averages.reset()

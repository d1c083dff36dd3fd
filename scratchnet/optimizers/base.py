"""The base of all optimizers: the learning rate, the slots of each parameter, clipping, weight decay, and the step.

    optimizer.build(params)             once: make the slots
    optimizer.update(params, grads)     every step: change the arrays of `params` in place

A subclass names its slots and defines the rule for one parameter, `update_step`, on flat arrays. A rule treats each
element by itself, so any stretch of a parameter can be updated alone: the training loop gives each thread one. Classes
that are written as Keras's are, with rules for variables, stand in `scratchnet.optimizers.of_variables`.
"""

import re
import warnings
from typing import Any

import numpy as np

from scratchnet import registry
from scratchnet.checks import check_bounds, check_count
from scratchnet.hints import LearningRate
from scratchnet.optimizers import schedules
from scratchnet.optimizers.arrays import (
    Stretches,
    average_weights,
    cut,
    dealt,
    decay_weights,
    divided,
    listed,
    named_arrays,
    total_of,
    writer,
)
from scratchnet.optimizers.by_hand import ByHand
from scratchnet.optimizers.clipping import cut_to, factors_for, shorter, squares_of
from scratchnet.optimizers.of_variables import OfVariables
from scratchnet.optimizers.share import Share
from scratchnet.recorded import (
    Recorded,
    from_recorded,
    is_library,
    recorded_arguments,
    recorded_config,
    refuse_arguments,
)
from scratchnet.variables import BoundVariable, Number


class Optimizer(OfVariables, ByHand, metaclass=Recorded, kind="optimizers"):
    """Base of all optimizers.

    Args:
        learning_rate: a positive number, a schedule, or a function without arguments that returns a number.
        weight_decay: None, or the share of a parameter (times the learning rate) that is taken away before each step.
        clipnorm: each gradient is scaled down to this norm if its own is larger.
        clipvalue: each entry of a gradient is cut to [-clipvalue, clipvalue].
        global_clipnorm: all gradients together are scaled down to this norm.
        use_ema: whether to keep a running mean of the parameters (Polyak and Juditsky 1992), which replaces them at the
            end of fit: it varies less than they do.
        ema_momentum: how much of the mean is kept at each step, in [0, 1].
        ema_overwrite_frequency: None, or the number of steps after which the mean replaces the parameters, each time.
        loss_scale_factor: the factor by which `scale_loss` multiplies and `apply` divides.
        gradient_accumulation_steps: None, or the number of calls over which gradients are averaged before each step,
            for batches that do not fit into memory.
        name: by default the class's name in lower case.

    Raises:
        ValueError: for a number out of range, or more than one kind of clipping.
        TypeError: for an argument that the optimizer does not have.
    """

    needs_init = True
    slot_names = ()
    elementwise = True  # False: the rule looks at a whole parameter, and gets it in its shape

    def __init__(
        self,
        learning_rate: LearningRate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs,
    ):
        cls = type(self).__name__
        if kwargs.pop("decay", None) is not None:
            warnings.warn(f"{cls}: Keras ignores decay, and so does scratchnet; use a schedule", stacklevel=4)
        refuse_arguments(self, kwargs)
        clipping = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = [key for key, value in clipping.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{cls}: only one of clipnorm, clipvalue and global_clipnorm can be given, got {given}")
        for key in given:
            clipping[key] = check_bounds(cls, key, clipping[key], above=0)
        for argument, value in (("weight_decay", weight_decay), ("loss_scale_factor", loss_scale_factor)):
            if value is not None:
                check_bounds(cls, argument, value, at_least=0)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipping.values()
        self.use_ema = bool(use_ema)
        self.ema_momentum = check_bounds(cls, "ema_momentum", ema_momentum, at_least=0, at_most=1)
        self.ema_overwrite_frequency = check_count(cls, "ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.loss_scale_factor = loss_scale_factor
        steps = check_count(cls, "gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self.gradient_accumulation_steps = steps
        self.name = name or cls.lower()
        self.steps = 0  # calls of `update` so far
        self.state = {}  # "m/dense/kernel" -> array
        self.share = None  # what this rank owns of the parameters, where there are several ranks
        self._built_for = None  # name of a parameter -> (shape, dtype)
        self._undecayed = ()  # arrays, and a regular expression of names
        self._stretches = Stretches()
        self._first_rate = self._learning_rate

    # ---- what an optimizer defines ----

    def update_step(self, param, grad, slots, learning_rate):
        """Change the array `param`, and its `slots` (name -> array), in place for this gradient.

        The arrays are flat stretches of a parameter and its slots, or, where `elementwise` is false, the whole ones.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no update_step")

    def initial_slot(self, name, param):
        """The array that slot `name` of a parameter starts from."""
        return np.zeros_like(param)

    def has_slot(self, name, key, param):
        """Whether the parameter of this key has the slot `name`."""
        return True

    def decay_of(self, key, param):
        """The weight decay of a parameter, or None."""
        return self.weight_decay

    # ---- the learning rate ----

    @property
    def learning_rate(self):
        """The learning rate of the next step: a number from a schedule, or a `BoundVariable`, which can be set."""
        if callable(self._learning_rate):
            return Number(self._rate())
        return BoundVariable(f"{self.name}/learning_rate", self._rate, self._set_rate)

    @learning_rate.setter
    def learning_rate(self, value):
        self._set_rate(value)

    lr = learning_rate

    def _rate(self):
        if isinstance(self._learning_rate, schedules.LearningRateSchedule):
            return float(self._learning_rate(self.steps))
        return float(self._learning_rate() if callable(self._learning_rate) else self._learning_rate)

    def _set_rate(self, value):
        scheduled = isinstance(getattr(self, "_learning_rate", None), schedules.LearningRateSchedule)
        if scheduled and not isinstance(value, schedules.LearningRateSchedule):
            raise TypeError(
                f"{type(self).__name__}: the learning rate follows a schedule and cannot be set to {value!r}"
            )
        if isinstance(value, BoundVariable):
            value = value.item()
        if not callable(value):
            check_bounds(type(self).__name__, "learning_rate", value, at_least=0)
            value = float(value)
        self._learning_rate = value

    # ---- what it counts and keeps ----

    @property
    def updates(self):
        """How often the parameters have been updated."""
        return self.steps // (self.gradient_accumulation_steps or 1)

    @property
    def iterations(self) -> int:
        """`updates` as a `BoundVariable`."""
        return BoundVariable(f"{self.name}/iteration", lambda: self.updates, self._set_iterations)

    @iterations.setter
    def iterations(self, value):
        self._set_iterations(value)

    def _set_iterations(self, value):
        self.steps = int(value) * (self.gradient_accumulation_steps or 1)

    @property
    def built(self):
        """Whether the slots have been made."""
        return self._built_for is not None

    @property
    def variables(self):
        """The whole state of the optimizer as `BoundVariable`s: iterations, learning rate, and slots."""
        found = [self.iterations]
        if not callable(self._learning_rate):
            found.append(self.learning_rate)
        for key, array in self.state.items():
            name = key.partition("/")[0]
            found.append(BoundVariable(f"{self.name}/{key}", lambda a=array: a, writer(array), name))
        return found

    # ---- a step ----

    def build(self, variables):
        """Make the slots for the parameters. Building again for the same, or some of them, does nothing.

        Args:
            variables: dict from name to array, or a list of arrays or of weights of layers (`layer.weights`).
        """
        if not isinstance(variables, dict):
            self._variables = self._variables or list(variables)  # what `apply` goes by
        params = variables if isinstance(variables, dict) else named_arrays(variables)
        given = {key: (w.shape, w.dtype) for key, w in params.items()}
        if self._built_for is not None:
            known = self._built_for.items()
            if given.items() <= known or (self.share is not None and given.items() <= self.share.shapes.items()):
                return
            raise ValueError(
                f"{type(self).__name__} was built for other parameters: it knows {listed(self._built_for)}, "
                f"got {listed(given)}; compile the model again with a new optimizer"
            )
        for key, w in params.items():
            if w.dtype.kind != "f":
                raise ValueError(f"{type(self).__name__}: {key} must hold floating point numbers, not {w.dtype}")
        self._built_for = given
        for slot in self.slot_names:
            for key, w in params.items():
                if self.has_slot(slot, key, w):
                    self.state[f"{slot}/{key}"] = np.asarray(self.initial_slot(slot, w), order="C")
        for key, w in params.items():
            if self.gradient_accumulation_steps:
                self.state[f"gradient/{key}"] = np.zeros_like(w)
            if self.use_ema:
                self.state[f"average/{key}"] = w.copy()

    def divide_among(self, ranks, params):
        """Make the slots for this rank's share of `params`; from now on this optimizer updates that share only."""
        if self.share is not None and self.share.ranks is not ranks:
            self.state, self._built_for, self.share = self.share.gathered(self.state), self.share.shapes, None
        if ranks.size > 1 and self.takes_variables:
            raise ValueError(f"{type(self).__name__}: its update_step takes whole variables, which no ranks share")
        if self.share is None and ranks.size > 1:
            shapes = self._built_for or {key: (w.shape, w.dtype) for key, w in params.items()}
            share = Share(shapes, ranks, not self.elementwise or bool(self.clipnorm or self.global_clipnorm))
            if self._built_for is None:
                self.build(share.views(params))
            else:
                self.state = share.cut(self.state)
                self._built_for = share.shapes_of_views()
            self.share = share
        self.build(params)

    def update(self, params, grads, run=map, shares=1):
        """One step: change the arrays of `params` in place.

        Args:
            params: dict of arrays. They must be writeable and in C order: a flat view of anything else would be a copy,
                and its update lost.
            grads: dict with the same keys, or a list of such dicts: the gradients of the parts of a batch, which are
                summed in this order. None of them is changed.
            run: `map`, or something like it that works on several items at the same time.
            shares: into how many items of equal size the work for `run` is divided.

        Raises ValueError for such parameters, and for gradients that do not belong to them; nothing has changed then.
        """
        self.build(params)
        parts = [self._checked(params, part) for part in (grads if isinstance(grads, (list, tuple)) else [grads])]
        if self.gradient_accumulation_steps:
            parts = self._accumulated(params, parts)
        if parts is not None:
            factors = self._factors(parts, run, shares)
            learning_rate, division = self._rate(), divided if self.elementwise else dealt
            shares = 1 if self.takes_variables else shares  # a rule of variables may know of several of them
            self.begin_step()
            stretches = self._stretches.of(params, self.state, self.slot_names, division, shares)
            list(run(lambda share: self._update_share(params, parts, factors, learning_rate, share), stretches))
        if self.use_ema:
            self._average(params)
        self.steps += 1

    def _accumulated(self, params, parts):
        """The mean gradient of the last calls, as the only part; None until there have been enough calls."""
        count = self.gradient_accumulation_steps
        total = {key: total_of([self.state[f"gradient/{key}"], *(part[key] for part in parts)]) for key in params}
        complete = (self.steps + 1) % count == 0
        for key, gradient in total.items():
            self.state[f"gradient/{key}"][...] = 0 if complete else gradient
        return [{key: gradient / gradient.dtype.type(count) for key, gradient in total.items()}] if complete else None

    def _average(self, params):
        """average = momentum average + (1 - momentum) w; in the first step it is w itself."""
        momentum = self.ema_momentum if self.updates else 0.0
        overwrites = self.ema_overwrite_frequency and (self.updates + 1) % self.ema_overwrite_frequency == 0
        for key, w in params.items():
            average = self.state[f"average/{key}"]
            average_weights(average, w, momentum)
            if overwrites:
                w[...] = average

    def _checked(self, params, grads):
        """`grads` in the dtypes of the parameters, or a ValueError."""
        if grads.keys() != params.keys():
            raise ValueError(f"{type(self).__name__}: gradients of {list(grads)} for the parameters {list(params)}")
        grads = {key: np.asarray(grads[key], dtype=w.dtype, order="C") for key, w in params.items()}
        for key, w in params.items():
            if not w.flags.carray:
                raise ValueError(f"{type(self).__name__}: {key} must be writeable and in C order; take a .copy() of it")
            if grads[key].shape != w.shape:
                raise ValueError(f"{type(self).__name__}: {key} has shape {w.shape}, its gradient {grads[key].shape}")
        return grads

    def begin_step(self):
        """Called once before each step, to compute what depends on the number of the step only."""

    def _update_share(self, params, parts, factors, learning_rate, share):
        """Sum the gradients of the parts, clip and update, stretch by stretch, while the sum is still in the cache."""
        for key, place, param, slots in share:
            grad = self._clipped(total_of([cut(part[key], place) for part in parts]), factors.get(key))
            decay = self.decay_of(key, params[key])
            if decay and not self._is_undecayed(key, params[key]):
                decay_weights(param, decay * learning_rate)
            if self.takes_variables:
                self._step_of_variable(key, param, grad, learning_rate)
            else:
                self.update_step(param, grad, slots, learning_rate)

    def clip(self, grads):
        """The clipped gradients, a dict or list like the given one; an array that is clipped is a new one."""
        if not isinstance(grads, dict):
            return list(self.clip(dict(enumerate(map(np.asarray, grads)))).values())
        factors = self._factors([grads])
        return {key: self._clipped(g, factors.get(key)) for key, g in grads.items()}

    _clip_gradients = clip  # Keras's name, which loops written for it call

    def _clipped(self, grad, factor):
        return shorter(grad, factor) if self.clipvalue is None else cut_to(grad, self.clipvalue)

    def _factors(self, parts, run=map, shares=1):
        """By what the sum of the `parts` of each gradient is multiplied that is too long: key -> number."""
        if self.clipvalue is not None or (self.clipnorm is None and self.global_clipnorm is None):
            return {}
        squares = squares_of(parts, run, shares)
        if self.clipnorm is not None:
            return factors_for(squares, self.clipnorm)
        total = sum(squares.values()) if self.share is None else self.share.sum_of_squares(squares)
        return factors_for(dict.fromkeys(squares, total), self.global_clipnorm)

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Exempt some parameters from weight decay; to be called before the first step.

        Args:
            var_list: a list of weights of layers, such as `layer.weights`, or of their arrays.
            var_names: a list of regular expressions, searched for in the last part of a parameter's key: ["bias"]
                matches "dense/bias", and the biases of all other layers.

        Raises:
            TypeError: for `var_names` that are not a list.
            ValueError: if the optimizer is built already.
        """
        cls = type(self).__name__
        if isinstance(var_names, str):
            raise TypeError(f"{cls}: var_names must be a list of strings, got {var_names!r}")
        if self._built_for is not None:
            raise ValueError(f"{cls}: exclude_from_weight_decay comes before build and the first step")
        arrays = [getattr(variable, "array", variable) for variable in var_list or []]
        self._undecayed = (*arrays, *([re.compile("|".join(var_names))] if var_names else []))

    def _is_undecayed(self, key, param):
        name = key.rpartition("/")[2]
        return any(
            e.search(name) if isinstance(e, re.Pattern) else np.may_share_memory(e, param) for e in self._undecayed
        )

    # ---- state and configuration ----

    @property
    def has_state(self):
        """Whether there are slots, here or on another rank."""
        return bool(self.state) or self.share is not None

    @property
    def _whole_state(self):
        """The slots of all parameters, collected from all ranks; all ranks must call this."""
        return self.state if self.share is None else self.share.gathered(self.state)

    def averages(self):
        """The running means of `use_ema` so far, by the parameters' names."""
        return {key.partition("/")[2]: a for key, a in self._whole_state.items() if key.startswith("average/")}

    def get_state(self):
        """Everything that the next steps depend on: the slots, "iterations", and "learning_rate" if it is a number."""
        state = {key: slot.copy() for key, slot in self._whole_state.items()}
        state["iterations"] = np.asarray(self.steps)
        if not callable(self._learning_rate):
            state["learning_rate"] = np.asarray(self._learning_rate)
        return state

    def set_state(self, state):
        """Restore what `get_state` returned. Raises ValueError, and changes nothing, if it does not belong here."""
        cls, known = type(self).__name__, self._whole_state
        slots = {key: np.asarray(s) for key, s in state.items() if key not in ("iterations", "learning_rate")}
        if slots.keys() != known.keys() or "iterations" not in state:
            differ = sorted(slots.keys() ^ known.keys()) or ["iterations"]
            raise ValueError(f"{cls}: this is the state of another optimizer or model: {differ} differ")
        for key, slot in known.items():
            if slots[key].shape != slot.shape:
                raise ValueError(f"{cls}: {key} has shape {slot.shape}, the state's {slots[key].shape}")
            if slots[key].dtype.kind != "f":
                raise ValueError(f"{cls}: {key} must hold floating point numbers, the state's are {slots[key].dtype}")
        iterations, learning_rate = np.asarray(state["iterations"]), self._learning_rate
        if iterations.shape != () or iterations.dtype.kind not in "iu" or iterations < 0:
            raise ValueError(f"{cls}: iterations must be an integer of at least 0, the state's is {iterations}")
        if "learning_rate" in state and not callable(learning_rate):
            number = np.asarray(state["learning_rate"])[()]
            learning_rate = float(check_bounds(cls, "learning_rate", number, at_least=0))
        slots = slots if self.share is None else self.share.cut(slots)
        for key, slot in self.state.items():
            slot[...] = slots[key]
        self.steps, self._learning_rate = int(iterations), learning_rate

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as JSON-able values; for a function as learning rate, its present value."""
        rate = recorded_arguments(self).get("learning_rate")
        if is_library(type(self)) or rate == self._first_rate:  # a subclass may have changed it on the way
            rate = self._learning_rate
        if not isinstance(rate, schedules.LearningRateSchedule) and (callable(rate) or rate is self._learning_rate):
            rate = self._rate()
        return {"name": self.name, **recorded_config(self, learning_rate=rate)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The optimizer with these arguments, without its state."""
        with registry.CustomObjectScope(custom_objects):
            if isinstance(config.get("learning_rate"), dict):
                config = {**config, "learning_rate": schedules.deserialize(config["learning_rate"])}
            return from_recorded(cls, config)

    def __repr__(self):
        return f"{type(self).__name__}(learning_rate={self._rate():g}, iterations={self.updates})"

"""What every optimizer has: a learning rate, slots beside each parameter, clipping, weight decay, and one step.

    optimizer.build(params)             once: make the slots
    optimizer.update(params, grads)     every step: change the arrays of `params` in place

A subclass names its slots and gives the rule for one parameter, `update_step`, on flat arrays. Every rule acts on each
element by itself, so any stretch of a parameter can be updated on its own: the training loop gives each thread one.
"""

import re

import numpy as np

from scratchnet import registry
from scratchnet.optimizers import schedules
from scratchnet.recorded import (
    Recorded,
    from_recorded,
    is_library,
    recorded_arguments,
    recorded_config,
    refuse_arguments,
)

_STRETCH = 1 << 17  # elements that are updated at a time: few enough for the cache, enough to be worth a call
_SMALLEST_SHARE = 1 << 14  # elements: below this, a thread of its own costs more than it saves


class Optimizer(metaclass=Recorded, kind="optimizers"):
    """Base of all optimizers.

    Args:
        learning_rate: a positive number, a schedule, or a function of nothing that returns a number.
        weight_decay: None, or the share of a parameter (times the learning rate) that is taken away before each step.
        clipnorm: each gradient is scaled down to this norm if its own is larger.
        clipvalue: each entry of a gradient is cut to [-clipvalue, clipvalue].
        global_clipnorm: all gradients together are scaled down to this norm.
        name: by default the class's name in lower case.

    Raises:
        ValueError: for a number out of range, or more than one kind of clipping.
        TypeError: for an argument that the optimizer does not have; one that only Keras has is named as such.
    """

    needs_init = True
    absent = {
        "use_ema": (False,),
        "ema_momentum": (0.99,),
        "ema_overwrite_frequency": (None,),
        "loss_scale_factor": (None,),
        "gradient_accumulation_steps": (None,),
    }
    slot_names = ()

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        name=None,
        **kwargs,
    ):
        cls = type(self).__name__
        refuse_arguments(self, kwargs)
        clipping = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = [key for key, value in clipping.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{cls}: only one of clipnorm, clipvalue and global_clipnorm can be given, got {given}")
        for key in given:
            clipping[key] = check_number(cls, key, clipping[key], above=0)
        if weight_decay is not None:
            weight_decay = check_number(cls, "weight_decay", weight_decay, at_least=0)
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipping.values()
        self.name = name or cls.lower()
        self.iterations = 0
        self.state = {}  # "m/dense/kernel" -> array
        self._built_for = None  # name of a parameter -> (shape, dtype)
        self._undecayed = None

    # ---- what an optimizer defines ----

    def update_step(self, param, grad, slots, learning_rate):
        """Change the flat array `param`, and its `slots` (name -> flat array), in place for this gradient."""
        raise NotImplementedError(f"{type(self).__name__} defines no update_step")

    def initial_slot(self, name, param):
        """The array that slot `name` of a parameter starts from."""
        return np.zeros_like(param)

    # ---- the learning rate ----

    @property
    def learning_rate(self):
        """The learning rate of the next step; it can be set unless a schedule gives it."""
        if isinstance(self._learning_rate, schedules.LearningRateSchedule):
            return float(self._learning_rate(self.iterations))
        return float(self._learning_rate() if callable(self._learning_rate) else self._learning_rate)

    @learning_rate.setter
    def learning_rate(self, value):
        scheduled = isinstance(getattr(self, "_learning_rate", None), schedules.LearningRateSchedule)
        if scheduled and not isinstance(value, schedules.LearningRateSchedule):
            raise TypeError(
                f"{type(self).__name__}: the learning rate follows a schedule and cannot be set to {value!r}"
            )
        if not callable(value):
            check_number(type(self).__name__, "learning_rate", value, at_least=0)
            value = float(value)
        self._learning_rate = value

    lr = learning_rate

    # ---- a step ----

    def build(self, params):
        """Make the slots for `params` (name -> array). Building again for the same parameters does nothing."""
        given = {key: (w.shape, w.dtype) for key, w in params.items()}
        if self._built_for == given:
            return
        if self._built_for is not None:
            raise ValueError(
                f"{type(self).__name__} was built for other parameters: it knows {_listed(self._built_for)}, "
                f"got {_listed(given)}; compile the model again with a new optimizer"
            )
        for key, w in params.items():
            if w.dtype.kind != "f":
                raise ValueError(f"{type(self).__name__}: {key} must hold floating point numbers, not {w.dtype}")
        self._built_for = given
        for slot in self.slot_names:
            for key, w in params.items():
                self.state[f"{slot}/{key}"] = np.asarray(self.initial_slot(slot, w), order="C")

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
        if self.clipvalue or self.clipnorm or self.global_clipnorm:  # of the sum
            parts = [self.clip({key: _sum([part[key] for part in parts]) for key in params})]
        learning_rate = self.learning_rate
        self.begin_step()
        list(run(lambda share: self._update_share(params, parts, learning_rate, share), _divided(params, shares)))
        self.iterations += 1

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
        """Called once before each step, for what depends on the number of the step only."""

    def _update_share(self, params, parts, learning_rate, share):
        """Sum the gradients of the parts and update, one stretch after the other, while the sum is in the cache."""
        for key, stretch in share:
            param = params[key].reshape(-1)[stretch]
            grad = _sum([part[key].reshape(-1)[stretch] for part in parts])
            slots = {slot: self.state[f"{slot}/{key}"].reshape(-1)[stretch] for slot in self.slot_names}
            if self.weight_decay and not self._is_undecayed(key):
                param -= param * param.dtype.type(self.weight_decay * learning_rate)
            self.update_step(param, grad, slots, learning_rate)

    def clip(self, grads):
        """The gradients as the step will use them; new arrays where something is cut."""
        if self.clipvalue is not None:
            return {key: np.clip(g, -self.clipvalue, self.clipvalue) for key, g in grads.items()}
        if self.clipnorm is not None:
            return {key: _scale_to_norm(g, _norm([g]), self.clipnorm) for key, g in grads.items()}
        if self.global_clipnorm is not None:
            norm = _norm(grads.values())
            return {key: _scale_to_norm(g, norm, self.global_clipnorm) for key, g in grads.items()}
        return grads

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Spare the parameters whose name matches one of `var_names` the weight decay; called before the first step.

        Args:
            var_list: only in Keras.
            var_names: list of regular expressions, searched for in the last part of a parameter's key: ["bias"] stands
                for every "dense/bias".

        Raises:
            TypeError: for a `var_list`, or for `var_names` that are not a list.
            ValueError: if the optimizer is built already.
        """
        cls = type(self).__name__
        if var_list is not None:
            raise TypeError(f"{cls}: Keras's var_list is not implemented in scratchnet; use var_names, as in ['bias']")
        if isinstance(var_names, str):
            raise TypeError(f"{cls}: var_names must be a list of strings, got {var_names!r}")
        if self._built_for is not None:
            raise ValueError(f"{cls}: exclude_from_weight_decay comes before build and the first step")
        self._undecayed = re.compile("|".join(var_names)) if var_names else None

    def _is_undecayed(self, key):
        return self._undecayed is not None and self._undecayed.search(key.rpartition("/")[2]) is not None

    # ---- state and configuration ----

    def get_state(self):
        """All that the next steps depend on: the slots, "iterations", and "learning_rate" where it was a number."""
        state = {key: slot.copy() for key, slot in self.state.items()}
        state["iterations"] = np.asarray(self.iterations)
        if not callable(self._learning_rate):
            state["learning_rate"] = np.asarray(self._learning_rate)
        return state

    def set_state(self, state):
        """Go on from `get_state`. Raises ValueError, and changes nothing, if it is another optimizer's or damaged."""
        cls = type(self).__name__
        slots = {key: np.asarray(s) for key, s in state.items() if key not in ("iterations", "learning_rate")}
        if slots.keys() != self.state.keys() or "iterations" not in state:
            differ = sorted(slots.keys() ^ self.state.keys()) or ["iterations"]
            raise ValueError(f"{cls}: this is the state of another optimizer or model: {differ} differ")
        for key, slot in self.state.items():
            if slots[key].shape != slot.shape:
                raise ValueError(f"{cls}: {key} has shape {slot.shape}, the state's {slots[key].shape}")
            if slots[key].dtype.kind != "f":
                raise ValueError(f"{cls}: {key} must hold floating point numbers, the state's are {slots[key].dtype}")
        iterations, learning_rate = np.asarray(state["iterations"]), self._learning_rate
        if iterations.shape != () or iterations.dtype.kind not in "iu" or iterations < 0:
            raise ValueError(f"{cls}: iterations must be an integer of at least 0, the state's is {iterations}")
        if "learning_rate" in state and not callable(learning_rate):
            number = np.asarray(state["learning_rate"])[()]
            learning_rate = float(check_number(cls, "learning_rate", number, at_least=0))
        for key, slot in self.state.items():
            slot[...] = slots[key]
        self.iterations, self._learning_rate = int(iterations), learning_rate

    def get_config(self):
        """The constructor's arguments as JSON-able values; of a function as learning rate, the value it gives now."""
        rate = recorded_arguments(self).get("learning_rate")
        if is_library(type(self)) and isinstance(self._learning_rate, schedules.LearningRateSchedule):
            rate = self._learning_rate
        elif callable(rate) and not isinstance(rate, schedules.LearningRateSchedule):
            rate = self.learning_rate
        return {"name": self.name, **recorded_config(self, learning_rate=rate)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The optimizer with these arguments, without its state."""
        with registry.CustomObjectScope(custom_objects):
            if isinstance(config.get("learning_rate"), dict):
                config = {**config, "learning_rate": schedules.deserialize(config["learning_rate"])}
            return from_recorded(cls, config)

    def __repr__(self):
        return f"{type(self).__name__}(learning_rate={self.learning_rate:g}, iterations={self.iterations})"


def _sum(arrays):
    """The sum in the order of the list; of one array, itself."""
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total


def _divided(params, shares):
    """All elements of all parameters, divided into at most so many equal shares: lists of (key, slice)."""
    total = sum(w.size for w in params.values())
    shares = max(1, min(shares, total // _SMALLEST_SHARE))
    divided = [[] for _ in range(shares)]
    first = 0  # where a parameter begins in the row of all
    for key, w in params.items():
        for k, share in enumerate(divided):
            start = max(total * k // shares - first, 0)
            stop = min(total * (k + 1) // shares - first, w.size)
            share += [(key, slice(at, min(at + _STRETCH, stop))) for at in range(start, stop, _STRETCH)]
        first += w.size
    return divided


def check_number(owner, argument, value, at_least=None, above=None, below=None):
    """`value` as a Python number within the bounds, or a ValueError that names the argument."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    fits = number and np.isfinite(value)
    fits = fits and (at_least is None or value >= at_least) and (above is None or value > above)
    if not fits or (below is not None and value >= below):
        bounds = [f"at least {at_least}"] * (at_least is not None) + [f"above {above}"] * (above is not None)
        bounds += [f"below {below}"] * (below is not None)
        raise ValueError(f"{owner}: {argument} must be a number {' and '.join(bounds)}, got {value!r}")
    return value.item() if isinstance(value, np.generic) else value


def _norm(arrays):
    """The Euclidean norm of all entries of all arrays."""
    return float(np.sqrt(sum(float(np.vdot(a, a)) for a in arrays)))


def _scale_to_norm(grad, norm, largest):
    return grad * grad.dtype.type(largest / norm) if norm > largest else grad


def _listed(parameters):
    return ", ".join(f"{key} {shape} {dtype}" for key, (shape, dtype) in parameters.items()) or "none"

"""Data that come in batches: generators, data sets and loaders, this library's, a user's own, or another library's.

Anything will do that gives batches ``x``, ``(x, y)`` or ``(x, y, sample_weight)`` of arrays (or of what turns into
arrays) when it is iterated over, or by ``data[k]`` for k below ``len(data)``.
"""

import dis
import inspect
import itertools

import numpy as np

from scratchnet.parallel.agreement import check_agreement
from scratchnet.training.agreement import described
from scratchnet.training.data import Arrays, times, weights_by_class
from scratchnet.training.epochs import warn_of_the_end


def come_in_batches(x):
    """Whether `x` is not an array, or a list or dict of arrays, but something that gives batches."""
    if x is None or hasattr(x, "__array__") or hasattr(x, "toarray") or isinstance(x, (list, tuple, dict, str, bytes)):
        return False
    return hasattr(x, "__iter__") or hasattr(x, "__next__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def check_end(model, data, what, may_end, name="steps"):
    """Raise ValueError for a generator that nothing ends: ``while True`` without a way out.

    may_end: whether something else ends it, such as a number of steps.
    """
    if (
        not may_end
        and inspect.isgenerator(data)
        and not any(step.opname in ("RETURN_VALUE", "RETURN_CONST") for step in dis.get_instructions(data.gi_code))
    ):
        raise model.error(f"the {what} data are a generator that never ends: say how many batches to take ({name})")


class Batches:
    """A data set whose batches are made by somebody else.

    Args:
        model: whose inputs and outputs they belong to.
        data: what gives the batches.
        steps: how many batches make an epoch; None: until the data end.
        what, finite: as for `Arrays`, which checks each batch.
        class_weight: None, or a dict from class to weight.

    Where an epoch does not take all batches, the next one goes on where it stopped; where the data end, the epoch ends.
    The next one, and every validation, begins anew, unless the data are a generator, which cannot. Without `steps` a
    generator is taken to its end, and a fit stops where it finds nothing left; as validation data, which every epoch
    needs, it is refused.
    """

    size = None  # nobody knows how many samples there are

    def __init__(self, model, data, steps=None, what="training", finite=True, class_weight=None):
        self.model, self.data, self.what, self.finite = model, data, what, finite
        self.class_weight = class_weight
        self._steps = steps
        self._by_number = hasattr(data, "__getitem__") and hasattr(data, "__len__")
        self._iterator = None if self._by_number else iter(data)
        if steps is None and what == "validation" and inspect.isgenerator(data):
            raise model.error(
                "the validation data are a generator, of which the first epoch would leave nothing: say how many "
                "batches to take (validation_steps)"
            )
        self._came = False  # whether there has been a batch
        self._one_shot = not self._by_number and self._iterator is data
        if not model.knows_inputs:
            first = [data[k] for k in range(min(2, len(data)))] if self._by_number else self._drawn_ahead(2)
            if not first:
                raise model.error(f"the {what} data have no batches")
            for batch in first:  # two of them tell which sizes vary
                self._checked(batch)

    def _drawn_ahead(self, count):
        """The next batches, which stay the next."""
        first = list(itertools.islice(self._iterator, count))
        self._iterator = itertools.chain(first, self._iterator)
        return first

    def described(self):
        """What the ranks that share a fit must agree in."""
        return f"{type(self.data).__name__} of {self.steps(None)} batches"

    def steps(self, batch_size):
        """How many batches an epoch has, or None if nobody knows."""
        if self._steps is not None:
            return self._steps
        try:
            return len(self.data)
        except TypeError:
            return None

    def in_a_pass(self, batch_size):
        """How many batches there are, if each can be had by its number, or None."""
        return len(self.data) if self._by_number else None

    def batches(self, batch_size=None, order=None, divide=None, wanted=None, part=None):
        """The batches of one epoch.

        Args:
            order: a permutation of their numbers, where they have numbers.
            divide, wanted: as for `Arrays`.
            part: None, or a range: which of them to take; where they have no numbers, those before it are left out.
        """
        if hasattr(self.data, "on_epoch_begin"):
            self.data.on_epoch_begin()
        if self._came and self.what != "training" and not (self._by_number or self._one_shot):
            self._iterator = iter(self.data)
        begun, count = self._came, 0
        for item in self._items(order, wanted, part):
            self._came = True
            if wanted is not None and not wanted(count):
                yield None
            else:
                batch = self._checked(item)
                if divide is not None:
                    if count == 0:
                        check_agreement(f"the first of the {self.what} data", {"rows": described([batch.x, batch.y])})
                    batch = batch.of_rank(divide)
                yield batch
            count += 1
        if count == 0 and not begun and (part is None or (part.start == 0 and part)):
            raise self.model.error(f"the {self.what} data have no batches")
        if part is None:  # fit, which says which part, knows by itself
            warn_of_the_end(self.what, count, self._steps or 1)
        if hasattr(self.data, "on_epoch_end"):
            self.data.on_epoch_end()

    def _items(self, order, wanted, part):
        """The batches as they come, from where the epoch before stopped; those with a number if wanted."""
        if not self._by_number:
            first, stop = (0, self._steps) if part is None else (part.start, part.stop)
            return itertools.islice(self._from_iterator(), first, stop)
        numbers = range(len(self.data)) if order is None else order
        numbers = numbers[: self._steps] if part is None else numbers[part.start : part.stop]
        return (self.data[int(k)] if wanted is None or wanted(place) else None for place, k in enumerate(numbers))

    def _from_iterator(self):
        """What is left of the pass; a new pass, if nothing is left."""
        found = False
        while not found:
            for item in self._iterator:
                found = True
                yield item
            if self._one_shot:
                return
            self._iterator = iter(self.data)
            if not found and not self._came:  # there are none
                return

    def _checked(self, item):
        x, y, sample_weight = _taken_apart(item)
        if y is None and self.model.loss is not None and self.what != "prediction":
            raise self.model.error(
                f"the batches of the {self.what} data hold no targets: a batch is (x, y), an autoencoder's is (x, x)"
            )
        arrays = Arrays(self.model, x, y, sample_weight, self.what, self.finite)
        if self.class_weight is not None:
            weights = weights_by_class(self.model, arrays.y[0], self.class_weight)
            arrays.weights = [times(arrays.weights[0], weights)]
        return arrays.batch(slice(None))


def _taken_apart(item):
    """``(x, y, sample_weight)`` of a batch: x alone, or a tuple or list of up to three."""
    if isinstance(item, (tuple, list)) and not all(np.isscalar(value) for value in item):
        if not 1 <= len(item) <= 3:
            raise ValueError(f"a batch is x, (x, y) or (x, y, sample_weight); got {len(item)} entries")
        return (*item, *[None] * (3 - len(item)))
    return item, None, None

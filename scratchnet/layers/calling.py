"""Calling a layer: on arrays it computes, on symbolic tensors it stands in a graph."""

import inspect
from typing import Any

import numpy as np

from scratchnet.graph.function import value_and_gradient
from scratchnet.graph.symbolic import KerasTensor, is_symbolic, record_layer, with_mask
from scratchnet.graph.trace import outside_of_traces
from scratchnet.layers.input_spec import check_inputs
from scratchnet.ops.operation import current_trace
from scratchnet.ops.operation import is_symbolic as stands_for_an_array
from scratchnet.parallel.batch import rows_of_batch
from scratchnet.parallel.memory import keep_freed_memory
from scratchnet.structure import as_lists, flatten, flatten_shapes, map_structure
from scratchnet.variables import as_array, own_array


class Calling:
    """The part of a layer that is called."""

    def __call__(self, inputs: Any, training: bool | None = None, mask: Any = None, **options) -> Any:
        """On KerasTensors: record the layer in a graph. On arrays: build if need be, compute, and return the output.

        An output brings its mask along, as `_keras_mask`, into the layer that is called on it. With ``training=True``
        the layer's state moves on: the moving averages of BatchNormalization.

        `options`: what else forward takes, such as ``use_causal_mask=True``; compute_output_shape is told of it, too.
        """
        inputs = as_lists(inputs)
        self._check_options(options)
        if self.input_spec is not None:
            check_inputs(self, inputs)
        if current_trace.get() is not None or is_symbolic(inputs):
            return self._connect(inputs, training, options, mask)
        keep_freed_memory()  # for the next call
        x = map_structure(self._as_input, inputs)
        shape = map_structure(np.shape, x)
        shapes = flatten_shapes(shape)
        if shapes and all(sizes[:1] == (0,) and 0 not in sizes[1:] for sizes in shapes):
            return self._without_samples(x, options)
        self.ensure_built(shape)
        promised = self.compute_output_shape(shape, **options)
        mask = map_structure(_mask_of, inputs) if mask is None else map_structure(_as_mask, as_lists(mask))
        if self.takes_mask and any(m is not None for m in flatten(mask)):
            options["mask"] = mask
        if training is not None:  # where nobody says, forward's own default holds
            options["training"] = bool(training)
        y, cache = self.checked_pair(self.forward(x, **options))
        self.check_promised(flatten(y), flatten_shapes(promised))
        if self.stateful or training:
            self.remember(cache)
        vars(self)["_losses"] = self.loss_values(cache) + [value for value, _ in self.activity_penalties(y)]
        given = [*flatten(x), *self.named_arrays().values()]  # of the caller, and of the layer, which change
        y = map_structure(lambda a: own_array(as_array(a), given), y)
        if self.output_masked(map_structure(lambda m: m is not None, mask)):
            for array, its_mask in zip(flatten(y), self.output_masks(x, mask, cache)):
                array._keras_mask = its_mask
        return y

    def _without_samples(self, x, options):
        """What comes out of a batch of none: the shape is all there is to it, and kernels need not know."""
        inputs = map_structure(lambda a: KerasTensor((None, *a.shape[1:]), a.dtype.name), x)
        self.ensure_built(map_structure(lambda t: t.shape, inputs))
        found = self.compute_output_spec(inputs, **options)
        if any(None in tensor.shape[1:] for tensor in flatten(found)):
            raise self.error(f"got a batch without samples, {map_structure(np.shape, x)}, which does not tell a shape")
        return map_structure(lambda t: np.zeros((0, *t.shape[1:]), t.dtype), found)

    def activity_penalties(self, y):
        """``(value, dy)`` of the regularizer of the output, for each array of y: the share of this part of a batch."""
        regularizer, found = self.activity_regularizer, []
        for a in flatten(y) if regularizer is not None else ():
            value, gradient = value_and_gradient(regularizer, a)
            rows = rows_of_batch(len(a)) if a.ndim else 1
            found.append((value / max(rows, 1), gradient / gradient.dtype.type(max(rows, 1))))
        return found

    def _check_options(self, options):
        for name in options:
            if name not in inspect.signature(self.forward).parameters:
                raise self.error(f"cannot be called with {name!r}, which its forward does not take", TypeError)

    def _connect(self, inputs, training, options, mask=None):
        inputs = map_structure(self._as_tensor, inputs)
        if mask is not None:
            masks = iter([None if m is None else self._as_tensor(m, np.asarray) for m in flatten(mask)])
            inputs = map_structure(lambda t: t if (m := next(masks, None)) is None else with_mask(t, m), inputs)
        shape = map_structure(lambda tensor: tensor.shape, inputs)
        self.ensure_built(shape)
        promised = self.compute_output_shape(shape, **options)
        self._try_promise(inputs, promised, options)
        outputs = record_layer(self, inputs, promised, training, options)
        if current_trace.get() is None:
            self.inbound_nodes.append(flatten(outputs)[0].node)
        return outputs

    def _try_promise(self, inputs, promised, options):
        """Try a compute_output_shape of your own on zeros: where it lies, the layer behind would be blamed."""
        tensors = flatten(inputs)
        own = not type(self).compute_output_shape.__module__.startswith("scratchnet.")
        if not own or self.is_traced or any(None in tensor.shape[1:] for tensor in tensors):
            return
        try:
            x = map_structure(lambda t: self.accept(np.zeros((2, *t.shape[1:]), t.dtype)), inputs)
            ys, _ = self.forward(x, **options)
        except Exception:  # the layer wants other values; it is looked at again when there are some
            return
        self.check_promised(flatten(ys), flatten_shapes(promised))

    def _as_tensor(self, value, as_array=None):
        """The symbolic tensor that `value` is, or stands for; within `call` also arrays are, as inputs by default."""
        if stands_for_an_array(value):
            return value.as_tensor()
        if current_trace.get() is None:
            raise self.error(f"called on a mixture of symbolic tensors and values ({type(value).__name__})", TypeError)
        return current_trace.get().constant((as_array or self._as_input)(value))

    def compute_output_spec(self, inputs, **options):
        """What calling the layer on symbolic `inputs` returns, as `KerasTensor`s that stand in no graph."""
        shape = map_structure(lambda tensor: tensor.shape, as_lists(inputs))
        dtype = self.output_dtype(inputs)
        return _specs(self.compute_output_shape(shape, **options), dtype)

    def call_arguments(self, inputs):
        """``(args, kwargs)`` of the call ``layer(*args, **kwargs)`` that gives forward these `inputs`."""
        return [inputs], {}

    def check_promised(self, ys, shapes):
        """Raise ValueError if forward returned arrays `ys` of other shapes than compute_output_shape promised."""
        if len(ys) != len(shapes):
            raise self.error(f"forward returned {len(ys)} outputs, compute_output_shape promised {len(shapes)}")
        for y, promised in zip(ys, shapes):
            shape = np.shape(y)
            known = zip(shape[1:], promised[1:])
            if len(shape) != len(promised) or any(want not in (None, have) for have, want in known):
                raise self.error(
                    f"forward returned an output of shape {shape}, compute_output_shape promised {promised}"
                )

    def checked_pair(self, result):
        """What forward returned, if it is a pair; a layer of your own may forget the cache."""
        if type(result) is not tuple or len(result) != 2:
            raise self.error(f"forward must return (y, cache), it returned {type(result).__name__}", TypeError)
        return result

    @property
    def input(self):
        """The symbolic input of the layer's first use in a graph."""
        return self._first_node().inputs

    @property
    def output(self):
        """The symbolic output of the layer's first use in a graph: ``Model(model.inputs, layer.output)`` ends there."""
        return self._first_node().outputs

    def _first_node(self):
        if not self.inbound_nodes:
            raise self.error("has no symbolic input and output: it stands in no graph", AttributeError)
        return self.inbound_nodes[0]

    def _as_input(self, value):
        x = np.asarray(value)
        if x.dtype.kind in "USO" and self.takes_strings:
            return x
        if x.dtype.kind not in "fiub":
            raise self.error(f"expected numbers, got an array of dtype {x.dtype}", TypeError)
        return self.accept(x) if x.dtype.kind != "f" else x.astype(self.input_dtype, copy=False)

    def accept(self, x):
        """`x` as forward takes it: integers become floating point numbers, unless the layer wants them as they are."""
        return x if x.dtype.kind == "f" or self.keeps_integers else x.astype(self.dtype)

    def output_dtype(self, inputs):
        """The dtype, as a string, of the output for these symbolic inputs."""
        dtype = flatten(inputs)[0].dtype
        return dtype if self.keeps_integers and not dtype.startswith("float") else self.dtype

    def ensure_built(self, input_shape):
        """Build for `input_shape` unless that has been done; the parameters of a layer are made once."""
        if not self.built:
            with outside_of_traces():
                self.build(input_shape)
            self.built = True

    # ---- under Keras's names ----

    def call(self, inputs, training=None, mask=None):
        """What the layer computes: the same as calling it.

        Within the `call` of a derived class, ``super().call(inputs)`` is what its base with a `forward` computes.
        """
        current = current_trace.get()
        if current is None or current.layer is not self:
            return self(inputs, training=training, mask=mask)
        return self.as_base()(inputs, training=training, mask=mask)

    def stateless_call(
        self, trainable_variables, non_trainable_variables, *args, return_losses=False, losses=None, **kwargs
    ):
        """Call the layer as if its weights had these values: ``(outputs, new non-trainable values)``; nothing stays.

        Args:
            trainable_variables, non_trainable_variables: arrays, in the order of the layer's properties of that name.
            return_losses: whether the `losses` of this call come third.
            args, kwargs: of the call, such as ``training=True``, with which averages move on.
            losses: taken for Keras's sake.

        There is no tape through it: gradients of a loop of one's own come from `forward` and `backward`. What is
        random is drawn anew each time. One thread at a time: the values are in the weights meanwhile.
        """
        if not self.built:
            raise self.error("stateless_call comes after build, or a first call")
        own = self.trainable_variables, self.non_trainable_variables
        given = trainable_variables, non_trainable_variables
        for what, mine, theirs in zip(("trainable_variables", "non_trainable_variables"), own, given):
            if len(theirs) != len(mine):
                raise self.error(f"{what} has {len(theirs)} entries, the layer {len(mine)} of them")
        kept = [(variable.array, variable.numpy()) for variables in own for variable in variables]
        before = vars(self).get("_losses", [])
        try:
            for variable, value in zip((*own[0], *own[1]), (*given[0], *given[1])):
                variable.assign(value)
            outputs = self(*args, **kwargs)
            found = outputs, [as_array(variable.numpy()) for variable in own[1]]
            return (*found, self.losses) if return_losses else found
        finally:
            vars(self)["_losses"] = before
            for array, values in kept:
                array[...] = values

    def as_base(self):
        """The same layer, weights and all, as one of the nearest of its bases that has no `call` of its own."""
        plain = object.__new__(next(cls for cls in type(self).__mro__ if not getattr(cls, "is_traced", True)))
        plain.__dict__ = self.__dict__
        return plain

    def add_loss(self, loss):
        """Within `call`: add a tensor, or several, to what is minimized; of a vector its sum."""
        if current_trace.get() is None:
            raise self.error("add_loss belongs into call, where there are tensors to compute a loss from", TypeError)
        current_trace.get().add_loss(loss)

    @property
    def losses(self):
        """What is added to the loss: by the last call on arrays, and by regularizers of the weights; value by value."""
        return [*vars(self).get("_losses", []), *self.penalties()]

    def loss_values(self, cache):
        """`added_loss`, value by value."""
        return [self.added_loss(cache)] if self.adds_loss else []


def _specs(shapes, dtype):
    """`KerasTensor`s of these shapes, in their structure."""
    if isinstance(shapes, dict):
        return {key: _specs(shape, dtype) for key, shape in shapes.items()}
    if all(size is None or isinstance(size, int) for size in shapes):
        return KerasTensor(shapes, dtype)
    return type(shapes)(_specs(shape, dtype) for shape in shapes)


def _as_mask(mask):
    return None if mask is None else np.asarray(mask)


def _mask_of(value):
    """The mask that an array brings with it out of the layer that made it."""
    return getattr(value, "_keras_mask", None)

"""The sketch of a graph that `Model(inputs, outputs)` is made from.

`Input(shape)` gives a `KerasTensor`: a shape without values. Calling a layer on one computes nothing; it records a
`Node` ("this layer, applied to these tensors, gives those") and returns the tensor that comes out. From the tensors
that are called outputs, a model walks back along the nodes.
"""

import numpy as np

from scratchnet.structure import flatten, map_shapes, map_structure


class KerasTensor:
    """A placeholder for an array in a graph of layers.

    Attributes:
        shape: tuple; the batch axis is None.
        dtype: a string.
        node: the Node that this tensor comes out of; None for an `Input`.
        name: of the layer that made it.
        masked: whether a mask comes with its values: which time steps count, (N, T).
    """

    # NumPy must not try to compute with a tensor that has no values: `array + tensor` is refused.
    __array_ufunc__ = None

    def __init__(self, shape, dtype, name, node=None, masked=False):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = name
        self.node = node
        self.masked = masked

    @property
    def ndim(self):
        return len(self.shape)

    def __repr__(self):
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __array__(self, *args, **kwargs):
        raise TypeError(f"{self!r} stands for values that do not exist yet: build a Model from it and call predict")

    def __bool__(self):
        raise TypeError(f"{self!r} has no value, so it is neither true nor false")

    def _refuse(self, *args):
        raise TypeError(
            f"{self!r}: arithmetic on symbolic tensors is not supported; use a layer such as Add or Concatenate"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _refuse
    __matmul__ = __rmatmul__ = __pow__ = __getitem__ = _refuse


class Node:
    """One use of a layer in a graph: `layer` applied to `inputs` gives `outputs`, new tensors of `output_shape`.

    `inputs` and `outputs` have the structure that the layer's forward takes and returns: one tensor, a list of them,
    or, where the layer is a model, perhaps a dict.

    Args:
        training: what forward is told; None is what the model is told.
    """

    def __init__(self, layer, inputs, output_shape, training=None):
        self.layer = layer
        self.inputs = inputs
        self.training = training
        self.outputs = map_shapes(
            lambda shape: KerasTensor(shape, layer.output_dtype(inputs), layer.name, self), output_shape
        )
        self.find_masks()
        self._shape_is_checked = False

    def find_masks(self):
        """Find out which masks come in and go on; again, where a model is used behind masked tensors."""
        masked = map_structure(lambda tensor: tensor.masked, self.inputs)
        self.reads_mask = self.layer.takes_mask and any(flatten(masked))
        self.masks_output = bool(self.layer.output_masked(masked))
        if self.masks_output:
            flatten(self.outputs)[0].masked = True

    @property
    def trainable(self):
        """Whether there is a parameter here that wants a gradient."""
        return bool(self.layer.trainable_params)

    @property
    def adds_loss(self):
        """Whether this use of the layer adds to the loss, so that backward must come by whatever its output is for."""
        return self.layer.adds_loss

    def forward(self, x, training, mask=None, repeat=None):
        """``(y, cache)`` of the layer, for arrays in the structure of `inputs`; `repeat`: see `Graph`."""
        layer = self.layer
        x = map_structure(layer.accept, x)
        options = {"training": training if self.training is None else self.training}
        if self.reads_mask:
            options["mask"] = mask
        if repeat is not None:
            options["repeat"] = repeat
        y, cache = layer.checked_pair(layer.forward(x, **options))
        if not self._shape_is_checked:
            self._check_shapes(y)
            self._shape_is_checked = True
        return y, cache

    def backward(self, dy, cache, needs_dx):
        """``(dx, grads)``; grads has a key ``(layer, name)`` for each trainable parameter."""
        layer = self.layer
        result = layer.backward(dy, cache, needs_dx=needs_dx)
        if type(result) is not tuple or len(result) != 2 or not isinstance(result[1], dict):
            raise layer.error(f"backward must return (dx, grads), grads a dict; it returned {_described(result)}")
        dx, grads = result
        trainable = layer.trainable_params
        if not trainable.keys() <= grads.keys():
            missing = sorted(trainable.keys() - grads.keys())
            raise layer.error(f"backward returned no gradient of {missing}: grads has the keys {sorted(grads)}")
        return dx, {(layer, name): grads[name] for name in trainable}

    def _check_shapes(self, y):
        """Raise ValueError if the layer returns another shape than its compute_output_shape promised."""
        ys = flatten(y)
        tensors = flatten(self.outputs)
        if len(ys) != len(tensors):
            raise self.layer.error(f"forward returned {len(ys)} outputs, compute_output_shape promised {len(tensors)}")
        for array, tensor in zip(ys, tensors):
            shape = np.shape(array)
            known = zip(shape[1:], tensor.shape[1:])
            if len(shape) != len(tensor.shape) or any(want not in (None, have) for have, want in known):
                raise self.layer.error(
                    f"forward returned an output of shape {shape}, compute_output_shape promised {tensor.shape}"
                )


def _described(value):
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"{type(value).__name__} {value!r}"


def is_symbolic(structure):
    """Whether any leaf is a KerasTensor."""
    return any(isinstance(leaf, KerasTensor) for leaf in flatten(structure))

"""The sketch of a graph that `Model(inputs, outputs)` is made from.

`Input(shape)` gives a `KerasTensor`: a shape without values. Calling a layer on one computes nothing; it records a
`Node` ("this layer, applied to these tensors, gives those") and returns the tensor that comes out. From the tensors
that are called outputs, a model walks back along the nodes.
"""

from scratchnet.structure import flatten, map_shapes


class KerasTensor:
    """A placeholder for an array in a graph of layers.

    Attributes:
        shape: tuple; the batch axis is None.
        dtype: a string.
        node: the Node that this tensor comes out of; None for an `Input`.
        name: of the layer that made it.
    """

    # NumPy must not try to compute with a tensor that has no values: `array + tensor` is refused.
    __array_ufunc__ = None

    def __init__(self, shape, dtype, name, node=None):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = name
        self.node = node

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
    """

    def __init__(self, layer, inputs, output_shape):
        self.layer = layer
        self.inputs = inputs
        self.outputs = map_shapes(lambda shape: KerasTensor(shape, layer.dtype, layer.name, self), output_shape)


def is_symbolic(structure):
    """Whether any leaf is a KerasTensor."""
    return any(isinstance(leaf, KerasTensor) for leaf in flatten(structure))

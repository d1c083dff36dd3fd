"""Long short-term memory of images: the LSTM, with convolutions in place of its matrix products.

    [z_i, z_f, z_g, z_o] = x_t * W + h_(t-1) * R + b                    * is a convolution

    i = sigmoid(z_i)    f = sigmoid(z_f)    g = tanh(z_g)    o = sigmoid(z_o)
    c_t = f c_(t-1) + i g                   h_t = o tanh(c_t)

The states h and c are images themselves, and each of their pixels depends on its neighbourhood one step before: so what
moves over the image is followed (Shi et al., "Convolutional LSTM network: a machine learning approach for precipitation
nowcasting", 2015). Backwards it is the LSTM's page (`scratchnet.layers.rnn.lstm`), where a product with R^T becomes the
adjoint of a convolution:

    dh_(t-1) = conv_dx(dz_t, R)        dR = sum over t of conv_dkernel(dz_t, h_(t-1))
    dx_t     = conv_dx(dz_t, W)        dW = sum over t of conv_dkernel(dz_t, x_t)        db = sum of dz_t
"""

from typing import NamedTuple

import numpy as np

from scratchnet import activations, constraints, initializers, kernels, regularizers
from scratchnet.checks import check_data_format, check_number, check_padding, check_positive_int, check_sizes
from scratchnet.kernels.by_rank import conv_dkernel, conv_dweights, conv_dx, conv_forward
from scratchnet.kernels.geometry import output_size, paddings
from scratchnet.layers.channels import ChannelsFirstToo
from scratchnet.layers.rnn.recurrent import ThroughTime
from scratchnet.registry import register
from scratchnet.streams import RandomStream


class ConvLSTMCache(NamedTuple):
    """Steps are in the order of processing; h[0] is the initial state. S stands for the axes of space."""

    x: np.ndarray  # (T, N, S, C)
    steps: list  # of `LSTMStep`, each with arrays (N, S', F)
    h: np.ndarray  # (T + 1, N, S', F)
    mask: np.ndarray | None  # (T, N)
    x_drop: np.ndarray | None  # what is dropped of x and of h, as masks (4, N, S, C) and (4, N, S', F)
    h_drop: np.ndarray | None
    has_initial_state: bool

    @property
    def c(self):
        """All cell states, as h."""
        return [self.steps[0].c_prev, *(step.c for step in self.steps)]


class ConvLSTM(ChannelsFirstToo, ThroughTime):
    """Base of `ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`, which say the letters of their `axes`.

    Args:
        filters: F, the channels of the states.
        kernel_size: of W and R.
        strides, padding, dilation_rate: of the convolution of x; that of h keeps its size.
        activation: of the candidate and the cell's output.
        recurrent_activation: of the three gates.
        use_bias: whether there is a bias b.
        kernel_initializer, recurrent_initializer, bias_initializer: of ``kernel`` (K..., C, 4F), ``recurrent_kernel``
            (K..., F, 4F) and ``bias`` (4F,), each in the order i, f, g, o.
        unit_forget_bias: whether the bias of f starts at one.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: what is added to the loss for their size.
        kernel_constraint, recurrent_constraint, bias_constraint: what they have to obey after each step.
        dropout, recurrent_dropout: how much of x and of h is dropped in training, the same at every time step.
        seed: an integer of at least 0 makes the masks repeatable by themselves; None takes the library's seed.
        return_sequences, return_state, go_backwards, stateful: see `ThroughTime`.

    Shapes: x (N, T, S..., C), or [x, h0, c0] -> (N, S'..., F), or (N, T, S'..., F) with `return_sequences`.

    Raises:
        ValueError: for sizes that are not positive, or an input or state of another shape than these.
    """

    state_names = ("h", "c")
    harmless = ("unroll",)

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        **kwargs,
    ):
        super().__init__(
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        rank = len(self.axes)
        self.filters = check_positive_int(self, "filters", filters)
        self.kernel_size = check_sizes(self, "kernel_size", kernel_size, rank)
        self.strides = check_sizes(self, "strides", strides, rank)
        self.padding = check_padding(self, padding)
        self.data_format = check_data_format(self, data_format)
        self.dilation_rate = check_sizes(self, "dilation_rate", dilation_rate, rank)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise self.error(f"strides {self.strides} and dilation_rate {self.dilation_rate} cannot both be above 1")
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = bool(use_bias)
        self.unit_forget_bias = bool(unit_forget_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = check_number(self, "dropout", dropout, below=1)
        self.recurrent_dropout = check_number(self, "recurrent_dropout", recurrent_dropout, below=1)
        self.random = RandomStream(seed)
        self.seed = None if seed is None else self.random.seed

    # ---- shapes and parameters ----

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        C, F = self._split(input_shape)[0][-1], self.filters
        shapes = {"kernel": (*self.kernel_size, C, 4 * F), "recurrent_kernel": (*self.kernel_size, F, 4 * F)}
        if self.use_bias:
            shapes["bias"] = (4 * F,)
        for name, shape in shapes.items():
            kind = "recurrent" if name == "recurrent_kernel" else name
            self.add_weight(
                name=name,
                shape=shape,
                initializer=getattr(self, f"{kind}_initializer"),
                regularizer=getattr(self, f"{kind}_regularizer"),
                constraint=getattr(self, f"{kind}_constraint"),
            )
        if self.use_bias and self.unit_forget_bias:
            self.params["bias"][F : 2 * F] = 1
        self.built = True

    def compute_output_shape(self, input_shape):
        x_shape, state_shapes = self._split(input_shape)
        expected = {"C": self.params["kernel"].shape[-2]} if self.built else {}
        self.check_shape(x_shape, f"NT{self.axes}C", **expected)
        N, T, *sizes, C = x_shape
        if C is None or None in sizes:
            raise self.error(f"the axes of space and the channels must have sizes, got {x_shape}")
        found = [output_size(n, k, s, self.padding, e) for n, k, s, e in self._windows(sizes)]
        if 0 in found:
            raise self.error(f"an input of sizes {tuple(sizes)} is smaller than the kernel {self.kernel_size}")
        state = (N, *found, self.filters)
        for name, shape in zip(self.state_names, state_shapes):
            self._check_state(name, shape, state)
        y_shape = (N, T, *state[1:]) if self.return_sequences else state
        return [y_shape, state, state] if self.return_state else y_shape

    def _windows(self, sizes):
        return zip(sizes, self.kernel_size, self.strides, self.dilation_rate)

    def geometries(self, sizes):
        """Strides, padding and dilation of the convolutions of x and of h."""
        padding = paddings(tuple(sizes), self.kernel_size, self.strides, self.padding, self.dilation_rate)
        ones = (1,) * len(self.kernel_size)
        same = paddings(self.kernel_size, self.kernel_size, ones, "same")  # at stride 1 whatever the size
        return (self.strides, padding, self.dilation_rate), (ones, same, ones)

    # ---- what is dropped ----

    def random_streams(self):
        return {"random": self.random} if self.dropout > 0 or self.recurrent_dropout > 0 else {}

    def _draw(self, rate, shape):
        """A mask (4, N, ...) for each gate, or None."""
        if rate == 0:
            return None
        N, *rest = shape
        factor = self.params["kernel"].dtype.type(1 / (1 - rate))
        return np.ascontiguousarray(self.random.mask((N, 4, *rest), rate, factor).swapaxes(0, 1))

    # ---- computing ----

    def forward(self, x, training=False, mask=None):
        """Return ``(y, cache)``, or ``([y, h, c], cache)`` with `return_state`; `x` may be ``[x, h0, c0]``."""
        has_initial_state = isinstance(x, (list, tuple))
        x, *states = x if has_initial_state else [x]
        N, T, *sizes, C = self.unpack(x, f"NT{self.axes}C", C=self.params["kernel"].shape[-2] if self.built else None)
        shape = (N, *(output_size(n, k, s, self.padding, e) for n, k, s, e in self._windows(sizes)), self.filters)
        if states:
            self._check_states(states, shape, x.dtype)
        else:
            states = [np.zeros(shape, x.dtype)] * 2 if self.states is None else self._carried_states(N)
        mask = None if mask is None else self.unpack_mask(mask, T)
        x_drop = self._draw(self.dropout, (N, *sizes, C)) if training else None
        h_drop = self._draw(self.recurrent_dropout, shape) if training else None
        x = x.swapaxes(0, 1)[::-1] if self.go_backwards else x.swapaxes(0, 1)  # (T, N, S, C)
        x = np.ascontiguousarray(x)
        steps, h = self._forward_steps(x, *states, mask, x_drop, h_drop)
        cache = ConvLSTMCache(x, steps, h, mask, x_drop, h_drop, has_initial_state)
        return self.pack_output(mask, h, cache.c), cache

    def _forward_steps(self, x, h0, c0, mask, x_drop, h_drop):
        T, act, rec = len(x), self.activation, self.recurrent_activation
        W, R, b = self.params["kernel"], self.params["recurrent_kernel"], self.params.get("bias")
        of_x, of_h = self.geometries(x.shape[2:-1])
        z = _product(x, x_drop, W, of_x, b)  # (T, N, S', 4F), of all steps at once
        steps, c = [], c0
        h = np.empty((T + 1, *h0.shape), z.dtype)
        h[0] = h0
        for t in range(T):
            if t > 0 or h0.any():
                z[t] += _product(h[t : t + 1], h_drop, R, of_h)[0]
            step = kernels.lstm_step_forward(z[t], c, act, rec)  # the gates, c and h
            if mask is not None:  # a step that does not count leaves the states as they were
                step.c[~mask[t]], step.h[~mask[t]] = c[~mask[t]], h[t, ~mask[t]]
            c, h[t + 1] = step.c, step.h
            steps.append(step)
        return steps, h

    def backward(self, dy, cache, needs_dx=True):
        """Return ``(dx, grads)``; dx is ``[dx, dh0, dc0]`` if forward was given initial states.

        With `return_state`, dy is ``[dy, dh, dc]``, each of which may be None for zeros.
        """
        dy, (dh, dc) = self.unpack_dy(dy, cache.mask, cache.h)
        dz, dh0, dc0 = self._backward_steps(dy, dh, dc, cache)
        dx, grads = self.gradients(cache, dz, needs_dx)
        grads = self.trained(grads) if self._frozen else grads
        return ([dx, dh0, dc0] if needs_dx and cache.has_initial_state else dx), grads

    def gradients(self, cache, dz, needs_dx=True):
        """``(dx, grads)`` for the adjoint dz of all steps."""
        x, x_drop, W, R = cache.x, cache.x_drop, self.params["kernel"], self.params["recurrent_kernel"]
        of_x, of_h = self.geometries(x.shape[2:-1])
        grads = {}
        if self.trainable:
            dW, db = _adjoints_of_weights(dz, x, x_drop, W.shape, of_x)  # z = x * W + h_prev * R + b
            grads["kernel"] = dW
            first = 0 if cache.h[0].any() or len(dz) == 1 else 1  # from which step on there is an h_prev
            h_prev = cache.h[first:-1]
            grads["recurrent_kernel"] = _adjoint_of_kernel(dz[first:], h_prev, cache.h_drop, R.shape, of_h)
            if self.use_bias:
                grads["bias"] = db
        if not needs_dx:
            return None, grads
        dx = _adjoint_of_x(dz, x_drop, W, x.shape, of_x).swapaxes(0, 1)
        return dx[:, ::-1] if self.go_backwards else dx, grads

    def adjoint_of_h(self, dz_t, cache):
        """What h_(t-1) receives through the convolution with R."""
        R, (_, of_h) = self.params["recurrent_kernel"], self.geometries(cache.x.shape[2:-1])
        return _adjoint_of_x(dz_t[np.newaxis], cache.h_drop, R, (1, *cache.h.shape[1:]), of_h)[0]

    def _backward_steps(self, dy, dh, dc, cache):
        act, rec, mask, steps = self.activation, self.recurrent_activation, cache.mask, cache.steps
        dz = np.empty((len(steps), *steps[0].z.shape), cache.h.dtype)
        for t in reversed(range(len(steps))):
            dh_t = dh if dy is None else dh + dy[t]  # h_t goes into the next step, and into y
            past_dc = dc
            _, dc = kernels.lstm_step_backward(dh_t, dc, steps[t], act, rec, dz[t])
            if mask is not None:
                dz[t, ~mask[t]] = 0
            if t == 0 and not cache.has_initial_state:
                return dz, None, None
            dh = self.adjoint_of_h(dz[t], cache)  # z = x * W + h_prev * R + b
            if mask is not None:  # what a masked step repeats, it hands back
                dh[~mask[t]], dc[~mask[t]] = dh_t[~mask[t]], past_dc[~mask[t]]
        return dz, dh, dc


def _product(x, drop, kernel, geometry, bias=None):
    """``x * kernel + bias`` for all steps (T, N, ...); with `drop` each gate sees what is not dropped for it."""
    T, N = x.shape[:2]
    if drop is not None:
        biases = [None] * 4 if bias is None else np.split(bias, 4)
        gates = zip(drop, np.split(kernel, 4, axis=-1), biases)
        return np.concatenate([_product(x * m, None, kernel_g, geometry, b) for m, kernel_g, b in gates], axis=-1)
    z = conv_forward(x.reshape(T * N, *x.shape[2:]), kernel, *geometry, bias)
    return z.reshape(T, N, *z.shape[1:])


def _adjoint_of_x(dz, drop, kernel, x_shape, geometry):
    T, N, *shape = x_shape
    if drop is not None:
        gates = zip(np.split(dz, 4, axis=-1), drop, np.split(kernel, 4, axis=-1))
        return sum(_adjoint_of_x(dz_g, None, kernel_g, x_shape, geometry) * m for dz_g, m, kernel_g in gates)
    dz = dz.reshape(T * N, *dz.shape[2:])
    return conv_dx(dz, kernel, (T * N, *shape), *geometry).reshape(x_shape)


def _adjoint_of_kernel(dz, x, drop, kernel_shape, geometry):
    if drop is not None:
        shape = (*kernel_shape[:-1], kernel_shape[-1] // 4)
        gates = zip(np.split(dz, 4, axis=-1), drop)
        parts = [_adjoint_of_kernel(dz_g, x * m, None, shape, geometry) for dz_g, m in gates]
        return np.concatenate(parts, axis=-1)
    return conv_dkernel(*_flat(dz, x), kernel_shape, *geometry)


def _adjoints_of_weights(dz, x, drop, kernel_shape, geometry):
    """The adjoints of the kernel and of the bias."""
    if drop is not None:
        return _adjoint_of_kernel(dz, x, drop, kernel_shape, geometry), dz.reshape(-1, dz.shape[-1]).sum(axis=0)
    return conv_dweights(*_flat(dz, x), kernel_shape, *geometry)


def _flat(*arrays):
    """All steps (T, N, ...) as one batch."""
    return [array.reshape(-1, *array.shape[2:]) for array in arrays]


@register("layers")
class ConvLSTM1D(ConvLSTM):
    """An LSTM of sequences of rows (N, T, W, C); arguments as `ConvLSTM`."""

    axes = "W"


@register("layers")
class ConvLSTM2D(ConvLSTM):
    """An LSTM of sequences of images (N, T, H, W, C); arguments as `ConvLSTM`."""

    axes = "HW"


@register("layers")
class ConvLSTM3D(ConvLSTM):
    """An LSTM of sequences of volumes (N, T, D, H, W, C); arguments as `ConvLSTM`."""

    axes = "DHW"

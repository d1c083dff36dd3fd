"""The small models of `breadth_cases` as PyTorch users write them, but for those of layers that PyTorch does not have.

What is timed is a plain loop over shuffled batches, as in `torch_models`; images lie in memory with their channels
last, or in front, whichever is faster.
"""

import time

import torch
import torch.nn.functional as F
from torch import nn
from torch_layers import Mean


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


class Last(nn.Module):
    """The last output of a recurrent layer."""

    def __init__(self, recurrent):
        super().__init__()
        self.recurrent = recurrent

    def forward(self, x):
        return self.recurrent(x)[0][:, -1]


class OverChannels(nn.Module):
    """A module for (..., C) on images (N, C, H, W)."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Attention of a sequence to itself, by some heads."""

    def __init__(self, features, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(features, features) for _ in range(4))

    def forward(self, x):
        N, T, D = x.shape
        q, k, v = (of(x).view(N, T, self.heads, -1).transpose(1, 2) for of in (self.query, self.key, self.value))
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(N, T, D))


class Merged(nn.Module):
    """A function of two convolutions of an image."""

    def __init__(self, function):
        super().__init__()
        self.first, self.second, self.function = pixels(), pixels(), function

    def forward(self, x):
        return self.function(self.first(x), self.second(x))


def pixels():
    return nn.Conv2d(16, 16, 1)


def _turned():
    return Function(lambda x: x.transpose(1, 2))


def _wide():
    return [nn.Linear(1024, 2048), nn.ReLU(), nn.Linear(2048, 1024), nn.Linear(1024, 1)]


def _looking_up(h):
    return torch.softmax(h @ h.transpose(1, 2), 2) @ h


def _kl_divergence(p, t):
    return (t * (t.clamp_min(1e-7) / p.clamp_min(1e-7)).log()).sum(1).mean()


_CONVOLUTIONS = {
    "Conv2D 64 at 56 x 56": lambda: nn.Conv2d(64, 64, 3, padding=1),
    "Conv2D 256 at 14 x 14": lambda: nn.Conv2d(256, 256, 3, padding=1),
    "Conv2D 512 at 7 x 7": lambda: nn.Conv2d(512, 512, 3, padding=1),
    "Conv2D, strides 2": lambda: nn.Conv2d(64, 64, 3, 2, 1),
    "Conv2D, 7 x 7": lambda: nn.Conv2d(3, 64, 7, 2, 3),
    "Conv2D, dilated": lambda: nn.Conv2d(64, 64, 3, dilation=2),
    "DepthwiseConv2D": lambda: nn.Conv2d(64, 64, 3, padding=1, groups=64),
    "Conv2DTranspose": lambda: nn.ConvTranspose2d(64, 64, 4, 2, 1),
}
_ACTIVATIONS = {
    **{"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "selu": nn.SELU, "celu": nn.CELU, "gelu": nn.GELU},
    **{"silu": nn.SiLU, "mish": nn.Mish, "softplus": nn.Softplus, "softsign": nn.Softsign, "sigmoid": nn.Sigmoid},
    **{"tanh": nn.Tanh, "softmax": lambda: nn.Softmax(1), "hard_sigmoid": nn.Hardsigmoid, "hard_silu": nn.Hardswish},
    **{"log_sigmoid": nn.LogSigmoid, "exponential": lambda: Function(torch.exp)},
}
_BEHIND_PIXELS = {
    **{f"activations: {name}": module for name, module in _ACTIVATIONS.items()},
    "regularization: Dropout": lambda: nn.Dropout(0.5),
    "regularization: SpatialDropout2D": lambda: nn.Dropout2d(0.5),
    "regularization: AlphaDropout": lambda: nn.AlphaDropout(0.5),
    "pooling: MaxPooling2D": lambda: nn.MaxPool2d(2),
    "pooling: MaxPooling2D, 3 x 3": lambda: nn.MaxPool2d(3, 1, 1),
    "pooling: AveragePooling2D": lambda: nn.AvgPool2d(2),
    "reshaping: UpSampling2D, bilinear": lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    "normalization: UnitNormalization": lambda: Function(lambda x: F.normalize(x, dim=1)),
}
_IN_FRONT = "normalization: GroupNormalization"  # PyTorch 2.13 ends the process where its channels are last
_OPTIMIZERS = {
    **{"SGD": torch.optim.SGD, "Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW, "RMSprop": torch.optim.RMSprop},
    **{"Adagrad": torch.optim.Adagrad, "Adadelta": torch.optim.Adadelta, "Adamax": torch.optim.Adamax},
    **{"Nadam": torch.optim.NAdam, "Adafactor": torch.optim.Adafactor},
}
_LOSSES = {
    **{"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss, "binary_crossentropy": F.binary_cross_entropy},
    "poisson": lambda p, t: F.poisson_nll_loss(p, t, log_input=False),
    "hinge": lambda p, t: F.relu(1 - t * p).mean(),
    "kl_divergence": _kl_divergence,
    "cosine_similarity": lambda p, t: -F.cosine_similarity(p, t).mean(),
}


def modules():
    """``{name of a case: () -> its modules}``."""
    found = {}

    def pictures(name, channels, *layers):
        found[name] = lambda: [*(f() for f in layers), Mean(2, 3), nn.Linear(channels, 1)]

    def sequences(name, features, *layers):
        found[name] = lambda: [*(f() for f in layers), Mean(1), nn.Linear(features, 1)]

    for name, layer in _CONVOLUTIONS.items():
        pictures(f"convolutional: {name}", next((c for c in (256, 512) if f" {c} " in name), 64), layer)
    for name, layer in _BEHIND_PIXELS.items():
        pictures(name, 16, pixels, layer)
    pictures("normalization: BatchNormalization", 64, lambda: nn.BatchNorm2d(64))
    pictures("normalization: LayerNormalization", 64, lambda: OverChannels(nn.LayerNorm(64)))
    pictures(_IN_FRONT, 64, lambda: nn.GroupNorm(8, 64))
    for name, function in (("Add", torch.add), ("Multiply", torch.mul), ("Maximum", torch.maximum)):
        pictures(f"merging: {name}", 16, lambda f=function: Merged(f))
    before, along = (lambda: nn.ConstantPad1d((4, 0), 0.0)), (lambda: nn.Conv1d(64, 64, 5))
    sequences("convolutional: Conv1D", 64, _turned, before, along, _turned)
    each, across = (lambda: nn.Conv1d(64, 64, 5, padding=2, groups=64)), (lambda: nn.Conv1d(64, 64, 1))
    sequences("convolutional: SeparableConv1D", 64, _turned, each, across, _turned)
    for steps in (64, 512):
        sequences(f"attention: MultiHeadAttention, {steps} steps", 128, lambda: Attention(128, 4))
    sequences("attention: Attention", 64, lambda: nn.Linear(64, 64), lambda: Function(_looking_up))
    sequences("core: EinsumDense", 128, lambda: nn.Linear(128, 128))
    sequences("core: Embedding of 20,000", 128, lambda: nn.Embedding(20_000, 128))
    for name, layer in (("SimpleRNN", nn.RNN), ("LSTM", nn.LSTM), ("GRU", nn.GRU)):
        for units in (64, 256):
            found[f"rnn: {name} {units}"] = lambda f=layer, u=units: [
                Last(f(u, u, batch_first=True)),
                nn.Linear(u, 1),
            ]
    found.update({f"optimizers: {name}": _wide for name in _OPTIMIZERS})
    found.update({f"losses: {name}": lambda: [nn.Linear(64, 4096), nn.Sigmoid()] for name in _LOSSES})
    return found


class Trained:
    """A case in PyTorch, with the calls `fit` (three epochs, as the others) and `predict`.

    x, y: NumPy arrays as Keras takes them.
    """

    def __init__(self, name, case, x, y):
        self._make, self._batch = modules()[name], case.batch
        kind, _, last = name.partition(": ")
        self._loss = _LOSSES[last] if kind == "losses" else F.mse_loss
        self._optimizer = _OPTIMIZERS[last] if kind == "optimizers" else torch.optim.SGD
        self._x, self._y = torch.from_numpy(x.transpose(0, 3, 1, 2) if x.ndim == 4 else x), torch.from_numpy(y)
        formats = [torch.contiguous_format]
        if x.ndim == 4 and name != _IN_FRONT:
            formats.append(torch.channels_last)
        took = {}
        for memory_format in formats:
            self._prepare(memory_format)
            self.fit()
            began = time.perf_counter()
            self.fit()
            took[memory_format] = time.perf_counter() - began
        self._prepare(min(took, key=took.get))

    def _prepare(self, memory_format):
        self._x = self._x.contiguous(memory_format=memory_format)
        self._model = nn.Sequential(*self._make()).to(memory_format=memory_format)
        self._steps = self._optimizer(self._model.parameters(), lr=1e-3)

    def fit(self):
        self._model.train()
        for _ in range(3):
            order, total = torch.randperm(len(self._x)), 0.0
            for start in range(0, len(order), self._batch):
                rows = order[start : start + self._batch]
                self._steps.zero_grad()
                loss = self._loss(self._model(self._x[rows]), self._y[rows])
                loss.backward()
                self._steps.step()
                total += loss.item()

    def predict(self):
        self._model.eval()
        with torch.inference_mode():
            return torch.cat([self._model(x) for x in self._x.split(self._batch)]).numpy()

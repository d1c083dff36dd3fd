"""The mission's seven models as PyTorch users write them: modules, and a plain loop over shuffled batches.

The models compute what those of `missions` compute, from the same initial weights (`copy_weights`). What differs is how
PyTorch does things, and it gets what suits it best:

* Images are (N, C, H, W); `TorchModel` measures whether the memory format ``channels_last`` is faster, and takes it.
* The losses take logits (``cross_entropy``, ``binary_cross_entropy_with_logits``), so softmax and sigmoid are applied
  in `TorchModel.predict` only.
* ``nn.LSTM`` has no activation but tanh. The LSTM with relu is therefore a cell in a Python loop, its inputs multiplied
  before the loop; ``nn.RNN`` does know relu.
* ``nn.LSTM`` and ``nn.RNN`` have a second bias, which begins at zero.

``torch.compile`` is left out: it needs a C++ compiler, and takes longer to begin than these models to train.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch_layers import LAYERS, copy_layer_weights


class ReluLSTM(nn.Module):
    """An LSTM with relu in place of tanh, (N, T, D) -> (N, T, U); weights as in ``nn.LSTM``, with one bias."""

    def __init__(self, inputs, units):
        super().__init__()
        self.weight_ih = nn.Parameter(torch.empty(4 * units, inputs))
        self.weight_hh = nn.Parameter(torch.empty(4 * units, units))
        self.bias = nn.Parameter(torch.empty(4 * units))
        self.units = units

    def forward(self, x):
        xW = F.linear(x, self.weight_ih, self.bias)  # (N, T, 4U)
        h = c = x.new_zeros(len(x), self.units)
        R = self.weight_hh.T
        hs = []
        for xW_t in xW.unbind(1):
            i, f, g, o = torch.addmm(xW_t, h, R).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.relu(g)
            h = torch.sigmoid(o) * torch.relu(c)
            hs.append(h)
        return torch.stack(hs, dim=1)


class Recurrent(nn.Module):
    """A recurrent module, and of its output all time steps or the last."""

    def __init__(self, module, return_sequences):
        super().__init__()
        self.module, self.return_sequences = module, return_sequences

    def forward(self, x):
        y = self.module(x)
        y = y[0] if isinstance(y, tuple) else y  # nn.RNN and nn.LSTM give their last state as well
        return y if self.return_sequences else y[:, -1]


class RepeatVector(nn.Module):
    """(N, D) -> (N, T, D)."""

    def __init__(self, times):
        super().__init__()
        self.times = times

    def forward(self, x):
        return x[:, None].expand(-1, self.times, -1)


class RowsOfPixels(nn.Module):
    """(N, C, H, W) -> (N, T, H W C / T): pixel after pixel, as Flatten and Reshape do where channels are last."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def forward(self, x):
        return x.permute(0, 2, 3, 1).reshape(len(x), self.steps, -1)


def simple_rnn(inputs, units, return_sequences=False, activation="tanh"):
    return Recurrent(nn.RNN(inputs, units, nonlinearity=activation, batch_first=True), return_sequences)


def lstm(inputs, units, return_sequences=False, activation="tanh"):
    if activation == "relu":
        return Recurrent(ReluLSTM(inputs, units), return_sequences)
    return Recurrent(nn.LSTM(inputs, units, batch_first=True), return_sequences)


def cnn_classifier():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(13 * 13 * 32, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def simple_rnn_classifier():
    return nn.Sequential(simple_rnn(28, 128), nn.Linear(128, 10))


def cnn_autoencoder():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(32, 1, 3, padding=1),
    )


def recurrent_autoencoder(layer):
    return nn.Sequential(
        layer(28, 128, activation="relu"),
        RepeatVector(28),
        layer(128, 128, return_sequences=True, activation="relu"),
        nn.Linear(128, 28),
    )


def cifar10_autoencoder():
    return nn.Sequential(lstm(96, 64), RepeatVector(32), lstm(64, 64, return_sequences=True), nn.Linear(64, 96))


def cifar10_hybrid():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        RowsOfPixels(64),
        lstm(128, 64, return_sequences=True),
        lstm(64, 32),
        nn.Linear(32, 10),
    )


MODELS = {
    "CNN classifier": cnn_classifier,
    "SimpleRNN classifier": simple_rnn_classifier,
    "CNN autoencoder": cnn_autoencoder,
    "SimpleRNN autoencoder": lambda: recurrent_autoencoder(simple_rnn),
    "LSTM autoencoder": lambda: recurrent_autoencoder(lstm),
    "CIFAR-10 LSTM autoencoder": cifar10_autoencoder,
    "CIFAR-10 CNN + LSTM": cifar10_hybrid,
    **LAYERS,
}

# Keras's name of a loss: the same of outputs before their last activation, and that activation
LOSSES = {
    "sparse_categorical_crossentropy": (F.cross_entropy, lambda z: torch.softmax(z, 1)),
    "categorical_crossentropy": (F.cross_entropy, lambda z: torch.softmax(z, 1)),
    "binary_crossentropy": (F.binary_cross_entropy_with_logits, torch.sigmoid),
    "mse": (F.mse_loss, lambda z: z),
}


@torch.no_grad()
def copy_weights(model, weights):
    """Give `model` the list `weights` of a Keras model (``get_weights()``), layer after layer."""
    weights = iter(weights)
    filters = flattened = None

    def put(parameter, array):
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            put(module.weight, next(weights).transpose(3, 2, 0, 1))  # (KH, KW, C, F) -> (F, C, KH, KW)
            put(module.bias, next(weights))
            filters = module.out_channels
        elif isinstance(module, nn.Flatten):
            flattened = filters
        elif isinstance(module, nn.Linear):
            kernel = next(weights)  # (D, U)
            if flattened:  # its inputs come pixel after pixel in Keras, channel after channel here
                kernel = kernel.reshape(-1, flattened, kernel.shape[1]).transpose(1, 0, 2).reshape(kernel.shape)
                flattened = None
            put(module.weight, kernel.T)
            put(module.bias, next(weights))
        elif isinstance(module, ReluLSTM):
            for parameter in (module.weight_ih, module.weight_hh, module.bias):
                put(parameter, next(weights).T)
        elif isinstance(module, nn.RNNBase):
            for parameter in (module.weight_ih_l0, module.weight_hh_l0, module.bias_ih_l0):
                put(parameter, next(weights).T)
            module.bias_hh_l0.zero_()


class TorchModel:
    """One of the models with the calls `fit`, `evaluate` and `predict`, each over all of the data once.

    x, y: NumPy arrays as Keras takes them; `weights`: those to begin with.
    """

    def __init__(self, name, loss, x, y, weights, batch_size):
        self.loss, self.activation = LOSSES[loss]
        self.batch_size = batch_size
        x, y = (torch.from_numpy(array.transpose(0, 3, 1, 2) if array.ndim == 4 else array) for array in (x, y))
        self.memory_format = torch.contiguous_format
        if x.ndim == 4:
            self.memory_format = self._faster_format(name, weights, x, y)
        self._prepare(name, weights, x, y, self.memory_format)

    def _prepare(self, name, weights, x, y, memory_format):
        """The model, its optimizer and the data, in one memory format."""
        self.model = MODELS[name]()
        (copy_layer_weights if name in LAYERS else copy_weights)(self.model, weights)
        self.model = self.model.to(memory_format=memory_format)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3, eps=1e-7)
        self.x, self.y = (
            array.contiguous(memory_format=memory_format) if array.ndim == 4 else array.contiguous() for array in (x, y)
        )
        self.y = self.y.long() if not self.y.is_floating_point() else self.y

    def _faster_format(self, name, weights, x, y, samples=1024, turns=3):
        """The memory format in which `fit` takes less time, each at its best of some turns."""
        best = {}
        for memory_format in (torch.contiguous_format, torch.channels_last):
            self._prepare(name, weights, x[:samples], y[:samples], memory_format)
            self.fit()
            for _ in range(turns):
                began = time.perf_counter()
                self.fit()
                best[memory_format] = min(best.get(memory_format, np.inf), time.perf_counter() - began)
        return min(best, key=best.get)

    def first_loss(self):
        """The loss of the first batch."""
        self.model.eval()
        with torch.no_grad():
            return self.loss(self.model(self.x[: self.batch_size]), self.y[: self.batch_size]).item()

    def fit(self):
        """An epoch of training; the mean of its losses."""
        self.model.train()
        order, total = torch.randperm(len(self.x)), 0.0
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            self.optimizer.zero_grad()
            loss = self.loss(self.model(self.x[rows]), self.y[rows])
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(rows)
        return total / len(order)

    def evaluate(self):
        """The mean of the losses."""
        self.model.eval()
        total = 0.0
        with torch.inference_mode():
            for x, y in zip(self.x.split(self.batch_size), self.y.split(self.batch_size)):
                total += self.loss(self.model(x), y).item() * len(x)
        return total / len(self.x)

    def predict(self):
        """All outputs as a NumPy array."""
        self.model.eval()
        with torch.inference_mode():
            return torch.cat([self.activation(self.model(x)) for x in self.x.split(self.batch_size)]).numpy()

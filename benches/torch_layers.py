"""The models of `layer_models` as PyTorch users write them, and how they take over the weights of Keras's.

There is none for ConvLSTM2D, which PyTorch does not have. Of a `GRU` both libraries keep two biases.
"""

import numpy as np
import torch
from torch import nn


class Mean(nn.Module):
    """The mean over some axes."""

    def __init__(self, *axes):
        super().__init__()
        self.axes = axes

    def forward(self, x):
        return x.mean(self.axes)


class Turned(nn.Module):
    """A module that wants channels in front, (N, C, T), for what has them at the end, and their largest over time."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.transpose(1, 2)).amax(2)


class Cropped(nn.Module):
    """The transposed convolution of Keras's padding "same": without the last row and column."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)[:, :, :-1, :-1]


class LastOfGRU(nn.Module):
    """A GRU's last output."""

    def __init__(self, inputs, units):
        super().__init__()
        self.gru = nn.GRU(inputs, units, batch_first=True)

    def forward(self, x):
        return self.gru(x)[1][0]


class BothDirections(nn.Module):
    """The last outputs of an LSTM forwards and backwards."""

    def __init__(self, inputs, units):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True, bidirectional=True)

    def forward(self, x):
        return torch.cat(tuple(self.lstm(x)[1][0]), 1)


class TransformerBlock(nn.Module):
    """Attention and two dense layers, each with its way round and its normalization."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(28, 64)
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
        self.norm1 = nn.LayerNorm(64, eps=1e-3)
        self.dense1, self.dense2 = nn.Linear(64, 128), nn.Linear(128, 64)
        self.norm2 = nn.LayerNorm(64, eps=1e-3)
        self.classes = nn.Linear(64, 10)

    def forward(self, x):
        h = self.embed(x)
        h = self.norm1(h + self.attention(h, h, h, need_weights=False)[0])
        h = self.norm2(h + self.dense2(torch.relu(self.dense1(h))))
        return self.classes(h.mean(1))


class Capsules(nn.Module):
    """Capsules (N, count, dim), routed by agreement, above the channels of an image in vectors of `dim_below`."""

    def __init__(self, below, dim_below, count, dim, routings=3):
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(below, dim_below, count, dim))
        self.dim_below, self.routings = dim_below, routings

    def forward(self, z):
        u = squash(z.permute(0, 2, 3, 1).reshape(len(z), -1, self.dim_below))
        u_hat = torch.einsum("nik,ikjd->nijd", u, self.kernel)
        held = u_hat.detach()
        b = torch.zeros_like(held[..., 0])
        for _ in range(self.routings - 1):
            v = squash(torch.einsum("nij,nijd->njd", b.softmax(-1), held))
            b = b + torch.einsum("nijd,njd->nij", held, v)
        v = squash(torch.einsum("nij,nijd->njd", b.softmax(-1), u_hat))
        return (v.square().sum(-1) + 1e-12).sqrt()


def squash(s):
    square = s.square().sum(-1, keepdim=True)
    return s * (square + 1e-12).sqrt() / (1 + square)


def _normalized(inputs, filters):
    return nn.Conv2d(inputs, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters, 1e-3, 0.01), nn.ReLU()


LAYERS = {
    "GRU": lambda: nn.Sequential(LastOfGRU(28, 128), nn.Linear(128, 10)),
    "BatchNormalization": lambda: nn.Sequential(
        *_normalized(1, 32), nn.MaxPool2d(2), *_normalized(32, 32), Mean(2, 3), nn.Linear(32, 10)
    ),
    "LayerNormalization": lambda: nn.Sequential(
        *(nn.Linear(784, 256), nn.ReLU(), nn.LayerNorm(256, eps=1e-3)),
        *(nn.Linear(256, 256), nn.ReLU(), nn.LayerNorm(256, eps=1e-3)),
        nn.Linear(256, 10),
    ),
    "Conv1D": lambda: nn.Sequential(
        Turned(nn.Sequential(nn.Conv1d(28, 64, 5, padding=2), nn.ReLU(), nn.Conv1d(64, 64, 5, padding=2), nn.ReLU())),
        nn.Linear(64, 10),
    ),
    "Conv2DTranspose": lambda: nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(Cropped(nn.ConvTranspose2d(16, 16, 3, stride=2)), nn.ReLU()),
        nn.Conv2d(16, 1, 3, padding=1),
    ),
    "DepthwiseConv2D": lambda: nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(32, 32, 3, padding=1, groups=32), nn.ReLU()),
        *(nn.Conv2d(32, 32, 1), nn.ReLU(), Mean(2, 3), nn.Linear(32, 10)),
    ),
    "SeparableConv2D": lambda: nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False), nn.Conv2d(32, 64, 1), nn.ReLU()),
        *(Mean(2, 3), nn.Linear(64, 10)),
    ),
    "Embedding, Bidirectional": lambda: nn.Sequential(nn.Embedding(64, 32), BothDirections(32, 32), nn.Linear(64, 10)),
    "MultiHeadAttention": TransformerBlock,
    "CapsuleLayer": lambda: nn.Sequential(
        *(nn.Conv2d(1, 32, 5, stride=2), nn.ReLU(), nn.Conv2d(32, 64, 5, stride=2)), Capsules(128, 8, 10, 16)
    ),
}


@torch.no_grad()
def copy_layer_weights(model, weights):
    """Give `model` the list `weights` of a Keras model, layer after layer."""
    weights = iter(weights)

    def put(parameter, array=None):
        array = next(weights) if array is None else array
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array.reshape(parameter.shape))))

    def put_transposed(*parameters):
        for parameter in parameters:
            put(parameter, next(weights).T)

    for module in model.modules():
        if isinstance(module, nn.ConvTranspose2d):  # (KH, KW, F, C) -> (C, F, KH, KW)
            put(module.weight, next(weights).transpose(3, 2, 0, 1))
            put(module.bias)
        elif isinstance(module, (nn.Conv1d, nn.Conv2d)):
            kernel = next(weights)  # (..., C, F), depthwise (KH, KW, C, 1)
            is_depthwise = module.groups > 1
            *places, C, F = range(kernel.ndim)
            put(module.weight, kernel.transpose(*((C, F) if is_depthwise else (F, C)), *places))
            if module.bias is not None:
                put(module.bias)
        elif isinstance(module, nn.MultiheadAttention):
            kernels, biases = zip(*[(next(weights).reshape(64, 64).T, next(weights).reshape(-1)) for _ in range(3)])
            put(module.in_proj_weight, np.concatenate(kernels))
            put(module.in_proj_bias, np.concatenate(biases))
            put(module.out_proj.weight, next(weights).reshape(64, 64).T)
            put(module.out_proj.bias)
        elif isinstance(module, nn.modules.linear.NonDynamicallyQuantizableLinear):
            pass  # the attention's, which has been given its weights
        elif isinstance(module, nn.Linear):
            put(module.weight, next(weights).T)
            put(module.bias)
        elif isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            put(module.weight)
            put(module.bias)
            if isinstance(module, nn.BatchNorm2d):
                put(module.running_mean)
                put(module.running_var)
        elif isinstance(module, nn.Embedding):
            put(module.weight)
        elif isinstance(module, Capsules):
            put(module.kernel)
        elif isinstance(module, nn.GRU):  # gates z, r, g -> r, z, g
            U = module.hidden_size
            order = np.r_[U : 2 * U, :U, 2 * U : 3 * U]
            put(module.weight_ih_l0, next(weights)[:, order].T)
            put(module.weight_hh_l0, next(weights)[:, order].T)
            for parameter, bias in zip((module.bias_ih_l0, module.bias_hh_l0), next(weights)):
                put(parameter, bias[order])
        elif isinstance(module, nn.LSTM):
            for end in ("", "_reverse"):
                put_transposed(getattr(module, f"weight_ih_l0{end}"), getattr(module, f"weight_hh_l0{end}"))
                put(getattr(module, f"bias_ih_l0{end}"))
                getattr(module, f"bias_hh_l0{end}").zero_()

"""Makes torch_models.zip: networks of PyTorch with inputs and outputs, as .pth, .safetensors and .onnx.

It needs torch, safetensors and onnx. `tests/files/torch_twins.py` has the same networks in our layers.
"""

import io
import pathlib
import warnings
import zipfile

import numpy as np
import torch
from safetensors.torch import save
from torch import nn

HERE = pathlib.Path(__file__).parent


class Last(nn.Module):
    """The last step of what a recurrent layer returns."""

    def __init__(self, layer, head):
        super().__init__()
        self.rnn, self.head = layer, head

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


class Branches(nn.Module):
    """Defined in another order than it is used."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(4, 2)
        self.right = nn.Linear(3, 4)
        self.left = nn.Linear(3, 4)

    def forward(self, x):
        return self.head(torch.relu(self.left(x)) * torch.sigmoid(self.right(x)) + self.left(x))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 6)
        self.norm = nn.LayerNorm(6)
        self.attend = nn.MultiheadAttention(6, 2, batch_first=True)
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        x = self.norm(self.embed(x))
        return self.head(x + self.attend(x, x, x, need_weights=False)[0])


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 24)
        self.norm = nn.BatchNorm1d(24)
        self.up = nn.ConvTranspose2d(4, 3, 3, stride=2)
        self.last = nn.Conv2d(3, 1, 1)

    def forward(self, z):
        x = torch.relu(self.norm(self.fc(z))).view(-1, 4, 2, 3)
        return torch.sigmoid(self.last(torch.relu(self.up(x))))


def networks():
    image, sequence = (2, 6, 5), (4, 3)
    yield (
        "flattened",
        image,
        nn.Sequential(
            nn.Conv2d(2, 4, 3), nn.LeakyReLU(0.2), nn.MaxPool2d(2), nn.Flatten(), nn.BatchNorm1d(8), nn.Linear(8, 3)
        ),
    )
    yield (
        "grouped",
        image,
        nn.Sequential(
            nn.Conv2d(2, 4, 3, groups=2, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU6(),
            nn.Conv2d(4, 8, (2, 1), groups=4),
            nn.PReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 2),
        ),
    )
    yield (
        "separable",
        image,
        nn.Sequential(
            nn.Conv2d(2, 4, 3, groups=2, bias=False), nn.Conv2d(4, 3, 1), nn.GroupNorm(1, 3), nn.LayerNorm([3, 4, 3])
        ),
    )
    yield (
        "line",
        (2, 9),
        nn.Sequential(
            nn.Conv1d(2, 4, 3, dilation=2),
            nn.Tanh(),
            nn.AvgPool1d(2),
            nn.Flatten(),
            nn.Linear(8, 3),
            nn.Softmax(dim=-1),
        ),
    )
    yield "line_up", (3, 5), nn.Sequential(nn.ConvTranspose1d(3, 2, 3, stride=2), nn.ELU(), nn.Conv1d(2, 2, 2))
    yield "volume", (1, 4, 4, 4), nn.Sequential(nn.Conv3d(1, 3, 2), nn.GELU(), nn.Flatten(), nn.Linear(81, 2))
    yield "decoder", (3,), Decoder()
    yield "rnn", sequence, Last(nn.RNN(3, 4, batch_first=True), nn.Linear(4, 2))
    yield "lstm", sequence, Last(nn.LSTM(3, 4, num_layers=2, batch_first=True), nn.Linear(4, 2))
    yield "gru", sequence, Last(nn.GRU(3, 4, batch_first=True), nn.Linear(4, 2))
    yield "gru_without_bias", sequence, Last(nn.GRU(3, 4, batch_first=True, bias=False), nn.Linear(4, 2))
    yield "both_ways", sequence, Last(nn.LSTM(3, 4, batch_first=True, bidirectional=True), nn.Linear(8, 2))
    yield "branches", (3,), Branches()
    yield "attention", (5,), Attention()


def main():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(HERE / "torch_models.zip", "w") as archive:

        def write(name, content):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)

        for name, shape, network in networks():
            network.eval()
            with torch.no_grad():
                for key, value in network.state_dict().items():
                    if value.dtype.is_floating_point:
                        random = torch.tensor(rng.normal(size=tuple(value.shape)) * 0.5)
                        value.copy_(random.abs() + 0.5 if "var" in key else random)
            if name == "attention":
                x = torch.tensor(rng.integers(0, 9, (3, *shape)))
            else:
                x = torch.tensor(rng.normal(size=(3, *shape)).astype("float32"))
            with torch.no_grad():
                y = network(x)
            content = io.BytesIO()
            np.savez(content, x=x.numpy(), y=y.numpy())
            write(f"{name}.npz", content.getvalue())
            content = io.BytesIO()
            torch.save(network.state_dict(), content)
            write(f"{name}.pth", content.getvalue())
            write(f"{name}.safetensors", save({k: v.contiguous() for k, v in network.state_dict().items()}))
            content = io.BytesIO()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                axes = {"x": {0: "batch"}, "y": {0: "batch"}}
                torch.onnx.export(
                    network, (x,), content, input_names=["x"], output_names=["y"], dynamic_axes=axes, opset_version=17,
                    dynamo=False,
                )  # fmt: skip
            write(f"{name}.onnx", content.getvalue())


if __name__ == "__main__":
    main()

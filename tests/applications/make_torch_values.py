"""Write torch_values.npz: what PyTorch's networks make of weights and images that the tests draw again.

    python tests/applications/make_torch_values.py     # needs torch and the package efficientnet_lite_pytorch

The EfficientNets are those of that package; SqueezeNet is torchvision's definition in short, and the ResNets are the
common implementation for CIFAR-10, written down here.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from scratchnet import applications  # noqa: E402
from tests.applications.torch_files import arrays_of, draw_weights, images  # noqa: E402


class Fire(nn.Module):
    def __init__(self, channels, squeezed, expanded):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


def squeezenet():
    def pool():
        return nn.MaxPool2d(3, 2)

    fires = [Fire(*sizes) for sizes in (
        (64, 16, 64), (128, 16, 64), (128, 32, 128), (256, 32, 128),
        (256, 48, 192), (384, 48, 192), (384, 64, 256), (512, 64, 256),
    )]  # fmt: skip
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool(), *fires[:2], pool(), *fires[2:4], pool(), *fires[4:],
        nn.Conv2d(512, 1000, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip


class Basic(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False), nn.BatchNorm2d(filters)
        self.conv2, self.bn2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False), nn.BatchNorm2d(filters)
        self.side = (filters - channels) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.side:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.side, self.side))
        return F.relu(x + y)


def resnet20():
    blocks = [Basic(*sizes) for sizes in (
        (16, 16, 1), (16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 32, 1), (32, 64, 2), (64, 64, 1),
        (64, 64, 1),
    )]  # fmt: skip
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


# By name: the module, and the height and width of the images; odd and even, as padding differs.
NETWORKS = {
    "EfficientNetLite0": (lambda: EfficientNet.from_name("efficientnet-lite0", image_size=(64, 47)), (64, 47)),
    "EfficientNetLite2": (lambda: EfficientNet.from_name("efficientnet-lite2", image_size=(33, 40)), (33, 40)),
    "SqueezeNet": (squeezenet, (67, 64)),
    "ResNet20": (resnet20, (32, 17)),
}


def main():
    values = {}
    for name, (network, size) in NETWORKS.items():
        ours = draw_weights(getattr(applications, name)(weights=None, input_shape=(*size, 3)))
        theirs = network()
        state = theirs.state_dict()
        arrays = list(arrays_of(ours).values())
        theirs.load_state_dict({key: torch.from_numpy(array) for key, array in zip(state, arrays, strict=True)})
        theirs.eval()
        with torch.no_grad():
            x = torch.from_numpy(images(*size).transpose(0, 3, 1, 2).copy())
            values[name] = theirs(x)[:, :10].numpy()
    np.savez(Path(__file__).with_name("torch_values.npz"), **values)


if __name__ == "__main__":
    main()

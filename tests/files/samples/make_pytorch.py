"""Makes the samples of PyTorch: run it with an interpreter that has torch and safetensors; NumPy then reads them."""

import argparse
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


def tensors():
    torch.manual_seed(0)
    matrix = torch.randn(4, 3)
    shared = torch.arange(12.0).reshape(3, 4)
    return {
        "matrix": matrix,
        "transposed": matrix.t(),  # the same storage, other strides
        "tied": shared,
        "tied.too": shared,
        "slice": shared[1:, ::2],
        "repeated": torch.tensor([1.5, 2.5]).expand(3, 2),
        "half": torch.randn(5).half(),
        "bfloat16": torch.randn(2, 3).bfloat16(),
        "double": torch.randn(2, dtype=torch.float64),
        "counter": torch.tensor(7),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "small": torch.arange(-2, 3, dtype=torch.int8),
        "short": torch.arange(3, dtype=torch.int16),
        "int": torch.arange(3, dtype=torch.int32),
        "flags": torch.tensor([True, False]),
        "complex": torch.tensor([1 + 2j]),
        "nothing": torch.empty(0, 3),
    }


def main():
    state = tensors()
    expected = {name: t.float().numpy() if t.dtype == torch.bfloat16 else t.numpy() for name, t in state.items()}
    np.savez(HERE / "pytorch_expected.npz", **expected)
    torch.save(state, HERE / "pytorch.pth")
    torch.save(state, HERE / "pytorch.legacy.pth", _use_new_zipfile_serialization=False)

    network = torch.nn.DataParallel(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    checkpoint = {
        "epoch": 3,
        "best_prec1": np.float64(93.5),
        "best_tensor": torch.tensor(93.5),
        "args": argparse.Namespace(lr=0.1),
        "device": torch.device("cpu"),
        "shape": torch.Size([1, 2]),
        "history": [np.float32(0.5), np.arange(3)],
        "state_dict": network.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(checkpoint, HERE / "pytorch_checkpoint.th")
    torch.save(checkpoint, HERE / "pytorch_checkpoint.legacy.th", _use_new_zipfile_serialization=False)
    parameters = {"layer": {"weight": torch.nn.Parameter(torch.ones(2)), "u": torch.ones(2, dtype=torch.uint16)}}
    torch.save([parameters, torch.zeros(1)], HERE / "pytorch_nested.pt")
    torch.save(network.module, HERE / "pytorch_module.pt")
    np.savez(HERE / "pytorch_checkpoint_expected.npz", **{k: t.numpy() for k, t in network.module.state_dict().items()})

    own = {k: t.contiguous().clone() for k, t in state.items() if not t.is_complex()}
    save_file(own, HERE / "arrays.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()

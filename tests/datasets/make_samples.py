"""Makes the samples that the package embeds from the whole data sets.

    python tests/datasets/make_samples.py [FOLDER]

Run it where scratchnet can be imported, with the data in the folder ``SCRATCHNET_DATA`` or within reach. The content is
the same on every machine; the compressed bytes may differ between versions of zlib and liblzma.
"""

import argparse
import gzip
import lzma
from pathlib import Path

import numpy as np

from scratchnet.datasets import cifar10, idx, mnist

CIFAR10_PER_CLASS = {"train": 202, "test": 40}
CIFAR10_MAX_BYTES = 4_200_000


def make_mnist(folder):
    """Write the first digits of both parts as gzipped idx files."""
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    for name, array in zip(mnist.FILES, (x_train, y_train, x_test, y_test)):
        shape = mnist.sample_shape(name)
        content = idx.header(shape) + array[: shape[0]].tobytes()
        (folder / f"mnist-{name}.gz").write_bytes(gzip.compress(content, compresslevel=9, mtime=0))


def make_cifar10(folder):
    """Write the first images of each class of both parts: xz of their labels and of the differences of their pixels.

    Raises:
        ValueError: they take more than ``CIFAR10_MAX_BYTES``; nothing is written then.
    """
    packed = {}
    for part, (x, y) in zip(("train", "test"), cifar10.load_data()):
        chosen = first_of_each_class(y[:, 0], CIFAR10_PER_CLASS[part])
        content = y[chosen].tobytes() + differences(x[chosen]).tobytes()
        packed[part] = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    size = sum(map(len, packed.values()))
    if size > CIFAR10_MAX_BYTES:
        raise ValueError(
            f"the sample of CIFAR-10 takes {size} bytes, at most {CIFAR10_MAX_BYTES} are wanted: "
            f"lower CIFAR10_PER_CLASS, now {CIFAR10_PER_CLASS}"
        )
    for part, content in packed.items():
        (folder / f"cifar10-{part}.xz").write_bytes(content)


def differences(images):
    """What ``cifar10.from_differences`` turns back into the images: uint8 (N, H, W, 3) to uint8 (3, N, H, W)."""
    red, green, blue = np.moveaxis(images, 3, 0)  # each (N, H, W)
    planes = np.stack([green, red - green, blue - green])  # modulo 256, as all differences here
    for axis in (2, 3):
        planes = np.diff(planes, axis=axis, prepend=np.uint8(0))
    return planes


def first_of_each_class(labels, count):
    """Ascending positions of the first ``count`` labels of each class."""
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in np.unique(labels)]))


def main():
    parser = argparse.ArgumentParser(description="Make the samples that the package embeds from the whole data sets.")
    parser.add_argument("folder", nargs="?", type=Path, default=mnist.SAMPLES, help="where to write: %(default)s")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    make_mnist(folder)
    make_cifar10(folder)
    for file in sorted(folder.glob("*.[gx]z")):
        print(f"{file.stat().st_size:>10,} bytes  {file}")


if __name__ == "__main__":
    main()

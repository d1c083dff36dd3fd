"""The programs of the folder `examples`: where they are, and what they have in common.

In a checkout the folder lies beside the package, in an installed wheel inside of it.
"""

import argparse
import contextlib
import os
import runpy
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import scratchnet
from scratchnet.datasets import cifar10, mnist
from scratchnet.distribution import DataParallel, set_distribution
from scratchnet.distribution.launch import end_all
from scratchnet.evaluation import save_figure
from scratchnet.optional import expect
from scratchnet.parallel.ranks import current_ranks
from scratchnet.utils import set_random_seed

CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

_PACKAGE = Path(__file__).parents[1]


def find_examples():
    """``{name: path}`` of the examples, the main one first. Raises FileNotFoundError if they are not there."""
    for folder in (_PACKAGE / "examples", _PACKAGE.parent / "examples"):
        paths = {path.stem: path for path in sorted(folder.glob("*.py"))}
        if "lstm_autoencoder" in paths:
            return {"lstm_autoencoder": paths.pop("lstm_autoencoder"), **paths}
    raise FileNotFoundError(f"the folder examples is neither in {_PACKAGE} nor beside it")


def run_demo(name="lstm_autoencoder", arguments=()):
    """Run an example as ``python examples/NAME.py ARGUMENTS`` does. Raises ValueError if there is none of that name."""
    examples = find_examples()
    if name not in examples:
        raise ValueError(f"there is no example {name!r}; there are {', '.join(examples)}")
    path = str(examples[name])
    before = sys.argv
    sys.argv = [path, *arguments]
    try:
        runpy.run_path(path, run_name="__main__")
    finally:
        sys.argv = before


class Output:
    """The folder that an example writes into, and what it has written."""

    def __init__(self, folder):
        self.folder = folder
        self.paths = []
        try:
            os.makedirs(folder, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):  # permissions alone would not tell of a read-only disk
                pass
        except OSError as problem:
            raise OSError(f"cannot write into the folder {folder}: {problem.strerror}") from problem

    def figure(self, name, figure):
        """Save a figure as ``name.png``."""
        self.paths.append(save_figure(figure, os.path.join(self.folder, f"{name}.png")))

    def text(self, name, text):
        """Save a text as `name`."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.paths.append(path)


def run_example(main, description, epochs, batch_size=128, extra=None, draws=True):
    """Read the command line, call ``main(options, output)``, name the files it wrote; the process's exit code.

    `extra(parser)` may add options; `draws`: whether it makes pictures, which takes matplotlib. What goes wrong for a
    known reason ends with one line and exit code 1.
    """
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    program = os.path.basename(sys.argv[0])
    parser = argparse.ArgumentParser(prog=program, description=description)
    add = parser.add_argument
    add(
        "--data",
        choices=("sample", "full"),
        default="sample",
        help="the embedded sample, or everything: from the folder SCRATCHNET_DATA, the cache, or the download "
        "(default: sample)",
    )
    add("--epochs", type=_positive, default=epochs, help="passes over the training data (default: %(default)s)")
    add("--batch-size", type=_positive, default=batch_size, help="samples in a training step (default: %(default)s)")
    add("--seed", type=int, default=1, help="the same seed gives the same result (default: %(default)s)")
    add(
        "--backend",
        choices=("loops", "numpy", "numba"),
        help="which kernels compute (default: numba where it is installed, else numpy)",
    )
    add(
        "--out",
        default=os.path.join("outputs", name),
        metavar="FOLDER",
        help="where the pictures go (default: %(default)s)",
    )
    add(
        "--distributed",
        action="store_true",
        help=f"share the work with the other ranks: mpiexec -n 4 python {program} --distributed",
    )
    if extra is not None:
        extra(parser)
    options = parser.parse_args()
    began = time.perf_counter()
    with contextlib.ExitStack() as scope:
        try:
            scratchnet.set_backend(options.backend)
            if options.distributed:
                _join_the_others(options, scope)
            set_random_seed(options.seed)
            output = Output(options.out)
            if draws:
                expect("matplotlib")  # better missed now than after the training
            main(options, output)
        except (OSError, ImportError, ValueError, FloatingPointError) as problem:
            return _failed(problem, f"{program}: {problem}", 1)
        except KeyboardInterrupt as problem:
            return _failed(problem, f"\n{program}: interrupted", 130)
        print(f"\nDone in {time.perf_counter() - began:.0f} s. Wrote:")
        for path in output.paths:
            print(f"  {path}")
    return 0


def _join_the_others(options, scope):
    """Work as one of the ranks that `mpiexec` has started; all but the first write and print into nowhere."""
    set_distribution(DataParallel())
    if current_ranks().rank > 0:
        options.out = scope.enter_context(tempfile.TemporaryDirectory())
        scope.enter_context(contextlib.redirect_stdout(scope.enter_context(open(os.devnull, "w", encoding="utf-8"))))


def _failed(problem, text, code):
    """Say what went wrong, once where several ranks have met it, and end them all; the exit code."""
    end_all(current_ranks(), problem, lambda: print(text, file=sys.stderr))
    return code


def load_mnist(options):
    """``(x_train, y_train), (x_test, y_test)``: digits (N, 28, 28) float32 in [0, 1], labels (N,)."""
    return _scaled(mnist, options)


def load_cifar10(options):
    """``(x_train, y_train), (x_test, y_test)``: photographs (N, 32, 32, 3) float32 in [0, 1], labels (N, 1)."""
    return _scaled(cifar10, options)


def _scaled(dataset, options):
    (x_train, y_train), (x_test, y_test) = dataset.load_data() if options.data == "full" else dataset.load_sample()
    print(f"{len(x_train):,} training and {len(x_test):,} test images ({options.data} data)")
    return (np.float32(x_train) / 255, y_train), (np.float32(x_test) / 255, y_test)


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)

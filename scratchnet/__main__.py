"""``python -m scratchnet``: what there is; ``python -m scratchnet demo``: an example in a minute."""

import argparse
import os
import platform
import sys

import numpy as np

import scratchnet
from scratchnet import kernels
from scratchnet.console import say
from scratchnet.datasets.sources import cache_folder
from scratchnet.demo import find_examples, run_demo


def main(arguments=None):
    """Read the command line and do what it says; the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m scratchnet",
        usage="%(prog)s [-h] [--version] [demo [--list] [NAME] [options of the example]]",
        description="Deep learning from scratch in NumPy. Says what there is; with demo, trains an LSTM autoencoder on "
        "handwritten digits, or runs the example of that NAME.",
    )
    parser.add_argument("--version", action="version", version=scratchnet.__version__)
    parser.add_argument("command", nargs="?", choices=("demo",), help=argparse.SUPPRESS)
    if parser.parse_args(arguments[:1]).command is None:
        for line in describe():
            say(line)
        return 0
    try:
        _demo(arguments[1:])
    except (FileNotFoundError, ValueError) as problem:
        parser.exit(1, f"python -m scratchnet demo: {problem}\n")
    return 0


def _demo(arguments):
    if arguments == ["--list"]:
        say("\n".join(find_examples()))
    elif arguments and not arguments[0].startswith("-"):
        run_demo(arguments[0], arguments[1:])
    else:
        run_demo(arguments=arguments)


def describe():
    """Lines that say which versions are here, what computes, and where what is kept."""
    yield f"scratchnet {scratchnet.__version__} in {os.path.dirname(scratchnet.__file__)}"
    yield f"Python {platform.python_version()}, NumPy {np.__version__}" + _numba_version()
    yield kernels.describe_backend() + f", in {scratchnet.get_num_threads()} threads"
    if kernels.get_backend() == "numba":
        yield f"compiled kernels: {_folder_of_kernels()}"
    yield f"downloaded data: {cache_folder()}"
    yield "python -m scratchnet demo: an LSTM autoencoder on handwritten digits, in a minute"
    yield "python -m scratchnet.gradient_check: is every backward pass the derivative of its forward pass?"


def _numba_version():
    if not kernels.numba_is_installed():
        return ""
    import numba

    return f", Numba {numba.__version__}"


def _folder_of_kernels():
    """Where the compiled kernels are kept."""
    from scratchnet.kernels.with_numba.cache import kernels_folder

    return kernels_folder() or "not kept, there is no folder for them"


if __name__ == "__main__":
    sys.exit(main())

"""``python -m scratchnet.explain model.npz digit.npy``: the page of a saved model and a sample."""

import argparse
import sys

import numpy as np

from scratchnet.console import say
from scratchnet.models import load_model


def main(arguments=None):
    """Read the command line and do what it says; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scratchnet.explain",
        description="Write a page in which a saved model is stepped forward and backward with a sample.",
    )
    parser.add_argument("model", help="of model.save: .npz, .keras or .h5")
    parser.add_argument("x", help="the sample or samples, .npy; one without a batch axis gets it")
    parser.add_argument("y", nargs="?", help="the targets, .npy; without them: x, if the model gives back x's shape")
    parser.add_argument("--label", type=int, help="the target as a number, for a classifier")
    parser.add_argument("--samples", type=int, default=1, help="how many samples to show (default: 1)")
    parser.add_argument("--out", default="explain.html", help="the file to write (default: explain.html)")
    parser.add_argument("--no-check", action="store_true", help="leave the gradient check out")
    options = parser.parse_args(arguments)
    try:
        say(f"wrote {_write(options)}")
    except (OSError, ValueError, TypeError) as problem:
        parser.exit(1, f"python -m scratchnet.explain: {problem}\n")
    return 0


def _write(options):
    model = load_model(options.model)
    x = _with_samples(np.load(options.x, allow_pickle=False), model.inputs[0].ndim)
    if options.label is not None:
        y = np.full(len(x), options.label)
    elif options.y is not None:
        y = np.load(options.y, allow_pickle=False)
        y = y[None] if y.shape[:1] != x.shape[:1] else y
    elif model.outputs[0].shape[1:] == x.shape[1:]:
        y = x
    else:
        x = x[: options.samples]
        return model.trace(x).save(options.out, check=False)  # forward only
    return model.explain(x, y, options.out, samples=options.samples, check=not options.no_check)


def _with_samples(x, ndim):
    """One sample as a batch of one."""
    return x[None] if x.ndim == ndim - 1 else x


if __name__ == "__main__":
    sys.exit(main())

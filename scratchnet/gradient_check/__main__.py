"""``python -m scratchnet.gradient_check``: check every layer, activation, operation, loss and kernel of the library."""

import argparse
import sys
import time

import numpy as np

from scratchnet import kernels
from scratchnet.console import is_terminal, say, write
from scratchnet.gradient_check.catalogue import FAMILIES
from scratchnet.gradient_check.check import error_over_steps
from scratchnet.gradient_check.report import BELOW_NOISE


def main(arguments=None):
    """Run the checks that the command line names, print a table, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scratchnet.gradient_check",
        description="Compare every backward pass of the library with differences of its forward pass, in float64.",
    )
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"only these: {', '.join(FAMILIES)}")
    parser.add_argument("--backend", choices=kernels.BACKENDS, default="numpy", help="computes layers and models")
    parser.add_argument("--kernels", action="store_true", help="compile Numba's kernels if need be (minutes)")
    parser.add_argument("--seed", type=int, default=0, help="of all inputs and upstream gradients (default: 0)")
    parser.add_argument("--all", action="store_true", help="print every check, not one line for each subject")
    parser.add_argument("--plot", metavar="FILE", help="also draw the error of an LSTM's gradient over the step size")
    options = parser.parse_args(arguments)
    unknown = [family for family in options.families if family not in FAMILIES]
    if unknown:
        parser.error(f"unknown family {unknown[0]!r}: choose from {', '.join(FAMILIES)}")
    try:
        with kernels.using_backend(options.backend):
            return _check(options)
    except ImportError as problem:
        parser.error(str(problem))


def _check(options):
    say(f"layers and models computed by {options.backend}; the kernels of the backends compared with one another")
    began, failed, count, unproved, left_out = time.perf_counter(), [], 0, 0, 0
    for family in options.families or FAMILIES:
        say(f"\n{family}\n{'-' * 80}\n{'':58} {'worst error':>11} {'bound':>7}")
        more = {} if family != "kernels" or options.kernels else {"compile": False}
        reports = _watched(FAMILIES[family](np.random.default_rng(options.seed), **more), family)
        for subject, group in _grouped(reports, options.all):
            rows = [row for report in group for row in report.rows]
            left_out += sum(not report.rows for report in group)
            if not rows:
                continue
            worst = max(rows, key=lambda row: row.error / row.bound)
            passed = all(row.passed for row in rows)
            count += len(rows)
            unproved += sum(row.verdict == BELOW_NOISE for row in rows)
            say(f"{subject[:58]:58} {worst.error:11.1e} {worst.bound:7.0e}  {'ok' if passed else 'FAILED'}")
            failed.extend(report for report in group if not report.passed)
    for report in failed:
        say(f"\n{report}")
    if left_out:
        say(f"\n{left_out} comparisons with Numba left out: its kernels are not compiled yet (--kernels compiles them)")
    seconds = f"{time.perf_counter() - began:.0f} s"
    tiny = f", {unproved} too small to tell from rounding" if unproved else ""
    say(f"\n{count} gradients checked in {seconds}: {len(failed) or 'none'} failed{tiny}")
    if options.plot:
        say(f"wrote {plot_step_sizes(options.plot)}")
    return 1 if failed else 0


def _watched(reports, family):
    """The reports; in a terminal, a line that counts them is written over while they are made."""
    shown = is_terminal(sys.stdout)
    for number, report in enumerate(reports, 1):
        if shown:
            write(f"\r{family}: {number} checks")
        yield report
    if shown:
        write("\r" + " " * 40 + "\r")


def _grouped(reports, every):
    """(subject, reports): one group for each check, or for each layer, loss or kernel whatever its options."""
    groups = {}
    for report in reports:
        groups.setdefault(report.subject if every else report.subject.split("(")[0], []).append(report)
    return groups.items()


def plot_step_sizes(path):
    """Draw the error of central differences over the step, for float64 and float32, and return the path.

    The function is the mean of an LSTM's output; to the right the error is that of the formula and falls with the
    square of the step, to the left it is that of the rounding and grows as the step shrinks.
    """
    from matplotlib.figure import Figure

    from scratchnet.layers import LSTM

    steps = 10.0 ** np.arange(-12, 0.5, 0.5)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(
        xscale="log", yscale="log", xlabel="step of the differences", ylabel="relative error of dx"
    )
    rng = np.random.default_rng(0)
    x64, dy = rng.standard_normal((2, 4, 3)), rng.standard_normal((2, 5))
    layer = LSTM(5, dtype="float64")
    layer(x64)
    dx, _ = layer.backward(dy, layer.forward(x64)[1])
    narrow = LSTM(5)
    narrow(x64)
    narrow.set_weights(layer.get_weights())

    def rounded():  # the same function, computed in float32 throughout
        return float(np.sum(narrow.forward(x64.astype(np.float32))[0] * dy.astype(np.float32)))

    errors64 = error_over_steps(lambda: float(np.sum(layer.forward(x64)[0] * dy)), x64, dx, steps)
    errors32 = error_over_steps(rounded, x64, dx, steps)
    axes.plot(steps, np.maximum(errors64, 1e-16), "o-", color="#0072B2", label="float64")
    axes.plot(steps, np.maximum(errors32, 1e-16), "s--", color="#D55E00", label="float32")
    axes.axhline(1e-7, color="0.4", linewidth=1, linestyle=":")
    axes.text(steps[0], 1.3e-7, "the bound for a smooth layer", color="0.3", va="bottom")
    axes.set_title("Central differences against backpropagation, LSTM(5)")
    axes.set_ylim(1e-12, 10)
    axes.grid(color="0.9")
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=100)
    return path


if __name__ == "__main__":
    sys.exit(main())

"""What a user waits for, in one table from one run: README's.

    python benches/waiting.py                            # about four minutes
    python benches/run_all.py --only waiting             # and the table goes into README.md

Whole programs are started anew and timed to their end; the job on MNIST is one script of which only the name of the
library changes (`startup`). A prediction is `model.predict(x)` of a single sample, the median of several turns.
"""

import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from _shared import (
    Worker,
    calls_for,
    in_turns,
    instructions,
    make_parser,
    milliseconds,
    progress,
    run_bench,
    without_coretype,
    write_between,
)
from models import PEERS, installed
from startup import EXAMPLE, _first_step, _job

from scratchnet.evaluation.style import colour, markdown_table, new_figure, text_table


def dense_classifier(K):
    L = K.layers
    return [L.Input((784,)), L.Dense(128, activation="relu"), L.Dense(10, activation="softmax")]


def networks():
    """``{name: (its layers for a library, the shape of a sample)}``."""
    from missions import cnn_classifier, recurrent_autoencoder

    return {
        "dense network": (dense_classifier, (784,)),
        "CNN": (cnn_classifier, (28, 28, 1)),
        "LSTM autoencoder": (recurrent_autoencoder("LSTM"), (28, 28)),
    }


def worker(side):
    """Answer each name of a network by the milliseconds of predicting one sample."""
    if side == "scratchnet":
        import scratchnet as library
    else:
        os.environ.update(KERAS_BACKEND=side, TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library
    functions = {}
    for name, (build, shape) in networks().items():
        model, x = library.models.Sequential(build(library)), np.zeros((1, *shape), "float32")
        functions[name] = functools.partial(model.predict, x, verbose=0)
    calls = {name: calls_for(function, at_least=50) for name, function in functions.items()}
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        print(milliseconds(functions[name], calls[name]), flush=True)


# ---- measuring ----


def measure(options):
    """A row for everything that is waited for: ``{"what": words, "unit": "s" or "ms", "times": {side: time}}``."""
    peers = installed(options.peers)
    with tempfile.TemporaryDirectory() as folder:
        rows = [*_programs(folder, options), _whole_job(folder, peers, options)]
    return rows + _predictions(peers, options)


def _programs(folder, options):
    step = "from its start to the end of the first training step"
    rows = []
    for side, when in (("cold", "the first time, when kernels are compiled"), ("warm", "later")):
        progress(f"first step, {side}")
        row = _first_step(side, f"{folder}/cache", folder, options.threads)
        rows.append({"what": f"{step}, {when}", "unit": "s", "times": {"scratchnet": row["seconds"]}})
    progress("the first command")
    command = [sys.executable, str(EXAMPLE), "--out", folder, *(["--epochs", "1"] if options.small else [])]
    settings = {"NUMBA_CACHE_DIR": f"{folder}/empty", "SCRATCHNET_NUM_THREADS": options.threads}
    environment = without_coretype(PYTHONPATH=EXAMPLE.parents[1], **settings)
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    what = "`python examples/lstm_autoencoder.py`, the first time: train, evaluate, draw"
    return [{"what": what, "unit": "s", "times": {"scratchnet": seconds}}, *rows]


def _whole_job(folder, peers, options):
    from scratchnet.datasets import mnist

    full = options.data == "full" and not options.small
    (x_train, _), (x_test, _) = mnist.load_data() if full else mnist.load_sample()
    count, epochs = (64, 1) if options.small else (None, options.epochs)
    np.savez(f"{folder}/digits.npz", train=x_train[:count], test=x_test[:count])
    job, threads = functools.partial(_job, f"{folder}/digits.npz", epochs), options.threads
    times = {}
    for side in ("scratchnet", *peers):
        progress(f"the whole job: {side}")
        if side == "scratchnet":
            last = job("scratchnet", f"{folder}/cache", SCRATCHNET_NUM_THREADS=threads)
        else:
            last = job("keras", TF_NUM_INTRAOP_THREADS=threads, OMP_NUM_THREADS=threads, KERAS_BACKEND=side)
        times[side] = last["seconds"]
    digits = "all of MNIST" if full else "the sample of MNIST"
    what = f"an LSTM autoencoder on {digits}, {epochs} epochs: start, read, train, evaluate"
    return {"what": what, "unit": "s", "times": times}


def _predictions(peers, options):
    settings = {"SCRATCHNET_NUM_THREADS": options.threads}
    workers = {side: Worker([__file__, "--worker", side], **settings) for side in ("scratchnet", *peers)}
    rows = []
    try:
        for name in networks():
            ask = {side: lambda p=process, name=name: float(p.ask(name)) for side, process in workers.items()}
            readings = in_turns(ask, options.turns, f"one prediction, {name}")
            times = {side: statistics.median(values) for side, values in readings.items()}
            rows.append({"what": f"one prediction, {name}", "unit": "ms", "times": times})
    finally:
        for process in workers.values():
            process.close()
    return rows


# ---- showing ----


def _lines(result):
    rows = result["rows"]
    peers = [peer for peer in PEERS if any(peer in row["times"] for row in rows)]
    headings = ["what you wait for", "scratchnet", *(f"Keras on {PEERS[peer].split()[0]}" for peer in peers)]
    lines = []
    for row in rows:
        ours, unit = row["times"]["scratchnet"], row["unit"]
        line = [row["what"], f"{ours:.3g} {unit}"]
        for peer in peers:
            time = row["times"].get(peer)
            line.append(f"{time:.3g} {unit} ({time / ours:.3g} times)" if time else "")
        lines.append(line)
    return headings, lines


def table(result):
    """The table for the screen."""
    return text_table(*_lines(result), width=160)


def markdown(result):
    """A section of the page of benchmarks."""
    return f"""## What you wait for

    python benches/waiting.py

Whole programs are started anew and run once; a prediction is the median of {result["options"]["turns"]} turns.

{markdown_table(*_lines(result))}
"""


def write_page(path, result):
    """Write the table between the markers of a page. Raises ValueError if they are not there."""
    threads, vectors = result["options"]["threads"], instructions(result["environment"])
    write_between(path, "waiting", f"{markdown_table(*_lines(result))}\n\nOn {threads} processors with {vectors}.\n")


def draw(result):
    """A bar for each side of everything that is waited for, on a logarithmic scale of seconds."""
    rows = result["rows"]
    figure, ax = new_figure(10, 0.6 * len(rows) + 1.2)
    sides = list(dict.fromkeys(side for row in rows for side in row["times"]))
    height = 0.8 / len(sides)
    for k, side in enumerate(sides):
        having = [(i, row) for i, row in enumerate(rows) if side in row["times"]]
        places = [i + (k - (len(sides) - 1) / 2) * height for i, _ in having]
        seconds = [row["times"][side] / (1e3 if row["unit"] == "ms" else 1) for _, row in having]
        ax.barh(places, seconds, height, color=colour(k), label=PEERS.get(side, side))
    ax.set_yticks(
        range(len(rows)), [row["what"].replace(": ", ":\n").replace(", ", ",\n", 1) for row in rows], fontsize=7
    )
    ax.set(xscale="log", xlabel="seconds")
    ax.invert_yaxis()
    ax.legend(fontsize=8)
    return figure


def main():
    """Read the command line, measure, print the table."""
    parser = make_parser(__doc__, turns=7)
    add = parser.add_argument
    add("--peers", nargs="*", choices=("tensorflow", "jax"), default=["tensorflow"], help="Keras's backends")
    add("--data", choices=("sample", "full"), default="full", help="of the whole job (default: %(default)s)")
    add("--epochs", type=int, default=2, help="of the whole job (default: %(default)s)")
    add("--small", action="store_true", help="less of everything, to try the bench itself")
    add("--worker", metavar="SIDE", help="for the bench itself: be one of the sides")
    options = parser.parse_args()
    if options.worker:
        worker(options.worker)
    else:
        run_bench("waiting", options, measure, table, draw)


if __name__ == "__main__":
    main()

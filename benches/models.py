"""How long a training step takes, through `fit` as users call it, beside Keras on TensorFlow and on JAX.

    python benches/models.py
    python benches/models.py --peers tensorflow jax --json outputs/models.json

Every side runs in a process of its own and they take turns, so that a busy moment of the machine meets all alike. What
counts is the ratio within a turn; the table shows the median over the turns and the smallest and largest ratio.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time

SIDES = ("tensorflow", "jax")


def worker(side, name, samples, threads):
    """Make the model, warm up, and then time one epoch for every line on standard input."""
    if side == "scratchnet":
        import scratchnet as library

        library.set_num_threads(threads)
    else:
        os.environ.update(KERAS_BACKEND=side, TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library
    from missions import MISSIONS, make

    model, (_, _, batch_size, data) = make(name, library), MISSIONS[name]
    x, y = data(samples)
    steps = -(-len(x) // batch_size)
    calls = {
        "fit": lambda: model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0),
        "evaluate": lambda: model.evaluate(x, y, batch_size=batch_size, verbose=0),
        "predict": lambda: model.predict(x, batch_size=batch_size, verbose=0),
    }
    for call in calls.values():
        call()
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        calls[line.strip()]()
        print((time.perf_counter() - began) / steps * 1e3, flush=True)


class Side:
    """A worker process and its readings."""

    def __init__(self, side, name, samples, threads):
        command = [sys.executable, __file__, "--worker", side, "--only", name, "--samples", str(samples)]
        environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
        environment.update({key: str(threads) for key in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")})
        self.process = subprocess.Popen(
            [*command, "--threads", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.ready = False
        for line in self.process.stdout:
            if line.strip() == "ready":
                self.ready = True
                break

    def run(self, call):
        """Milliseconds per step of one epoch."""
        self.process.stdin.write(f"{call}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def environment_line(threads):
    """Versions, BLAS and threads."""
    import numpy as np
    from threadpoolctl import threadpool_info

    blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    architecture = blas[0].get("architecture", "unknown") if blas else "unknown"
    versions = [f"Python {platform.python_version()}", f"NumPy {np.__version__}"]
    for package in ("numba", "tensorflow", "jax", "keras"):
        if importlib.util.find_spec(package):
            from importlib.metadata import PackageNotFoundError, version

            try:
                versions.append(f"{package} {version(package)}")
            except PackageNotFoundError:  # tensorflow-cpu installs the module tensorflow
                versions.append(f"{package} {version(f'{package}-cpu')}")
    return f"{', '.join(versions)}; BLAS for {architecture}; {threads} threads a side"


def compare(name, call, peers, samples, threads, turns):
    """One row: our median, and for each peer its median and the ratios in turns."""
    sides = {}
    for side in ("scratchnet", *peers):
        sides[side] = Side(side, name, samples, threads)
        if not sides[side].ready:
            raise RuntimeError(f"{side} could not run {name}")
    readings = {side: [] for side in sides}
    for turn in range(turns):
        for side, process in sides.items():
            readings[side].append(process.run(call))
        print(f"\r{name} {call}: turn {turn + 1} of {turns}", end="", file=sys.stderr, flush=True)
    print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    for process in sides.values():
        process.close()
    return {"model": name, "call": call, "ms": readings}


def table(rows, peers):
    """The readings as text."""
    from scratchnet.evaluation import text_table

    headings, lines = ["model", "call", "scratchnet ms"], []
    for peer in peers:
        headings += [f"{peer} ms", "ratio", "(spread)"]
    for row in rows:
        mine = row["ms"]["scratchnet"]
        line = [row["model"], row["call"], f"{statistics.median(mine):.1f}"]
        for peer in peers:
            ratios = [theirs / ours for ours, theirs in zip(mine, row["ms"][peer])]
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            line += [f"{statistics.median(row['ms'][peer]):.1f}", f"{statistics.median(ratios):.2f}", spread]
        lines.append(line)
    return text_table(headings, lines, width=200)


def main():
    """Read the command line, measure, print the table."""
    from missions import MISSIONS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", nargs="*", choices=SIDES, default=[], help="whom to compare with, where installed")
    parser.add_argument("--only", nargs="*", choices=MISSIONS, metavar="MODEL", help=f"of: {', '.join(MISSIONS)}")
    parser.add_argument("--calls", nargs="*", default=["fit"], choices=("fit", "evaluate", "predict"))
    parser.add_argument("--samples", type=int, default=1280, help="in an epoch (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of every side (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=7, help="how often each side is timed (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write every reading")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.only[0], options.samples, options.threads)
        return
    peers = []
    for peer in options.peers:
        if importlib.util.find_spec(peer) and importlib.util.find_spec("keras"):
            peers.append(peer)
        else:
            print(f"{peer}: not installed, skipped")
    print(environment_line(options.threads))
    rows = [
        compare(name, call, peers, options.samples, options.threads, options.turns)
        for name in options.only or MISSIONS
        for call in options.calls
    ]
    print(table(rows, peers))
    if options.json:
        os.makedirs(os.path.dirname(os.path.abspath(options.json)), exist_ok=True)
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
        print(f"wrote {options.json}")


if __name__ == "__main__":
    main()

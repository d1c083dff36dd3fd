"""How the time of a training step grows from the smallest sizes to large ones, beside the fastest of its peers.

    python benches/curves.py
    python benches/curves.py --peers --threads 1 --clock processor       # ours alone, on a machine with other work

One size at a time grows while the others stay: the batch of a small CNN, the length and the units of a small LSTM, the
pixels of an image. Every side is a process for each number of threads, all take turns at each size; peers, whom it
takes long to compile, are asked at four sizes. After `--seconds` a size has one turn, and peers are asked at the first
and the last. Cost should grow smoothly: it is laid beside the curve a + b size + c size^2 that fits best, none of a, b,
c negative. A size that takes 1.3 times as long as the curve says, with a fixed threshold, is called a cliff.

Memory: what `predict`, and then `fit`, add to the largest resident size of a process of its own at the largest sizes,
after both at the smallest: code that is loaded at first use is not counted, on any side.
"""

import contextlib
import itertools
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from _shared import (
    Worker,
    describe,
    hold_to,
    in_sound_turns,
    make_parser,
    positive,
    progress,
    restart_held_to,
    run_bench,
)
from models import PEERS, installed
from scaling import peak_megabytes

SIDES = {"scratchnet": "scratchnet", **PEERS}
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}
CLIFF = 1.3  # times what the smooth curve says
ASKED = 4  # sizes at which there are peers
REPEATED = 24  # turns of all sizes together
STEPS, FEW_STEPS = 8, 4  # of a call of fit, in the smaller and in the larger half of the sizes


def convolution(N=8, H=12, C=4, F=8):
    """What the CNN is made of: its kind, the shape of a batch, and its width."""
    return "CNN", (N, H, H, C), F


def recurrent(N=16, T=16, D=16, U=32):
    """The same of the LSTM."""
    return "LSTM", (N, T, D), U


def _doubled(first, last):
    return tuple(first * 2**k for k in range((last // first).bit_length()))


# what grows: (model, its arguments for a size, the sizes)
SWEEPS = {
    "batch": (convolution, lambda n: {"N": n}, _doubled(1, 8192)),
    "length": (recurrent, lambda n: {"T": n}, _doubled(1, 2048)),
    "units": (recurrent, lambda n: {"U": n, "T": 4}, _doubled(8, 2048)),
    "pixels": (convolution, lambda n: {"H": n, "C": 3, "F": 16}, (8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 224)),
}


# ---- one side, in its own process ----


def build(K, kind, shape, width):
    """The compiled model of library `K`."""
    L = K.layers
    if kind == "CNN":
        layers = [
            L.Conv2D(width, 3, activation="relu", padding="same"),
            L.MaxPooling2D(),
            L.Conv2D(width, 3, activation="relu", padding="same"),
            L.GlobalAveragePooling2D(),
        ]
    else:
        layers = [L.LSTM(width)]
    model = K.models.Sequential([L.Input(shape[1:]), *layers, L.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model


class TorchModel:
    """The same for PyTorch, with `fit` and `predict`."""

    def __init__(self, kind, shape, width):
        import torch

        self.torch, self.is_image = torch, kind == "CNN"
        if self.is_image:
            parts = [
                *[torch.nn.Conv2d(shape[-1], width, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2)],
                *[torch.nn.Conv2d(width, width, 3, padding=1), torch.nn.ReLU()],
                *[torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()],
            ]
            self.body = torch.nn.Sequential(*parts).to(memory_format=torch.channels_last)
        else:
            self.body = torch.nn.LSTM(shape[-1], width, batch_first=True)
        self.head = torch.nn.Linear(width, 10)
        parameters = [*self.body.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.Adam(parameters)

    def _call(self, x):
        x = self.torch.from_numpy(x)
        if self.is_image:
            return self.head(self.body(x.permute(0, 3, 1, 2)))
        return self.head(self.body(x)[0][:, -1])

    def fit(self, x, y, batch_size, **_):
        for start in range(0, len(x), batch_size):
            targets = self.torch.from_numpy(y[start : start + batch_size])
            loss = self.torch.nn.functional.cross_entropy(self._call(x[start : start + batch_size]), targets)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def predict(self, x, batch_size, **_):
        with self.torch.inference_mode():
            return [
                self._call(x[start : start + batch_size]).softmax(-1).numpy() for start in range(0, len(x), batch_size)
            ]


def start_side(side, threads):
    """Import the library of a side; a function ``make(kind, shape, width)`` of its models."""
    hold_to(threads)
    if side == "torch":
        import torch

        torch.set_num_threads(threads)
        return TorchModel
    if side == "scratchnet":
        import scratchnet as library
        from scratchnet import kernels

        library.set_num_threads(threads)
        kernels.load()
    else:
        os.environ.update(KERAS_BACKEND=side, TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library

    def make(*of):
        if side != "scratchnet":
            library.backend.clear_session()  # or every model makes the next ones slower
        return build(library, *of)

    return make


def data(sweep, size):
    """``(x, y, batch size, model)`` of some steps; the last is what `build` is given."""
    function, arguments, sizes = SWEEPS[sweep]
    kind, shape, width = function(**arguments(size))
    rows = shape[0] * (STEPS if size**2 <= sizes[0] * sizes[-1] else FEW_STEPS)
    generator = np.random.default_rng(1)
    x = generator.standard_normal((rows, *shape[1:]), dtype="float32")
    return x, generator.integers(0, 10, rows), shape[0], (kind, shape, width)


def worker(side, threads, clock):
    """Answer each "SWEEP SIZE" by the milliseconds of a training step."""
    make, now, last = start_side(side, threads), CLOCKS[clock], None
    print("ready", flush=True)
    for line in sys.stdin:
        if line != last:
            sweep, size = line.split()
            x, y, batch_size, of = data(sweep, int(size))
            model, last, calls = make(*of), line, None
            model.fit(x[:batch_size], y[:batch_size], batch_size=batch_size, verbose=0)

        def seconds(calls, model=model, x=x, y=y, batch_size=batch_size):
            began = now()
            for _ in range(calls):
                model.fit(x, y, batch_size=batch_size, verbose=0)
            return (now() - began) / calls

        taken = seconds(calls or 1)
        if calls is None and (calls := max(1, min(8, round(0.04 / max(taken, 1e-3))))) > 1:
            taken = seconds(calls)
        print(taken / (len(x) // batch_size) * 1e3, flush=True)


def memory_worker(side, sweep, threads):
    """Print the process's largest size before anything, after `predict`, and after `fit`, in megabytes."""
    make = start_side(side, threads)
    x, y, batch_size, of = data(sweep, SWEEPS[sweep][2][-1])
    model = make(*of)
    few_x, few_y, few, of = data(sweep, SWEEPS[sweep][2][0])
    other = make(*of)  # what is loaded at first use takes as much at every size
    other.predict(few_x, batch_size=few, verbose=0)
    other.fit(few_x, few_y, batch_size=few, verbose=0)
    print("ready", flush=True)
    sys.stdin.readline()
    forget_peak()
    peaks = [peak_megabytes()]
    model.predict(x, batch_size=batch_size, verbose=0)
    peaks.append(peak_megabytes())
    model.fit(x, y, batch_size=batch_size, verbose=0)
    print(*peaks, peak_megabytes(), flush=True)


def forget_peak():
    """From now on count anew, where the system can do that: to make the weights took room, too."""
    if os.path.exists("/proc/self/clear_refs"):  # Linux
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


# ---- measuring ----


def measure(options):
    """Rows of two kinds, "time" and "memory"."""
    sides = ["scratchnet", *installed(options.peers)]
    rows, left = [], TurnsLeft(options)
    for threads in sorted({1, options.threads}):
        command = [__file__, "--threads", threads, "--clock", options.clock, "--worker"]
        with contextlib.ExitStack() as workers:
            ready = {side: workers.enter_context(_worker(command, side, threads)) for side in sides}
            for sweep in options.only or SWEEPS:
                rows += _measure_sweep(sweep, threads, ready, options, left)
    if not options.no_memory:
        asked = list(itertools.product(options.only or SWEEPS, sides))
        progress("memory")
        with ThreadPoolExecutor(options.threads) as pool:  # how much it is does not depend on how long it takes
            rows += pool.map(lambda of: _measure_memory(*of, options.threads), asked)
    progress()
    return rows


def _worker(command, side, threads, *arguments):
    settings = {"TF_NUM_INTRAOP_THREADS": threads, "OMP_NUM_THREADS": threads}
    return Worker([*command, side, *arguments], **settings)


class TurnsLeft:
    """How many turns a size may have, and how many of them may be repeated, so that the whole comes to an end."""

    def __init__(self, options):
        self._turns, self._end = options.turns, time.perf_counter() + options.seconds
        self._repeated = REPEATED

    def now(self):
        """``(turns, most that are repeated, sizes with peers)``"""
        late = time.perf_counter() > self._end
        return (1, 0, 2) if late else (self._turns, min(self._turns, self._repeated), ASKED)

    def spend(self, repeated):
        self._repeated -= repeated


def _measure_sweep(sweep, threads, workers, options, left):
    rows, sizes = [], SWEEPS[sweep][2]
    for place, size in enumerate(sizes[:3] if options.small else sizes):
        turns, most, asked = left.now()
        ask = {
            side: lambda process=process, question=f"{sweep} {size}": float(process.ask(question))
            for side, process in workers.items()
            if side == "scratchnet" or place in np.linspace(0, len(sizes) - 1, asked).round()
        }
        readings, _, repeated = in_sound_turns(ask, turns, threads, f"{sweep} {size}, threads {threads}", most)
        left.spend(repeated)
        ms = {side: statistics.median(found) for side, found in readings.items()}
        rows.append({"kind": "time", "varied": sweep, "size": size, "threads": threads, "turns": turns, "ms": ms})
    return rows


def _measure_memory(sweep, side, threads):
    with _worker([__file__, "--threads", threads, "--worker"], side, threads, "--memory", sweep) as process:
        before, predict, fit = map(float, process.ask("go").split())
    row = {"kind": "memory", "varied": sweep, "size": SWEEPS[sweep][2][-1], "side": side}
    return {**row, "before": before, "predict": predict - before, "fit": fit - before}


def smooth(sizes, times):
    """What the curve a + b size + c size^2 that fits best, none of a, b, c negative, says at these sizes."""
    sizes, times = np.asarray(sizes, float), np.asarray(times, float)
    powers = (sizes / sizes[-1])[:, None] ** np.arange(3) / times[:, None]
    best, least = None, np.inf
    for count in range(1, 4):
        for chosen in map(list, itertools.combinations(range(3), count)):
            weights, *_ = np.linalg.lstsq(powers[:, chosen], np.ones(len(times)), rcond=None)
            error = np.square(powers[:, chosen] @ weights - 1).sum()
            if (weights >= 0).all() and error < least:
                best, least = powers[:, chosen] @ weights * times, error
    return best


# ---- showing ----


def _series(result):
    """``{(varied, threads): rows}`` of the times."""
    found = {}
    for row in result["rows"]:
        if row["kind"] == "time":
            found.setdefault((row["varied"], row["threads"]), []).append(row)
    return found


def _over(rows):
    """For each row, our time over the smooth curve's."""
    sizes, times = [row["size"] for row in rows], [row["ms"]["scratchnet"] for row in rows]
    return [ms / expected for ms, expected in zip(times, smooth(sizes, times))]


def fastest(row):
    """``(side, ms)`` of the fastest peer of a row; None where no peer was asked."""
    peers = {side: ms for side, ms in row["ms"].items() if side != "scratchnet"}
    return min(peers.items(), key=lambda item: item[1]) if peers else None


HEADINGS = (
    *("what grows", "threads", "sizes", "ms, smallest", "ms, largest", "largest over the curve", "cliffs"),
    *("fastest peer / ours: least", "at", "smallest size", "largest size"),
)
MEMORY_HEADINGS = ("what grows", "size", "side", "MB before", "MB of predict", "MB of fit", "fit over scratchnet's")


def _time_lines(result):
    lines = []
    for (varied, threads), rows in _series(result).items():
        over = _over(rows)
        cliffs = [f"{row['size']:,} ({value:.2f})" for row, value in zip(rows, over) if value >= CLIFF]
        ends = [f"{rows[place]['ms']['scratchnet']:.2f}" for place in (0, -1)]
        line = [varied, threads, f"{rows[0]['size']:,} to {rows[-1]['size']:,}", *ends]
        line += [f"{max(over):.2f}", ", ".join(cliffs) or "none"]
        beside = [
            (found[1] / row["ms"]["scratchnet"], row["size"], found[0]) for row in rows if (found := fastest(row))
        ]
        if beside:
            ratio, size, peer = min(beside)
            line += [f"{ratio:.2f}", f"{size:,} ({SIDES[peer]})", *(f"{beside[place][0]:.1f}" for place in (0, -1))]
        lines.append([*line, "", "", "", ""][: len(HEADINGS)])
    return lines


def _memory_lines(result):
    rows = [row for row in result["rows"] if row["kind"] == "memory"]
    ours = {row["varied"]: row["fit"] for row in rows if row["side"] == "scratchnet"}
    lines = []
    for row in rows:
        line = [row["varied"], f"{row['size']:,}", SIDES[row["side"]]]
        line += [f"{row[key]:.0f}" for key in ("before", "predict", "fit")]
        lines.append([*line, f"{row['fit'] / max(ours[row['varied']], 1):.1f}"])
    return lines


def table(result):
    """The readings as text."""
    from scratchnet.evaluation import text_table

    lines = [text_table(HEADINGS, _time_lines(result), width=200)]
    memory = _memory_lines(result)
    return "\n\n".join([*lines, text_table(MEMORY_HEADINGS, memory, width=140)] if memory else lines)


def markdown(result):
    """A section of the page of benchmarks."""
    from scratchnet.evaluation import markdown_table

    options, memory = result["options"], _memory_lines(result)
    text = f"""## How cost grows

    python benches/curves.py --peers tensorflow jax torch

Milliseconds per training step through `fit`, float32, the median of {options["turns"]} turns, or a single one where
time was short; {options["clock"]} time.
One size grows while the others stay: the batch of a CNN (12 x 12 x 4, two convolutions of 8 filters), the length of an
LSTM (batch 16, 16 numbers a step, 32 units) and its units (4 steps), the pixels of an image's side (batch 8, 16
filters). Our times are laid beside the curve a + b size + c size^2, none of a, b, c negative, that fits best: a size
that takes {CLIFF} times what it says is a cliff. Peers are asked at {ASKED} sizes, fewer where time was short, and
their ratio is that of whoever is the fastest there. Turns of two threads are repeated as above, by what two threads
gain on a matrix product, {REPEATED} of them at most.

{markdown_table(HEADINGS, _time_lines(result))}
"""
    if memory:
        text += f"""
What one call of `predict`, and then one of `fit`, add to the largest resident size of a process of its own, after
calls at the smallest size.

{markdown_table(MEMORY_HEADINGS, memory)}
"""
    return text


def draw(result):
    """For each size that grows, our curves and those of the fastest peer at each size, log-log."""
    from scratchnet.evaluation.style import colour, new_figure

    series = _series(result)
    sweeps = list(dict.fromkeys(varied for varied, _ in series))
    figure, axes = new_figure(12, 4.2 * -(-len(sweeps) // 2), -(-len(sweeps) // 2), 2, squeeze=False)
    for ax in axes.flat[len(sweeps) :]:
        ax.axis("off")
    for ax, sweep in zip(axes.flat, sweeps):
        for (varied, threads), rows in series.items():
            if varied != sweep:
                continue
            of, line = f"{threads} thread{'s' * (threads > 1)}", "--" if threads == 1 else "-"
            ours = [(row["size"], row["ms"]["scratchnet"]) for row in rows]
            ax.plot(*zip(*ours), f"o{line}", color=colour(0), ms=4, label=f"scratchnet, {of}")
            cliffs = [place for place, over in zip(ours, _over(rows)) if over >= CLIFF]
            if cliffs:
                ax.plot(*zip(*cliffs), "x", color="black", ms=11)
            peers = [(row["size"], fastest(row)[1]) for row in rows if fastest(row)]
            if peers:
                ax.plot(*zip(*peers), f"s{line}", color=colour(1), ms=4, label=f"fastest peer, {of}")
        ax.set(xscale="log", yscale="log", xlabel=sweep, ylabel="ms per step", title=f"{sweep} (cross: a cliff)")
        sizes = [size for size, _ in ours]
        ax.set_xticks(sizes[::2], [f"{size:,}" for size in sizes[::2]])
        ax.minorticks_off()
        ax.legend(fontsize=8)
    figure.supxlabel(describe(result["environment"]), fontsize=6)
    return figure


def main():
    """Read the command line, measure, print the tables."""
    parser = make_parser(__doc__, turns=3)
    add = parser.add_argument
    add("--peers", nargs="*", choices=PEERS, default=[], help="whom to compare with, where installed")
    add("--only", nargs="*", choices=SWEEPS, metavar="SIZE", help=f"of: {', '.join(SWEEPS)}")
    add("--clock", choices=CLOCKS, default="wall", help="processor: of a busy machine (default: %(default)s)")
    add("--seconds", type=positive, default=200, help="after so many a size has one turn (default: %(default)s)")
    add("--no-memory", action="store_true", help="only the times")
    add("--small", action="store_true", help="only the smallest sizes, to try the bench itself")
    add("--worker", metavar="SIDE", help="for the bench itself: be one of the sides")
    add("--memory", metavar="SIZE", choices=SWEEPS, help="for the bench itself: and tell the memory")
    options = parser.parse_args()
    if options.memory:
        memory_worker(options.worker, options.memory, options.threads)
    elif options.worker:
        worker(options.worker, options.threads, options.clock)
    else:
        restart_held_to(options.isa)
        run_bench("curves", options, measure, table, draw)


if __name__ == "__main__":
    main()

"""How the time of a training step, and the memory of a training, grow with the sizes.

    python benches/scaling.py
    python benches/scaling.py --data full --json outputs/scaling.json --plot outputs/scaling.png

Time: two small models, one of a convolution and one of an LSTM; one size at a time is doubled, with one thread and with
two, and `fit` is timed, milliseconds per step. The exponent is the slope of log time against log size over the largest
half of the sizes (the smallest are dominated by what every step costs, however small): 1 is linear, 2 quadratic.

Memory: the largest resident size of a process that calls `fit`, minus that before the call, when all is imported and
the data is loaded; every reading in a process of its own, beside Keras.
"""

import math
import os
import sys
import tempfile

import numpy as np
from _shared import (
    Worker,
    calls_for,
    describe,
    hold_to,
    in_turns,
    make_parser,
    median_and_spread,
    milliseconds,
    progress,
    ratios,
    restart_held_to,
    run_bench,
    spread_text,
)
from models import PEERS, installed

SIDES = {"scratchnet": "scratchnet", **PEERS}
MEMORY_MODELS = ("CNN classifier", "LSTM autoencoder")


# ---- time ----


def convolution(N=64, H=32, C=16, F=32):
    """The layers of the convolutional model, and the shape of a batch."""
    from scratchnet.layers import Conv2D, Dense, GlobalAveragePooling2D, Input, MaxPooling2D

    layers = [
        Input((H, H, C)),
        Conv2D(F, 3, activation="relu", padding="same"),
        MaxPooling2D(),
        Conv2D(F, 3, activation="relu", padding="same"),
        GlobalAveragePooling2D(),
        Dense(10, activation="softmax"),
    ]
    return layers, (N, H, H, C)


def recurrent(N=64, T=32, D=32, U=64):
    """The same of the recurrent model."""
    from scratchnet.layers import LSTM, Dense, Input

    return [Input((T, D)), LSTM(U, return_sequences=True), LSTM(U), Dense(10, activation="softmax")], (N, T, D)


# (model, what is doubled): (the model's function, its arguments for a size, the sizes, the exponent of the arithmetic)
SWEEPS = {
    ("CNN", "batch"): (convolution, lambda n: {"N": n}, (8, 16, 32, 64, 128, 256, 512), "1"),
    ("CNN", "pixels"): (convolution, lambda n: {"H": math.isqrt(n)}, (64, 256, 1024, 4096), "1"),
    ("CNN", "filters"): (convolution, lambda n: {"F": n}, (4, 8, 16, 32, 64, 128), "1 to 2"),
    ("LSTM", "batch"): (recurrent, lambda n: {"N": n}, (8, 16, 32, 64, 128, 256, 512), "1"),
    ("LSTM", "time steps"): (recurrent, lambda n: {"T": n}, (8, 16, 32, 64, 128, 256), "1"),
    ("LSTM", "units"): (recurrent, lambda n: {"U": n}, (16, 32, 64, 128, 256, 512), "1 to 2"),
}


def _epoch(function, arguments, batches):
    """A function that trains one epoch of so many batches."""
    import scratchnet

    layers, shape = function(**arguments)
    model = scratchnet.models.Sequential(layers)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    generator = np.random.default_rng(1)
    x = generator.standard_normal((batches * shape[0], *shape[1:]), dtype="float32")
    y = generator.integers(0, 10, len(x))
    return lambda: model.fit(x, y, batch_size=shape[0], epochs=1, verbose=0)


def measure_time(options):
    """A row for each size of each sweep and number of threads: ``{"ms": median, "speed-up": over one thread, ...}``."""
    import scratchnet

    rows, batches, small = [], 4, {"N": 4} if options.small else {}
    for (model, varied), (function, arguments, sizes, expected) in SWEEPS.items():
        for size in sizes[:2] if options.small else sizes:
            progress(f"{model}, {varied} {size}: warm-up")
            epoch = _epoch(function, {**small, **arguments(size)}, batches)
            calls = calls_for(epoch, at_least=1.0 if options.small else 30.0)

            def timed(count, epoch=epoch, calls=calls):
                scratchnet.set_num_threads(count)
                return milliseconds(epoch, calls) / batches

            counts = sorted({1, options.threads})
            sides = {count: lambda count=count: timed(count) for count in counts}
            for readings in sides.values():
                readings()
            readings = in_turns(sides, options.turns, f"{model}, {varied} {size}, threads")
            for count in counts:
                row = {"kind": "time", "model": model, "varied": varied, "size": size, "threads": count}
                ms, speedup = median_and_spread(readings[count])[0], ratios(readings[1], readings[count])
                rows.append({**row, "expected": expected, "ms": ms, "speed-up": median_and_spread(speedup)})
    scratchnet.set_num_threads(None)
    return rows


def exponent(sizes, times):
    """The slope of log time against log size, by least squares, over the largest half of the sizes."""
    start = len(sizes) // 2 if len(sizes) > 2 else 0
    return float(np.polyfit(np.log(sizes[start:]), np.log(times[start:]), 1)[0])


# ---- memory ----


def memory_worker(side, name, batch_size, data_file, threads):
    """Call `fit` once and print the process's largest size before and after it, in megabytes."""
    hold_to(threads)
    if side == "scratchnet":
        import scratchnet as library
        from scratchnet import kernels

        library.set_num_threads(threads)
        kernels.load()  # fit would import the backend, as Keras does when it is imported
    else:
        os.environ.update(KERAS_BACKEND=side, TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library
    from missions import make

    with np.load(data_file) as file:
        x, y = file["x"], file["y"]
    model = make(name, library)
    before = peak_megabytes()
    print("ready", flush=True)
    sys.stdin.readline()
    model.fit(x, x if y.ndim == 0 else y, batch_size=batch_size, epochs=1, verbose=0)
    print(before, peak_megabytes(), flush=True)


def peak_megabytes():
    """The largest resident size of this process so far."""
    if os.path.exists(
        "/proc/self/status"
    ):  # Linux, whose ru_maxrss begins with the size of the process that started us
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 2**10
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # macOS counts bytes, others kilobytes


def measure_memory(options):
    """A row for each model, batch size and side: ``{"before": megabytes, "peak": megabytes, ...}``."""
    sides = ["scratchnet", *installed(options.peers)]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in MEMORY_MODELS[: 1 if options.small else None]:
            data_file = os.path.join(folder, f"{name}.npz")
            samples = _save_digits(name, data_file, options)
            for batch_size in (128,) if options.small else (128, 512):
                for side in sides:
                    progress(f"memory: {name}, batch {batch_size}, {side}")
                    command = [__file__, "--worker", side, name, batch_size, data_file, "--threads", options.threads]
                    with Worker(command, TF_NUM_INTRAOP_THREADS=options.threads) as process:
                        before, peak = map(float, process.ask("fit").split())
                    row = {"kind": "memory", "model": name, "batch": batch_size, "samples": samples, "side": side}
                    rows.append({**row, "before": before, "peak": peak})
    progress()
    return rows


def _save_digits(name, path, options):
    """Write the data of a model; the number of its samples. y is 0 where the target is x itself."""
    from scratchnet.datasets import mnist

    (x, y), _ = mnist.load_data() if options.data == "full" else mnist.load_sample()
    if options.small:
        x, y = x[:256], y[:256]
    x = x.astype("float32") / 255
    np.savez(path, x=x[..., None] if name.startswith("CNN") else x, y=0 if name.endswith("autoencoder") else y)
    return len(x)


# ---- showing ----


def measure(options):
    """All rows."""
    return [*measure_time(options), *measure_memory(options)]


def _series(result):
    """``{(model, varied): {threads: (sizes, median times, rows)}}``."""
    found = {}
    for row in result["rows"]:
        if row["kind"] == "time":
            by_threads = found.setdefault((row["model"], row["varied"]), {})
            sizes, times, rows = by_threads.setdefault(row["threads"], ([], [], []))
            sizes.append(row["size"])
            times.append(row["ms"])
            rows.append(row)
    return found


TIME_HEADINGS = (
    *("model", "varied", "sizes", "threads", "ms, smallest", "ms, largest", "exponent", "arithmetic"),
    *("speed-up, smallest", "speed-up, largest"),
)
MEMORY_HEADINGS = ("model", "batch", "images", "side", "MB before", "MB at most", "MB of fit", "ratio to scratchnet")


def _time_lines(result):
    lines = []
    for (model, varied), by_threads in _series(result).items():
        for count, (sizes, times, rows) in by_threads.items():
            line = [model, varied, f"{sizes[0]} to {sizes[-1]}", count, f"{times[0]:.2f}", f"{times[-1]:.1f}"]
            line += [f"{exponent(sizes, times):.2f}", rows[0]["expected"]]
            for end in (0, -1):  # against one thread, at the smallest size and at the largest
                line.append("" if count == 1 else spread_text(rows[end]["speed-up"]))
            lines.append(line)
    return lines


def _memory_lines(result):
    rows = [row for row in result["rows"] if row["kind"] == "memory"]
    ours = {(row["model"], row["batch"]): row["peak"] - row["before"] for row in rows if row["side"] == "scratchnet"}
    lines = []
    for row in rows:
        added, reference = row["peak"] - row["before"], ours[row["model"], row["batch"]]
        line = [row["model"], row["batch"], f"{row['samples']:,}", SIDES[row["side"]]]
        ratio = f"{added / reference:.1f}" if reference > 0 else ""
        lines.append([*line, *(f"{value:.0f}" for value in (row["before"], row["peak"], added)), ratio])
    return lines


def table(result):
    """The readings as text."""
    from scratchnet.evaluation import text_table

    times = text_table(TIME_HEADINGS, _time_lines(result), width=180)
    return f"{times}\n\n{text_table(MEMORY_HEADINGS, _memory_lines(result), width=140)}"


def markdown(result):
    """A section of the page of benchmarks."""
    from scratchnet.evaluation import markdown_table

    counts = sorted({row["threads"] for row in result["rows"] if row["kind"] == "time"})
    return f"""## Scaling

    python benches/scaling.py

Time: milliseconds per training step through `fit`, float32, the median of {result["options"]["turns"]} turns. A size is
doubled at a time while the others stay (a CNN of two convolutions: batch 64, images 32 x 32 x 16, 32 filters; two LSTM
layers: batch 64, 32 time steps of 32 numbers, 64 units). "exponent" is the slope of log time against log size over the
largest half of the sizes, "arithmetic" that of the multiply-adds. "speed-up" is one thread's time over that of
{counts[-1]} threads: its median and spread.

{markdown_table(TIME_HEADINGS, _time_lines(result))}

Memory: the largest resident size of a process that trains one epoch, before `fit` (all imported, the data loaded) and
in the end; what `fit` added is the difference.

{markdown_table(MEMORY_HEADINGS, _memory_lines(result))}
"""


def draw(result):
    """Log-log curves of the times, and bars of the memory."""
    from scratchnet.evaluation.style import colour, new_figure

    series = _series(result)
    models = list(dict.fromkeys(model for model, _ in series))
    figure, axes = new_figure(14, 3.6 * len(models), len(models), 4, squeeze=False)
    for line, model in zip(axes, models):
        for ax, ((_, varied), by_threads) in zip(line, (item for item in series.items() if item[0][0] == model)):
            for k, (count, (sizes, times, _)) in enumerate(by_threads.items()):
                label = f"{count} thread{'s' * (count > 1)}: exponent {exponent(sizes, times):.2f}"
                ax.plot(sizes, times, "o-", color=colour(k), label=label)
            ax.plot(sizes, [times[-1] * size / sizes[-1] for size in sizes], ":", color="grey", label="linear")
            ax.set(xscale="log", yscale="log", xlabel=varied, ylabel="ms per step", title=f"{model}: {varied}")
            ax.set_xticks(sizes, sizes)
            ax.minorticks_off()
            ax.legend(fontsize=8)
        _draw_memory(line[-1], [r for r in result["rows"] if r["kind"] == "memory" and r["model"].startswith(model)])
    figure.supxlabel(describe(result["environment"]), fontsize=6)
    return figure


def _draw_memory(ax, rows):
    """Bars of what `fit` added, for each batch size and side."""
    from scratchnet.evaluation.style import colour

    if not rows:
        ax.axis("off")
        return
    batches, sides = (list(dict.fromkeys(row[key] for row in rows)) for key in ("batch", "side"))
    width = 0.8 / len(sides)
    for k, side in enumerate(sides):
        heights = [row["peak"] - row["before"] for row in rows if row["side"] == side]
        places = [i + (k - (len(sides) - 1) / 2) * width for i in range(len(batches))]
        ax.bar(places, heights, width, color=colour(k), label=SIDES[side])
    ax.set_xticks(range(len(batches)), [f"batch {batch}" for batch in batches])
    ax.set(ylabel="MB added by fit", ylim=(0, 1.25 * ax.get_ylim()[1]))  # room for the legend above the bars
    ax.set_title(f"{rows[0]['model']}, {rows[0]['samples']:,} images", fontsize=11)
    ax.legend(fontsize=8, loc="upper left")


def main():
    """Read the command line, measure, print the tables."""
    parser = make_parser(__doc__, turns=5)
    add = parser.add_argument
    add(
        "--peers",
        nargs="*",
        choices=("tensorflow", "jax"),
        default=["tensorflow"],
        help="Keras's backends (default: tensorflow)",
    )
    add("--data", choices=("sample", "full"), default="sample", help="for the memory: MNIST (default: %(default)s)")
    add("--small", action="store_true", help="few and small sizes, to try the bench itself")
    add(
        "--worker",
        nargs=4,
        metavar=("SIDE", "MODEL", "BATCH", "FILE"),
        help="for the bench itself: be one of the sides",
    )
    options = parser.parse_args()
    if options.worker:
        side, name, batch_size, data_file = options.worker
        memory_worker(side, name, int(batch_size), data_file, options.threads)
        return
    restart_held_to(options.isa)
    run_bench("scaling", options, measure, table, draw)


if __name__ == "__main__":
    main()

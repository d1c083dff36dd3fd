"""Whether a batch is divided among threads where that pays, on a grid of 60 small models.

    python benches/parts.py
    python benches/parts.py --only CNN Dense --seconds 45 --resume --json outputs/parts.json     # until it says: all

`scratchnet.training.work` decides by a count of multiply-adds into how many parts a batch goes. Here each model is
trained as it decides, on one thread, and in as many parts as there are threads whatever the count, in turns: "over the
better" is the time of the first over that of the other two which has the smaller median, turn by turn, and should stay
below 1.05.

With `--resume` the models of the JSON file stay as they are, so that the grid may be measured in several runs, each of
which begins no other model after `--seconds`.
"""

import itertools
import json
import os
import statistics
import time

import numpy as np
from _shared import (
    calls_for,
    describe,
    in_sound_turns,
    make_parser,
    median_and_spread,
    milliseconds,
    positive,
    progress,
    ratios,
    run_bench,
)

WITHIN = 1.05  # of the better of one and all threads
STEPS = 8  # of a call of fit
BATCHES = (32, 64, 128)  # the first is Keras's default
WAYS = ("as decided", "one thread", "all threads")


def _recurrent(kind):
    return lambda L, width: ((28, 28), [getattr(L, kind)(width)])


# kind: (its layers and the shape of a sample, for a width; the widths)
KINDS = {
    "SimpleRNN": (_recurrent("SimpleRNN"), (16, 32, 48, 64)),
    "GRU": (_recurrent("GRU"), (8, 16, 32, 64)),
    "LSTM": (_recurrent("LSTM"), (8, 16, 32, 64)),
    "Dense": (lambda L, width: ((784,), [L.Dense(width, activation="relu")]), (32, 128, 512, 1024)),
    "CNN": (
        lambda L, width: ((28, 28, 1), [L.Conv2D(width, 3, activation="relu"), L.MaxPooling2D(), L.Flatten()]),
        (2, 4, 8, 16),
    ),
}


def build(kind, width):
    """The compiled model, and the shape of a sample."""
    from scratchnet import layers as L
    from scratchnet.models import Sequential

    shape, inner = KINDS[kind][0](L, width)
    model = Sequential([L.Input(shape), *inner, L.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model, shape


def grid(options):
    """``(kind, width, batch)`` of the models that are asked for."""
    found = [(kind, width) for kind in options.only or KINDS for width in KINDS[kind][1]]
    return [(*of, batch) for of, batch in itertools.product(found[::7] if options.small else found, BATCHES)]


def measured_before(options):
    """``{(kind, width, batch): row}`` of the JSON file, if it is to be gone on with."""
    if not (options.resume and options.json and os.path.exists(options.json)):
        return {}
    with open(options.json, encoding="utf-8") as file:
        return {(row["model"], row["width"], row["batch"]): row for row in json.load(file)["rows"]}


def measure(options):
    """A row for each model of the grid, as `measure_model` gives it, in the order of the grid."""
    import scratchnet

    began, rows = time.perf_counter(), measured_before(options)
    wanted = [of for of in grid(options) if of not in rows]
    for place, of in enumerate(wanted):
        if options.seconds and time.perf_counter() - began > options.seconds:
            print(f"{len(wanted) - place} models are left: go on with --resume")
            break
        rows[of] = measure_model(*of, options)
    else:
        print("all models of the grid are measured")
    scratchnet.set_num_threads(None)
    order = {kind: place for place, kind in enumerate(KINDS)}
    return [rows[of] for of in sorted(rows, key=lambda of: (order[of[0]], *of[1:]))]


def measure_model(kind, width, batch, options):
    """``{"ms": {way: median}, "over": that of the better, with its spread, ...}``."""
    import scratchnet
    from scratchnet.training import work
    from scratchnet.training.step import SMALLEST_PART

    def timed(fit, calls, way):
        rule = work.LEAST, work.MOST_HELPED
        scratchnet.set_num_threads(1 if way == "one thread" else options.threads)
        if way == "all threads":
            work.LEAST, work.MOST_HELPED = 1e-9, 0
        try:
            return milliseconds(fit, calls) / STEPS
        finally:
            work.LEAST, work.MOST_HELPED = rule

    name = f"{kind} {width}, batch {batch}"
    progress(f"{name}: warm-up")
    model, shape = build(kind, width)
    generator = np.random.default_rng(1)
    x = generator.random((STEPS * batch, *shape), dtype="float32")
    y = generator.integers(0, 10, len(x))

    def fit():
        model.fit(x, y, batch_size=batch, verbose=0)

    calls = calls_for(fit, at_least=1.0 if options.small else 60.0)
    ways = {way: lambda way=way: timed(fit, calls, way) for way in WAYS}
    ways["all threads"]()
    readings, gains, repeated = in_sound_turns(ways, options.turns, options.threads, name)
    decided, one, all_threads = (readings[way] for way in WAYS)
    better = min(one, all_threads, key=statistics.median)  # of all turns: that of each turn would be whose luck it was
    counted = batch * work.multiply_adds(model)
    weights = work.weights_of(model)
    parts = int(min(options.threads, batch // SMALLEST_PART, work.parts_worth(counted, weights)))
    helped = options.threads == 2 and work.is_helped(counted, batch * work.shared_of(model), weights)
    return {
        **{"model": kind, "width": width, "batch": batch, "multiply-adds": counted},
        "parts": 1 if helped else parts,
        "ms": {way: median_and_spread(found)[0] for way, found in readings.items()},
        "over": median_and_spread(ratios(decided, better)),
        "all over one": median_and_spread(ratios(all_threads, one))[0],
        "gain": min(gains),
        "repeated": repeated,
    }


HEADINGS = ("model", "models", f"within {WITHIN}", "worst over the better", "which", "ms of it, decided", "one", "all")


def _lines(result):
    """A line for each kind of model, and one for all of them."""
    kinds = {}
    for row in result["rows"]:
        kinds.setdefault(row["model"], []).append(row)
    lines = []
    for kind, rows in [*kinds.items(), ("all", result["rows"])]:
        worst = max(rows, key=lambda row: row["over"][0])
        line = [kind, len(rows), sum(row["over"][0] <= WITHIN for row in rows)]
        line += ["{:.2f} ({:.2f} to {:.2f})".format(*worst["over"])]
        line += [f"{worst['model']} {worst['width']}, batch {worst['batch']}, parts {worst['parts']}"]
        lines.append(line + [f"{worst['ms'][way]:.2f}" for way in WAYS])
    return lines


def table(result):
    """The readings as text."""
    from scratchnet.evaluation import text_table

    return text_table(HEADINGS, _lines(result), width=160)


def markdown(result):
    """A section of the page of benchmarks."""
    from scratchnet.evaluation import markdown_table

    options = result["options"]
    return f"""## Parts of a batch

    python benches/parts.py

{len(result["rows"])} small models, batches of {", ".join(map(str, BATCHES))}: milliseconds per training step as
`scratchnet.training.work` decides into how many parts a batch goes, on one thread, and in {options["threads"]} parts,
a thread for each; the median of {options["turns"]} turns. What counts is the first over the better of the other two,
which has the smaller median: below 1 where one part with a helper is quicker than both. Turns count as above, by what
two threads gain on a matrix product.

{markdown_table(HEADINGS, _lines(result))}
"""


def draw(result):
    """For each model, all threads' time over one's against its multiply-adds; what was decided, by colour."""
    from scratchnet.evaluation.style import colour, new_figure
    from scratchnet.training.work import LEAST

    figure, ax = new_figure(8, 4.5)
    for k, parts in enumerate(sorted({row["parts"] for row in result["rows"]})):
        rows = [row for row in result["rows"] if row["parts"] == parts]
        places = [row["multiply-adds"] for row in rows], [row["all over one"] for row in rows]
        ax.plot(*places, "o", color=colour(k), label=f"decided: {parts} part{'s' * (parts > 1)}")
    ax.axhline(1, color="black", linewidth=1, linestyle="--")
    ax.axvline(2 * LEAST, color="grey", linewidth=1, linestyle=":", label="two threads are worth it")
    ax.set(xscale="log", xlabel="multiply-adds of a batch, forward", ylabel="time on all threads / on one")
    ax.legend(fontsize=8)
    figure.supxlabel(describe(result["environment"]), fontsize=6)
    return figure


def main():
    """Read the command line, measure, print the table."""
    parser = make_parser(__doc__, turns=7)
    parser.add_argument("--small", action="store_true", help="three of the models, to try the bench itself")
    parser.add_argument("--only", nargs="*", choices=KINDS, default=[], help="these kinds of model")
    parser.add_argument("--seconds", type=positive, help="after so many begin no other model")
    parser.add_argument("--resume", action="store_true", help="keep the models that the JSON file has")
    run_bench("parts", parser.parse_args(), measure, table, draw)


if __name__ == "__main__":
    main()

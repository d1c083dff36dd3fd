"""How long a step takes, layer by layer, activation, loss and optimizer, beside Keras and PyTorch.

    python benches/breadth.py --peers tensorflow jax torch

Where `models` asks how much faster the mission's models are, this asks whether anything is slower than it is elsewhere:
small models, each around one thing. What `fit` and `predict` take is timed as users call them, the shortest of some
calls; the sides take turns, and what counts is the ratio within a turn. PyTorch runs a plain loop over batches; what it
does not have is compared with Keras alone.
"""

import math
import os
import sys

from _shared import (
    Worker,
    describe,
    hold_to,
    in_sound_turns,
    make_parser,
    median_and_spread,
    milliseconds,
    progress,
    ratios,
    restart_held_to,
    run_bench,
    spread_text,
)
from models import PEERS, fastest_peer, installed

CALLS = ("fit", "predict")
CALLED = 5  # times in a turn, of which the shortest counts; fewer
LONG = 500  # milliseconds, after which none begins


def worker(side, threads):
    """For every line ``name, tab, call`` on standard input the milliseconds of a step."""
    hold_to(threads)
    if side in ("scratchnet", "torch"):
        import scratchnet as library

        library.set_num_threads(threads)
        if side == "torch":
            import torch

            torch.set_num_threads(threads)
    else:
        os.environ.update(KERAS_BACKEND=side, TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library
    from breadth_cases import cases, data

    known, made = cases(library), {}
    print("ready", flush=True)
    for line in sys.stdin:
        name, call = line.rstrip("\n").split("\t")
        case = known[name]
        if name not in made:
            made = {name: _calls(side, library, name, case, *data(case))}
        functions = made[name]
        if functions is None:
            print(math.nan, flush=True)
            continue
        functions[call]()
        steps, times = -(-case.x[0] // case.batch) * (3 if call == "fit" else 1), []
        while len(times) < CALLED and sum(times) < LONG:
            times.append(milliseconds(functions[call]))
        print(min(times) / steps, flush=True)


def _calls(side, library, name, case, x, y):
    """What to call for `fit`, of three epochs, and `predict`; None of what this side does not have."""
    if side == "torch":
        from torch_breadth import Trained, modules

        trained = Trained(name, case, x, y) if name in modules() else None
        return trained and {"fit": trained.fit, "predict": trained.predict}
    from breadth_cases import build

    model = build(library, case)
    return {
        "fit": lambda: model.fit(x, y, batch_size=case.batch, epochs=3, verbose=0),
        "predict": lambda: model.predict(x, batch_size=case.batch, verbose=0),
    }


def measure(options):
    """A row for every case and call, with ``"ms": {side: median}`` and ``"ratios": {peer: median and spread}``."""
    peers, rows = installed(options.peers), []
    workers = {}
    try:
        for side in ("scratchnet", *peers):
            progress(f"{side} starts")
            command = [__file__, "--worker", side, "--threads", options.threads]
            workers[side] = Worker(command, TF_NUM_INTRAOP_THREADS=options.threads, OMP_NUM_THREADS=options.threads)
        for name in names(options):
            for call in CALLS:
                sides = {s: lambda p=p, q=f"{name}\t{call}": float(p.ask(q)) for s, p in workers.items()}
                readings, gains, repeated = in_sound_turns(sides, options.turns, options.threads, name, most=1)
                readings = {side: found for side, found in readings.items() if not any(map(math.isnan, found))}
                rows.append(
                    {
                        "case": name,
                        "call": call,
                        "gain": median_and_spread(gains)[0],
                        "repeated": repeated,
                        "ms": {side: median_and_spread(found)[0] for side, found in readings.items()},
                        "ratios": {
                            peer: median_and_spread(ratios(found, readings["scratchnet"]))
                            for peer, found in readings.items()
                            if peer != "scratchnet"
                        },
                    }
                )
    finally:
        for process in workers.values():
            process.close()
    return rows


def names(options):
    """The cases that are asked for: all, or those whose names hold one of the words."""
    from breadth_cases import cases

    import scratchnet

    return [name for name in cases(scratchnet) if not options.only or any(word in name for word in options.only)]


def _cells(result):
    headings = ["what", "fit ms", "fastest peer", "ratio (spread)", "predict ms", "fastest peer", "ratio (spread)"]
    by_case = {}
    for row in result["rows"]:
        by_case.setdefault(row["case"], {})[row["call"]] = row
    lines = []
    for name, calls in by_case.items():
        line = [name]
        for call in CALLS:
            row = calls[call]
            peer, _ = fastest_peer(row) or (None, None)
            line += [f"{row['ms']['scratchnet']:.2f}"]
            line += [PEERS[peer], spread_text(row["ratios"][peer])] if peer else ["", ""]
        lines.append(line)
    return headings, lines


def table(result):
    """The readings as text."""
    from scratchnet.evaluation import text_table

    return text_table(*_cells(result), width=180)


def _summary(result, call):
    found = [(fastest_peer(row)[1], row["case"]) for row in result["rows"] if row["call"] == call and row["ratios"]]
    if not found:
        return ""
    slower = sorted((ratio, name) for ratio, name in found if ratio < 1)
    told = ", ".join(f"{name} ({ratio:.2f})" for ratio, name in slower) or "none"
    return f"`{call}`: of {len(found)}, {len(slower)} are slower than the fastest peer: {told}."


def markdown(result):
    """A section of the page of benchmarks."""
    from scratchnet.evaluation import markdown_table

    options = result["options"]
    return f"""## Whatever is trained, beside its peers

    python benches/breadth.py --peers tensorflow jax torch

Small models, each around one layer, activation, loss or optimizer, with {options["threads"]} threads a side:
milliseconds per step, the median of {options["turns"]} turns, and of the peers the one that is fastest; below 1 it is
faster than scratchnet. Turns count as above, by what two threads gain on a matrix product; each row repeats one.

{_summary(result, "fit")}

{_summary(result, "predict")}

{markdown_table(*_cells(result))}
"""


def draw(result):
    """For each case, the fastest peer's time over scratchnet's, with its spread, and a line at 1."""
    from scratchnet.evaluation.style import colour, new_figure

    cases = list(dict.fromkeys(row["case"] for row in result["rows"]))
    figure, ax = new_figure(9, 1.5 + 0.16 * len(cases))
    for k, call in enumerate(CALLS):
        rows = [row for row in result["rows"] if row["call"] == call and row["ratios"]]
        places = [len(cases) - cases.index(row["case"]) - 0.25 * k for row in rows]
        spreads = [row["ratios"][fastest_peer(row)[0]] for row in rows]
        middles = [middle for middle, _, _ in spreads]
        ends = [[m - low for m, low, _ in spreads], [high - m for m, _, high in spreads]]
        ax.errorbar(middles, places, xerr=ends, fmt="o", markersize=3, linewidth=1, color=colour(k), label=call)
    ax.axvline(1, color="black", linewidth=1, linestyle="--")
    ax.set_yticks(range(len(cases), 0, -1), cases, fontsize=6)
    ax.set(xscale="log", xlabel="fastest peer's time / scratchnet's (right of the line: scratchnet is faster)")
    ax.margins(y=0.01)
    ax.legend(fontsize=8)
    figure.supxlabel(describe(result["environment"]), fontsize=6)
    return figure


def main():
    """Read the command line, measure, print the table."""
    parser = make_parser(__doc__, turns=3)
    add = parser.add_argument
    add("--peers", nargs="*", choices=PEERS, default=[], help="whom to compare with")
    add("--only", nargs="*", default=[], metavar="WORD", help="the cases whose names hold one of these words")
    add("--worker", help="for the bench itself: be one of the sides")
    options = parser.parse_args()
    if options.worker:
        worker(options.worker, options.threads)
        return
    restart_held_to(options.isa)
    run_bench("breadth", options, measure, table, draw)


if __name__ == "__main__":
    main()

"""How long a single sample takes, by `predict` and by calling the model, beside Keras.

    python benches/one_sample.py
    python benches/one_sample.py --peers tensorflow jax --json outputs/one_sample.json --plot outputs/one_sample.png

The sides are processes of their own and take turns. What a program waits for that answers one question at a time is not
arithmetic but everything around it.
"""

import os
import statistics
import sys

from _shared import Worker, calls_for, in_turns, make_parser, milliseconds, ratios, run_bench, spread_text
from models import PEERS, installed

CALLS = ("predict", "call")


def worker(side):
    """Answer each "CALL MODEL" on standard input by the milliseconds of such a call with one sample."""
    if side == "scratchnet":
        import scratchnet as library
    else:
        os.environ.update(KERAS_BACKEND=side, TF_CPP_MIN_LOG_LEVEL="3")
        import keras as library
    from missions import MISSIONS, make

    functions = {}
    for name, (_, _, _, data) in MISSIONS.items():
        model, x = make(name, library), data(1)[0]
        functions[f"predict {name}"] = lambda model=model, x=x: model.predict(x, verbose=0)
        functions[f"call {name}"] = lambda model=model, x=x: model(x)
    calls = {question: calls_for(function, at_least=50) for question, function in functions.items()}
    print("ready", flush=True)
    for line in sys.stdin:
        question = line.strip()
        print(milliseconds(functions[question], calls[question]), flush=True)


def measure(options):
    """A row for each model and call: ``"ms": {side: median}`` and ``"ratios": {peer: text}``."""
    from missions import MISSIONS

    sides = ["scratchnet", *installed(options.peers)]
    settings = {"SCRATCHNET_NUM_THREADS": options.threads}
    workers = {side: Worker([__file__, "--worker", side], **settings) for side in sides}
    rows = []
    try:
        for name in options.only or MISSIONS:
            for call in CALLS:
                ask = {
                    side: lambda process=process, question=f"{call} {name}": float(process.ask(question))
                    for side, process in workers.items()
                }
                readings = in_turns(ask, options.turns, f"{name}, {call}")
                rows.append(
                    {
                        "model": name,
                        "call": call,
                        "ms": {side: statistics.median(values) for side, values in readings.items()},
                        "ratios": {
                            side: spread_text(ratios(readings[side], readings["scratchnet"]), 0) for side in sides[1:]
                        },
                    }
                )
    finally:
        for process in workers.values():
            process.close()
    return rows


def _lines(result):
    peers = list(result["rows"][0]["ratios"])
    headings = ["model", "call", "ms", *(f"{PEERS[p]}, ms" for p in peers), *(f"{PEERS[p]} / ours" for p in peers)]
    lines = [
        [
            row["model"],
            row["call"],
            f"{row['ms']['scratchnet']:.2f}",
            *(f"{row['ms'][peer]:.1f}" for peer in peers),
            *row["ratios"].values(),
        ]
        for row in result["rows"]
    ]
    return headings, lines


def table(result):
    """The table for the screen."""
    from scratchnet.evaluation import text_table

    return text_table(*_lines(result), width=140)


def markdown(result):
    """A section of the page of benchmarks."""
    from scratchnet.evaluation import markdown_table

    return f"""## One sample

    python benches/one_sample.py

What a program waits for that asks one question at a time: `model.predict(x)` and `model(x)` with a single sample, the
median of {result["options"]["turns"]} turns.

{markdown_table(*_lines(result))}
"""


def draw(result):
    """A bar for each side of each model's `predict`, on a logarithmic scale."""
    from scratchnet.evaluation.style import colour, new_figure

    rows = [row for row in result["rows"] if row["call"] == "predict"]
    figure, ax = new_figure(8.0, 0.6 * len(rows) + 1.2)
    sides = list(rows[0]["ms"])
    height = 0.8 / len(sides)
    for k, side in enumerate(sides):
        places = [i + (k - (len(sides) - 1) / 2) * height for i in range(len(rows))]
        times = [row["ms"][side] for row in rows]
        bars = ax.barh(places, times, height, color=colour(k), label=PEERS.get(side, side))
        ax.bar_label(bars, [f"{t:.2f}" if t < 10 else f"{t:.0f}" for t in times], padding=3, fontsize=8)
    ax.set_yticks(range(len(rows)), [row["model"] for row in rows])
    ax.set(xscale="log", xlabel="milliseconds to predict one sample")
    ax.set_xlim(right=3 * max(max(row["ms"].values()) for row in rows))
    ax.invert_yaxis()
    ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.1), ncols=len(sides))
    return figure


def main():
    """Read the command line, measure, print the table."""
    parser = make_parser(__doc__, turns=7)
    add = parser.add_argument
    add("--peers", nargs="*", choices=("tensorflow", "jax"), default=["tensorflow"], help="Keras's backends")
    add("--only", nargs="*", metavar="MODEL", help="these models of the missions")
    add("--worker", metavar="SIDE", help="for the bench itself: be one of the sides")
    options = parser.parse_args()
    if options.worker:
        worker(options.worker)
    else:
        run_bench("one_sample", options, measure, table, draw)


if __name__ == "__main__":
    main()

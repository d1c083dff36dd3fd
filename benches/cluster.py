"""How much faster 2 to 1,024 ranks would train, predicted from what `ranks.py` has measured on this machine.

    python benches/cluster.py --measured benches/results/ranks.json --plot outputs/cluster.png

A rank is a process with one thread and a processor of its own, at the end of a wire of its own. A step of R ranks takes

    compute      a + c n                             n rows a rank; a and c from steps of the batch and of a quarter
    words        g log2(R) (w + L) + k (R - 1) / B       g gathered values, k bytes: figures, BatchNormalization's sums
    gradients    2 ((R - 1) w + L + G (R - 1) / R (1 / B + m))    G bytes, to the owners and back: R - 1 messages each

with w what a message costs the processor and m what a byte in one does, as measured between two ranks of this machine,
and L and B the latency and bandwidth of the network. Nothing overlaps. Strong scaling divides one batch, until a part
has `SMALLEST_PART` rows; weak scaling gives each rank a batch of the same size. On the machine itself there is no
network (L = 0, 1 / B = 0), and ranks share memory: there the table holds the time of all R processors together against
the measured one, for 2 to 4 ranks. Times are those of the processors, which others on the machine change least.
"""

import json
import math
import os
from pathlib import Path

from _shared import make_parser, save_plot, write_json

RANKS = tuple(2**k for k in range(11))
NETWORKS = {"10 Gb/s": (20e-6, 1.25e9), "100 Gb/s": (3e-6, 12.5e9)}  # seconds of latency, bytes a second
STRONG_BATCH = {"EfficientNet-Lite0": 1024}  # of the others that which was measured
WEAK_BATCH = {"EfficientNet-Lite0": 32}
PAYS = 0.5  # of the ranks: below this efficiency another rank is more than half wasted


def costs(row, wire):
    """What the prediction needs of a model, in seconds and bytes."""
    batch, ms = row["batch"], row["effort_ms"]
    per_row = max(ms["1 x 1"] - ms["quarter"], 0) / (batch - batch // 4) / 1e3
    found = {
        "batch": batch,
        "row": per_row,
        "fixed": max(ms["1 x 1"] / 1e3 - per_row * batch, 0),
        "gradients": row["gradients"],
        "message": wire["word"] / 1e6,
        "byte": max(wire["megabyte"] - wire["word"], 0) / 1e12,
        "byte_here": max(wire["shared"] - wire["word"], 0) / 1e12,
    }
    # Two ranks send a message for each gathered value, one for gradients and one for parameters, half of each.
    if "2 x 1" in row["messages"]:
        found["gathers"] = max(row["messages"]["2 x 1"] - 2, 1)
        found["gathered"] = max(row["bytes"]["2 x 1"] - row["gradients"], 0)
    else:
        found["gathers"], found["gathered"] = 1 + row["sums"], 300 + row["sums_bytes"]
    return found


def communication(cost, ranks, network, byte="byte"):
    """Seconds that a step of so many ranks spends on messages; `byte` names what a byte costs the processor."""
    if ranks == 1:
        return 0.0
    latency, bandwidth = network
    words = cost["gathers"] * math.ceil(math.log2(ranks)) * (cost["message"] + latency)
    words += cost["gathered"] * (ranks - 1) / bandwidth
    share = cost["gradients"] * (ranks - 1) / ranks
    return words + 2 * ((ranks - 1) * cost["message"] + latency + share * (1 / bandwidth + cost[byte]))


def strong(cost, ranks, network, batch, smallest):
    """How many times faster a batch of one size is done."""
    rows = max(batch / ranks, min(smallest, batch))
    alone = cost["fixed"] + cost["row"] * batch
    return alone / (cost["fixed"] + cost["row"] * rows + communication(cost, ranks, network))


def weak(cost, ranks, network, batch):
    """How many times as many rows a second are done where every rank has a batch."""
    step = cost["fixed"] + cost["row"] * batch
    return ranks * step / (step + communication(cost, ranks, network))


def here(cost, ranks):
    """Milliseconds of all processors together for a step of so many ranks on this machine."""
    each = (
        cost["fixed"] + cost["row"] * cost["batch"] / ranks + communication(cost, ranks, (0.0, math.inf), "byte_here")
    )
    return ranks * each * 1e3


def predict(result):
    """Rows: for each model its costs, predicted speed-ups, and prediction beside measurement."""
    from scratchnet.training.step import SMALLEST_PART

    wire = next(row for row in result["rows"] if row["kind"] == "wire")
    rows = []
    for row in result["rows"]:
        if row["kind"] != "model":
            continue
        cost, name = costs(row, wire), row["model"]
        found = {"model": name, "costs": cost, "strong": {}, "weak": {}, "here": {}}
        for network, wires in NETWORKS.items():
            batch = STRONG_BATCH.get(name, cost["batch"])
            found["strong"][network] = [strong(cost, R, wires, batch, SMALLEST_PART) for R in RANKS]
            found["weak"][network] = [weak(cost, R, wires, WEAK_BATCH.get(name, cost["batch"])) for R in RANKS]
        for R in (2, 3, 4):
            if f"{R} x 1" in row["effort_ms"]:
                predicted = here(cost, R)
                found["here"][R] = (predicted, row["effort_ms"][f"{R} x 1"])
        rows.append(found)
    return rows


def pays_until(speedups):
    """The most ranks of which each does at least half of what it could."""
    return max(R for R, speedup in zip(RANKS, speedups) if speedup >= PAYS * R)


def table(rows):
    """The predictions as text."""
    from scratchnet.evaluation import text_table

    networks = list(NETWORKS)
    headings = ["model", "gradients MB", *(f"{R} ranks here: predicted, measured ms" for R in (2, 3, 4))]
    lines = []
    for row in rows:
        cells = [f"{row['here'][R][0]:.1f}, {row['here'][R][1]:.1f}" if R in row["here"] else "" for R in (2, 3, 4)]
        lines.append([row["model"], f"{row['costs']['gradients'] / 1e6:.2f}", *cells])
    first = text_table(headings, lines, width=200)
    headings = ["model", *(f"{kind}, {net}: largest, pays until" for kind in ("strong", "weak") for net in networks)]
    lines = []
    for row in rows:
        found = [row[kind][net] for kind in ("strong", "weak") for net in networks]
        lines.append([row["model"], *(f"{max(s):.1f} x, {pays_until(s)} ranks" for s in found)])
    return f"{first}\n\n{text_table(headings, lines, width=200)}"


def draw(rows):
    """Speed-up against ranks, weak and strong, on both networks; and prediction against measurement on this machine."""
    from scratchnet.evaluation.style import colour, new_figure

    figure, axes = new_figure(14, 10, 2, 2)
    for line, network in zip(axes.T, NETWORKS):
        for ax, kind in zip(line, ("weak", "strong")):
            for k, row in enumerate(rows):
                speedups = row[kind][network]
                ax.plot(RANKS, speedups, "-", color=colour(k), label=row["model"])
                last = pays_until(speedups)
                ax.plot([last], [speedups[RANKS.index(last)]], "o", color=colour(k))
                for R, (_, measured) in row["here"].items() if kind == "strong" else ():
                    alone = row["costs"]["fixed"] + row["costs"]["row"] * row["costs"]["batch"]
                    ax.plot([R], [alone * 1e3 * R / measured], "x", color=colour(k))
            ax.plot(RANKS, RANKS, ":", color="grey", label="each rank as good as the first")
            ax.plot(RANKS, [PAYS * R for R in RANKS], "--", color="grey", label="half as good")
            ax.set(
                xscale="log", yscale="log", xlabel="ranks", ylabel="times faster", title=f"{kind} scaling, {network}"
            )
            ax.set_xticks(RANKS[::2], RANKS[::2])
            ax.set_ylim(0.5, 1500)
            ax.minorticks_off()
    axes[0, 0].legend(fontsize=8)
    figure.supxlabel(
        "dots: the last number of ranks that pays; crosses: 2 to 4 ranks, by the processors' time on one machine",
        fontsize=8,
    )
    return figure


def main():
    """Read the measurements, print the predictions."""
    parser = make_parser(__doc__)
    results = Path(__file__).with_name("results") / "ranks.json"
    parser.add_argument("--measured", metavar="FILE", default=os.fspath(results), help="what ranks.py has written")
    options = parser.parse_args()
    result = json.loads(Path(options.measured).read_text(encoding="utf-8"))
    rows = predict(result)
    print(table(rows))
    if options.json:
        write_json(options.json, {"bench": "cluster", "measured": result["began"], "rows": rows})
    if options.plot:
        save_plot(options.plot, draw(rows))


if __name__ == "__main__":
    main()

"""From loops to NumPy to Numba to threads: one convolution and one LSTM, timed at every rung.

    python benches/ladder.py
    python benches/ladder.py --page docs/performance.md --plot docs/images/benches/ladder.png

One forward and backward pass of two layers as they stand in their models (first, so without the adjoint of their
input), batch 128, float32: `Conv2D(32, 3, activation="relu")` on (28, 28, 1) and `LSTM(128)` on (28, 28). Every rung is
a process of its own; they take turns. How to read the table: "over the rung before" is how many times as long the rung
before takes, the median over the turns with the smallest and the largest; "over loops" compares with the first rung.
The rungs of plain Python are timed once, on a few samples, and multiplied. Asides are tries that led nowhere.

`--page` writes the figures into docs/performance.md, between its markers.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, NamedTuple

import _textbook
import numpy as np
from _shared import (
    Worker,
    calls_for,
    in_turns,
    make_parser,
    milliseconds,
    positive,
    ratios,
    run_bench,
    spread_text,
    write_between,
)

from scratchnet import kernels
from scratchnet.evaluation.style import colour, markdown_table, new_figure, text_table
from scratchnet.kernels.loops import recurrent as loops
from scratchnet.layers import LSTM, Conv2D
from scratchnet.parallel.threads import Workers

OPERATIONS = ("convolution", "LSTM")


# ---- one pass, in several ways: (layer, x, dy) -> gradients of the parameters ----


def layer_pass(layer, x, dy):
    _, cache = layer.forward(x, training=True)
    return layer.backward(dy, cache, needs_dx=False)[1]


def textbook_pass(layer, x, dy):
    function = _textbook.lstm if isinstance(layer, LSTM) else _textbook.convolution
    _, *grads = function(x, *layer.params.values(), dy)
    return dict(zip(layer.params, grads))


def blas_pass(layer, x, dy):
    """The kernels' loops around products by BLAS."""
    kernels.load()
    kernels.matmul = loops.matmul = np.matmul
    return layer_pass(layer, x, dy)


class Rung(NamedTuple):
    """How the pass is made. `keep`: memory between passes; `blas`: BLAS's threads; `slow`: only for a few samples."""

    name: str
    backend: str
    make: Any = layer_pass
    keep: bool = False
    threads: int = 1
    blas: int = 1
    slow: bool = False
    aside: bool = False


def rungs_of(operation, threads):
    """All rungs of "convolution" or "LSTM", from the lowest on; asides last."""
    slowest = Rung("loops", "loops", slow=True)
    if operation == "convolution":
        first = [slowest]
        textbook, library = "NumPy, all patches at once", "NumPy, patches that fit the cache"
    else:
        first = [slowest, slowest._replace(name="loops, products by BLAS", make=blas_pass)]
        textbook, library = "NumPy, step by step", "NumPy, products of all steps in one"
    best = Rung("memory kept between passes", "numba", threads=threads, keep=True)
    numpy = Rung(f"instead: NumPy, {threads} threads", "numpy", threads=threads, keep=True, aside=True)
    return [
        *first,
        Rung(textbook, "numpy", textbook_pass),
        Rung(library, "numpy"),
        Rung("Numba", "numba"),
        Rung(f"{threads} threads, a part of the batch each", "numba", threads=threads),
        best,
        numpy,
        numpy._replace(name=f"instead: NumPy, {threads} threads of BLAS", threads=1, blas=threads),
        numpy._replace(name=f"{numpy.name}, and {threads} of BLAS in each", blas=threads),
    ]


# ---- measuring ----


def measure(options):
    """A row for each rung of each operation."""
    rows = []
    for operation in options.only:
        rungs = rungs_of(operation, options.threads)[: 2 if options.small else None]
        readings = {}
        for slow in (True, False):  # the slow ones once, and not beside the others
            sides = {rung.name: _worker(operation, rung.name, options) for rung in rungs if rung.slow == slow}
            asked = {name: _question(worker) for name, worker in sides.items()}
            readings.update(in_turns(asked, 1 if slow else options.turns, operation))
            for worker in sides.values():
                worker.close()
        rows += [
            {"operation": operation, "rung": rung.name, "aside": rung.aside, "ms": readings[rung.name]}
            for rung in rungs
        ]
    return rows


def _worker(operation, name, options):
    arguments = ["--batch", options.batch, "--loop-samples", options.loop_samples, "--threads", options.threads]
    return Worker([__file__, "--worker", operation, name, *arguments])


def _question(worker):
    return lambda: float(worker.ask("go"))


def work(operation, name, options):
    """A worker process: the milliseconds of one pass of a rung, for every line on standard input."""
    from threadpoolctl import threadpool_limits

    rung = next(rung for rung in rungs_of(operation, options.threads) if rung.name == name)
    kernels.set_backend(rung.backend)
    kernels.load()
    samples = min(options.loop_samples, options.batch) if rung.slow else options.batch
    layer, x, dy = inputs(operation, samples)
    edges = [samples * k // rung.threads for k in range(rung.threads + 1)]
    parts = [(x[a:b], dy[a:b]) for a, b in zip(edges, edges[1:])]
    workers = Workers(rung.threads) if rung.keep else ThreadPoolExecutor(rung.threads)
    with workers, threadpool_limits(rung.blas, user_api="blas"):

        def one_pass():
            several = list(workers.map(lambda part: rung.make(layer, *part), parts))
            return {name: sum(grads[name] for grads in several) for name in several[0]}

        count = 1 if rung.slow else calls_for(one_pass, options.at_least)
        print("ready", flush=True)
        for _ in sys.stdin:
            if not rung.slow:
                one_pass()  # what it needs is in the cache again, after the others' turns
            print(milliseconds(one_pass, count) * options.batch / samples, flush=True)


def inputs(operation, samples):
    """The layer, x and dy."""
    rng = np.random.default_rng(0)
    layer = LSTM(128) if operation == "LSTM" else Conv2D(32, 3, activation="relu")
    shape = (28, 28) if operation == "LSTM" else (28, 28, 1)
    x = rng.random((samples, *shape), dtype="float32")
    return layer, x, rng.standard_normal(layer(x).shape, dtype="float32")


# ---- what comes out ----

HEADINGS = ("rung", "ms", "over the rung before", "over loops")


def _lines(rows):
    """The cells of one operation's table; an aside is compared with the last proper rung."""
    lines, before = [], None
    for row in rows:
        gain = ""
        if before is not None:
            enough = len(row["ms"]) == len(before["ms"]) > 1
            gain = spread_text(ratios(before["ms"], row["ms"])) if enough else f"{_ms(before) / _ms(row):,.0f}"
        total = "" if before is None else f"{_ms(rows[0]) / _ms(row):,.0f}"
        lines.append((row["rung"], f"{_ms(row):,.2f}" if _ms(row) < 1000 else f"{_ms(row):,.0f}", gain, total))
        before = before if row["aside"] else row
    return lines


def _ms(row):
    return median(row["ms"])


def _by_operation(result):
    groups = {}
    for row in result["rows"]:
        groups.setdefault(row["operation"], []).append(row)
    return groups


def table(result):
    """Both ladders, for the screen."""
    groups = _by_operation(result).items()
    return "\n\n".join(f"{name}\n{text_table(HEADINGS, _lines(rows), width=120)}" for name, rows in groups)


def figures(result):
    """Both ladders as Markdown, as they stand in the page."""
    machine = result["environment"]
    titles = {"convolution": '`Conv2D(32, 3, activation="relu")`', "LSTM": "`LSTM(128)`"}
    text = "".join(
        f"{titles[name]}, batch {result['options']['batch']}:\n\n{markdown_table(HEADINGS, _lines(rows))}\n\n"
        for name, rows in _by_operation(result).items()
    )
    versions = ", ".join(
        f"{name} {machine['packages'][name]}" for name in ("numpy", "numba") if name in machine["packages"]
    )
    return f"{text}({machine['processor']}, {machine['processors']} processors; {versions})\n"


def markdown(result):
    """A section of the results page."""
    return f"""## From loops to threads

    python benches/ladder.py --page docs/performance.md

One forward and backward pass, float32, each rung in a process of its own, in turns; [performance.md](performance.md)
explains the rungs. The ratio is that of the times within a turn: median, smallest and largest.

{figures(result)}"""


def write_page(path, result):
    """Replace what stands between the markers of a page. Raises ValueError if they are not there."""
    write_between(path, "ladder", figures(result))


def draw(result):
    """A bar for each rung, on a logarithmic scale."""
    groups = _by_operation(result)
    figure, every_ax = new_figure(8, 2.8 * len(groups), rows=len(groups), squeeze=False)
    for (ax,), (name, rows) in zip(every_ax, groups.items()):
        bars = {row["rung"]: _ms(row) for row in rows}
        colours = [colour(8 if row["aside"] else 0) for row in rows]
        labels = [f"{ms:,.0f}" if ms >= 100 else f"{ms:.1f}" for ms in bars.values()]
        ax.bar_label(ax.barh(list(bars), list(bars.values()), color=colours), labels, padding=3)
        ax.set_xscale("log")
        ax.set_xlim(min(bars.values()) / 3, max(bars.values()) * 9)
        ax.set_title(f"{name}, batch {result['options']['batch']}: milliseconds of a pass")
        ax.invert_yaxis()
    return figure


def main():
    """Read the command line, measure, print the tables, write the figures into the page."""
    parser = make_parser(__doc__, turns=9)
    add = parser.add_argument
    add("--only", nargs="*", choices=OPERATIONS, default=OPERATIONS, help="(default: both)")
    add("--batch", type=positive, default=128, help="samples in a pass (default: %(default)s)")
    add("--loop-samples", type=positive, default=1, help="samples for plain Python, multiplied (default: %(default)s)")
    add("--at-least", type=float, default=100.0, help="milliseconds that a reading lasts (default: %(default)s)")
    add("--small", action="store_true", help="only the first rungs of the convolution, to try the bench itself")
    add("--page", metavar="FILE", help="write the figures between the markers of this page")
    add("--worker", nargs=2, help="(used by the bench itself)")
    options = parser.parse_args()
    if options.worker:
        work(*options.worker, options)
        return
    if options.small:
        options.only, options.batch, options.at_least = OPERATIONS[:1], 2, 1.0
    result = run_bench("ladder", options, measure, table, draw)
    if options.page:
        write_page(options.page, result)


if __name__ == "__main__":
    main()

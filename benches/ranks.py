"""What it costs to share a training step among ranks (processes), beside threads, and what they send one another.

    python benches/ranks.py --json outputs/ranks.json --plot outputs/ranks.png

Needs mpi4py and an MPI library with `mpiexec`: pip install mpi4py mpich.

The sides are "ranks x threads": 1 x 1, 1 x 2, 2 x 1, 3 x 1 and 4 x 1. They take turns; what counts is the ratio of
2 x 1 to 1 x 2 within a turn: of the time by the clock, for which the machine must be left alone, and of the time of all
processors, which others change less (what a rank spends on waiting for a slower one is in it). Bytes and messages are
counted where they are sent, by each rank, and told per step. Two ranks also measure how long a word takes from one to
the other, and a megabyte, in a message and by memory that they share: `cluster.py` predicts from all this what more
ranks would do. EfficientNet-Lite0 at 224 pixels is measured alone, at a small batch, for the same purpose.
"""

import os
import shutil
import sys
import time

from _shared import (
    Worker,
    describe,
    in_turns,
    make_parser,
    median_and_spread,
    milliseconds,
    positive,
    progress,
    ratios,
    run_bench,
)

SIDES = ((1, 1), (1, 2), (2, 1), (3, 1), (4, 1))
LARGE = "EfficientNet-Lite0"
LARGE_BATCH = 8


def launcher_at(name):
    """Where the launcher of MPI is: beside this Python, or in the system. Raises FileNotFoundError without one."""
    folders = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    found = shutil.which(name, path=folders)
    if found is None:
        raise FileNotFoundError(f"there is no {name}: pip install mpi4py mpich")
    return found


# ---- one side, in its own processes ----


def worker(threads, samples):
    """Answer each line on the standard input of rank 0, such as "LSTM autoencoder: fit", with a figure."""
    import scratchnet
    from scratchnet.distribution import DataParallel, set_distribution
    from scratchnet.distribution.launch import world
    from scratchnet.utils import set_random_seed

    scratchnet.set_num_threads(threads)
    set_distribution(DataParallel())
    set_random_seed(1)
    ranks, answers = world(), {}
    if ranks.rank == 0:
        print("ready", flush=True)
    while question := _heard(ranks):
        name, _, what = question.partition(": ")
        if name not in answers:
            answers[name] = _wire() if name == "wire" else _answers(name, samples)
            for answer in answers[name].values():  # a warm-up
                answer()
        answer = answers[name][what]()
        if ranks.rank == 0:
            print(answer, flush=True)


def _heard(ranks):
    """The next question on all ranks; while there is none, they leave the processors to the other sides."""
    if ranks.rank == 0:
        question = sys.stdin.readline().strip()
        for other in range(1, ranks.size):
            ranks.comm.send(question, other, 99)
        return question
    while not ranks.comm.iprobe(0, 99):
        time.sleep(0.005)
    return ranks.comm.recv(source=0, tag=99)


def _answers(name, samples):
    from scratchnet.distribution.launch import world

    model, x, y, batch_size = made(name, samples)
    ranks = world()

    def fit(batch_size=batch_size):
        """Milliseconds a step, by the clock and of all processors of all ranks together."""
        began, used = time.perf_counter(), time.process_time()
        model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0)
        passed = time.perf_counter() - began
        used = sum(ranks.gather("effort", time.process_time() - used))
        steps = -(-len(x) // batch_size)
        return f"{passed / steps * 1e3} {used / steps * 1e3}"

    def sent(what):
        """Bytes or messages a step, of the rank that sends the most."""
        before, steps = getattr(ranks, what), len(x) // batch_size
        for k in range(steps):
            model.train_on_batch(x[k * batch_size : (k + 1) * batch_size], y[k * batch_size : (k + 1) * batch_size])
        # all but the agreement at the start, whose messages two ranks count alike
        return max(ranks.gather("sent", getattr(ranks, what) - before)) / steps

    found = {"fit": fit, "quarter": lambda: fit(batch_size // 4), **_known(model)}
    if ranks.size > 1:
        found.update({"bytes": lambda: sent("bytes"), "messages": lambda: sent("messages")})
    return found


def made(name, samples):
    """``(model, x, y, batch size)``."""
    import numpy as np

    import scratchnet

    if name == LARGE:
        from scratchnet.applications import EfficientNetLite0

        model = EfficientNetLite0(weights=None)
        model.compile("adam", "sparse_categorical_crossentropy")
        rng = np.random.default_rng(0)
        return model, rng.random((LARGE_BATCH, 224, 224, 3), "float32"), np.arange(LARGE_BATCH), LARGE_BATCH
    from missions import MISSIONS, make

    _, _, batch_size, data = MISSIONS[name]
    return make(name, scratchnet), *data(samples), batch_size


def _known(model):
    """What a model says before it is trained: bytes of gradients, and how often and of what all parts make sums."""
    from scratchnet.layers import BatchNormalization

    channels = [layer.state["moving_mean"].size for layer in model.layers if isinstance(layer, BatchNormalization)]
    return {
        "gradients": lambda: sum(w.nbytes for w in model.trainable_params.values()),
        "sums": lambda: 3 * len(channels),  # mean, variance, and one on the way back
        "sums_bytes": lambda: sum(4 * 8 * C + 3 * 200 for C in channels),  # float64, and what says what it is
    }


def _wire():
    """What two ranks say to each other, in messages, and by memory that they share."""
    import copy

    from scratchnet.distribution.launch import world

    def shared():
        world().make_room(1_000_000)
        return _megabyte(world())

    def sent():
        apart = copy.copy(world())
        apart._mailboxes = None  # as if the other were on another machine
        return _megabyte(apart)

    return {"word": _word, "megabyte": sent, "shared": shared}


def _word(count=300):
    """Microseconds until all ranks have heard a word of each."""
    from scratchnet.distribution.launch import world

    return milliseconds(lambda: world().gather("a word", 0), count) * 1e3


def _megabyte(ranks, count=30):
    """Microseconds until two ranks have traded a megabyte."""
    import numpy as np

    other = 1 - ranks.rank
    million = np.zeros(1_000_000, np.uint8)
    return milliseconds(lambda: ranks.trade({other: [million]}, {other: million.nbytes}), count) * 1e3


# ---- measuring ----


def measure(options):
    """Rows of kind "wire", and of kind "model", one for each."""
    from missions import MISSIONS

    processes = {}
    try:
        for ranks, threads in SIDES:
            progress(f"{ranks} x {threads} starts")
            processes[f"{ranks} x {threads}"] = _start(ranks, threads, options)
        rows = [_measure_wire(processes["2 x 1"], options)]
        rows += [_measure_model(n, MISSIONS[n][2], processes, options) for n in options.only or MISSIONS]
        if options.large:
            rows.append(_measure_model(LARGE, LARGE_BATCH, {"1 x 1": processes["1 x 1"]}, options))
    finally:
        for process in processes.values():
            process.close()
    return rows


def _measure_wire(process, options):
    asked = {what: lambda w=what: float(process.ask(f"wire: {w}")) for what in ("word", "megabyte", "shared")}
    found = in_turns(asked, options.turns, "wire")
    return {"kind": "wire", **{what: min(values) for what, values in found.items()}}  # the rest is what others did


def _measure_model(name, batch, processes, options):
    def ask(side, what):
        return float(processes[side].ask(f"{name}: {what}"))

    def timed(side, what):
        return [float(figure) for figure in processes[side].ask(f"{name}: {what}").split()]

    asked = {side: lambda s=side: timed(s, "fit") for side in processes}
    asked["quarter"] = lambda: timed("1 x 1", "quarter")
    several = [side for side in processes if not side.startswith("1 x")]
    counted = {what: {side: ask(side, what) for side in several} for what in ("bytes", "messages")}
    alone = {what: int(ask("1 x 1", what)) for what in ("gradients", "sums", "sums_bytes")}
    readings = in_turns(asked, options.turns, name)
    row = {
        "kind": "model",
        "model": name,
        "batch": batch,
        "ms": {side: median_and_spread([ms for ms, _ in found])[0] for side, found in readings.items()},
        "effort_ms": {side: median_and_spread([ms for _, ms in found])[0] for side, found in readings.items()},
        **alone,
        **counted,
    }
    if "2 x 1" in readings:
        for k, key in enumerate(("ratio", "effort")):
            sides = ([reading[k] for reading in readings[side]] for side in ("2 x 1", "1 x 2"))
            row[key] = median_and_spread(ratios(*sides))
    return row


def _start(ranks, threads, options):
    launcher = [launcher_at(options.launcher), "-n", str(ranks)] if ranks > 1 else []
    return Worker([__file__, "--worker", "--threads", threads, "--samples", options.samples], launcher)


# ---- showing ----


def models_of(result):
    """The rows of models that were measured on several ranks."""
    return [row for row in result["rows"] if row["kind"] == "model" and "ratio" in row]


def _cells(result):
    headings = [
        "model (batch)",
        "1 x 1 ms",
        "1 x 2 ms",
        "2 x 1 ms",
        "2 x 1 over 1 x 2",
        "of processors' time",
        "KB a step",
        "messages a step",
    ]
    lines = []
    for row in models_of(result):
        ms = [f"{row['ms'][side]:.1f}" for side in ("1 x 1", "1 x 2", "2 x 1")]
        ratio, effort = ("{:.2f} ({:.2f} to {:.2f})".format(*row[key]) for key in ("ratio", "effort"))
        sent = [f"{row['bytes']['2 x 1'] / 1e3:,.0f}", f"{row['messages']['2 x 1']:.0f}"]
        lines.append([f"{row['model']} ({row['batch']})", *ms, ratio, effort, *sent])
    return headings, lines


def table(result):
    """The readings as text."""
    from scratchnet.evaluation import text_table

    wire = next(row for row in result["rows"] if row["kind"] == "wire")
    return (
        text_table(*_cells(result), width=160)
        + f"\nTwo ranks hear a word of each other in {wire['word']:.0f} us, and trade a megabyte in "
        f"{wire['megabyte']:.0f} us in a message, in {wire['shared']:.0f} us by memory that they share."
    )


def draw(result):
    """Bars of the ratios, with their spread."""
    from scratchnet.evaluation.style import colour, new_figure

    rows = models_of(result)
    figure, ax = new_figure(9, 0.5 * len(rows) + 2)
    middles = [row["ratio"][0] for row in rows]
    errors = [
        [m - row["ratio"][1] for m, row in zip(middles, rows)],
        [row["ratio"][2] - m for m, row in zip(middles, rows)],
    ]
    ax.barh(range(len(rows)), middles, xerr=errors, color=colour(0))
    ax.set_yticks(range(len(rows)), [row["model"] for row in rows])
    ax.invert_yaxis()
    ax.axvline(1, color="black", linewidth=1)
    ax.axvline(1.15, color="grey", linestyle=":", linewidth=1)
    ax.set(xlabel="time of a step on 2 ranks x 1 thread over that on 1 rank x 2 threads")
    figure.supxlabel(describe(result["environment"]), fontsize=6)
    return figure


def main():
    """Read the command line, measure, print the table."""
    parser = make_parser(__doc__, turns=5)
    add = parser.add_argument
    add("--only", nargs="+", metavar="MODEL", help="these models")
    add("--samples", type=positive, default=2560, help="in a call of fit (default: %(default)s)")
    add("--large", action="store_true", help=f"{LARGE} at 224 pixels, too")
    add(
        "--launcher",
        default="mpiexec",
        help="what starts the ranks; on a busy machine mpiexec.gforker, which leaves them all in one session, lest the "
        "system give each a share of its own (default: %(default)s)",
    )
    add("--worker", action="store_true", help="be one side")
    options = parser.parse_args()
    if options.worker:
        worker(options.threads, options.samples)
    else:
        run_bench("ranks", options, measure, table, draw)


if __name__ == "__main__":
    main()

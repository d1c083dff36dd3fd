"""What a user feels before and around the training: imports, the first step, compiling, and a whole job.

    python benches/startup.py
    python benches/startup.py --data full --epochs 5

Everything is a program of its own, started anew each time. How to read the tables:

* imports: the time of the import statement, and the median over the turns of its ratio to NumPy's;
* first step: from starting `examples/lstm_autoencoder.py` to the end of its first training step, with an empty cache of
  compiled kernels ("cold") and with a filled one ("warm"); how many kernels were compiled, and whether a line said so;
* whole job: start, import, read the data, compile, train, evaluate. One script, of which only the name of the library
  changes, run in turns by scratchnet and by Keras; the ratio is theirs over ours within a turn.

Python's own bytecode is cached for all, as it is for a user from the second start on.
"""

import functools
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _shared import in_turns, make_parser, positive, progress, ratios, run_bench, spread_text, without_coretype

from scratchnet.evaluation.style import colour, markdown_table, new_figure, text_table

EXAMPLE = Path(__file__).parents[1] / "examples" / "lstm_autoencoder.py"

IMPORTS = {
    "numpy": "import numpy",
    "scratchnet": "import scratchnet",
    "its layers and models": "from scratchnet.layers import LSTM; from scratchnet.models import Sequential",
}
TIMED_IMPORT = "import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"

# Runs an example until its first training step is done, then tells when that was and which kernels were compiled.
UNTIL_FIRST_STEP = """
import json, os, runpy, sys, time

def end(*_):
    at = time.time()
    from numba.core.dispatcher import Dispatcher

    modules = [module for name, module in list(sys.modules.items()) if name.startswith("scratchnet.kernels.with_numba")]
    values = {id(value): value for module in modules for value in vars(module).values()}.values()
    stats = [value.stats for value in values if isinstance(value, Dispatcher)]
    misses, hits = (sum(sum(getattr(s, name).values()) for s in stats) for name in ("cache_misses", "cache_hits"))
    print(json.dumps({"time": at, "compiled": misses, "loaded": hits}), flush=True)
    os._exit(0)

example, *arguments = sys.argv[1:]
sys.argv[:] = [example, *arguments]
sys.path.insert(0, os.path.dirname(example))
from scratchnet.callbacks import CallbackList
CallbackList.on_train_batch_end = end
runpy.run_path(example, run_name="__main__")
"""

# The main job's model, as it is written for Keras and for scratchnet.
JOB = """
import json, sys, time
import numpy as np
from {library}.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from {library}.models import Sequential
from {library}.utils import set_random_seed

imported = time.time()
set_random_seed(1)
data = np.load(sys.argv[1])
x_train, x_test = (data[part].astype("float32") / 255 for part in ("train", "test"))
model = Sequential(
    [
        Input((28, 28)),
        LSTM(128, activation="relu"),
        RepeatVector(28),
        LSTM(128, activation="relu", return_sequences=True),
        TimeDistributed(Dense(28, activation="sigmoid")),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=int(sys.argv[2]), batch_size=128, validation_split=0.2, verbose=2)
trained = time.time()
loss = model.evaluate(x_test, x_test, batch_size=128, verbose=0)
print(json.dumps({{"imported": imported, "trained": trained, "loss": float(loss)}}))
"""


def run(code, *arguments, **settings):
    """Run a program; returns what its last line says (JSON), its seconds, when it was started, and its stderr."""
    variables = without_coretype(PYTHONPATH=EXAMPLE.parents[1], TF_CPP_MIN_LOG_LEVEL=3, **settings)
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    began, clock = time.time(), time.perf_counter()
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=variables)
    seconds = time.perf_counter() - clock
    if result.returncode != 0:
        raise RuntimeError(f"a program of this bench has failed:\n{result.stderr}")
    return json.loads(result.stdout.splitlines()[-1]), seconds, began, result.stderr


# ---- measuring ----


def measure(options):
    """Rows of three kinds, told apart by ``what``: "import", "first step" and "job"."""
    rows = []
    imports = {name: functools.partial(_import, statement) for name, statement in IMPORTS.items()}
    for start in imports.values():
        start()  # bytecode is written, files are in the system's cache
    for name, seconds in in_turns(imports, options.turns, "import").items():
        rows.append({"what": "import", "side": name, "seconds": seconds})
    with tempfile.TemporaryDirectory() as folder:
        rows += first_steps(folder, options)
        if not options.no_job:
            rows += jobs(folder, options)
    return rows


def _import(statement):
    return run(TIMED_IMPORT.format(statement=statement))[0]


def first_steps(folder, options):
    """The example up to its first step: with a new cache each time, and then again with the last of these caches."""
    rows = []
    for turn in range(options.starts):
        progress(f"first step, cold cache: start {turn + 1} of {options.starts}")
        rows.append(_first_step("cold", f"{folder}/cache{turn}", folder, options.threads))
    for turn in range(options.starts):
        progress(f"first step, warm cache: start {turn + 1} of {options.starts}")
        rows.append(_first_step("warm", f"{folder}/cache{options.starts - 1}", folder, options.threads))
    progress()
    return rows


def _first_step(side, cache, folder, count):
    last, _, began, errors = run(
        UNTIL_FIRST_STEP, EXAMPLE, "--out", folder, NUMBA_CACHE_DIR=cache, SCRATCHNET_NUM_THREADS=count
    )
    seconds, told = last.pop("time") - began, "compiling kernels" in errors
    return {"what": "first step", "side": side, "seconds": seconds, "told": told, **last}


def jobs(folder, options):
    """The whole job, in turns: ours with a cold and with a warm cache of kernels, and Keras on each peer."""
    from scratchnet.datasets import mnist

    (x_train, _), (x_test, _) = mnist.load_data() if options.data == "full" else mnist.load_sample()
    file = f"{folder}/digits.npz"
    np.savez(file, train=x_train[: options.samples], test=x_test[: options.samples])
    job, count = functools.partial(_job, file, options.epochs), options.threads
    ours, warm = {"SCRATCHNET_NUM_THREADS": count}, f"{folder}/warm"
    sides = {
        "scratchnet, cold": functools.partial(job, "scratchnet", **ours),
        "scratchnet, warm": functools.partial(job, "scratchnet", warm, **ours),
    }
    for peer in options.peers:
        if importlib.util.find_spec("keras") and importlib.util.find_spec(peer):
            threads = {"TF_NUM_INTRAOP_THREADS": count, "OMP_NUM_THREADS": count, "KERAS_BACKEND": peer}
            sides[f"Keras on {peer}"] = functools.partial(job, "keras", **threads)
        else:
            print(f"Keras on {peer}: not installed, skipped")
    _job(file, 1, "scratchnet", warm, **ours)  # fills that cache
    readings = in_turns(sides, options.job_turns, "whole job")
    return [{"what": "job", "side": name, **one} for name, several in readings.items() for one in several]


def _job(file, epochs, library, cache=None, **settings):
    """Seconds of a whole job and of its parts, and the loss it ends with; without `cache`, one that is empty."""
    with tempfile.TemporaryDirectory() as empty:
        code = JOB.format(library=library)
        last, seconds, began, _ = run(code, file, epochs, NUMBA_CACHE_DIR=cache or empty, **settings)
    imports, trains = last["imported"] - began, last["trained"] - last["imported"]
    return {"seconds": seconds, "imports": imports, "trains": trains, "loss": last["loss"]}


# ---- what comes out ----


def _tables(result):
    """{title: (headings, rows)}."""
    imports, first_steps, jobs = (_grouped(result["rows"], what) for what in ("import", "first step", "job"))
    tables = {}
    numpy = imports["numpy"][0]["seconds"]
    lines = [
        (name, f"{statistics.median(row['seconds']) * 1e3:.1f}", spread_text(ratios(row["seconds"], numpy)))
        for name, (row,) in imports.items()
    ]
    tables["import (goal: 1.5 times NumPy's)"] = ("import", "ms", "times NumPy's"), lines
    lines = [
        (
            f"cache of kernels {name}",
            spread_text([row["seconds"] for row in rows]),
            rows[-1]["compiled"],
            rows[-1]["loaded"],
            "yes" if all(row["told"] for row in rows) else "no",
        )
        for name, rows in first_steps.items()
    ]
    headings = ("start", "seconds", "kernels compiled", "loaded", "a line says so")
    tables["from start to the first training step (goals: 0.7 s warm, 6 s cold)"] = headings, lines
    if jobs:
        tables["whole job (goal: Keras takes 2 times as long)"] = _job_table(jobs)
    return tables


def _job_table(jobs):
    columns = ("seconds", "imports", "trains", "loss")
    lines = []
    for name, rows in jobs.items():
        seconds, imports, trains, loss = (statistics.median(row[column] for row in rows) for column in columns)
        theirs = [row["seconds"] for row in rows]
        against = [
            spread_text(ratios(theirs, [row["seconds"] for row in jobs[ours]]))
            for ours in ("scratchnet, cold", "scratchnet, warm")
        ]
        lines.append((name, f"{seconds:.1f}", f"{imports:.1f}", f"{trains:.1f}", f"{loss:.4f}", *against))
    return ("job", "seconds", "to import", "to train", "test loss", "over ours, cold", "over ours, warm"), lines


def _grouped(rows, what):
    groups = {}
    for row in rows:
        if row["what"] == what:
            groups.setdefault(row["side"], []).append(row)
    return groups


def table(result):
    """Three tables, for the screen."""
    tables = _tables(result).items()
    return "\n\n".join(f"{title}\n{text_table(headings, rows, width=120)}" for title, (headings, rows) in tables)


def markdown(result):
    """A section of the results page."""
    options = result["options"]
    text = f"""## Start-up

    python benches/startup.py --data full --epochs 5

Every figure is of programs started anew: the median, with the smallest and the largest. The first step is that of
`examples/lstm_autoencoder.py`. The whole job (start, import, read the data, train, evaluate) is one script of which
only the name of the library changes, run in turns: the LSTM autoencoder on
{"all" if options["data"] == "full" else "the sample"} of MNIST, {options["epochs"]} epochs, {options["threads"]}
threads a side.
"""
    for title, (headings, rows) in _tables(result).items():
        text += f"\n### {title[0].upper()}{title[1:]}\n\n{markdown_table(headings, rows)}\n"
    return text


def draw(result):
    """Bars for the three kinds of waiting, a dashed line across the bar where it has a goal."""
    imports, first_steps, jobs = (_grouped(result["rows"], what) for what in ("import", "first step", "job"))
    numpy = statistics.median(imports["numpy"][0]["seconds"])
    panels = [
        (
            "import, ms",
            {name: statistics.median(row["seconds"]) * 1e3 for name, (row,) in imports.items()},
            {"its layers and models": 1500 * numpy},
        ),
        ("first step, seconds", {name: _median(rows) for name, rows in first_steps.items()}, {"warm": 0.7, "cold": 6}),
        ("whole job, seconds", {name: _median(rows) for name, rows in jobs.items()}, {}),
    ]
    panels = [panel for panel in panels if panel[1]]
    figure, every_ax = new_figure(4.2 * len(panels), 2.8, columns=len(panels), squeeze=False)
    for ax, (title, bars, goals) in zip(every_ax[0], panels):
        colours = [colour(int(name == "numpy" or name.startswith("Keras"))) for name in bars]
        ax.barh(list(bars), list(bars.values()), color=colours)
        for place, (name, value) in enumerate(bars.items()):
            # Beside the panel, where neither a bar nor a goal can run through it.
            ax.text(1.02, place, f"{value:.3g}", va="center", transform=ax.get_yaxis_transform())
            if name in goals:
                ax.plot([goals[name]] * 2, [place - 0.47, place + 0.47], "k--", linewidth=1.2, label="goal")
        if goals:
            ax.legend(*(found[:1] for found in ax.get_legend_handles_labels()), fontsize=8, loc="best")
        ax.set_xlim(0, max(*bars.values(), *goals.values()) * 1.1)
        ax.set_title(title)
        ax.invert_yaxis()
    return figure


def _median(rows):
    return statistics.median(row["seconds"] for row in rows)


def main():
    """Read the command line, measure, print the tables."""
    parser = make_parser(__doc__, turns=11)
    add = parser.add_argument
    add(
        "--starts", type=positive, default=3, help="of the example, with a cold and a warm cache (default: %(default)s)"
    )
    add("--no-job", action="store_true", help="leave out the whole job")
    add(
        "--job-turns",
        type=positive,
        default=1,
        help="how often the whole job is run by each side (default: %(default)s)",
    )
    add("--data", choices=("sample", "full"), default="sample", help="of the whole job (default: %(default)s)")
    add("--samples", type=positive, help="use only the first so many images of it")
    add("--epochs", type=positive, default=2, help="of the whole job (default: %(default)s)")
    peers = ("tensorflow", "jax")
    add("--peers", nargs="*", choices=peers, default=["tensorflow"], help="Keras's backends (default: tensorflow)")
    run_bench("startup", parser.parse_args(), measure, table, draw)


if __name__ == "__main__":
    main()

"""What all benches have in common: their options, taking turns, what they say of the machine, JSON and plots.

How a bench measures: the sides take turns (ours, theirs, ours, theirs, ...), so that a busy moment of the machine meets
all alike; what counts is the ratio within a turn, of which the median and the spread are shown. A bench:

    def measure(options): ...                        # rows: a list of flat dicts of numbers and names
    def table(result): ...                           # for the screen
    def markdown(result): ...                        # a section of docs/benchmarks.md, from the JSON alone
    def draw(result): ...                            # a figure, from the JSON alone

    def main():
        parser = make_parser(__doc__, turns=5)
        parser.add_argument(...)
        run_bench("kernels", parser.parse_args(), measure, table, draw)
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time

from machine import HELD, ISAS, LEAST_GAIN, NAMES, instruction_set, thread_gain, widest

# The names under which a package may be installed: the module of tensorflow-cpu is tensorflow too.
_DISTRIBUTIONS = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "scikit-learn": ("scikit-learn",)}
_NOT_IN_RESULTS = ("json", "plot", "page", "worker", "weights")  # where files lie, and what a bench tells itself
PACKAGES = ("numpy", "numba", "tensorflow", "jax", "torch", "keras")


# ---- the command line ----


def make_parser(description, **defaults):
    """A parser with the options that all benches have; its help begins with the first paragraph of `description`."""
    parser = argparse.ArgumentParser(description=description.split("\n\n")[0].replace("\n", " "))
    add_common_options(parser, **defaults)
    return parser


def add_common_options(parser, turns=7, threads=2):
    """``--turns``, ``--threads``, ``--isa``, ``--json`` and ``--plot``."""
    add = parser.add_argument
    add("--turns", type=positive, default=turns, help="how often each side is timed (default: %(default)s)")
    add("--threads", type=positive, default=threads, help="of every side (default: %(default)s)")
    add("--isa", choices=ISAS, default="native", help="the instructions that all sides may use (default: %(default)s)")
    add("--json", metavar="FILE", help="write every reading, and what is known of the machine")
    add("--plot", metavar="FILE", help="write the plot as PNG")


def positive(text):
    """An option's value: an integer of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an integer of at least 1, got {text!r}")
    return int(text)


def run_bench(name, options, measure, table, draw):
    """Measure, print the table, write what the options ask for; returns the result as it stands in the JSON file.

    ``measure(options)`` gives the rows, ``table(result)`` the text, ``draw(result)`` the figure.
    """
    restart_held_to(options.isa)
    print(environment_line(options.threads))
    began, clock = datetime.datetime.now(datetime.timezone.utc), time.perf_counter()
    rows = measure(options)
    result = {
        "bench": name,
        "began": began.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 1),
        "options": {key: value for key, value in vars(options).items() if key not in _NOT_IN_RESULTS},
        "environment": environment(options.threads),
        "rows": rows,
    }
    print(table(result))
    if options.json:
        write_json(options.json, result)
    if options.plot:
        save_plot(options.plot, draw(result))
    return result


# ---- the machine ----


def without_coretype(**settings):
    """The environment of a process to be started: ours with `settings`, and without OPENBLAS_CORETYPE.

    That variable makes OpenBLAS use the instructions of another processor, half as fast. NumPy reads it while loading.
    Where this process is held to an instruction set, the other is held to the same.
    """
    kept = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    held = instruction_set(os.environ.get(HELD, "native"))
    return {**kept, **held, **{key: str(value) for key, value in settings.items()}}


def restart_held_to(isa="native"):
    """Run this program anew, and end with its exit code, where it does not have the environment of `isa`."""
    if isa != os.environ.get(HELD, "native") or (isa == "native" and "OPENBLAS_CORETYPE" in os.environ):
        try:
            environment = {**without_coretype(), **instruction_set(isa)}
        except ValueError as error:
            sys.exit(str(error))
        sys.exit(subprocess.call([sys.executable, *sys.orig_argv[1:]], env=environment))


def environment(threads):
    """What a reading depends on besides the code: processor, versions, BLAS, threads; JSON-ready."""
    import numpy  # noqa: F401 (threadpoolctl finds the BLAS of a process only after it has loaded)
    from threadpoolctl import threadpool_info

    import scratchnet
    from scratchnet import kernels

    kernels.load()
    blas = [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "threading_layer", "num_threads")}
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]
    return {
        "processor": processor(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "scratchnet": scratchnet.__version__,
        "packages": {name: found for name in PACKAGES if (found := installed(name))},
        "backend": kernels.get_backend(),
        "blas": blas,
        "threads": threads,
        "isa": os.environ.get(HELD, "native"),
        "widest": widest(),
    }


def environment_line(threads):
    """The same in two lines for the screen."""
    return describe(environment(threads))


def instructions(environment):
    """Which vectors a reading was taken with: "AVX2", "AVX-512", or whatever the processor has."""
    isa = environment.get("isa", "native")
    return NAMES.get(environment.get("widest") if isa == "native" else isa, "native instructions")


def describe(environment):
    """Two lines for what `environment` gave."""
    versions = [f"Python {environment['python']}"]
    versions += [f"{name} {version}" for name, version in environment["packages"].items()]
    held = "" if environment.get("isa", "native") == "native" else "held to "
    blas = " and ".join(
        dict.fromkeys(f"{pool['internal_api']} for {pool['architecture']}" for pool in environment["blas"])
    )
    return (
        f"{environment['processors']} processors, {environment['processor']}; {blas or 'BLAS unknown'}; "
        f"{environment['threads']} threads a side; "
        f"{held}{instructions(environment)}\n{', '.join(versions)}"
    )


def processor():
    """The processor's name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):  # not Linux, or a processor without a name there
        return platform.processor() or "processor unknown"


def installed(package):
    """The version of an installed package, None where it is missing."""
    from importlib.metadata import PackageNotFoundError, version

    for distribution in _DISTRIBUTIONS.get(package, (package,)):
        try:
            return version(distribution)
        except PackageNotFoundError:
            pass
    return None


def hold_to(threads):
    """Let this process and what it starts use only the first `threads` processors, where the system can do that.

    Some libraries (JAX) look at nothing else when they decide how many threads to start.
    """
    if hasattr(os, "sched_setaffinity"):
        available = sorted(os.sched_getaffinity(0))
        if threads < len(available):
            os.sched_setaffinity(0, available[:threads])


# ---- measuring ----


def milliseconds(function, calls=1):
    """How long one call of `function` takes, as the mean of `calls`."""
    began = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - began) / calls * 1e3


def calls_for(function, at_least=20.0):
    """How many calls take `at_least` milliseconds together, so that the clock can tell; calls it, as a warm-up."""
    function()
    return max(1, int(at_least / max(milliseconds(function), 1e-3) + 0.5))


def in_turns(sides, turns, title=""):
    """``{name: [reading of each turn]}`` for `sides` ``{name: function without arguments that returns a reading}``."""
    readings = {name: [] for name in sides}
    for turn in range(turns):
        _take_turn(sides, readings, f"turn {turn + 1} of {turns}", title)
    progress()
    return readings


def in_sound_turns(sides, turns, threads, title="", most=None):
    """As `in_turns`, but a turn is repeated where threads gained too little before or after it: see `machine`.

    Returns ``(readings, gains, repeated)``: the smaller gain of each turn that counts, and how many were repeated, at
    most `most`, or as many as `turns`; if they are used up, a turn counts as it is.
    """
    most = turns if most is None else most
    readings, gains, repeated = {name: [] for name in sides}, [], 0
    least = LEAST_GAIN if threads == 2 else 0
    while len(gains) < turns:
        before, trial = thread_gain(threads), {name: [] for name in sides}
        _take_turn(sides, trial, f"turn {len(gains) + 1} of {turns}, {repeated} repeated", title)
        gain = min(before, thread_gain(threads))
        if gain < least and repeated < most:
            repeated += 1
            continue
        gains.append(gain)
        for name, (reading,) in trial.items():
            readings[name].append(reading)
    progress()
    return readings, gains, repeated


def _take_turn(sides, readings, number, title):
    for name, measure in sides.items():
        progress(f"{title}: {name}, {number}")
        readings[name].append(measure())


def ratios(theirs, ours):
    """Theirs over ours, turn by turn: above 1 where we are faster."""
    return [b / a for a, b in zip(ours, theirs)]


def median_and_spread(values):
    """``(median, smallest, largest)``."""
    return statistics.median(values), min(values), max(values)


def spread_text(values, digits=2):
    """``"2.10 (1.95 to 2.40)"``."""
    middle, low, high = median_and_spread(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def progress(text=""):
    """Show `text` as the one line of progress (on stderr), or clear that line."""
    width = 100
    sys.stderr.write(f"\r{text[:width]:<{width}}" if text else f"\r{'':<{width}}\r")
    sys.stderr.flush()


class Worker:
    """A process that answers one line with one line, once it has printed ``ready``.

    `command`: what follows the name of the Python interpreter, `launcher`: what comes before it; `settings`:
    environment variables. Raises RuntimeError with the end of what it wrote to stderr, if it stops before it is ready
    or before it answers.
    """

    def __init__(self, command, launcher=(), **settings):
        import tempfile

        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            [*launcher, sys.executable, *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=without_coretype(**settings),
        )
        while self._line() != "ready":
            pass

    def ask(self, line):
        """Its answer to `line`."""
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self):
        line = self._process.stdout.readline()
        if not line:
            self.close()
            self._errors.seek(0)
            raise RuntimeError("a worker of this bench has stopped:\n" + "".join(self._errors.readlines()[-8:]))
        return line.strip()

    def close(self):
        """Let it end, and wait for it."""
        if not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
        self._process.stdout.close()
        self._errors.close()


# ---- results ----


def rounded(value):
    """Figures to five digits, whatever they are in: the sixth is different each time."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def write_json(path, result):
    """Write the result, making the folder if need be; a row is a line."""

    def text(value):
        return json.dumps(rounded(value), ensure_ascii=False)

    def rows(values):
        return "[\n" + ",\n".join(f"  {text(row)}" for row in values) + "\n ]"

    lines = [f' "{key}": {rows(v) if isinstance(v, list) else text(v)}' for key, v in result.items()]
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"wrote {path}")


def write_between(path, name, text):
    """Replace what stands between the markers `name` of a page. Raises ValueError if they are not there."""
    first, last = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    with open(path, encoding="utf-8") as file:
        page = file.read()
    if page.count(first) != 1 or page.count(last) != 1:
        raise ValueError(f"{path} must hold the lines {first} and {last}, once each")
    head, rest = page.split(first)
    _, tail = rest.split(last)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{first}\n{text}{last}{tail}")
    print(f"wrote the figures into {path}")


def save_plot(path, figure):
    """Write a figure as PNG, making the folder if need be."""
    from scratchnet.evaluation import save_figure

    print(f"wrote {save_figure(figure, path)}")

"""Run every bench and rewrite the page of benchmarks from what they measured.

    python benches/run_all.py                            # about half an hour; leave the machine alone meanwhile
    python benches/run_all.py --only models_avx2         # this anew, the others as they were
    python benches/run_all.py --from-json                # only the page and nothing else

Each bench runs as a command of its own, which is shown, and writes its readings as JSON into benches/results and its
plot into docs/images/benches. docs/benchmarks.md is made from the JSON files alone: no figure in it is written by hand.
Models and layers are measured twice on a processor with AVX-512: as it is, and with all sides held to AVX2.
"""

import argparse
import datetime
import importlib
import json
import os
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

from _shared import describe, instructions, without_coretype
from machine import widest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
PERFORMANCE = ROOT / "docs" / "performance.md"  # holds the figures of the bench ladder once more
README = ROOT / "README.md"  # and those of waiting
PEERS = ("tensorflow", "jax", "torch")

AVX2 = "_avx2"  # ends the name of a bench that runs once more, with every side held to these vectors

_MODELS = (
    ["--peers", *PEERS, "--calls", "fit", "evaluate", "predict", "--turns", "9"],
    ["--peers", "--only", "SimpleRNN classifier", "--calls", "fit", "--samples", "256", "--turns", "2"],
)
_LAYERS = (
    ["--peers", *PEERS, "--turns", "5", "--samples", "2560"],
    ["--peers", "--only", "GRU", "--samples", "256", "--turns", "1"],
)
# the order of the page: {bench: (its options, those of a small run that only shows that everything works)}
BENCHES = {
    "models": _MODELS,
    f"models{AVX2}": _MODELS,
    "layers": _LAYERS,
    f"layers{AVX2}": _LAYERS,
    "breadth": (["--peers", "tensorflow", "jax", "torch"], ["--only", "losses: mae", "--turns", "1", "--peers"]),
    "one_sample": ([], ["--only", "SimpleRNN classifier", "--turns", "1", "--peers"]),
    "kernels": ([], ["--small", "--turns", "1", "--only", "Adam"]),
    "ladder": ([], ["--small", "--turns", "1"]),
    "scaling": (["--data", "full"], ["--small", "--turns", "1", "--peers"]),
    "curves": (["--peers", *PEERS], ["--small", "--turns", "1", "--only", "batch", "--peers"]),
    "parts": ([], ["--small", "--turns", "1"]),
    "waiting": ([], ["--small", "--turns", "1", "--peers"]),
    "startup": (["--data", "full", "--epochs", "5"], ["--turns", "1", "--starts", "1", "--peers", "--no-job"]),
}


def script_of(bench):
    """The module that measures a bench, and shows it."""
    return bench.removesuffix(AVX2)


def those_to_run():
    """All benches; where the processor has no longer vectors than AVX2, each of them once."""
    is_wider = widest() == "avx512"
    return [bench for bench in BENCHES if is_wider or not bench.endswith(AVX2)]


def run(bench, results, images, small):
    """Run one bench; raises CalledProcessError if it fails."""
    script = Path(__file__).with_name(f"{script_of(bench)}.py")
    command = [sys.executable, str(script), *BENCHES[bench][1 if small else 0]]
    command += ["--isa", "avx2"] if bench.endswith(AVX2) else []
    command += ["--json", str(results / f"{bench}.json"), "--plot", str(images / f"{bench}.png")]
    print(f"\n$ {shlex.join(command)}", flush=True)
    subprocess.run(command, check=True, env=without_coretype())


def read_results(folder):
    """``{bench: result}`` of the JSON files that are there, in the order of the page. FileNotFoundError without any."""
    found = {bench: json.loads(path.read_text()) for bench in BENCHES if (path := folder / f"{bench}.json").exists()}
    if not found:
        raise FileNotFoundError(f"there is no JSON file of a bench in {folder}; run without --from-json first")
    return found


def page(found, images, page_path):
    """The text of the page: a section for each result, which says what vectors it was measured with."""
    introduction = (
        "This page is written by `python benches/run_all.py` from the readings in `benches/results`; no figure in it "
        "is written by hand. The sides of a comparison run in turns; a ratio is that within a turn, and what is shown "
        "is its median, with its spread in brackets. Ratios carry over to other machines better than milliseconds "
        "do, and neither carries over to a machine with another number of processors."
    )
    parts = ["# Benchmarks", textwrap.fill(introduction, 120), _when_and_where(found)]
    for bench, result in found.items():
        heading, _, rest = importlib.import_module(script_of(bench)).markdown(result).strip().partition("\n")
        vectors = instructions(result["environment"])
        parts += [heading, *([] if vectors in heading else [f"Measured with {vectors}."]), rest.strip("\n")]
        if (images / f"{bench}.png").exists():
            link = Path(os.path.relpath(images / f"{bench}.png", page_path.parent)).as_posix()
            parts.append(f"![{bench}: the plot of this section]({link})")
    return "\n\n".join(parts) + "\n"


def _when_and_where(found):
    """A line for each bench: when it ran and how long; then the machines, one if all ran on the same."""
    lines = []
    for bench, result in found.items():
        began = datetime.datetime.fromisoformat(result["began"])
        lines.append(f"- {bench}: {began:%d %B %Y, %H:%M} UTC, {result['seconds'] / 60:.1f} minutes")
    machines = {}
    for bench, result in found.items():
        machines.setdefault(describe(result["environment"]).replace("\n", "; "), []).append(bench)
    for machine, benches in machines.items():
        lines.append(f"- {machine}" + (f" ({', '.join(benches)})" if len(machines) > 1 else ""))
    return "\n".join(lines)


def main():
    """Read the command line, run, write the page; the exit code is 1 if a bench failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--only", nargs="*", choices=BENCHES, default=[], metavar="BENCH", help=f"of: {', '.join(BENCHES)}")
    add("--from-json", action="store_true", help="run nothing, only write the page")
    add("--small", action="store_true", help="few and small sizes, to try the benches themselves")
    add(
        "--folder",
        type=Path,
        help="write everything into this folder, and nothing into docs (--small: outputs/benches)",
    )
    options = parser.parse_args()
    folder = options.folder or (ROOT / "outputs" / "benches" if options.small else None)
    results, images, page_path = ROOT / "benches" / "results", ROOT / "docs" / "images" / "benches", PAGE
    if folder:
        results, images, page_path = folder.resolve(), folder.resolve() / "images", folder.resolve() / PAGE.name
    failed = []
    for bench in [] if options.from_json else options.only or those_to_run():
        try:
            run(bench, results, images, options.small)
        except subprocess.CalledProcessError as problem:
            print(f"{bench} failed with exit code {problem.returncode}; its last readings stay", file=sys.stderr)
            failed.append(bench)
    found = read_results(results)
    page_path.write_text(page(found, images, page_path), encoding="utf-8")
    print(f"wrote {page_path}")
    if "ladder" in found and not folder:
        importlib.import_module("ladder").write_page(PERFORMANCE, found["ladder"])
    if "waiting" in found and not folder:
        importlib.import_module("waiting").write_page(README, found["waiting"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Mutation testing: is there a test for every line? Change the line a little, and some test has to fail.

    pip install -e '.[mutation]'
    python tests/mutation/run.py                                     # everything, for hours
    python tests/mutation/run.py scratchnet/losses/regression.py     # one file, for minutes
    python tests/mutation/run.py --report-only                       # writes the reports of what is there already
    python tests/mutation/run.py --prune                             # drops what is listed of functions that are gone

mutmut makes the mutants and runs them; here is only what it cannot know. Everything happens in a working copy
(``--folder``), which is kept: a second run goes on where the first ended, tests again what survived if tests changed,
and mutates again only the functions that changed.

* In the copy, compiled kernels lose their ``@njit``: mutmut leaves decorated functions alone, and a mutant that has to
  be compiled first takes a hundred times longer. So kernels are mutated, and tested, as the plain Python that they also
  are.
* mutmut runs for each function the tests that reach it; GROUPS says among which.
* A test that hangs is a killed mutant, but a machine that was busy or asleep is not: the time is that of the processor,
  and what ran out of it counts as not run until it has done so twice.
* ``equivalent.json`` lists the mutants that no test can tell from the original: function, reason, and which words
  became which, how often. Neither files nor lines, so that it survives when code moves. Where more of them survive than
  are listed, nobody knows which are the equivalent ones, and all count as survivors.
* A mutant that changes nothing but the words of a ``raise`` is set apart too: tests hold the words that matter, and a
  changed case or "XX" in the others is no change of behaviour.
"""

import argparse
import ast
import difflib
import filecmp
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.json")
TABLE = ROOT / "docs" / "mutation.md"
BEGIN, END = "<!-- table: written by tests/mutation/run.py -->\n", "<!-- end of table -->\n"

# What is mutated together -> (its files, the tests among which mutmut looks for those that reach a function).
GROUPS = {
    "activations": (
        ["scratchnet/activations.py", "scratchnet/piecewise.py", "scratchnet/simplex.py"],
        ["tests/test_activations.py"],
    ),
    "ops": (["scratchnet/ops/*.py"], ["tests/ops", "tests/gradient_check/test_operations.py"]),
    "losses": (["scratchnet/losses/*.py"], ["tests/losses"]),
    "optimizers": (["scratchnet/optimizers/*.py"], ["tests/optimizers"]),
    "layers": (["scratchnet/layers/*.py"], ["tests/layers", "tests/models/test_model.py"]),
    "kernels": (["scratchnet/kernels/*.py"], ["tests/kernels", "tests/optimizers/test_base.py"]),
    "parallel": (["scratchnet/parallel/*.py"], ["tests/parallel"]),
    "graph": (["scratchnet/graph/*.py"], ["tests/graph", "tests/ops", "tests/models", "tests/layers/test_traced.py"]),
}
# How things are compiled cannot be seen where nothing is.
LEFT_OUT = ["scratchnet/kernels/with_numba/compile.py", "scratchnet/kernels/with_numba/tile.py"]
TESTS_OF_COMPILING = "tests/kernels/with_numba/test_compile.py"
WITH_DOUBLE = "not compiles and not browser and not ranks"

ENVIRONMENT = {
    "HYPOTHESIS_PROFILE": "mutation",
    "MPLBACKEND": "Agg",
    "NUMBA_DISABLE_JIT": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "SCRATCHNET_BACKEND": "numpy",  # tests of the kernels choose theirs
    "SCRATCHNET_NUM_THREADS": "1",
}

# mutmut ends a worker after so many seconds by the clock, or twice as many of the processor; the clock is slowed down.
RUN_MUTMUT = """
import sys
from mutmut.workers import timeout
register = timeout.register_timeout
timeout.register_timeout = lambda pid, timeout_s: register(pid, 50 * timeout_s)
from mutmut.__main__ import cli
sys.argv[0] = "mutmut"
cli()
"""

KILLED, SURVIVED, WAITING = "killed", "survived", "waiting"


def status_of(exit_code, confirmed=False):
    """What mutmut's exit code means for the score: crashed is killed, "no tests" is survived.

    Out of time is killed if it is `confirmed`, else not run.
    """
    if exit_code is None or (ran_out_of_time(exit_code) and not confirmed):
        return WAITING
    return SURVIVED if exit_code in (0, 33) else KILLED


def ran_out_of_time(exit_code):
    return exit_code in (36, 24, -24, 152, -9, 255)


# ---- the working copy ----


def prepare(group, folder):
    """Bring the working copy of `group` up to date; forget verdicts that depend on what changed."""
    files, tests = GROUPS[group]
    folder.mkdir(parents=True, exist_ok=True)
    _mirror(ROOT / "scratchnet", folder / "scratchnet", _without_njit if group == "kernels" else None)
    tests_changed = _mirror(ROOT / "tests", folder / "tests", None)
    for tree in ("scratchnet", "tests"):  # mutmut adds to its own copy, but takes nothing away
        for path in [p for p in (folder / "mutants" / tree).rglob("*") if p.suffix in (".py", ".meta")]:
            source = path.relative_to(folder / "mutants")
            if not (folder / source.with_name(source.name.removesuffix(".meta"))).exists():
                path.unlink()
    settings = {
        "source_paths": ["scratchnet"],
        "only_mutate": files,
        "do_not_mutate": LEFT_OUT,
        # Where nothing is compiled, kernels in float64 take no longer than others.
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-m", WITH_DOUBLE, f"--ignore={TESTS_OF_COMPILING}"],
        "pytest_add_cli_args_test_selection": tests,
        "process_isolation": "forkserver",
        "timeout_multiplier": 5,
        "timeout_constant": 2,
        "use_git_change_detection": False,
        "on_dependency_change": "ignore",
        "track_dependencies": False,
    }
    lines = ["", "[tool.mutmut]", *(f"{name} = {json.dumps(value)}" for name, value in settings.items()), ""]
    (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + "\n".join(lines))
    if tests_changed:
        (folder / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)  # which tests reach which function
        forget(folder, lambda code: status_of(code) == SURVIVED)


def _mirror(source, target, change):
    """Copy the Python and data files of a tree, remove what is gone; whether anything was different."""
    different = False
    wanted = {p.relative_to(source) for p in source.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    for path in wanted:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        if change is not None and path.suffix == ".py":
            text = change((source / path).read_text())
            if not (target / path).exists() or (target / path).read_text() != text:
                (target / path).write_text(text)
                different = True
        elif not (target / path).exists() or not filecmp.cmp(source / path, target / path, shallow=False):
            shutil.copy(source / path, target / path)
            different = True
    for path in [p for p in target.rglob("*") if p.is_file() and "__pycache__" not in p.parts]:
        if path.relative_to(target) not in wanted:
            path.unlink()
            different = True
    return different


def _without_njit(text):
    return re.sub(r"^@njit(\(.*\))?\n", "", text, flags=re.MULTILINE)


def metas(folder):
    """The records that mutmut keeps, one for each source file: (source path, path of the record)."""
    for path in sorted((folder / "mutants" / "scratchnet").rglob("*.meta")):
        yield path.relative_to(folder / "mutants").with_suffix("").as_posix(), path


def forget(folder, condition):
    """Make mutants wait again whose exit code meets `condition`; their names."""
    forgotten = []
    for _, path in metas(folder):
        record = json.loads(path.read_text())
        codes = record["exit_code_by_key"]
        chosen = [key for key, code in codes.items() if code is not None and condition(code)]
        codes.update(dict.fromkeys(chosen))
        path.write_text(json.dumps(record, indent=4))
        forgotten += chosen
    return forgotten


# ---- running ----


def run(group, folder, names, children):
    """Run mutmut in the working copy; whatever ran out of time, twice."""
    prepare(group, folder)
    forget(folder, ran_out_of_time)
    _mutmut(folder, names, children)
    again = forget(folder, ran_out_of_time)
    if again:
        _mutmut(folder, again, children)
    (folder / "ran_twice.json").write_text(json.dumps(again))


def _mutmut(folder, names, children):
    command = [sys.executable, "-c", RUN_MUTMUT, "run", "--max-children", str(children), *names]
    subprocess.run(command, cwd=folder, env={**os.environ, **ENVIRONMENT}, check=True)


def names_of(files):
    """mutmut's patterns for all mutants of some source files."""
    return [file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") + ".x*" for file in files]


# ---- results ----


def results(folder):
    """All mutants of a working copy as dicts: file, function, status, change ``(from, to)``, wording."""
    from mutmut.mutation.data import MutantLineSpans

    os.chdir(folder)
    twice = folder / "ran_twice.json"
    twice = set(json.loads(twice.read_text())) if twice.exists() else set()
    for file, path in metas(folder):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        index = MutantLineSpans.load(file)
        names = [key.rpartition(".")[2] for key in codes]
        originals = sorted({re.sub(r"__mutmut_\d+$", "__mutmut_orig", name) for name in names})
        sources = dict(zip(originals + names, index.read_function_sources(originals + names)))
        for (key, code), name in zip(codes.items(), names):
            stem = name.rpartition("__mutmut_")[0]
            original, mutant = (_cleaned(sources[n], n, stem) for n in (f"{stem}__mutmut_orig", name))
            function = stem.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
            yield {
                "name": key,
                "file": file,
                "function": function,
                "status": status_of(code, confirmed=key in twice),
                "change": change(original, mutant),
                "wording": only_wording(original, mutant),
            }


def _cleaned(source, name, stem):
    return re.sub(r" *# type: ignore # mutmut generated", "", source).replace(name, stem)


def change(original, mutant):
    """The lines that differ, without their indentation: ``(from, to)``."""
    lines = list(difflib.ndiff(original.splitlines(), mutant.splitlines()))
    return tuple("\n".join(line[2:].strip() for line in lines if line.startswith(sign)) for sign in "-+")


def only_wording(original, mutant):
    """Whether two functions differ in nothing but the text within ``raise`` statements."""
    return _without_wording(original) == _without_wording(mutant)


def _without_wording(source):
    source = source.strip("\n")
    tree = ast.parse("class _:\n" + source if source.startswith(" ") else source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for part in (part for argument in node.exc.args for part in ast.walk(argument)):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    part.value = ""
    return ast.dump(tree)


_EVERYWHERE = "everywhere"
_TOKEN = re.compile(r"\w+|\S")


def essence(before, after):
    """What became what, in words: ``"dtype -> None"``."""
    a, b = _TOKEN.findall(before), _TOKEN.findall(after)
    while a and b and a[0] == b[0]:
        del a[0], b[0]
    while a and b and a[-1] == b[-1]:
        del a[-1], b[-1]
    return f"{' '.join(a) or 'nothing'} -> {' '.join(b) or 'nothing'}"


def read_equivalent():
    """``{function: {reason: {change: how often}}}``; a function's name may hold wildcards.

    A change is the `essence` of one, or, where it holds for every line, ``"everywhere"``, the text itself.
    """
    return json.loads(EQUIVALENT.read_text())


def reason_for(mutant, listed):
    """Why a mutant may be equivalent, as ``(reason, how many like it there are)``, or None."""
    before, after = mutant["change"]
    for function, reasons in listed.items():
        if not fnmatch(mutant["function"], function):
            continue
        for reason, changes in reasons.items():
            for change, count in changes.items():
                if count == _EVERYWHERE and after in _replacements(before, *change.split(" -> ")):
                    return reason, float("inf")
                if count != _EVERYWHERE and change == essence(before, after):
                    return reason, count
    return None


def equivalent_ones(mutants, listed):
    """``{name: reason}`` for those survivors of one file that are listed, unless there are more than are listed."""
    groups = {}
    for mutant in mutants:
        found = reason_for(mutant, listed) if mutant["status"] == SURVIVED and not mutant["wording"] else None
        if found is not None:
            key = (mutant["file"], mutant["function"], essence(*mutant["change"]), found)
            groups.setdefault(key, []).append(mutant["name"])
    return {name: reason for (*_, (reason, count)), names in groups.items() if len(names) <= count for name in names}


def prune():
    """Drop from equivalent.json the functions that are nowhere in the source any more; says which."""
    there = set()
    for path in (ROOT / "scratchnet").rglob("*.py"):
        _collect(ast.parse(path.read_text(encoding="utf-8")), "", there)
    listed = read_equivalent()
    kept = {f: reasons for f, reasons in listed.items() if any(fnmatch(name, f) for name in there)}
    for function in listed.keys() - kept.keys():
        print(f"gone: {function}")
    EQUIVALENT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def _collect(tree, prefix, names):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(prefix + node.name)
            _collect(node, f"{prefix}{node.name}.", names)


def _replacements(text, old, new):
    """`text` with one `old` replaced, for each that it has."""
    pieces = text.split(old)
    return [old.join(pieces[:k]) + new + old.join(pieces[k:]) for k in range(1, len(pieces))]


def table(mutants):
    """The table of docs/mutation.md: a line for each file and one for all."""
    head = "| file | mutants | killed | survived | equivalent | wording | score |\n|---|--:|--:|--:|--:|--:|--:|\n"
    counts = {}
    for mutant in mutants:
        counts.setdefault(mutant["file"], Counter())[mutant["verdict"]] += 1
    rows = [_row(f"`{file.removeprefix('scratchnet/')}`", count) for file, count in sorted(counts.items())]
    rows.append(_row("**all**", sum(counts.values(), Counter())))
    return head + "".join(rows)


def _row(label, count):
    decided = count[KILLED] + count[SURVIVED]
    score = f"{100 * count[KILLED] / decided:.1f} %" if decided else ""
    waiting = f" ({count[WAITING]} not run)" if count[WAITING] else ""
    columns = [
        f"{sum(count.values())}{waiting}",
        *(count[v] for v in (KILLED, SURVIVED, "equivalent", "wording")),
        score,
    ]
    return f"| {label} | " + " | ".join(str(column) for column in columns) + " |\n"


def report(folders, survivors):
    """Print the table, write it into docs/mutation.md if all is done, and the survivors, as JSON, where told."""
    mutants = [mutant for folder in folders for mutant in results(folder)]
    reasons = equivalent_ones(mutants, read_equivalent())
    for mutant in mutants:
        equivalent = mutant["name"] in reasons
        mutant["verdict"] = "wording" if mutant["wording"] else "equivalent" if equivalent else mutant["status"]
    text = table(mutants)
    print(text)
    tools = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("mutmut", "pytest", "hypothesis", "numpy")
    )
    note = f"Made with Python {platform.python_version()}, {tools}.\n"
    if all(mutant["verdict"] != WAITING for mutant in mutants):
        before, _, rest = TABLE.read_text().partition(BEGIN)
        TABLE.write_text(before + BEGIN + "\n" + text + "\n" + note + "\n" + END + rest.partition(END)[2])
    if survivors is not None:
        found = [
            {
                "name": m["name"],
                "file": m["file"],
                "function": m["function"],
                "from": m["change"][0],
                "to": m["change"][1],
            }
            for m in mutants
            if m["verdict"] == SURVIVED
        ]
        survivors.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="source files or names of groups; by default everything"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "scratchnet-mutation", help="of the working copies"
    )
    parser.add_argument("--children", type=int, default=1, help="mutants tested at the same time")
    parser.add_argument("--survivors", type=Path, help="file for the list of survivors (JSON)")
    parser.add_argument("--prune", action="store_true", help="only drop what is listed of functions that are gone")
    parser.add_argument("--report-only", action="store_true", help="run nothing")
    args = parser.parse_args()
    if args.prune:
        return prune()
    survivors = args.survivors and args.survivors.absolute()
    folder = args.folder.resolve()
    for group, (patterns, _) in GROUPS.items():
        files = [Path(f).resolve().relative_to(ROOT).as_posix() for f in args.files if f.endswith(".py")]
        files = [file for file in files if any(fnmatch(file, pattern) for pattern in patterns)]
        if (not args.files or group in args.files or files) and not args.report_only:
            print(f"== {group}", flush=True)
            run(group, folder / group, names_of(files), args.children)
    report([folder / group for group in GROUPS if (folder / group / "mutants").exists()], survivors)


if __name__ == "__main__":
    main()

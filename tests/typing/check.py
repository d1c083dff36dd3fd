"""Does a type checker find the mistakes of a user's program, and no others? Needs mypy.

    python tests/typing/check.py

``wrong.py`` has a comment ``# wrong: CODE`` behind each line with a mistake, CODE as mypy calls it; ``right.py`` has
none, and it runs.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def found_by_mypy(program):
    """``{(line, code), ...}`` of what mypy says of a program, for which the library's own code is silent."""
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--no-error-summary", str(program)]
    done = subprocess.run(
        command, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stdout + done.stderr)
    return {
        (int(line), code) for line, code in re.findall(r":(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    }


def marked(program):
    """The same, as the comments promise it."""
    lines = program.read_text(encoding="utf-8").splitlines()
    marks = [(number, re.search(r"# wrong: ([\w-]+)$", line)) for number, line in enumerate(lines, 1)]
    return {(number, mark[1]) for number, mark in marks if mark}


def main():
    """Compare, run the right program, and return the exit code."""
    missed = False
    for name in ("right.py", "wrong.py"):
        found, promised = found_by_mypy(HERE / name), marked(HERE / name)
        for line, code in sorted(promised - found):
            print(f"{name}:{line}: mypy does not find the mistake ({code})")
        for line, code in sorted(found - promised):
            print(f"{name}:{line}: mypy finds what is none ({code})")
        missed = missed or found != promised
        print(f"{name}: {len(found & promised)} of {len(promised)} mistakes found")
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    return int(missed) or subprocess.run([sys.executable, HERE / "right.py"], env=settings, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

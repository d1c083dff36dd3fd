"""Write docs/keras.md: what Keras has and scratchnet has, and what it has not.

python tests/reference/make_keras_page.py
"""

import os
from pathlib import Path

import face

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PAGE = Path(__file__).parents[2] / "docs" / "keras.md"


def page(keras):
    """The text of the page."""
    rooms, missing_rooms = face.face(keras)
    lines = [
        "# What Keras has, and scratchnet",
        "",
        f"Written by `tests/reference/make_keras_page.py` from Keras {keras.__version__} itself; only the reasons are",
        "kept by hand. A program finds everything in the first table under the same name, with the same arguments in",
        "the same order; it changes its import lines only. What is not there is refused by name.",
        "",
        "| room | there | of |",
        "|---|---|---|",
    ]
    for name, told in rooms.items():
        lines.append(f"| `{name}` | {told['there']} | {told['there'] + len(told['missing'])} |")
    lines += ["", "## Not there", "", "Whole rooms:", ""]
    lines += [f"- `{name}`{_because(name)}" for name in missing_rooms]
    for name, told in rooms.items():
        if told["missing"]:
            lines += ["", f"### `{name}`", ""]
            explained = [known for known in told["missing"] if f"{name}.{known}" in face.REASONS]
            lines += [f"- `{known}`{_because(f'{name}.{known}')}" for known in explained]
            others = [f"`{known}`" for known in told["missing"] if known not in explained]
            lines += [f"- not yet: {', '.join(others)}"] if others else []
    lines += ["", "## Other arguments", ""]
    for told in rooms.values():
        for full_name, (ours, theirs) in told["differing"].items():
            lines.append(f"- `{full_name}`: {_difference(ours, theirs)}{_wanted(full_name)}")
    return "\n".join(_wrapped(line) for line in lines) + "\n"


def _because(full_name):
    reason = face.REASONS.get(full_name)
    return f": {reason}" if reason else ""


def _wanted(full_name):
    return f" ({face.WANTED[full_name]})" if full_name in face.WANTED else ""


def _difference(ours, theirs):
    absent = [name for name, _ in theirs if name not in dict(ours)]
    more = [name for name, _ in ours if name not in dict(theirs)]
    other = [name for name, default in theirs if name in dict(ours) and dict(ours)[name] != default]
    parts = [f"without {', '.join(f'`{name}`' for name in absent)}"] if absent else []
    parts += [f"takes {', '.join(f'`{name}`' for name in more)} too"] if more else []
    parts += [f"another default of {', '.join(f'`{name}`' for name in other)}"] if other else []
    return "; ".join(parts) or "another order"


def _wrapped(line, width=120):
    """A list item on several lines, none of which is too long."""
    if len(line) <= width or not line.startswith("-"):
        return line
    lines, rest = [], line
    while len(rest) > width:
        cut = rest.rfind(" ", 3, width)
        lines.append(rest[:cut])
        rest = "  " + rest[cut + 1 :]
    return "\n".join([*lines, rest])


if __name__ == "__main__":
    import keras

    PAGE.write_text(page(keras), encoding="utf-8")
    print(f"wrote {PAGE}")

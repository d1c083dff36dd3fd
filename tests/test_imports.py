"""Imports point downwards, and never in a circle: what stands low knows nothing of what stands above it.

Seen in the source, so that imports inside of functions count, too: they may make something heavy wait until it is
needed, but not turn an arrow round.
"""

import ast
from pathlib import Path

import pytest

import scratchnet

PACKAGE = Path(scratchnet.__file__).parent

# From low to high; a module is in the room of its name's first part behind "scratchnet". Those of one floor may import
# one another, as long as there is no circle of modules.
FLOORS = [
    {
        "structure",
        "names",
        "cache",
        "checks",
        "limits",
        "console",
        "html",
        "optional",
        "missing",
        "doors",
        "registry",
        "lambdas",
        "recorded",
        "variables",
        "values",
        "config",
        "hints",
        "special",
        "piecewise",
        "simplex",
        "processors",
        "spare",
    },
    {"kernels", "interpolation"},
    {"parallel"},
    {"streams"},
    {"activations", "initializers", "regularizers", "constraints", "ops", "random"},
    {"graph"},
    {"layers"},
    {"losses", "metrics", "optimizers"},
    {"files"},
    {"callbacks"},
    {"training"},
    {"models"},
    {"applications", "gradient_check", "explain", "distribution", "datasets", "evaluation", "saving", "utils"},
    {"backend", "preprocessing", "wrappers", "demo", "tf"},
    {"__main__"},
]
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}


def module_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(source, module, is_package, modules):
    """``{imported module: line}`` of the `modules` that `source`, the text of `module`, imports anywhere."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*above, *([base] if base else [])])
            # `from package import name`: the module of that name if there is one, else the package itself
            names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in modules else base for alias in node.names]
        else:
            continue
        found.update({name: node.lineno for name in names if name in modules and name != module})
    return found


GRAPH = {
    module: imported(path.read_text(encoding="utf-8"), module, path.name == "__init__.py", MODULES)
    for module, path in MODULES.items()
}


def room(module):
    return (module.split(".") + [""])[1]


def upward(graph):
    """Imports from a floor to a higher one, as text."""
    return [
        f"{module}:{line} imports {target}"
        for module, targets in graph.items()
        for target, line in targets.items()
        if room(module) and room(target) and FLOOR[room(module)] < FLOOR[room(target)]
    ]


def circle(graph):
    """A circle of modules as a list, or None. Importing a module imports the packages around it, too, but they are the
    doors of their rooms and import what is inside: that is no circle."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        path.append(module)
        for target in graph[module]:
            found = visit(target)
            if found:
                return found
        done.add(path.pop())
        return None

    return next((found for found in map(visit, graph) if found), None)


def test_every_room_has_a_floor():
    assert {room(module) for module in MODULES} - {""} <= FLOOR.keys()


def test_imports_point_downwards():
    assert upward(GRAPH) == []


def test_no_modules_import_each_other_in_a_circle():
    assert circle(GRAPH) is None


@pytest.mark.parametrize(
    "source",
    [
        "import scratchnet.models.model",
        "from scratchnet.models import model",
        "def f():\n    from ..models import model",
    ],
)
def test_the_test_sees_an_import_wherever_and_however_it_is_written(source):
    found = imported(source, "scratchnet.layers.base", False, MODULES)
    assert list(found) == ["scratchnet.models.model"]
    assert upward({"scratchnet.layers.base": found}) == [
        f"scratchnet.layers.base:{1 + source.count(chr(10))} imports scratchnet.models.model"
    ]


def test_the_test_sees_a_circle():
    assert circle({"a": {"b": 1}, "b": {"c": 1}, "c": {"b": 1}, "d": {}}) == ["b", "c", "b"]

"""No module imports another that imports it in turn, wherever in the file the import stands.

A circle that an import within a function hides is a circle all the same: neither of its modules can be read, moved or
tested without the other.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "pruning_explorer"


def sources() -> dict[str, str]:
    """The text of every module of the package, by its dotted name."""
    paths = (path.relative_to(ROOT) for path in (ROOT / PACKAGE).rglob("*.py"))
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): (ROOT / path).read_text() for path in paths}


def imported(source: str, modules: set[str]) -> Iterator[str]:
    """Those of the modules that a source imports, within functions and for annotations alone as well."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full, so that one can search for them"
            names = [(f"{node.module}.{alias.name}", str(node.module)) for alias in node.names]
        else:
            continue
        # `from package import name` is of the module `package.name`, if there is one
        yield from (found for name, above in names if (found := name if name in modules else above) in modules)


def circle(modules: dict[str, str]) -> str | None:
    """``"a -> b -> a"``, each importing the next; None where there is none."""
    graph = {name: set(imported(source, set(modules))) for name, source in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " -> ".join(reversed(error.args[1]))
    return None


def test_no_module_imports_one_that_imports_it() -> None:
    modules = sources()
    assert f"{PACKAGE}.prune.recipe" in modules
    assert circle(modules) is None


@pytest.mark.parametrize(
    "hidden",
    [
        "def f():\n    from p.a import x",
        "import p.a",
        "from p import a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import x",
    ],
)
def test_a_circle_is_named(hidden: str) -> None:
    assert circle({"p": "", "p.a": "from p.b import y", "p.b": "import os"}) is None
    found = circle({"p": "", "p.a": "from p.b import y", "p.b": hidden})
    assert found in ("p.a -> p.b -> p.a", "p.b -> p.a -> p.b")

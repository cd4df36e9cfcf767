"""What the packages import is what they declare: an import that only the development tools bring fails elsewhere."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSES = ("config", "proxy", "evaluators")
WITH_ANOTHER = {"multidict", "yarl", "pydantic-core", "referencing"}
"""Brought by a declared dependency whose interface consists of them (aiohttp, pydantic, jsonschema)."""
BY_NAME = {"backports-zstd", "brotli"}
"""Imported by name, when a body is first coded so."""


def declared() -> set[str]:
    """Names of all distributions that pyproject.toml asks for at run time."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    return {normal(re.split(r"[<>=!~;\[ ]", one, maxsplit=1)[0]) for one in wanted}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> Iterator[tuple[str, str]]:
    """(file, top-level package) of every import of something that is neither ours nor Python's."""
    for house in HOUSES:
        for path in (ROOT / house).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                for name in {one.partition(".")[0] for one in names}:
                    if name and name not in HOUSES and name not in sys.stdlib_module_names:
                        yield str(path.relative_to(ROOT)), name


def test_every_import_is_declared() -> None:
    """No file leans on a package that is there by accident."""
    owners = packages_distributions()
    known = declared() | WITH_ANOTHER
    undeclared = {
        f"{path} imports {name}"
        for path, name in imported()
        if not {normal(owner) for owner in owners.get(name, [name])} & known
    }
    assert not undeclared, "\n".join(sorted(undeclared))


def test_every_declared_package_is_imported() -> None:
    """A dependency that nobody uses is a risk that nobody takes a benefit from."""
    owners = packages_distributions()
    used = {normal(owner) for _, name in imported() for owner in owners.get(name, [name])}
    unused = declared() - used - BY_NAME
    assert not unused, ", ".join(sorted(unused))

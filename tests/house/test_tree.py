"""The tree: a test file for each source file, packages everywhere, nothing too long to read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSES = ("config", "proxy", "evaluators")
MAX_LINES = 300
MAX_FUNCTION = 40
TESTED_ELSEWHERE = frozenset({"__init__.py", "__main__.py", "version.py"})


def sources() -> list[Path]:
    """Every source file of the three houses, relative to the root."""
    return sorted(path.relative_to(ROOT) for house in HOUSES for path in (ROOT / house).rglob("*.py"))


def test_there_is_a_tree() -> None:
    """The houses are where the other tests look for them."""
    assert {path.parts[0] for path in sources()} == set(HOUSES)


def test_a_test_file_for_each_file() -> None:
    """tests/ mirrors the tree: config/wire.py is tested by tests/config/test_wire.py."""
    wanted = {
        path: Path("tests") / path.parent / f"test_{path.name}"
        for path in sources()
        if path.name not in TESTED_ELSEWHERE
    }
    missing = [f"{path} has no {test}" for path, test in wanted.items() if not (ROOT / test).is_file()]
    assert not missing, "\n".join(missing)


def test_packages_everywhere() -> None:
    """Every folder with Python files is a package, in the houses and in the tests."""
    folders = {path.parent for top in (*HOUSES, "tests") for path in (ROOT / top).rglob("*.py")}
    missing = [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").is_file()]
    assert not missing, f"no __init__.py in: {', '.join(sorted(missing))}"


def test_config_package_is_empty() -> None:
    """Importing `config` does nothing: both houses stand on it."""
    assert (ROOT / "config" / "__init__.py").read_text(encoding="utf-8") == ""


def test_files_are_short() -> None:
    """A file that grows beyond 300 lines holds a decision that belongs elsewhere."""
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in sources()}
    long = [f"{path}: {length} lines" for path, length in lengths.items() if length > MAX_LINES]
    assert not long, "\n".join(long)


def test_files_say_what_they_are_for() -> None:
    """The first thing in a file with code is a sentence about it."""
    silent = []
    for path in sources():
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        if tree.body and not ast.get_docstring(tree):
            silent.append(str(path))
    assert not silent, "\n".join(silent)


def test_functions_are_short() -> None:
    """A function fits on a screen: 40 lines from `def` to its end, the docstring included."""
    long = [f"{path}:{line}: {name}: {length} lines" for path in sources() for name, line, length in functions(path)]
    assert not long, "\n".join(long)


def functions(path: Path) -> Iterator[tuple[str, int, int]]:
    """The functions of a file that are too long: name, line, length."""
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                yield node.name, node.lineno, length


@pytest.mark.parametrize("word", ["Manager", "Service", "Helper", "Utils", "Base"])
def test_names_say_something(word: str) -> None:
    """No class and no file is called after what everything is."""
    found = [str(path) for path in sources() if word.lower() in path.stem.lower().split("_")]
    for path in sources():
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        found += [
            f"{path}: {node.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and (node.name.startswith(word) or node.name.endswith(word))
        ]
    assert not found, "\n".join(found)

"""Check types of other installed packages: entry points of the group `understudy.checks`. Asked by the registry."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points

from evaluators.core.finding import BadCheck, CheckType

GROUP = "understudy.checks"


def found() -> Iterator[tuple[str, tuple[CheckType, ...]]]:
    """Each installed package's check types under its entry point's name; raises BadCheck."""
    for entry in entry_points(group=GROUP):
        try:
            loaded = entry.load()
            kinds = (loaded,) if isinstance(loaded, CheckType) else tuple(loaded)
        except Exception as error:  # any code of any package runs here; it stops the start under its name
            raise BadCheck(f"the check {entry.name!r} ({entry.value}) does not load: {error!r}") from error
        if not all(isinstance(kind, CheckType) for kind in kinds):
            raise BadCheck(f"the check {entry.name!r} ({entry.value}) is not a CheckType")
        yield entry.value, kinds

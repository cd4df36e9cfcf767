"""What the render tests share: reports to show, and readers that are strict about what they are given."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser

from config.settings import Gate
from evaluators.core.gate import decided
from evaluators.core.report import Report, ReportRules, build
from evaluators.core.report.checks import STEADIER
from evaluators.core.report.shape import (
    ComparisonReport,
    CrossingReport,
    DiscoveryReport,
    Energy,
    Estimate,
    PathRate,
)
from evaluators.core.stats.interval import Interval
from evaluators.core.tally import ShadowTally
from tests.evaluators.core.samples import HOSTILE, WINDOW, life, shadow

GATES = (
    Gate(name="json", check="is-json", max_regression=0.005),
    Gate(name="competitors", check="no-competitors", red_line=0.02),
    Gate(name="later", check="never-seen", max_regression=0.01),
    Gate(name="speed", metric="first_byte_p95", max_ratio=1.2, severity="signal"),
    Gate(name="price", metric="cost", max_ratio=1.0, severity="signal"),
)

VOID = frozenset({"meta", "input", "br", "link", "img"})


def made(tallies: list[ShadowTally], *gates: Gate, checks: tuple[str, ...] = ()) -> Report:
    """A decided report."""
    rules = ReportRules(checks=checks, gates=gates)
    return decided(build(tallies, rules, WINDOW, 1_800_000_000.0, 34), tallies, rules)


@lru_cache
def lively(hostile: bool = False) -> Report:
    """The life-like report."""
    return made(life(2000, hostile=hostile), *GATES)


@lru_cache
def rich(hostile: bool = False) -> Report:
    """The life-like report with places, energy, pairs of keys and discoveries, whose names may be hostile."""
    report = lively(hostile)
    mini = report.candidates[0]
    one, two, *rest = HOSTILE if hostile else ("get_weather/city", "turn=first", "/items/*/price", "a=b", "c=d", "e=f")
    checks = tuple(
        replace(check, paths=(*map(place, (one, "value_error", *rest)), place("within", flagged=False)))
        for check in mini.checks
    )
    known = next(found.slice for found in mini.slices if found.flagged and found.check == "not-is-refusal")
    return replace(
        report,
        accounting={**report.accounting, "mini/again": report.accounting["mini"]},
        candidates=(
            replace(
                mini,
                checks=tuple(map(steadier, checks)),
                crossings=(crossing(f"{one} & {two}"), *(crossing(f"{name} & {known}") for name in rest)),
                discoveries=(discovery(f"{two} & {one}"), discovery(f"{known} & {one}"), discovery(two, False)),
            ),
        ),
    )


def steadier(check: object) -> object:
    """The length of answers as a model has it that repeats itself more and says something else."""
    if not isinstance(check, ComparisonReport) or check.check != "shadow:length":
        return check
    apart = Energy(0.21, Interval(0.08, 0.34), Interval(-0.02, 0.44), 1100)
    return replace(check, excess=Estimate(-0.036, Interval(-0.06, -0.012), 1500), energy=apart, steadier=STEADIER)


def place(path: str, flagged: bool = True) -> PathRate:
    """One place in the answers."""
    return PathRate(path, 0.087, 0.01, 1500, 0.077, Interval(0.057, 0.124), 99.0, flagged, 25, 1)


def crossing(slice: str, check: str = "not-is-refusal", **more: object) -> CrossingReport:
    """A flagged pair of keys."""
    effect = Estimate(0.3875, Interval(0.27, 0.49), 80)
    made_of = CrossingReport(
        slice, check, False, 80, 33, 2, 1200, 60, effect, 900.0, True, True, "worse", (), 9.0, True
    )
    return replace(made_of, **more)  # type: ignore[arg-type]


def discovery(slice: str, confirmed: bool = True, check: str = "not-is-refusal") -> DiscoveryReport:
    """A pair of keys that earlier traffic pointed to."""
    return DiscoveryReport(slice, check, 1.2, 40, 12, 90, 31, 1, 800, 14, 900.0, confirmed)


def silent() -> Report:
    """A candidate nobody asked yet."""
    return made([shadow()])


class Strict(HTMLParser):
    """Fails on tags that do not nest; collects what a browser would load or run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: str) -> Strict:
    """A page that nests, as a parser sees it."""
    parser = Strict()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser

"""What the render tests share: reports to show, and readers that are strict about what they are given."""

from __future__ import annotations

from functools import lru_cache
from html.parser import HTMLParser

from config.settings import Gate
from evaluators.core.gate import decided
from evaluators.core.report import Report, ReportRules, build
from evaluators.core.tally import ShadowTally
from tests.evaluators.core.samples import WINDOW, life, shadow

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

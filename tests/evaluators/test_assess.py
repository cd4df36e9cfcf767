"""assess: what is reported, for whom, and over what; pairs as people see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from config import wire
from config.pair import Pair, Role
from config.settings import DEFAULT_CHECKS, Settings
from evaluators import wiring
from evaluators.assess import Missing, StorePairs, StoreReader, UnknownCandidate, assess, rules_of
from evaluators.checks import registered
from evaluators.core.tally import ShadowTally, Window
from evaluators.store import Store, open_store
from evaluators.store.write import Recorded, record
from tests.evaluators.core.samples import WINDOW, assertion, life, shadow

EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "pair-1.json"


class Remembered:
    """A Reader that gives what it was given, and remembers what it was asked."""

    def __init__(self, *tallies: ShadowTally) -> None:
        self._tallies = tallies
        self.asked: list[tuple[float, float]] = []

    def tallies(self, since: float, until: float) -> Sequence[ShadowTally]:
        self.asked.append((since, until))
        return self._tallies

    def window(self, since: float, until: float) -> Window:
        return WINDOW


def configured(*names: str, **more: Any) -> Settings:
    """Settings with these candidates."""
    return Settings.model_validate(
        {"live": {"base_url": "http://live"}, "candidates": [{"name": name} for name in names], **more}
    )


def control() -> ShadowTally:
    """A control."""
    return shadow(assertion(), name="control", role=Role.CONTROL)


@pytest.mark.parametrize(
    ("names", "stored", "wanted", "shown"),
    [
        pytest.param(("b", "a"), ("a", "b"), "", ["b", "a"], id="order-of-the-file"),
        pytest.param(("a",), ("a", "old"), "", ["a"], id="a-removed-candidate-is-not-shown"),
        pytest.param(("a",), ("a", "old"), "old", ["old"], id="unless-asked-for"),
        pytest.param((), ("x", "y"), "", ["x", "y"], id="nothing-configured"),
        pytest.param(("new",), (), "", ["new"], id="configured-and-not-seen-yet"),
        pytest.param(("a", "b"), ("a", "b"), "b", ["b"], id="one-of-two"),
    ],
)
def test_who_is_reported(names: tuple[str, ...], stored: tuple[str, ...], wanted: str, shown: list[str]) -> None:
    """The file says who is under test; the store says what is known of them."""
    reader = Remembered(*(shadow(assertion(), name=name) for name in stored), control())
    report = assess(reader, configured(*names), now=9.0, candidate=wanted)
    assert [candidate.name for candidate in report.candidates] == shown
    assert "control" in report.accounting


def test_unknown_candidate() -> None:
    """A name nobody knows is told those that are known."""
    with pytest.raises(UnknownCandidate, match="there is no candidate 'c'; known: a, b"):
        assess(Remembered(shadow(name="b")), configured("a"), now=9.0, candidate="c")
    with pytest.raises(UnknownCandidate, match="known: none"):
        assess(Remembered(), configured(), now=9.0, candidate="c")


def test_instants() -> None:
    """The window ends now, and the report says when it was made."""
    reader = Remembered()
    report = assess(reader, configured(), now=9.0, since=4.0, queue_waiting=7)
    assert (reader.asked, report.generated_at, report.queue_waiting) == ([(4.0, 9.0)], 9.0, 7)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("topic=billing", {"topic=billing"}), ("turn", {"turn=first", "turn=later"}), ("topic=none", set())],
)
def test_slices(wanted: str, expected: set[str]) -> None:
    """Asking for a slice or a key keeps those rows and changes no decision."""
    gates = [{"name": "json", "check": "is-json", "max_regression": "0.5%"}]
    settings, reader = configured("mini", gates=gates), Remembered(*life(1500))
    part, whole = (assess(reader, settings, now=9.0, slice=one).candidates[0] for one in (wanted, ""))
    assert {found.slice for found in part.slices} == expected
    assert part.decision == whole.decision
    assert whole.decision.verdict == "fail"


def test_rules() -> None:
    """Order, error level and gates come from the file; without checks the defaults give the order."""
    settings = configured(checks=[{"type": "is-json", "name": "js"}, {"type": "latency", "threshold": 5}], alpha=0.1)
    assert (rules_of(settings).checks, rules_of(settings).alpha) == (("js", "latency"), 0.1)
    assert rules_of(configured()).checks == tuple(check["type"] for check in DEFAULT_CHECKS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with the golden pair."""
    opened = open_store(f"sqlite:///{tmp_path}/data/store.db")
    pair = golden()
    seen = wiring.observer(configured(pair.shadow), 1.0)(pair)
    delivered = {name.encode(): value for name, value in wire.encode(pair).items()}
    record(opened, [Recorded(seen, delivered)], pair.call.arrived)
    yield opened
    opened.close()


def golden() -> Pair:
    """The example that both houses are tested against."""
    return wire.from_json(orjson.loads(EXAMPLE.read_bytes()))


def test_from_the_store(store: Store) -> None:
    """The real Reader counts the recorded pair."""
    pair = golden()
    report = assess(StoreReader(store), configured(pair.shadow), now=pair.call.arrived + 60)
    assert (report.candidates[0].pairs, report.window.first_arrival) == (1, pair.call.arrived)


def test_pairs_from_the_store(store: Store) -> None:
    """A pair is listed, and shown with what was asked, both answers and the findings."""
    pair, pairs = golden(), StorePairs(store)
    (line,) = pairs.listed(pair.shadow, "", (), "", 10)
    assert (line.call_id, line.shadow, line.arrived) == (pair.call.id, pair.shadow, pair.call.arrived)
    assert pairs.listed("", "", (), "topic=nowhere", 10) == []
    view = pairs.shown(line.call_id, line.shadow)
    assert view.call.body == pair.call.body
    assert view.request.prompt
    assert view.live.reply.ok
    assert set(view.live.findings) <= set(view.candidate.findings)
    with pytest.raises(Missing):
        pairs.shown("nothing", "nobody")


@pytest.mark.parametrize(
    ("versions", "known"),
    [
        pytest.param(None, True, id="nobody asks"),
        pytest.param({}, True, id="a check that is no longer configured"),
        pytest.param({"is-json": "1-abc"}, True, id="the present one"),
        pytest.param({"is-json": "2-abc"}, False, id="an earlier one"),
    ],
)
def test_what_an_earlier_version_of_a_check_found_is_no_evidence(versions: dict[str, str] | None, known: bool) -> None:
    """A gate on a check that has just been changed waits for what the changed check finds."""
    reader = Remembered(shadow(assertion("is-json"), name="a"), control())
    report = assess(reader, configured("a"), now=9.0, versions=versions)
    assert [check.check for check in report.candidates[0].checks] == ["is-json"] * known


def test_second_answers_are_accounted_for_and_no_candidate() -> None:
    """Neither the control nor a candidate's second answers are candidates; both have their accounting."""
    again = shadow(name="mini/again", role=Role.AGAIN)
    reader = Remembered(shadow(assertion()), again, shadow(name="control", role=Role.CONTROL))
    report = assess(reader, configured(), now=5.0)
    assert [candidate.name for candidate in report.candidates] == ["mini"]
    assert list(report.accounting) == ["mini", "mini/again", "control"]


def test_checks_have_their_layers() -> None:
    """Every registered type brings its layer into the report's rules, turned around or not."""
    layers = rules_of(configured()).layers
    assert all(layers[name] == layers[f"not-{name}"] == kind.layer for name, kind in registered().items())
    assert set(layers.values()) <= {"format", "task", "safety", "grounding"}

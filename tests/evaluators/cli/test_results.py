"""report and gate: what the store says, in every form, with the decision as the exit code."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.evaluators.cli.conftest import Type
from tests.evaluators.stocked import RULES, configured, pair, stock

GOOD, BAD = "A week in Oslo", "A week at home"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A dozen calls; the candidate misses the city in every third, and one question is hostile."""
    file = configured(tmp_path)
    asks = ["Plan a trip"] * 11 + ["<script>alert(1)</script> \x1b[2J trip"]
    pairs = [pair(n, GOOD, BAD if n % 3 == 0 else GOOD, ask=ask) for n, ask in enumerate(asks)]
    stock(file, [*pairs, *(pair(n, GOOD, GOOD, name="control") for n in range(12))])
    return file


def test_the_report_as_data(typed: Type, filled: Path) -> None:
    """`--json` is the versioned report: pairs, checks and slices as recorded."""
    done = typed("report", "-c", filled, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["schema"] == 1
    (mini,) = done.json["candidates"]
    assert (mini["name"], mini["pairs"], mini["conversations"], mini["control_pairs"]) == ("mini", 12, 12, 12)
    oslo = next(check for check in mini["checks"] if check["check"] == "oslo")
    assert (oslo["answered"]["regressed"], oslo["answered"]["fixed"]) == (4, 0)
    account = done.json["accounting"]["mini"]
    assert (account["calls"], account["paired"], account["evaluated"]) == (12, 12, 12)


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        pytest.param([], "", id="text"),
        pytest.param(["--markdown"], "#", id="markdown"),
        pytest.param(["--html"], "<!doctype html>", id="html"),
    ],
)
def test_the_report_for_people(typed: Type, filled: Path, form: list[str], begins: str) -> None:
    """Each form names the candidate, and carries no control character to the terminal."""
    done = typed("report", "-c", filled, *form)
    assert (done.code, done.err) == (0, "")
    assert done.out.lower().startswith(begins)
    assert "mini" in done.out
    assert "oslo" in done.out
    assert "\x1b" not in done.out


def test_html_is_one_page(typed: Type, filled: Path) -> None:
    """The page loads nothing from anywhere and runs no script of a user's."""
    page = typed("report", "-c", filled, "--html").out
    assert re.findall(r"""(?:src|href)\s*=\s*["'](?!#)[^"']*""", page) == []
    assert re.findall(r"@import|url\(", page) == []
    assert "<script" not in page


def test_a_slice(typed: Type, filled: Path) -> None:
    """`--slice` narrows the slices, by one value or by a key."""
    rows = typed("report", "-c", filled, "--slice", "topic=travel", "--json").json["candidates"][0]["slices"]
    assert {row["slice"] for row in rows} == {"topic=travel"}
    rows = typed("report", "-c", filled, "--slice", "turn", "--json").json["candidates"][0]["slices"]
    assert rows
    assert all(row["slice"].startswith("turn=") for row in rows)


def test_a_window(typed: Type, filled: Path) -> None:
    """Old pairs are outside a short window; a window that makes no sense is wrong usage."""
    assert typed("report", "-c", filled, "--since", "1h", "--json").json["candidates"][0]["pairs"] == 0
    assert typed("report", "-c", filled, "--since", "99999d", "--json").json["candidates"][0]["pairs"] == 12
    assert typed("report", "-c", filled, "--since", f"{'9' * 30}d", "--json").json["candidates"][0]["pairs"] == 12
    done = typed("report", "-c", filled, "--since", "yesterday")
    assert (done.code, done.out) == (2, "")
    assert "--since" in done.err


def test_one_candidate(typed: Type, filled: Path) -> None:
    """`--candidate` picks one, and a name nobody knows is told those that are known."""
    assert typed("report", "-c", filled, "--candidate", "mini").code == 0
    done = typed("report", "-c", filled, "--candidate", "maxi")
    assert (done.code, done.out) == (2, "")
    assert "known: mini" in done.err


def test_an_empty_store(typed: Type, file: Path) -> None:
    """Before the first pair there is a report, and a gate that waits."""
    assert typed("report", "-c", file).code == 0
    assert typed("report", "-c", file, "--json").json["candidates"][0]["pairs"] == 0
    assert typed("gate", "-c", file).code == 4


@pytest.mark.parametrize(
    ("calls", "wrong", "code", "verdict"),
    [
        pytest.param(120, 0, 0, "pass", id="pass"),
        pytest.param(120, 90, 3, "fail", id="fail"),
        pytest.param(20, 1, 4, "wait", id="wait"),
    ],
)
def test_the_gate(typed: Type, tmp_path: Path, calls: int, wrong: int, code: int, verdict: str) -> None:
    """The verdict is the exit code in every form, and every rule has its reason."""
    file = configured(tmp_path)
    stock(file, [pair(n, GOOD, BAD if n < wrong else GOOD) for n in range(calls)])
    done = typed("gate", "-c", file, "--json")
    assert (done.code, done.err) == (code, "")
    assert done.json["schema"] == 1
    (mini,) = done.json["candidates"]
    assert mini["decision"]["verdict"] == verdict
    assert [bool(rule["reason"]) for rule in mini["decision"]["rules"]] == [True]
    for form in ("", "--markdown", "--junit"):
        done = typed("gate", "-c", file, *form.split())
        assert (done.code, done.err) == (code, ""), form
        assert "city" in done.out
    suite = ElementTree.fromstring(done.out)
    assert len(list(suite.iter("failure"))) == (verdict == "fail")


def test_the_worst_candidate_decides(typed: Type, tmp_path: Path) -> None:
    """With several candidates one failure fails, unless the others are asked about alone."""
    file = configured(tmp_path)
    file.write_text(file.read_text().replace("[{name: mini}]", "[{name: mini}, {name: other}]"))
    stock(file, [pair(n, GOOD, GOOD) for n in range(120)])
    stock(file, [pair(n, GOOD, BAD, name="other") for n in range(120)])
    assert typed("gate", "-c", file).code == 3
    assert typed("gate", "-c", file, "--candidate", "mini").code == 0


def test_only_signals_never_pass(typed: Type, tmp_path: Path) -> None:
    """Where nothing can block, nothing passes."""
    file = configured(tmp_path, RULES.replace("min_conversations: 50", "min_conversations: 50, severity: signal"))
    stock(file, [pair(n, GOOD, GOOD) for n in range(60)])
    done = typed("gate", "-c", file, "--json")
    assert (done.code, done.json["candidates"][0]["decision"]["verdict"]) == (4, "inconclusive")

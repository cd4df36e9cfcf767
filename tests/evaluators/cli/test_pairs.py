"""pairs list and pairs show: single pairs, whatever is written in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluators.cli.conftest import Type
from tests.evaluators.stocked import configured, golden, pair, stock

GOOD, BAD = "A week in Oslo", "A week at home"
HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202eevil\u2066 \x9b31m trip"
UNSAFE = "\x1b\x07\x9b\u202e\u2066"
ODD = "f" + 31 * "0"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Six calls about trips, two of them worse with the candidate, and one about an invoice for two shadows."""
    file = configured(tmp_path)
    pairs = [pair(n, GOOD, BAD if n in (1, 4) else GOOD) for n in range(6)]
    pairs += [pair(int(ODD, 16), GOOD, BAD, ask="My invoice", name=name) for name in ("mini", "control")]
    stock(file, pairs)
    return file


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """One pair whose every text wants to move the cursor or turn the line around."""
    file = configured(tmp_path)
    stock(file, [pair(1, f"Oslo {HOSTILE}", HOSTILE, ask=HOSTILE, path="/v1/\x1b[2J/chat/completions")])
    return file


def test_the_newest_come_first(typed: Type, filled: Path) -> None:
    """A line a pair, newest first, as many as are wanted."""
    done = typed("pairs", "list", "-c", filled, "--limit", 2, "--candidate", "mini")
    assert (done.code, done.err) == (0, "")
    first, second = done.out.splitlines()
    assert first.startswith(ODD[:13])
    assert second.startswith(f"{5:032x}"[:13])


def test_only_some(typed: Type, filled: Path) -> None:
    """Check, slice, candidate and window narrow the list; together they narrow it further."""

    def listed(*options: str) -> list[int]:
        done = typed("pairs", "list", "-c", filled, "--json", "--candidate", "mini", *options)
        assert done.json["schema"] == 1
        return sorted(int(row["call_id"], 16) for row in done.json["pairs"])

    odd = int(ODD, 16)
    assert listed() == [0, 1, 2, 3, 4, 5, odd]
    assert listed("--check", "oslo") == [1, 4, odd]
    assert listed("--slice", "topic=billing") == [odd]
    assert listed("--check", "oslo", "--slice", "topic=travel") == [1, 4]
    assert listed("--check", "nothing") == []
    assert listed("--since", "1h") in ([], [odd])


def test_nothing_is_said_of_nothing(typed: Type, file: Path) -> None:
    """An empty list is told as such, and is an empty list as data."""
    assert typed("pairs", "list", "-c", file).out == "no pairs\n"
    assert typed("pairs", "list", "-c", file, "--json").json == {"schema": 1, "pairs": []}


def test_one_pair(typed: Type, filled: Path) -> None:
    """Question, both answers and every finding of one pair."""
    done = typed("pairs", "show", f"{1:032x}", "-c", filled)
    assert (done.code, done.err) == (0, "")
    for text in ("Plan a trip", GOOD, BAD, "oslo", "fail", "shadow:text", "differ"):
        assert text in done.out


def test_one_pair_as_data(typed: Type, filled: Path) -> None:
    """The same for programs."""
    found = typed("pairs", "show", f"{1:032x}", "-c", filled, "--json").json
    assert (found["schema"], found["call"]["id"]) == (1, f"{1:032x}")
    assert found["arms"]["live"]["reply"]["text"] == GOOD
    assert found["arms"]["shadow"]["outcome"]["status"] == 200
    results = {(one["arm"], one["check"]): one["result"] for one in found["findings"]}
    assert (results["live", "oslo"], results["shadow", "oslo"]) == ("pass", "fail")


def test_a_prefix_is_enough(typed: Type, filled: Path) -> None:
    """The beginning of an id names a call; of several shadows one has to be chosen."""
    assert f"call {ODD}" in typed("pairs", "show", "f0", "-c", filled, "--candidate", "mini").out
    done = typed("pairs", "show", "f0", "-c", filled)
    assert (done.code, done.out) == (2, "")
    assert "mini" in done.err
    assert "control" in done.err


@pytest.mark.parametrize("call", ["0000", "abc", "%", "'; drop table pairs; --"])
def test_ambiguous_and_missing(typed: Type, filled: Path, call: str) -> None:
    """An id that names several calls or none is their mistake, told in one line."""
    done = typed("pairs", "show", call, "-c", filled)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("understudy: ")
    assert "Traceback" not in done.err


def test_hostile_contents_are_harmless(typed: Type, hostile: Path) -> None:
    """Escape sequences and bidirectional overrides never reach the terminal; the words do."""
    for command in (("pairs", "show", f"{1:032x}"), ("pairs", "list")):
        done = typed(*command, "-c", hostile)
        assert (done.code, done.err) == (0, "")
        assert not [hex(ord(char)) for char in done.out if char in UNSAFE]
        assert "evil" in done.out


def test_hostile_contents_stay_whole_as_data(typed: Type, hostile: Path) -> None:
    """JSON escapes what a terminal would obey, and loses nothing."""
    done = typed("pairs", "show", f"{1:032x}", "-c", hostile, "--json")
    assert "\x1b" not in done.out
    assert done.json["request"]["prompt"] == HOSTILE


def test_the_golden_pair(typed: Type, file: Path) -> None:
    """The example is shown with its question and both answers."""
    stock(file, [golden()])
    done = typed("pairs", "show", golden().call.id, "-c", file)
    assert "And when will the refund for 1179 arrive" in done.out
    assert "24.90" in done.out

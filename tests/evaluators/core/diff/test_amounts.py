"""Numbers, dates and units read from texts, by table and by time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.diff import Amount, amounts, countable, near, written
from evaluators.core.diff.amounts import MAX_AMOUNTS, MAX_CODE


def read(text: str) -> list[str]:
    """Kind and canonical text of everything found, with the second reading after a bar."""
    return [f"{one.kind}: {one.text}" + (f" | {one.other}" if one.other else "") for one in amounts(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no number", []),
        ("1000 and 1 000 and 1'000", ["number: 1000"] * 3),
        ("1,000,000.50", ["number: 1000000.5"]),
        ("1.000.000,50", ["number: 1000000.5"]),
        ("1,000", ["number: 1000 | 1"]),
        ("1.000", ["number: 1 | 1000"]),
        ("0.125", ["number: 0.125"]),
        ("1,5", ["number: 1.5"]),
        ("1,234.567.8", ["code: 1,234.567.8"]),
        ("1,23.4", ["code: 1,23.4"]),
        ("10 20 30", ["number: 10", "number: 20", "number: 30"]),
        ("1 000.5", ["number: 1000.5"]),
        ("1 000.5.6 and 1234 567", ["code: 1 000.5.6", "code: 1234 567"]),
        ("007 and 0", ["number: 7", "number: 0"]),
        ("-5, −6, 5-6 and x -7", ["number: -5", "number: -6", "number: 5", "number: 6", "number: -7"]),
        ("1e3 and 2.5e-2 and 1e999 and 0e5", ["number: 1000", "number: 0.025", "number: 1e+999", "number: 0"]),
        ("1e-999", ["number: 1e-999"]),
        ("5 million, 3k, 2 bn", ["number: 5000000", "number: 3000", "number: 2000000000"]),
        ("5M and $5M", ["number: 5", "currency: USD 5000000"]),
        ("5%, 5 percent, 5 per cent", ["percent: 5"] * 3),
        ("$5, 5 USD, US$5, 5 dollars, 5$", ["currency: USD 5"] * 5),
        ("-€5.00 and CHF 5", ["currency: EUR -5", "currency: CHF 5"]),
        ("5 km, 5,000.0 m, 5-metre", ["unit m: 5000", "unit m: 5000", "unit m: 5"]),
        ("2 hours, 120 min", ["unit s: 7200"] * 2),
        ("3 metric tons, 3000 kg", ["unit kg: 3000"] * 2),
        ("20 °C, 20°C, 68 °F", ["unit °C: 20", "unit °C: 20", "unit °F: 68"]),
        ("the 90s and the 1990s, 30 s", ["number: 90", "number: 1990", "unit s: 30"]),
        ("GPT-4, mp3, v1.2.3, COVID-19", []),
        ("192.0.2.1", ["code: 192.0.2.1"]),
        ("9" * 26, ["code: " + "9" * 26]),
        ("9" * 50, ["code: " + "9" * MAX_CODE + "… 50"]),
        ("2024-05-03, 3 May 2024, 3rd of May 2024, May 3rd, 2024, 3.5.2024", ["date: 2024-05-03"] * 5),
        ("2024-05-03T10:00:00Z", ["date: 2024-05-03"]),
        ("05/03/2024", ["date: 2024-05-03 | 2024-03-05"]),
        ("05/05/2024 and 13/05/2024 and 05/13/2024", ["date: 2024-05-05", "date: 2024-05-13", "date: 2024-05-13"]),
        ("13/13/2024", ["number: 13", "number: 13", "number: 2024"]),
        ("2024-13-01", ["number: 2024", "number: 13", "number: 1"]),
        ("May 2024", ["date: 2024-05"]),
        ("May 3 and 3 May", ["date: --05-03"] * 2),
        ("May 50", []),
        ("may 3", ["number: 3"]),
        ("June 3.5", ["number: 3.5"]),
        ("2:30 pm, 14:30, 2 p.m.", ["time: 14:30", "time: 14:30", "time: 14:00"]),
        ("12 am", ["time: 00:00"]),
        ("1. First\n2) Second\n**3. Third\n- 4 left", ["number: 4"]),
        ("42.", ["number: 42"]),
        ("Step 3: take 5", ["number: 5"]),
        ("sky [1], sea [2, 3-4] and [^5]", []),
        ("[1] Handbook\n[2]: Guide", []),
        ('[1, 2] and {"a": [3]}', ["number: 1", "number: 2", "number: 3"]),
        ("[5](https://a.b/6)", ["number: 5"]),
        ("https://a.b/?c=5 www.x.y/7 【8†a】", []),
        ("1/2 cup", ["number: 1", "unit cup: 2"]),
    ],
)
def test_reading(text: str, expected: list[str]) -> None:
    """However it is written, an amount has one canonical text; what only counts or names is left out."""
    assert read(text) == expected


@settings(deadline=None, max_examples=200)
@given(st.text() | st.text("0123456789.,-/: $%eEMaykmsT[]()\n", max_size=40))
def test_any_text_is_read(text: str) -> None:
    """No text raises, and the same text reads the same."""
    found = amounts(text)
    assert found == amounts(text)
    assert all(near(one, one, 0) for one in found)
    assert all(one.value == one.value for one in found)


@pytest.mark.parametrize(
    ("a", "b", "tolerance", "expected"),
    [
        ("100", "101", 0.01, True),
        ("100", "102", 0.01, False),
        ("5 km", "5001 m", 0.001, True),
        ("$5", "€5", 1, False),
        ("$5", "$5.01", 0.01, True),
        ("5 %", "5", 1, False),
        ("1,234", "1.234", 0, True),
        ("1.234", "1234", 0, True),
        ("1234", "1.234", 0, True),
        ("2024-05-03", "2024-05-04", 1, False),
        ("1e999", "2e999", 1, False),
        ("1.2.3", "1.2.4", 1, False),
    ],
)
def test_near(a: str, b: str, tolerance: float, expected: bool) -> None:
    """Only numbers of one kind and currency can be near; of two readings either counts."""
    assert near(amounts(a)[0], amounts(b)[0], tolerance) is expected


def test_small_numbers_in_words() -> None:
    """English words up to twenty are numbers."""
    assert written("Three men and twelve, not 5") == {"3", "12"}


@pytest.mark.parametrize(
    "unit",
    [
        "1 ", "9", "2024-05-03 ", "1,", "[1,", "$1", "1.\n", "12:", "May 1 ", "1'", "1e5", "1/", "1-",
        "【", "[", "$", "may ", "http://", "step 1", " ", "\n- ", "www", "-",
    ],
)  # fmt: skip
def test_a_megabyte_is_read_in_time(unit: str) -> None:
    """Whatever it repeats, a megabyte is soon read, since only so many digit runs are looked at."""
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    assert len(amounts(text)) <= MAX_AMOUNTS
    assert time.process_time() - began < 3


def test_what_cannot_be_counted_is_known() -> None:
    """A text with more numbers than are looked at says so."""
    assert countable("1 " * MAX_AMOUNTS)
    assert not countable("1 " * (MAX_AMOUNTS + 1))
    assert len(amounts("1 " * (MAX_AMOUNTS + 5))) == MAX_AMOUNTS


def test_the_number_as_it_was_written_stays() -> None:
    """Beside the converted text stands the plain number, magnitude included."""
    assert amounts("5 km")[0] == Amount("unit m", "5000", plain="5")
    assert amounts("$5 million")[0].plain == "5000000"
    assert amounts("3 May 2024")[0].plain == ""

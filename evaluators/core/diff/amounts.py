"""The numbers, dates and units of a text, made comparable. Neighbours: units holds the tables, wording compares texts.

Left out on purpose: numbering of lists and steps, citation marks, addresses of pages, digits inside words (GPT-4, mp3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from math import inf

from evaluators.core.diff.units import CURRENCIES, MAGNITUDES, MONTHS, PERCENT, SYMBOLS, UNITS, WRITTEN

MAX_AMOUNTS = 10_000
"""Digit runs looked at in one text; about 10 µs each. A 2 kB answer has about 5, a page of a table about 500."""
MAX_DIGITS = 25
"""Longer runs are no quantity: they are compared as they stand, and arithmetic with 28 digits stays exact."""
MAX_CODE = 40
_WINDOW = 14
"""Characters before a number that tell what it is: «September », «- **(», «US$»."""

# Every pattern begins with what it needs and is anchored at a digit: a megabyte without digits costs next to nothing.
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|【[^【】\n]{1,60}】")
_DIGIT = re.compile(r"[0-9](?<!\w.)(?<![A-Za-z][-/].)(?<!\w\..)")
_NUMBER = re.compile(r"[0-9]+(?:[.,'’_][0-9]+|[ \u00a0\u202f][0-9]{3}(?![0-9]))*(?:[eE][+-]?[0-9]{1,3}\b)?")
_GROUPS = re.compile(r"[0-9]{1,3}(?:(?:,[0-9]{3})+|(?:\.[0-9]{3})+|(?:[ \u00a0\u202f][0-9]{3})+|(?:['’_][0-9]{3})+)")
_GROUPED = re.compile(r"[ \u00a0\u202f'’_]")

_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
_ORDINAL = "(?:st|nd|rd|th)?"
_DATE = re.compile(
    r"(?P<y1>\d{4})(?P<s1>[-/.])(?P<m1>\d{1,2})(?P=s1)(?P<d1>\d{1,2})(?:T[\d:.]{1,15}Z?|(?![\w/-]|\.\d))"
    r"|(?P<a>\d{1,2})(?P<s2>[-/.])(?P<b>\d{1,2})(?P=s2)(?P<y2>\d{4})(?![\w/-]|\.\d)"
    rf"|(?P<d3>\d{{1,2}}){_ORDINAL}\.?[ \u00a0](?:of )?(?P<n3>(?=[A-Z])(?i:{_NAME}))\b\.?(?:,?\s(?P<y3>\d{{4}})\b)?"
)
_MONTH_BEFORE = re.compile(rf"\b((?=[A-Z])(?i:{_NAME}))\b\.?,?\s$")
_MONTH_DAY = re.compile(rf"(?P<day>\d{{1,2}}){_ORDINAL}\b(?![,.:]\d)(?:,?\s(?P<year>\d{{4}})\b)?|(?P<alone>\d{{4}})\b")
_TIME = re.compile(
    r"(?P<h>[01]?\d|2[0-3])(?:[:.](?P<m>[0-5]\d))?\s?(?P<half>[aApP])\.?[mM]\b\.?"
    r"|(?P<h2>[01]?\d|2[0-3]):(?P<m2>[0-5]\d)(?::[0-5]\d)?(?![\w:])"
)
_ITEM = re.compile(r"\d{1,3}[.):][ \t*_]+[^\s*_]")
_STEP_BEFORE = re.compile(
    r"\b(?:step|chapter|section|part|figure|table|question|option|note|example|verse|scene|act|slide|tip|rule|exercise"
    r"|problem|lesson|phase|paragraph)s?[ \t#]{1,2}$",
    re.IGNORECASE,
)
_CITED = re.compile(r"\d{1,3}(?:[,;–-]\s?\d{1,3})*\](?!\()(?P<entry>[ :]{1,2}[^\W\d])?")

_CODE = "|".join(map(re.escape, CURRENCIES))
_CURRENCY_BEFORE = re.compile(rf"(?:(?<!\w)(?P<code>{_CODE})|(?P<symbol>[{''.join(SYMBOLS)}]))\s?$")
_MAGNITUDE = "|".join(name for name in MAGNITUDES if len(name) > 2)
_AFTER = re.compile(
    rf"(?P<magnitude>[ \u00a0-]?(?:(?i:{_MAGNITUDE})\b|(?:bn|mn|tn)\b)|[kKMB]\b)?"
    rf"[ \u00a0\u202f-]?(?P<unit>%|per cent\b|metric tons?\b|°\s?[CF]\b|[{''.join(SYMBOLS)}]"
    r"|[A-Za-zµ]{1,12}(?:/[a-z]|[²³]|\^[23])?(?!\w))?"
)


_SIGNS = "-−"


@dataclass(frozen=True, slots=True)
class Amount:
    """One quantity. Equal texts of one kind are the same amount, however they were written."""

    kind: str  # number, percent, currency, date, time, code, or "unit kg": the family's base unit
    text: str  # canonical: 1000.5, 2024-05-03, USD 5
    other: str = ""  # a second reading, where one exists: "1.234" may be 1234, 03/04/2024 the 4th of March
    plain: str = ""  # the number as it was written, without unit, before conversion; "" for dates and times

    @property
    def value(self) -> float:
        """As a number, for a tolerance; inf where the text is not one."""
        return float(self.text.rpartition(" ")[2]) if self.plain and self.kind != "code" else inf


def amounts(text: str) -> tuple[Amount, ...]:
    """Every quantity of a text, in order; at most MAX_AMOUNTS runs of digits are looked at. Digits are ASCII."""
    text = _ADDRESS.sub(" ", text)
    found: list[Amount] = []
    position = 0
    for _ in range(MAX_AMOUNTS):
        digit = _DIGIT.search(text, position)
        if digit is None:
            break
        position, amount = _read(text, digit.start())
        found.extend(amount)
    return tuple(found)


def countable(text: str) -> bool:
    """False for a text with more digit runs than amounts looks at: what it holds is then not known."""
    return sum(1 for _ in islice(_DIGIT.finditer(text), MAX_AMOUNTS + 1)) <= MAX_AMOUNTS


def written(text: str) -> frozenset[str]:
    """Canonical texts of the small numbers that stand there as English words: «three» -> 3."""
    return frozenset(WRITTEN[word] for word in set(re.findall(r"[a-z]+", text.lower())) & WRITTEN.keys())


def near(a: Amount, b: Amount, tolerance: float) -> bool:
    """The same kind and the same text, in either reading, or numbers no further apart than the relative tolerance."""
    if a.kind != b.kind or a.text.rpartition(" ")[0] != b.text.rpartition(" ")[0]:
        return False
    if a.text == b.text or (a.other or a.text) == b.text or a.text == (b.other or b.text):
        return True
    gap = abs(a.value - b.value)
    return gap < inf and gap <= tolerance * max(abs(a.value), abs(b.value))


def _read(text: str, start: int) -> tuple[int, tuple[Amount, ...]]:
    """What stands at this digit, and where to go on."""
    before = text[max(0, start - _WINDOW) : start]
    if end := _numbering(text, start, before):
        return end, ()
    if match := _DATE.match(text, start):
        if date := _date(match):
            return match.end(), (date,)
    month = _MONTH_BEFORE.search(before)
    if month and (match := _MONTH_DAY.match(text, start)):
        return match.end(), _month_day(MONTHS[month[1].lower()], match)
    if match := _TIME.match(text, start):
        return match.end(), (_time(match),)
    run = _NUMBER.match(text, start)
    assert run is not None  # the digit itself
    return run.end(), (_amount(run[0], before, _AFTER.match(text, run.end())),)


def _numbering(text: str, start: int, before: str) -> int:
    """Where a number ends that only counts list items, steps or citations; 0 for any other."""
    line = before.rpartition("\n")[2] if "\n" in before or len(before) == start else "no line begins here"
    if not line.strip(" \t>#*_(-") and (item := _ITEM.match(text, start)):
        return item.end() - 1
    if _STEP_BEFORE.search(before):
        return start + 1
    opened = before.rstrip("^")
    if not opened.endswith("[") or not (cited := _CITED.match(text, start)):
        return 0
    previous = opened[:-1].rstrip(" ")[-1:]
    if previous in ("", "\n"):  # «[1] Handbook» is an entry of a list of sources, «[1, 2]» an array
        return cited.end() if cited["entry"] and "," not in cited[0] else 0
    return 0 if previous in ":,[=({" else cited.end()


def _amount(run: str, before: str, after: re.Match[str] | None) -> Amount:
    readings = _readings(run)
    if not readings:
        return Amount("code", run if len(run) <= MAX_CODE else f"{run[:MAX_CODE]}… {len(run)}", plain=run[:MAX_CODE])
    unsigned = before.rstrip(_SIGNS)
    money = _CURRENCY_BEFORE.search(unsigned)
    front = before[: money.start()] if money and unsigned == before else before
    negative = front.rstrip(_SIGNS) != front and not front.rstrip(_SIGNS)[-1:].isalnum()
    kind, prefix, magnitude, factor = _measure(money, after, run)
    plain, *others = [_scaled("-" * negative + reading, magnitude) for reading in readings]
    text, *second = [prefix + _scaled(reading, factor) for reading in (plain, *others)]
    return Amount(kind, text, second[0] if second else "", plain)


def _measure(money: re.Match[str] | None, after: re.Match[str] | None, run: str) -> tuple[str, str, str, str]:
    """Kind, what stands before the canonical number, the magnitude, and the factor to the base unit."""
    magnitude, unit = (after["magnitude"] or "", after["unit"] or "") if after else ("", "")
    times = MAGNITUDES.get(magnitude.strip(" -\u00a0").lower(), "1")
    if money:
        return "currency", (SYMBOLS.get(money["symbol"]) or CURRENCIES[money["code"]]) + " ", times, "1"
    if magnitude in ("M", "B"):  # «5M» is an amount of money or nothing certain
        times = "1"
    if unit in PERCENT:
        return "percent", "", times, "1"
    if code := SYMBOLS.get(unit) or CURRENCIES.get(unit) or CURRENCIES.get(unit.lower()):
        return "currency", f"{code} ", times, "1"
    base, scale = UNITS.get(unit) or UNITS.get(unit.lower()) or ("", "1")
    if not base or (run.endswith("0") and after and after[0] == "s"):  # the 90s
        return "number", "", times, "1"
    return f"unit {base}", "", times, scale


def _readings(run: str) -> list[str]:
    """What a run of digits may mean, likeliest first, as plain decimals; [] where it is none: 1.2.3, 192.0.2.1."""
    mantissa, _, exponent = run.lower().partition("e")
    whole, *rest = re.split("[.,]", mantissa)
    if len(run) > MAX_DIGITS:
        return []
    if _GROUPED.search(mantissa):  # 1 000 or 1'000.50
        sound = _GROUPS.fullmatch(whole) and len(rest) < 2
        return [_plain(_GROUPED.sub("", whole), "".join(rest), exponent)] if sound else []
    if "." in mantissa and "," in mantissa:
        mark = max(".,", key=mantissa.rfind)
        front, _, back = mantissa.rpartition(mark)
        return [_plain(re.sub("[.,]", "", front), back, exponent)] if _GROUPS.fullmatch(front) else []
    grouped = [_plain("".join((whole, *rest)), "", exponent)] if _GROUPS.fullmatch(mantissa) else []
    if len(rest) != 1:
        return grouped if rest else [_plain(whole, "", exponent)]
    decimal = [_plain(whole, rest[0], exponent)]
    if not grouped or not whole.strip("0"):
        return decimal
    return grouped + decimal if "," in mantissa else decimal + grouped


def _plain(whole: str, rest: str, exponent: str) -> str:
    whole, rest = whole.lstrip("0") or "0", rest.rstrip("0")
    text = f"{whole}.{rest}" if rest else whole
    return _decimal(Decimal(f"{text}e{exponent}")) if exponent and text != "0" else text


def _scaled(text: str, factor: str) -> str:
    return text if factor == "1" else _decimal(Decimal(text) * Decimal(factor))


def _decimal(number: Decimal) -> str:
    """Canonical; beyond 10^±30 with an exponent, so that 1e999 stays short."""
    if number and abs(number.adjusted()) > 30:
        return f"{number.normalize():e}"
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def _date(match: re.Match[str]) -> Amount | None:
    if match["n3"]:
        return _dated(match["y3"] or "", MONTHS[match["n3"].lower()], int(match["d3"]))
    if match["y1"]:
        return _dated(match["y1"], int(match["m1"]), int(match["d1"]))
    first, second = int(match["a"]), int(match["b"])
    one, two = _dated(match["y2"], first, second), _dated(match["y2"], second, first)
    if match["s2"] == ".":  # only ever day.month.year
        return two
    if one and two and one != two:
        return Amount("date", one.text, two.text)
    return one or two


def _month_day(month: int, match: re.Match[str]) -> tuple[Amount, ...]:
    if match["alone"]:
        return (Amount("date", f"{match['alone']}-{month:02}"),)
    date = _dated(match["year"] or "", month, int(match["day"]))
    return (date,) if date else ()


def _dated(year: str, month: int, day: int) -> Amount | None:
    return Amount("date", f"{year or '-'}-{month:02}-{day:02}") if 1 <= month <= 12 and 1 <= day <= 31 else None


def _time(match: re.Match[str]) -> Amount:
    hour, minute = int(match["h"] or match["h2"]), match["m"] or match["m2"] or "00"
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"].lower() == "p")
    return Amount("time", f"{hour:02}:{minute}")

"""Whether an amount stands in another text, in whatever format. Neighbours: amounts reads both texts."""

from __future__ import annotations

from decimal import Decimal

from evaluators.core.diff.amounts import Amount, amounts, near, written

ROUNDED = 0.01
"""Relative: «8 km» for «5 miles» (8.05) is a conversion; within one unit there is nothing to round."""
_BARE = ("number", "code")


class Grounds:
    """The amounts of a text, asked for one by one."""

    def __init__(self, text: str) -> None:
        found = amounts(text)
        self._exact = {(one.kind, reading) for one in found for reading in (one.text, one.other) if reading}
        self._bare = written(text) | {
            reading for one in found if one.kind in _BARE for reading in (one.text, one.other) if reading
        }
        self._plain = self._bare | {one.plain for one in found}
        self._parts = {_hundredth(one.plain) for one in found if one.kind == "percent"}
        self._measures: dict[str, list[Amount]] = {}
        for one in dict.fromkeys(found):
            if one.kind.startswith("unit "):
                self._measures.setdefault(one.kind, []).append(one)
        self._dates = {one.text for one in found if one.kind == "date"}

    def __repr__(self) -> str:
        return f"Grounds({len(self._exact)} amounts)"

    def hold(self, amount: Amount) -> bool:
        """Whether the amount is there: as such, without its unit, as 0.05 for 5 %, or converted."""
        readings = [reading for reading in (amount.text, amount.other) if reading]
        if any((amount.kind, reading) in self._exact for reading in readings):
            return True
        if amount.kind == "date":
            return any(_within(reading, date) for reading in readings for date in self._dates)
        if amount.kind in _BARE:
            return any(reading in self._plain or reading in self._parts for reading in readings)
        if amount.plain in self._bare or (amount.kind == "percent" and _hundredth(amount.plain) in self._bare):
            return True
        measures = self._measures.get(amount.kind, ())
        return any(near(amount, one, ROUNDED) for one in measures if _converted(amount, one))


def _converted(a: Amount, b: Amount) -> bool:
    """Whether two amounts of one family were written in different units: equal ones would have been found before."""
    left, right = a.value * float(b.plain), b.value * float(a.plain)
    return abs(left - right) > ROUNDED * abs(left)


def _hundredth(plain: str) -> str:
    text = f"{Decimal(plain) / 100:f}" if len(plain) < 20 and "e" not in plain else plain
    return text.rstrip("0").rstrip(".") if "." in text else text


def _within(claimed: str, known: str) -> bool:
    """«May 2024» where the 3rd of May 2024 is known, «May 3» likewise."""
    return known.startswith(claimed) or (claimed.startswith("-") and known.endswith(claimed[1:]))

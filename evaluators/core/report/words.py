"""Numbers as people read them. Used by gate's sentences and by every renderer, so that all say the same."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal


def percent(share: float) -> str:
    """0.0612 → 6.1%; small shares keep two digits that mean something: 0.00034 → 0.034%."""
    value = share * 100
    if value != 0 and abs(value) < 0.1:
        return f"{value:.2g}%"
    return f"{value:.1f}%".replace(".0%", "%")


def points(difference: float) -> str:
    """A difference of shares in percentage points, with its sign: +5.9, −0.2, 0."""
    value = abs(difference) * 100
    number = f"{value:.1g}" if 0 < value < 0.05 else f"{value:.1f}".removesuffix(".0")
    if value < 0.0005:
        return "0"
    return f"+{number}" if difference > 0 else f"−{number}"


def more_often(difference: float) -> str:
    """4.6 points more often; 1.8 points less often; as often."""
    shown = points(difference)
    if shown == "0":
        return "just as often as"
    return f"{shown[1:]} points {'more' if difference > 0 else 'less'} often than"


def between(interval: Sequence[float]) -> str:
    """An interval of differences, in points: −0.2 to +1.4."""
    low, high = interval
    return f"{points(low)} to {points(high)}"


def per_thousand(difference: float) -> str:
    """59 more per 1,000; 2.4 fewer per 1,000; none more per 1,000."""
    value = abs(difference) * 1000
    amount = f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")
    if amount == "0":
        return "none more per 1,000"
    return f"{amount} {'more' if difference > 0 else 'fewer'} per 1,000"


def count(number: int, noun: str) -> str:
    """1 pair; 1,204 pairs."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seconds(value: float) -> str:
    """0.312 → 312 ms; 1.24 → 1.24 s; a quantile that does not exist is a dash."""
    if value < 0:
        return "–"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def usd(value: float) -> str:
    """Dollars with enough digits to tell two models apart."""
    if value < 0:
        return "–"
    if value >= 1 or value == 0:
        return f"${value:,.2f}"
    return f"${Decimal(f'{value:.2g}'):f}"


def times(ratio: float) -> str:
    """1.24 → 1.24×; beyond a thousand nobody counts."""
    if ratio < 0:
        return "–"
    return f"{ratio:.2f}×" if ratio <= 1000 else "over 1,000×"


def energy(distance: float) -> str:
    """How far two models are apart, two digits: 0.21, −0.03; 0.00 for the same model."""
    shown = f"{abs(distance):.2f}"
    return f"−{shown}" if distance < 0 and float(shown) else shown

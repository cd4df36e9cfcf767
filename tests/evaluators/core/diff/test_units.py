"""The tables of units, currencies and months."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evaluators.core.diff.units import CURRENCIES, MAGNITUDES, MONTHS, SYMBOLS, UNITS, WRITTEN


@pytest.mark.parametrize(
    ("name", "base", "factor"),
    [
        ("km", "m", 1000),
        ("inches", "m", Decimal("0.0254")),
        ("tonnes", "kg", 1000),
        ("hours", "s", 3600),
        ("m", "m", 1),
    ],
)
def test_units(name: str, base: str, factor: Decimal) -> None:
    """A unit, in the plural too, has the base of its family and an exact factor."""
    assert (UNITS[name][0], Decimal(UNITS[name][1])) == (base, factor)


def test_every_factor_is_a_number_above_zero() -> None:
    """No entry of a table is a slip of the pen."""
    assert all(Decimal(factor) > 0 for _, factor in UNITS.values())
    assert all(Decimal(factor) >= 1000 for factor in MAGNITUDES.values())
    assert set(SYMBOLS.values()) <= set(CURRENCIES.values()) | {"RUB"}
    assert sorted(set(MONTHS.values())) == list(range(1, 13))
    assert WRITTEN["zero"] == "0"
    assert WRITTEN["twenty"] == "20"

"""Amounts are records that do not change."""

from __future__ import annotations

import dataclasses

import pytest

from evaluators.core.report import shape
from evaluators.core.report.amounts import Amount, Latency, Outcomes, Quantiles, Ratio, Spent


def test_amounts_do_not_change() -> None:
    """What was counted stays."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Amount(1, 2.0, 2.0).n = 2  # type: ignore[misc]


@pytest.mark.parametrize("record", [Amount, Latency, Outcomes, Quantiles, Ratio, Spent])
def test_readers_find_them_in_shape(record: type) -> None:
    """The report's records come from one door."""
    assert getattr(shape, record.__name__) is record

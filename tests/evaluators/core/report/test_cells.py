"""Cells: letters become the two-by-two table, and the table the published numbers."""

from __future__ import annotations

import pytest

from evaluators.core.report.cells import (
    Cells,
    arm_rate,
    assertion_cells,
    differing,
    excess,
    noise_cells,
    noise_rate,
    paired,
)
from evaluators.core.stats.interval import Interval


@pytest.mark.parametrize(
    ("joint", "answered", "cells"),
    [
        pytest.param({"pp": 5, "pf": 3, "fp": 2, "ff": 1}, False, Cells(1, 3, 2, 5), id="plain"),
        pytest.param({"px": 4, "xp": 2, "xx": 1, "fx": 1, "xf": 1}, False, Cells(3, 4, 2, 0), id="silence-fails"),
        pytest.param({"pp": 5, "px": 4, "xp": 2, "ps": 1, "pb": 1}, True, Cells(0, 0, 0, 5), id="complete-cases"),
        pytest.param({"bp": 9, "sx": 9, "ss": 9, "pp": 1}, False, Cells(0, 0, 0, 1), id="live-was-not-judged"),
        pytest.param({"ps": 2, "pb": 3, "fs": 4, "xb": 5, "pp": 1}, False, Cells(9, 5, 0, 1), id="escaping-fails"),
        pytest.param({}, False, Cells(), id="empty"),
    ],
)
def test_assertion_cells(joint: dict[str, int], answered: bool, cells: Cells) -> None:
    """A pair counts when live was judged; whatever the candidate has then but a pass is a failure."""
    assert assertion_cells(joint, answered) == cells


def test_margins() -> None:
    """Margins and total are sums of the cells."""
    cells = Cells(1, 2, 4, 8)
    assert (cells.n, cells.candidate, cells.other) == (15, 3, 5)


def test_paired_is_newcombe() -> None:
    """XSTest, safe prompts (0 only live, 43 only the candidate): difference .172, Newcombe .12708 to .22371."""
    found = paired(Cells(4, 43, 0, 203), 0.05)
    assert (found.n, found.regressed, found.fixed, found.difference) == (250, 43, 0, 0.172)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.12708, 0.22371), abs=5e-6)


def test_paired_cavo() -> None:
    """Cavo et al. 2012 as (59, 6, 16, 80): -.0621, Newcombe -.1186 to -.0046."""
    found = paired(Cells(59, 6, 16, 80), 0.05)
    assert (found.difference, found.interval.low, found.interval.high) == pytest.approx(
        (-0.0621, -0.1186, -0.0046), abs=5e-5
    )


def test_nothing_is_known_of_nothing() -> None:
    """Without pairs the intervals are the widest."""
    assert paired(Cells(), 0.05).interval == Interval(-1.0, 1.0)
    assert arm_rate(0, 0, 0.05).interval == Interval(0.0, 1.0)
    assert excess(arm_rate(0, 0, 0.05), Cells(), 0.05).interval == Interval(-1.0, 1.0)


def test_arm_rate_is_wilson() -> None:
    """No failure in 10 calls leaves up to 27.8% possible."""
    found = arm_rate(0, 10, 0.05)
    assert (found.rate, found.interval.low, found.interval.high) == pytest.approx((0.0, 0.0, 0.27753), abs=5e-6)


@pytest.mark.parametrize(("answered", "failed", "n"), [(False, 9, 16), (True, 3, 10)])
def test_differing(answered: bool, failed: int, n: int) -> None:
    """No answer where live has one differs, and so does one that breaks the check; but not among complete cases."""
    found = differing({"d": 3, "x": 2, "m": 7, "s": 50, "b": 4}, 0.05, answered=answered)
    assert (found.failed, found.n) == (failed, n)


def test_excess_of_the_worked_example() -> None:
    """(70, 110, 50, 770): excess .06, Newcombe .03546 to .08483."""
    cells = noise_cells({"dd": 70, "dm": 110, "md": 50, "mm": 770})
    found = excess(arm_rate(180, 1000, 0.05), cells, 0.05)
    assert (found.value, found.n) == (pytest.approx(0.06), 1000)
    assert (found.interval.low, found.interval.high) == pytest.approx((0.03546, 0.08483), abs=5e-6)


def test_excess_uses_every_pair_of_the_candidate() -> None:
    """When live was asked twice on some calls only, the others still say how often the candidate differs."""
    cells = noise_cells({"dd": 7, "dm": 11, "md": 5, "mm": 77})
    assert excess(arm_rate(250, 1000, 0.05), cells, 0.05).value == pytest.approx(0.25 - 0.12)


def test_excess_at_the_edge_of_a_window() -> None:
    """Calls with both that are not among the candidate's pairs are used by themselves."""
    cells = noise_cells({"dd": 70, "dm": 110, "md": 50, "mm": 770})
    assert excess(arm_rate(1, 10, 0.05), cells, 0.05).value == pytest.approx(0.06)


def test_noise_rate() -> None:
    """The floor is that of the calls with both; before there are any, the control's own."""
    control = arm_rate(3, 30, 0.05)
    assert noise_rate(Cells(), control, 0.05) == control
    assert noise_rate(Cells(1, 0, 1, 8), control, 0.05).rate == 0.2

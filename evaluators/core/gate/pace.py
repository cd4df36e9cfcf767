"""Pace: how fast conversations come in, and how long what is missing will take. Used by decide and by `plan`."""

from __future__ import annotations

from config.pair import NEVER
from evaluators.core.report.words import count
from evaluators.core.tally import Window

_UNITS = ((86400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def per_second(conversations: int, window: Window) -> float:
    """Closed conversations a second between the first and the last arrival of the window; NEVER where unknown."""
    lasted = window.last_arrival - window.first_arrival
    return conversations / lasted if conversations > 0 and window.first_arrival >= 0 and lasted > 0 else NEVER


def expected_in(needs: int, pace: float) -> float:
    """Seconds until so many more conversations have closed; NEVER where nobody knows."""
    return needs / pace if needs >= 0 and pace > 0 else NEVER


def lasting(seconds: float) -> str:
    """5 minutes; 3 hours; 12 days: two figures are more than an estimate holds. Nothing for what nobody knows."""
    if seconds < 0:
        return ""
    for unit, name in _UNITS:
        if seconds >= 0.95 * unit:
            whole = round(seconds / unit)
            return count(max(1, whole), name)
    return "less than a minute"

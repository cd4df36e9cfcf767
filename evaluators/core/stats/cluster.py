"""Closed conversations as exact fractions: their mean, and intervals that hold whatever happens inside them.

The unit is the conversation, so calls of one conversation may depend on each other as they like. Neighbours:
interval has the formulas for plain counts, eprocess the statements that may be watched.
"""

from __future__ import annotations

from collections.abc import Mapping

from evaluators.core.stats.interval import Interval, tango_paired, wilson

Value = tuple[int, int]
"""A conversation's mean as a fraction (numerator, denominator > 0)."""

Values = Mapping[Value, int]
"""Conversations by their mean; the same multiset gives the same numbers, in whatever order it was merged."""


def count(values: Values) -> int:
    """Conversations."""
    return sum(values.values())


def mean(values: Values) -> float:
    """Mean over conversations; 0 when there are none."""
    return total(values) / max(1, count(values))


def total(values: Values) -> float:
    """Sum of the conversations' means."""
    return sum(part[0] / part[1] * n for part, n in sorted(values.items()))


def rate_interval(values: Values, alpha: float = 0.05) -> Interval:
    """Interval of a mean in [0, 1]: Wilson's, on the effective number of conversations.

    A conversation whose mean is a fraction says more than one yes or no, and the variance seen between conversations
    tells how much more (Korn, Graubard 1998). It never counts for more than the calls that its denominator proves,
    so a few equal fractions cannot feign certainty. No conversations give (0, 1).
    """
    n = checked(values, 0)
    if n == 0:
        return wilson(0, 0, alpha)
    rate = mean(values)
    spread = sum((part[0] / part[1] - rate) ** 2 * times for part, times in values.items()) / n
    gain = _gain(values, rate * (1 - rate), spread)
    return wilson(min(rate, 1.0) * n * gain, n * gain, alpha)


def difference_interval(values: Values, alpha: float = 0.05) -> Interval:
    """Interval of a mean difference in [-1, 1]: Tango's score interval, on the effective number of conversations.

    For conversations of one call it is Tango's interval of the paired difference, never empty where nothing
    differed; see rate_interval for fractions. No conversations give (-1, 1).
    """
    n = checked(values, -1)
    ups = sum(part[0] / part[1] * times for part, times in values.items() if part[0] > 0)
    downs = -sum(part[0] / part[1] * times for part, times in values.items() if part[0] < 0)
    gain = _gain(values, ups + downs, sum((part[0] / part[1]) ** 2 * times for part, times in values.items()))
    return tango_paired(ups * gain, downs * gain, n * gain, alpha)


def checked(values: Values, low: int) -> int:
    """The number of conversations; raises ValueError on a negative count or a mean outside [low, 1]."""
    for (top, bottom), times in values.items():
        if bottom <= 0 or not low * bottom <= top <= bottom or times < 0:
            raise ValueError(f"{times} conversations with mean {top}/{bottom} cannot be")
    return count(values)


def _gain(values: Values, if_whole: float, seen: float) -> float:
    """How many yes-or-no conversations one of these is worth: at least 1, at most its calls."""
    n = count(values)
    calls = sum(part[1] * times for part, times in values.items())
    if n == 0 or if_whole <= 0 or seen >= if_whole:
        return 1.0
    return calls / n if seen * calls <= if_whole * n else if_whole / seen

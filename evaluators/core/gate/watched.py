"""Rules on checks: paired non-inferiority and red lines, valid at every look. Used by decide.

The interval shown with a rule has both ends at the gate's own alpha, so it says what the rule says: all of it below
the limit is a pass, all of it above is a failure.
"""

from __future__ import annotations

import math

from config.settings import Gate
from evaluators.core.gate.reading import MIN_SCORED, Reading, limit_of, missing
from evaluators.core.report.checks import worse_positive
from evaluators.core.report.words import between, count, more_often, percent, points
from evaluators.core.stats import cluster
from evaluators.core.stats.eprocess import bernoulli_sequence, needs, release, stop
from evaluators.core.tally import CheckTally, ShadowTally


def difference(gate: Gate, tally: ShadowTally, alpha: float) -> Reading:
    """max_regression and max_excess: two e-processes on the closed conversations, one for each direction."""
    found = [check for check in tally.checks if check.label == gate.check and check.difference]
    if not found:
        return _nothing(gate, "candidate and control" if gate.max_excess is not None else "candidate")
    check, (_, limit) = found[-1], limit_of(gate)
    n = cluster.count(check.difference)
    value = 0.0 - cluster.mean(check.difference)
    watched = worse_positive(check.difference, 2 * alpha)
    verb = f"differs from live on {check.label}" if check.comparison else f"fails {check.label}"
    than = "live from itself" if check.comparison else "live"
    enough = -math.log(alpha)
    return Reading(
        conversations=n,
        value=value,
        interval=(watched.low, watched.high),
        good=release(check.difference, limit) >= enough,
        bad=stop(check.difference, limit) >= enough,
        says=(
            f"{tally.shadow} {verb} {more_often(value)} {than} in {count(n, 'conversation')} "
            f"(watched {between((watched.low, watched.high))} points, limit {points(limit)})"
        ),
        needs=missing(gate, n, needs(check.difference, limit, alpha)),
        doubt=_doubt(check),
    )


def red_line(gate: Gate, tally: ShadowTally, alpha: float) -> Reading:
    """red_line: a ceiling on the failing share of conversations, each end of its sequence at alpha."""
    found = [check for check in tally.checks if check.label == gate.check and check.failing]
    if not found:
        return _nothing(gate, "candidate")
    check, (_, limit) = found[-1], limit_of(gate)
    n, value = cluster.count(check.failing), cluster.mean(check.failing)
    horizon = float(gate.min_conversations)
    low = bernoulli_sequence(check.failing, alpha, "lower", horizon).low
    high = bernoulli_sequence(check.failing, alpha, "upper", horizon).high
    verb = "differs from live on" if check.comparison else "fails"
    return Reading(
        conversations=n,
        value=value,
        interval=(low, high),
        good=high <= limit,
        bad=low > limit,
        says=(
            f"{tally.shadow} {verb} {check.label} in {percent(value)} of {count(n, 'conversation')} "
            f"(watched {percent(low)} to {percent(high)}, red line {percent(limit)})"
        ),
        needs=missing(gate, n),
        doubt=_doubt(check),
    )


def _nothing(gate: Gate, arms: str) -> Reading:
    says = f"No closed conversation has a {arms} answer judged by {gate.check} yet"
    return Reading(0, 0.0, (), False, False, says, gate.min_conversations)


def _doubt(check: CheckTally) -> str:
    """Fails closed when the check itself broke too often: a gate is not passed by breaking its instrument."""
    broken = sum(pairs for letters, pairs in check.joint.items() if "b" in letters)
    judged = sum(pairs for letters, pairs in check.joint.items() if not set("bs") & set(letters))
    if broken <= (1 - MIN_SCORED) * (broken + judged):
        return ""
    return f"the check itself broke on {broken:,} of {count(broken + judged, 'pair')}, so it may not pass"

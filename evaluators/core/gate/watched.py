"""Rules that are valid at every look: paired non-inferiority, red lines and ratios per conversation. Used by decide.

The interval shown with a rule has both ends at the gate's own alpha, so it says what the rule says: all of it below
the limit is a pass, all of it above is a failure. It is of what was seen; what was lost only withholds a pass.
"""

from __future__ import annotations

import math

from config.pair import NEVER
from evaluators.core.gate.losses import worst
from evaluators.core.gate.reading import (
    UNKNOWN,
    Case,
    Reading,
    blamed,
    broken,
    difference_of,
    hidden,
    missing,
    nothing,
    sample,
    unjudged,
)
from evaluators.core.report.checks import worse_positive
from evaluators.core.report.words import between, count, more_often, percent, points, seconds, times
from evaluators.core.stats import cluster
from evaluators.core.stats.cluster import Values
from evaluators.core.stats.eprocess import bernoulli_sequence, needs, needs_below, red_line_t_opt, release, stop
from evaluators.core.stats.interval import Interval, clopper_pearson

BROKE = "the check itself broke on"


def difference(case: Case) -> Reading:
    """max_regression and max_excess: two e-processes on closed conversations, or one look at Tango's interval."""
    check, gate, limit = case.check, case.gate, case.gate.limit
    values = difference_of(check, gate.slice) if check else {}
    if check is None or not cluster.count(values):
        return nothing(case, "candidate and control" if gate.kind == "max_excess" else "candidate")
    unseen = blamed(check, gate.slice)
    lost = worst(values, case.losses.n + unseen, -1, -limit)
    n, value, fixed = cluster.count(values), 0.0 - cluster.mean(values), gate.mode == "fixed"
    shown = _once(values, case.alpha) if fixed else worse_positive(values, 2 * case.alpha)
    good, seen_good = (_below(found, limit, case.alpha, fixed) for found in (lost, values))
    verb = f"differs from live on {check.label}" if check.comparison else _fails(case)
    than = "live from itself" if check.comparison else "live"
    return Reading(
        seen=n,
        value=value,
        interval=(shown.low, shown.high),
        good=good,
        bad=shown.low > limit if fixed else stop(values, limit) >= -math.log(case.alpha),
        says=(
            f"{case.tally.shadow} {verb} {more_often(value)} {than} {sample(case, values)} "
            f"({gate.mode} {between((shown.low, shown.high))} points, limit {points(limit)})"
        ),
        needs=missing(case, n, UNKNOWN if fixed else needs(lost, limit, case.alpha)),
        watched=not fixed,
        doubt=unjudged(case, *broken(check, gate.slice), BROKE) or hidden(case, seen_good, good, unseen),
    )


def red_line(case: Case) -> Reading:
    """red_line: a ceiling on the failing share of conversations, each end at alpha."""
    check, gate, limit = case.check, case.gate, case.gate.limit
    if check is None or not cluster.count(check.failing):
        return nothing(case, "candidate")
    n, value, fixed = cluster.count(check.failing), cluster.mean(check.failing), gate.mode == "fixed"
    t_opt = red_line_t_opt(limit) if 0 < limit < 1 else float(case.opens)
    unseen = blamed(check, "")
    lost = worst(check.failing, case.losses.n + unseen, 1, limit)
    shown = _share(check.failing, case.alpha, t_opt, fixed)
    good = _share(lost, case.alpha, t_opt, fixed).high <= limit
    estimated = needs_below(lost, limit, case.alpha, t_opt) if 0 < limit < 1 and not fixed else UNKNOWN
    verb = f"differs from live on {check.label}" if check.comparison else _fails(case)
    return Reading(
        seen=n,
        value=value,
        interval=(shown.low, shown.high),
        good=good,
        bad=shown.low > limit,
        says=(
            f"{case.tally.shadow} {verb} in {percent(value)} of {sample(case, check.failing)[3:]} "
            f"({gate.mode} {percent(shown.low)} to {percent(shown.high)}, red line {percent(limit)})"
        ),
        needs=missing(case, n, estimated),
        watched=not fixed,
        doubt=unjudged(case, *broken(check, ""), BROKE) or hidden(case, shown.high <= limit, good, unseen),
    )


def relative(case: Case) -> Reading:
    """max_ratio of cost, tokens or time per conversation: the e-processes of a difference, on clipped log ratios."""
    gate, margin = case.gate, math.log(case.gate.limit)
    name, what = f"log_{gate.metric}", (gate.metric or "").replace("_", " ")
    values = case.tally.ratios.get(name, {})
    n, unknown = cluster.count(values), case.tally.unmeasured.get(name, 0)
    doubt = unjudged(case, n, unknown, f"the {what} is not known for")
    if not n:
        says = f"No closed conversation has the {what} of both {case.tally.shadow} and live yet"
        return Reading(0, NEVER, (), False, False, says, case.opens, doubt=doubt)
    lost, enough = worst(values, case.losses.n + unknown, -1, -margin), -math.log(case.alpha)
    shown, value = worse_positive(values, 2 * case.alpha), math.exp(-cluster.mean(values))
    low, high = math.exp(shown.low), math.exp(shown.high)
    good = release(lost, margin) >= enough
    return Reading(
        seen=n,
        value=value,
        interval=(low, high),
        good=good,
        bad=stop(values, margin) >= enough,
        says=(
            f"{case.tally.shadow}'s {what} is {times(value)} live's, as a geometric mean over "
            f"{count(n, 'conversation')} (watched {times(low)} to {times(high)}, limit {times(gate.limit)})"
        ),
        needs=missing(case, n, needs(lost, margin, case.alpha)),
        doubt=doubt or hidden(case, release(values, margin) >= enough, good, unknown),
    )


def _fails(case: Case) -> str:
    """What failing is called: of a service level what it means."""
    if case.gate.within is None:
        return f"fails {case.gate.label}"
    what = (case.gate.metric or "").replace("_", " ")
    return f"takes more than {seconds(case.gate.within)} ({what}), or gives no answer,"


def _below(values: Values, limit: float, alpha: float, fixed: bool) -> bool:
    return _once(values, alpha).high < limit if fixed else release(values, limit) >= -math.log(alpha)


def _once(values: Values, alpha: float) -> Interval:
    """Tango's interval with each end at alpha, drawn out by half a conversation, turned so that positive is worse.

    Alone it releases up to 5.03 % at alpha 5 % (enumerated for 2 to 30 % discordant, 200 to 2,000 pairs); so 4.8 %.
    """
    better, half = cluster.difference_interval(values, 2 * alpha), 0.5 / cluster.count(values)
    return Interval(0.0 - better.high - half, half - better.low)


def _share(values: Values, alpha: float, t_opt: float, fixed: bool) -> Interval:
    """Each end at alpha. Looked at once it is exact: a conversation fails at most as often as it fails anywhere, and
    at least as often as it fails throughout."""
    if not fixed:
        low = bernoulli_sequence(values, alpha, "lower", t_opt).low
        return Interval(low, bernoulli_sequence(values, alpha, "upper", t_opt).high)
    n = cluster.count(values)
    anywhere = sum(times for (top, _), times in values.items() if top)
    throughout = sum(times for (top, bottom), times in values.items() if top == bottom)
    return Interval(clopper_pearson(throughout, n, 2 * alpha).low, clopper_pearson(anywhere, n, 2 * alpha).high)

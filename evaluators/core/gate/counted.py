"""Rules that count: a golden set may fail so often and no more. Used by decide."""

from __future__ import annotations

from evaluators.core.gate.reading import Case, Reading, hidden
from evaluators.core.report.words import count
from evaluators.core.tally import CheckTally

MIN_CALLS = 50
"""Golden calls before a pass. None failing of 50 leaves, at 95 %, up to 6 % failing: a smoke test, not an estimate."""


def failures(case: Case) -> Reading:
    """max_failures: failed as soon as there are more, passed once enough calls were seen. What nobody saw is a failure
    before a pass is granted."""
    limit, least = int(case.gate.limit), case.gate.min_calls or MIN_CALLS
    failed, judged, unknown = _counts(case.check) if case.check else (0, 0, 0)
    short = max(least - judged, 0)
    good = judged >= least and failed + unknown + case.losses.n <= limit
    return Reading(
        seen=judged,
        value=float(failed),
        interval=(),
        good=good,
        bad=failed > limit,
        says=f"{case.tally.shadow} fails {case.gate.label} on {failed:,} of {count(judged, 'call')} (limit {limit:,})",
        needs=short,
        doubt=hidden(case, judged >= least and failed <= limit, good, unknown),
        noun="call",
    )


def _counts(check: CheckTally) -> tuple[int, int, int]:
    """Calls that the candidate fails, all that were judged, and those that it may have failed unseen.

    No answer says nothing about whether the call is in the set; live's answer does, and where live gave none either
    it may have been.
    """
    failed = judged = unknown = 0
    for (live, candidate), calls in ((tuple(two), calls) for two, calls in check.joint.items()):
        fails = candidate == "f" or (candidate == "x" and live in "pfb")
        failed += calls * fails
        judged += calls * (fails or candidate == "p")
        unknown += calls * (candidate == "b" or (candidate == "s" and live in "pfb") or live + candidate == "xx")
    return failed, judged, unknown

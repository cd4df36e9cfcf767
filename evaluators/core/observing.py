"""The pure walk from a Pair to an Observation: read both arms, run every check, note the letters tallies count.

Reading, slicing and pricing come in as functions, so that this file holds one thing: what a check's answer means
when an arm did not answer, when a pair is nobody's fault, and when the check itself fails or does not end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from config.pair import NEVER, Call, Failure, Outcome, Pair, Role
from evaluators.core.finding import (
    MAX_DETAIL,
    MAX_PATHS,
    Arm,
    Assert,
    Check,
    Compare,
    DoorFailed,
    Finding,
    Result,
    Timing,
    broken,
    differ,
    failed,
    skipped,
)
from evaluators.core.observation import ArmFacts, Found, Observation
from evaluators.core.reply import EXCUSED, Kind, Reply, Request, Usage

ReadRequest = Callable[[Call], Request]
Read = Callable[[Outcome, Request], Reply]
SlicesOf = Callable[[Call, Request], Iterable[str]]
Price = Callable[[str, Usage], float]  # model, usage -> USD, NEVER when unknown

PREVIEW = 120
"""Characters of the last user turn that lists show."""

_ASSERTED = {Result.PASS: "p", Result.FAIL: "f", Result.SKIP: "s", Result.BROKEN: "b"}
_COMPARED = {Result.SAME: "m", Result.DIFFER: "d", Result.SKIP: "s", Result.BROKEN: "b"}
_NO_ANSWER = "x"
_WITHIN_OUR_LIMIT = (Failure.NONE, Failure.TRUNCATED)  # the second is how the proxy lets go of a shadow at the limit
_UNASKED = skipped("")


class Abandoned(BaseException):
    """Nobody waits for this walk any more: it ends here. No check may catch it with `except Exception`."""


class Progress:
    """Where a walk is, told to whoever watches it; and what that one told the walk to leave out."""

    __slots__ = ("abandoned", "leave_out", "running", "steps")

    def __init__(self, leave_out: Mapping[str, str] | None = None) -> None:
        self.running = ""  # label of the check that runs now; "" between checks
        self.steps = 0  # grows with every check: a walk whose steps stand still hangs
        self.abandoned = False
        self.leave_out: Mapping[str, str] = leave_out or {}  # labels of checks that are not run, and why

    def __repr__(self) -> str:
        return f"<Progress {self.running or 'between checks'} after {self.steps} steps>"

    def enter(self, label: str) -> None:
        """The walk goes on with this check; raises Abandoned when it must not."""
        if self.abandoned:
            raise Abandoned
        self.running = label
        self.steps += 1


def observe(
    pair: Pair,
    checks: Sequence[Check],
    *,
    read_request: ReadRequest,
    read: Read,
    slices_of: SlicesOf,
    price: Price,
    progress: Progress | None = None,
) -> Observation:
    """Everything the checks say about one pair. Same inputs, same result; an exception of a check becomes `broken`."""
    at = progress or Progress()
    request = read_request(pair.call)
    # A candidate may be asked for another model than the request names; live and control are not.
    first = "" if pair.role is Role.AGAIN else request.model
    live = _arm(pair.live, request, first, read, price)
    shadow = _arm(pair.outcome, request, request.model if pair.role is Role.CONTROL else "", read, price)
    slices = tuple(sorted(set(slices_of(pair.call, request))))
    excuse = _excuse(pair, live, shadow)
    found = []
    for check in checks:
        at.enter(check.label)
        reason = excuse or _inapplicable(check.when, slices)
        found.append(_found(_left_out(check, at), live, shadow, reason))
    at.enter("")
    return Observation(
        call_id=pair.call.id,
        shadow=pair.shadow,
        role=pair.role,
        conversation=pair.call.conversation,
        arrived=pair.call.arrived,
        slices=slices,
        live=_facts(pair.live, live),
        arm=_facts(pair.outcome, shadow),
        found=tuple(found),
        preview=" ".join(request.prompt[: 10 * PREVIEW].split())[:PREVIEW],
    )


def _arm(outcome: Outcome, request: Request, asked: str, read: Read, price: Price) -> Arm:
    reply = read(outcome, request)
    return Arm(request, reply, _timing(outcome), price(reply.model or asked, reply.usage))


def _timing(outcome: Outcome) -> Timing:
    def since_sent(instant: float) -> float:
        return NEVER if outcome.sent < 0 or instant < 0 else max(0.0, instant - outcome.sent)

    gap = outcome.longest_gap if outcome.chunks > 1 else NEVER  # one chunk has no gap, which is not a gap of zero
    return Timing(since_sent(outcome.first_byte), since_sent(outcome.last_byte), gap)


def _facts(outcome: Outcome, arm: Arm) -> ArmFacts:
    return ArmFacts(arm.reply.kind, outcome.status, arm.timing, arm.reply.usage, arm.cost)


def _excuse(pair: Pair, live: Arm, shadow: Arm) -> str:
    """Why this pair says nothing about anybody; "" when it does."""
    for name, outcome, arm in (("live", pair.live, live), ("shadow", pair.outcome, shadow)):
        if arm.reply.kind in EXCUSED:
            return f"{name} was stopped before its answer was complete"
        if outcome.capped and outcome.failure in _WITHIN_OUR_LIMIT and arm.reply.kind is Kind.TRUNCATED:
            return f"{name}'s answer is longer than capture.max_body"  # our limit, not its failure
    return ""


def _inapplicable(when: Mapping[str, tuple[str, ...]], slices: Sequence[str]) -> str:
    for key, values in when.items():
        if not any(f"{key}={value}" in slices for value in values):
            return f"only where {key} is {' or '.join(values)}"
    return ""


def _left_out(check: Check, at: Progress) -> Check:
    why = at.leave_out.get(check.label)
    return check if why is None else replace(check, run=lambda *_: broken(why))


def _found(check: Check, live: Arm, shadow: Arm, reason: str) -> Found:
    if check.comparison:
        letter, finding = _compared(check, live, shadow, reason)
        return Found(check, letter, _UNASKED, finding)
    before, on_live = _asserted(check, live, reason)
    after, on_shadow = _asserted(check, shadow, reason)
    return Found(check, before + after, on_live, on_shadow)


def _asserted(check: Check, arm: Arm, reason: str) -> tuple[str, Finding]:
    if reason:
        return "s", skipped(reason)
    if not arm.reply.ok:
        return _NO_ANSWER, failed(f"no answer: {arm.reply.kind}")
    run = cast(Assert, check.run)
    return _guarded(lambda: run(arm), _ASSERTED)


def _compared(check: Check, live: Arm, shadow: Arm, reason: str) -> tuple[str, Finding]:
    if reason:
        return "s", skipped(reason)
    if not live.reply.ok:
        return "s", skipped(f"live gave no answer: {live.reply.kind}")
    run = cast(Compare, check.run)
    if shadow.reply.ok:
        return _guarded(lambda: run(live, shadow), _COMPARED)
    # Live beside itself tells whether there was anything to compare: no answer is no wrong tool call where none is due.
    letter, finding = _guarded(lambda: run(live, live), _COMPARED)
    return (letter, finding) if letter in "sb" else (_NO_ANSWER, differ(1.0, f"no answer: {shadow.reply.kind}"))


def _guarded(run: Callable[[], Finding], letters: Mapping[Result, str]) -> tuple[str, Finding]:
    try:
        finding = _sound(run())
        return letters[finding.result], finding
    except DoorFailed as error:
        return "b", broken(str(error))
    except (Exception, SystemExit) as error:  # a check may come from any package, and call exit(): counted, not sent on
        return "b", broken(type(error).__name__)


def _sound(said: object) -> Finding:
    """What a check said, if it is a Finding that can be stored; raises otherwise."""
    if not isinstance(said, Finding):
        raise TypeError
    if not 0 <= said.score <= 1:
        raise ValueError("a score outside 0 and 1")
    # str.join raises for what is no text.
    kept = tuple("".join([path])[:MAX_DETAIL] for path in said.paths[:MAX_PATHS])
    return Finding(Result(said.result), float(said.score), "".join([said.detail])[:MAX_DETAIL], kept)

"""Pairs, checks and observations for the tests of queue, worker and store: trivial, and different for every number."""

from __future__ import annotations

import os
from collections.abc import Callable

from config import wire
from config.pair import NEVER, Call, Failure, Outcome, Pair, Role
from evaluators.core.finding import Check, Finding, Timing, differ, failed, passed, same, skipped
from evaluators.core.observation import ArmFacts, Found, Observation
from evaluators.core.observing import Progress
from evaluators.core.reply import Kind, Usage
from evaluators.store.write import Recorded

NOON = 1_750_000_000.0 - 1_750_000_000.0 % 3600
"""The beginning of an hour."""

HOLDS = Check("holds", "t", False, "correctness", "blocker", "1-a", lambda arm: passed())
ALIKE = Check("alike", "shadow:t", True, "correctness", "signal", "1-b", lambda live, arm: same())


def pair(number: int, shadow: str = "mini", body: bytes = b"{}") -> Pair:
    """The pair of call `number`; three calls make a conversation."""
    call = Call(
        id=f"{number:032x}",
        arrived=NOON + number,
        method="POST",
        path="/v1/chat/completions",
        query="",
        headers=(),
        body=body,
        conversation=f"conversation-{number // 3}",
        tags=(("tenant", f"t{number % 4}"),),
    )
    role = Role.CONTROL if shadow == "control" else Role.CANDIDATE
    return Pair(call, shadow, role, _outcome(b"live"), _outcome(f"{shadow} {number}".encode()))


def _outcome(body: bytes) -> Outcome:
    return Outcome(Failure.NONE, "", 200, (), body, len(body), 0.0, 0.1, 0.2, 1, 0.0)


def assess(made: Pair, progress: Progress | None = None, /) -> Observation:
    """What the trivial checks say of a made pair: decided by the call's number and the shadow alone."""
    return observation(int(made.call.id, 16), made.shadow)


def observation(
    number: int,
    shadow: str = "mini",
    *,
    joints: tuple[str, str] | None = None,
    slices: tuple[str, ...] | None = None,
    conversation: str | None = None,
    kind: Kind = Kind.OK,
) -> Observation:
    """The observation of `pair(number, shadow)`, or one that differs as told."""
    dice = number * 7 + (3 if shadow == "control" else 0)
    holds, alike = joints or (
        ("pp", "pf", "pp", "fp", "ss", "px")[dice % 6],
        ("m", "d", "m", "x", "s")[dice % 5],
    )
    return Observation(
        call_id=f"{number:032x}",
        shadow=shadow,
        role=Role.CONTROL if shadow == "control" else Role.CANDIDATE,
        conversation=f"conversation-{number // 3}" if conversation is None else conversation,
        arrived=NOON + number,
        slices=slices if slices is not None else (f"hour={number % 2}", f"tenant=t{number % 4}"),
        live=facts(number),
        arm=facts(dice, kind),
        found=(
            Found(HOLDS, holds, ASSERTED[holds[0]](), ASSERTED[holds[1]]()),
            Found(ALIKE, alike, skipped(""), COMPARED[alike]()),
        ),
        preview=f"question {number}",
    )


def facts(number: int, kind: Kind = Kind.OK) -> ArmFacts:
    """Measures that depend on the number; some are unknown."""
    cost = NEVER if number % 5 == 0 else number * 1.1e-7
    timing = Timing(0.01 * (number % 50 + 1), 0.1 * (number % 20 + 1), 0.003)
    return ArmFacts(kind, 200, timing, Usage(input=100 + number, output=-1 if number % 4 == 0 else number), cost)


ASSERTED: dict[str, Callable[[], Finding]] = {
    "p": passed,
    "f": lambda: failed("no", paths=("/a", "/b")),
    "x": lambda: failed("no answer"),
    "s": lambda: skipped("does not apply"),
}
COMPARED: dict[str, Callable[[], Finding]] = {
    "m": same,
    "d": lambda: differ(0.5, "other", ("/items/*/price",)),
    "x": lambda: differ(1.0, "no answer"),
    "s": lambda: skipped("does not apply"),
}


def fields(made: Pair) -> dict[bytes, bytes]:
    """The stream fields as a consumer gets them."""
    return {name.encode(): value for name, value in wire.encode(made).items()}


def recorded(seen: Observation) -> Recorded:
    """The observation with the fields of its pair."""
    return Recorded(seen, fields(pair(int(seen.call_id, 16), seen.shadow)))


def random_bytes(size: int) -> bytes:
    """A body that does not compress."""
    return os.urandom(size)

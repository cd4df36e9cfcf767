"""The walk from a pair to an observation: letters, excuses, conditions, broken checks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from config import settings
from config.pair import NEVER, Call, Failure, Outcome, Pair, Role
from config.wire import from_json
from evaluators import checks
from evaluators.core import reading
from evaluators.core.finding import (
    MAX_DETAIL,
    MAX_PATHS,
    Check,
    DoorFailed,
    Finding,
    Result,
    Timing,
    broken,
    differ,
    failed,
    passed,
    same,
    skipped,
)
from evaluators.core.observation import Found, Observation
from evaluators.core.observing import PREVIEW, Abandoned, Progress, observe
from evaluators.core.reply import Kind, Reply, Request, Usage

CALL = Call("c1", 1000.0, "POST", "/v1/chat/completions", "", (), b"{}", "conv", ())
OUTCOME = Outcome(Failure.NONE, "", 200, (), b"good", 4, 0.1, 0.6, 2.1, 3, 0.25)
REQUEST = Request("openai-chat", model="asked", prompt="  Where is\nmy refund? ")


def outcome(text: str = "good", kind: Kind = Kind.OK, **more: Any) -> Outcome:
    """An outcome whose body is read back as this text and kind."""
    body = f"{kind}|{text}".encode()
    return replace(OUTCOME, **{"body": body, "received": len(body), **more})


def read(answer: Outcome, request: Request) -> Reply:
    """A reading that only splits."""
    kind, _, text = answer.body.decode().partition("|")
    model = "" if text == "nameless" else "said"
    return Reply(Kind(kind), text, model=model, usage=Usage(10, 20))


def price(model: str, usage: Usage) -> float:
    """Ten cents a letter."""
    return NEVER if not model else len(model) / 10


def assertion(label: str = "good", **more: Any) -> Check:
    """An assertion that wants the text «good»; other words make it skip, break or lie."""
    return check(label, lambda arm: verdict(arm.reply.text), **more)


def verdict(text: str) -> Finding:
    """What the check says about a text."""
    if text == "raise":
        raise RecursionError("too deep")
    said = {
        "good": passed(),
        "skip": skipped("not mine"),
        "broken": broken("no time"),
        "odd": same(),
        "far": passed("", 2),
    }
    return said.get(text, failed("not good", paths=("/a",)))


def comparison(label: str = "same", **more: Any) -> Check:
    """A comparison of the texts."""

    def run(live: Any, shadow: Any) -> Finding:
        if "raise" in (live.reply.text, shadow.reply.text):
            raise KeyError("secret")
        if "skip" in (live.reply.text, shadow.reply.text):
            return skipped("not mine")
        return same() if live.reply.text == shadow.reply.text else differ(0.5, "other", ("/a",))

    return check(label, run, comparison=True, **more)


def check(label: str, run: Any, comparison: bool = False, **more: Any) -> Check:
    """A check as the registry builds it."""
    return Check(label, label, comparison, "correctness", "signal", "1-0", run, **more)


def seen(live: Outcome, shadow: Outcome, *checks: Check, role: Role = Role.CANDIDATE) -> Observation:
    """What is observed of a pair with these outcomes."""
    return observe(
        Pair(CALL, "mini", role, live, shadow),
        checks,
        read_request=lambda call: REQUEST,
        read=read,
        slices_of=lambda call, request: ("topic=refund", "route=chat", "topic=refund"),
        price=price,
    )


def found(live: Outcome, shadow: Outcome, one: Check) -> Found:
    """What one check found."""
    return seen(live, shadow, one).found[0]


GOLDEN = Path(__file__).parents[3] / "config" / "examples" / "pair-1.json"
GOOD, BAD, SKIP, BROKEN = outcome(), outcome("bad"), outcome("skip"), outcome("broken")
LATE, BLANK, REFUSED = outcome(kind=Kind.TIMEOUT), outcome("", Kind.BLANK), outcome(kind=Kind.REFUSED_BY_PROVIDER)
LEFT = outcome(kind=Kind.CLIENT_LEFT, failure=Failure.CLIENT_LEFT)
CAPPED = outcome(kind=Kind.TRUNCATED, received=10_000)
CUT = outcome(kind=Kind.TRUNCATED, failure=Failure.TRUNCATED)
CUT_AND_CAPPED = replace(CAPPED, failure=Failure.TRUNCATED)
READ_TO_THE_END = outcome(failure=Failure.CLIENT_LEFT)


@pytest.mark.parametrize(
    ("live", "shadow", "asserted", "compared"),
    [
        pytest.param(GOOD, GOOD, "pp", "m", id="both well"),
        pytest.param(GOOD, BAD, "pf", "d", id="a regression"),
        pytest.param(BAD, GOOD, "fp", "d", id="a fix"),
        pytest.param(BAD, BAD, "ff", "m", id="both ill"),
        pytest.param(GOOD, LATE, "px", "x", id="no answer from the shadow"),
        pytest.param(GOOD, BLANK, "px", "x", id="a blank one"),
        pytest.param(GOOD, REFUSED, "px", "x", id="a refused one"),
        pytest.param(GOOD, CUT, "px", "x", id="a cut one"),
        pytest.param(GOOD, CUT_AND_CAPPED, "ss", "s", id="one that was stopped at the limit"),
        pytest.param(LATE, GOOD, "xp", "s", id="no answer from live"),
        pytest.param(LATE, BLANK, "xx", "s", id="no answer at all"),
        pytest.param(SKIP, GOOD, "sp", "s", id="skips live"),
        pytest.param(GOOD, SKIP, "ps", "s", id="skips the shadow"),
        pytest.param(BROKEN, BAD, "bf", "d", id="says that it is broken"),
        pytest.param(LEFT, GOOD, "ss", "s", id="the client left"),
        pytest.param(LEFT, LATE, "ss", "s", id="the client left, and the shadow failed"),
        pytest.param(GOOD, LEFT, "ss", "s", id="we stopped the shadow"),
        pytest.param(CAPPED, GOOD, "ss", "s", id="we kept too little of live"),
        pytest.param(GOOD, CAPPED, "ss", "s", id="we kept too little of the shadow"),
        pytest.param(READ_TO_THE_END, BAD, "pf", "d", id="the client left after the end"),
    ],
)
def test_letters(live: Outcome, shadow: Outcome, asserted: str, compared: str) -> None:
    """Two letters for an assertion, live first; one for a comparison."""
    assert found(live, shadow, assertion()).joint == asserted
    assert found(live, shadow, comparison()).joint == compared


@pytest.mark.parametrize("text", ["raise", "odd", "far"])
def test_a_check_that_fails_is_broken_and_nothing_more(text: str) -> None:
    """What a check raises, or says out of turn, is our fault: counted by name, without its content."""
    result = found(GOOD, outcome(text), assertion())
    assert result.joint == "pb"
    assert result.shadow.result is Result.BROKEN
    assert result.shadow.detail in {"RecursionError", "KeyError", "ValueError"}
    assert "secret" not in str(found(GOOD, outcome("raise"), comparison()))
    assert found(GOOD, outcome("raise"), comparison()).joint == "b"


def test_a_stop_of_the_process_is_not_a_broken_check() -> None:
    """KeyboardInterrupt and the like go on."""

    def stop(arm: Any) -> Finding:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        found(GOOD, GOOD, check("stop", stop))


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(None, id="nothing"),
        pytest.param(True, id="no finding"),
        pytest.param(passed("", float("nan")), id="no score"),
        pytest.param(passed("", "1"), id="a text as score"),  # type: ignore[arg-type]
        pytest.param(Finding("maybe"), id="no result"),  # type: ignore[arg-type]
        pytest.param(Finding(Result.PASS, 1.0, 7), id="a number as detail"),  # type: ignore[arg-type]
        pytest.param(Finding(Result.PASS, 1.0, "", (7,)), id="a number as path"),  # type: ignore[arg-type]
        pytest.param(Finding(Result.PASS, 1.0, "", 7), id="a number as paths"),  # type: ignore[arg-type]
    ],
)
def test_nonsense_is_broken(said: Any) -> None:
    """What could not be stored is no finding; the checks beside it stand."""
    live = seen(GOOD, GOOD, check("wrong", lambda arm: said), assertion()).found
    assert [one.joint for one in live] == ["bb", "pp"]


def test_what_is_stored_is_bounded() -> None:
    """However much a check says; its numbers become real ones."""
    long = Finding("pass", 1, "x" * 9999, ("y" * 9999,) * 99)  # type: ignore[arg-type]
    result = found(GOOD, GOOD, check("long", lambda arm: long)).shadow
    assert (type(result.result), type(result.score), len(result.detail)) == (Result, float, MAX_DETAIL)
    assert ({len(path) for path in result.paths}, len(result.paths)) == ({MAX_DETAIL}, MAX_PATHS)


def test_a_door_that_fails_breaks_the_check_in_its_own_words() -> None:
    """What came of the question is said as the door says it."""

    def ask(arm: Any) -> Finding:
        raise DoorFailed("the webhook did not answer within 5 s")

    assert found(GOOD, GOOD, check("ask", ask)).live == broken("the webhook did not answer within 5 s")


def test_a_check_that_exits_is_broken() -> None:
    """exit() is meant for the process of a script, not for ours."""

    def leave(arm: Any) -> Finding:
        raise SystemExit(0)

    assert found(GOOD, GOOD, check("leave", leave)).joint == "bb"


def test_progress_tells_which_check_runs() -> None:
    """Each check is a step under its name, and behind the last one the name is gone."""
    progress = Progress()
    steps: list[tuple[str, int]] = []

    def watched(arm: Any) -> Finding:
        steps.append((progress.running, progress.steps))
        return passed()

    walk(progress, check("one", watched), check("two", watched))
    assert steps == [("one", 1), ("one", 1), ("two", 2), ("two", 2)]
    assert repr(progress) == "<Progress between checks after 3 steps>"
    progress.running = "one"
    assert repr(progress) == "<Progress one after 3 steps>"


def test_a_check_that_is_left_out_is_broken_with_the_reason() -> None:
    """It is not run, but where nothing is to be checked it skips as ever."""
    progress = Progress({"stop": "took longer than 20 s"})

    def stop(arm: Any) -> Finding:
        raise KeyboardInterrupt

    left, other = walk(progress, check("stop", stop), assertion()).found
    assert (left.joint, left.live.detail, other.joint) == ("bb", "took longer than 20 s", "pp")
    assert left.check.version == "1-0"
    assert walk(progress, check("stop", stop, when={"topic": ("other",)})).found[0].joint == "ss"


def test_an_abandoned_walk_ends_before_the_next_check() -> None:
    """Whoever gave it up has asked for another."""
    progress = Progress()

    def abandon(arm: Any) -> Finding:
        progress.abandoned = True
        return passed()

    def never(arm: Any) -> Finding:
        raise KeyboardInterrupt

    with pytest.raises(Abandoned):
        walk(progress, check("first", abandon), check("second", never))


def walk(progress: Progress, *checks: Check) -> Observation:
    """What is observed of two good answers, by a walk that is watched."""
    return observe(
        Pair(CALL, "mini", Role.CANDIDATE, GOOD, GOOD),
        checks,
        read_request=lambda call: REQUEST,
        read=read,
        slices_of=lambda call, request: (),
        price=price,
        progress=progress,
    )


@pytest.mark.parametrize(
    ("when", "joint"),
    [
        pytest.param({}, "pf", id="always"),
        pytest.param({"topic": ("refund",)}, "pf", id="this value"),
        pytest.param({"topic": ("other", "refund")}, "pf", id="one of two values"),
        pytest.param({"topic": ("refund",), "route": ("chat",)}, "pf", id="both keys"),
        pytest.param({"topic": ("refund",), "route": ("embeddings",)}, "ss", id="only one of two keys"),
        pytest.param({"topic": ("ref",)}, "ss", id="the beginning of a value"),
        pytest.param({"language": ("en",)}, "ss", id="a key that is not known"),
    ],
)
def test_where_a_check_applies(when: dict[str, tuple[str, ...]], joint: str) -> None:
    """Every given slice must have one of its values; elsewhere the check skips, even where nobody answered."""
    assert found(GOOD, BAD, assertion(when=when)).joint == joint
    assert found(GOOD, BAD, comparison(when=when)).joint == ("d" if joint == "pf" else "s")
    assert found(LATE, LATE, assertion(when=when)).joint == ("xx" if joint == "pf" else "ss")


def test_no_answer_is_a_failure_with_its_kind() -> None:
    """The finding says how the arm failed; a comparison is as far apart as can be."""
    result = found(GOOD, LATE, assertion())
    assert (result.live.result, result.shadow) == (Result.PASS, failed("no answer: timeout"))
    result = found(GOOD, LATE, comparison())
    assert result.shadow == differ(1.0, "no answer: timeout")
    assert result.live.result is Result.SKIP
    assert found(LATE, GOOD, comparison()).shadow.detail == "live gave no answer: timeout"


def test_live_does_not_depend_on_the_shadow() -> None:
    """The same live outcome gives the same finding beside any shadow that can be judged."""
    assert len({str(found(BAD, shadow, assertion()).live) for shadow in (GOOD, BAD, LATE, SKIP, CUT)}) == 1


def test_the_facts_of_a_pair() -> None:
    """Identity, sorted slices, a preview, and what was measured of each arm."""
    whole = seen(GOOD, LATE, assertion(), comparison())
    assert (whole.call_id, whole.shadow, whole.role, whole.conversation) == ("c1", "mini", Role.CANDIDATE, "conv")
    assert whole.slices == ("route=chat", "topic=refund")
    assert whole.preview == "Where is my refund?"
    assert whole.arrived == 1000.0
    assert (whole.live.kind, whole.live.status, whole.live.usage) == (Kind.OK, 200, Usage(10, 20))
    assert whole.arm.kind is Kind.TIMEOUT
    assert [one.check.label for one in whole.found] == ["good", "same"]
    assert whole == seen(GOOD, LATE, *(one.check for one in whole.found))


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        pytest.param((0.1, 0.6, 2.1), Timing(0.5, 2.0, 0.25), id="complete"),
        pytest.param((0.1, NEVER, 2.1), Timing(NEVER, 2.0, 0.25), id="no first byte"),
        pytest.param((NEVER, NEVER, 2.1), Timing(NEVER, NEVER, 0.25), id="never sent"),
        pytest.param((0.6, 0.6, 0.5), Timing(0.0, 0.0, 0.25), id="rounding"),
    ],
)
def test_time_runs_from_sending(times: tuple[float, float, float], expected: Timing) -> None:
    """What happened before the request left is not the arm's; what did not come stays NEVER."""
    sent, first, last = times
    timing = seen(outcome(sent=sent, first_byte=first, last_byte=last), GOOD).live.timing
    assert timing.first_byte == pytest.approx(expected.first_byte)
    assert timing.total == pytest.approx(expected.total)
    assert timing.longest_gap == expected.longest_gap


@pytest.mark.parametrize(
    ("role", "live", "shadow"),
    [
        pytest.param(Role.CANDIDATE, 0.5, NEVER, id="a candidate may have been asked for another model"),
        pytest.param(Role.CONTROL, 0.5, 0.5, id="control is asked for the same"),
    ],
)
def test_a_nameless_answer_is_priced_by_the_request(role: Role, live: float, shadow: float) -> None:
    """Where the answer names no model, the model asked for counts, if it is known."""
    whole = seen(outcome("nameless"), outcome("nameless"), role=role)
    assert (whole.live.cost, whole.arm.cost) == (live, shadow)
    assert seen(GOOD, GOOD).arm.cost == 0.4


def test_a_long_prompt_is_previewed() -> None:
    """The preview is a line, however long the prompt is."""
    whole = observe(
        Pair(CALL, "mini", Role.CANDIDATE, GOOD, GOOD),
        (),
        read_request=lambda call: replace(REQUEST, prompt="word " * 100_000),
        read=read,
        slices_of=lambda call, request: (),
        price=price,
    )
    assert len(whole.preview) == PREVIEW
    assert (whole.slices, whole.found) == ((), ())


def test_the_golden_pair_is_observed() -> None:
    """The record both houses are tested against, with the real reading and the checks that run by default."""
    whole = observe(
        from_json(orjson.loads(GOLDEN.read_bytes())),
        checks.build([settings.Check(**each) for each in settings.DEFAULT_CHECKS]),
        read_request=reading.read_request,
        read=reading.read,
        slices_of=lambda call, request: (),
        price=price,
    )
    assert [one.joint for one in whole.found][:2] == ["pp", "pp"]
    assert not [one.check.label for one in whole.found if set(one.joint) & set("bx")]

"""Arms for the tests of checks: what a reply says, everything else plausible. Also made at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from config.settings import Check as Configured
from evaluators import checks
from evaluators.core.finding import CLOSED, Arm, Check, Doors, Finding, Timing
from evaluators.core.reply import Kind, Reply, Request, ToolCall

HOSTILE = {
    "a megabyte": "word " * 200_000,
    "a megabyte without space": "x" * 1_000_000,
    "a megabyte of brackets": "[" * 1_000_000,
    "a megabyte of braces": '{"a":' * 200_000,
    "a megabyte of bare braces": "{" * 1_000_000,
    "ten thousand levels": "[" * 10_000 + "]" * 10_000,
    "lone surrogates": '\ud800 {"a": "\udfff"} \udc00',
    "escaped surrogate": '{"a": "\\ud800"}',
    "not a number": '{"a": NaN, "b": -Infinity}',
    "a number too large": '{"a": 1e999}',
    "a number too long": '{"a": ' + "9" * 10_000 + "}",
    "nulls": "\x00" * 1_000,
    "blank lines": "\n" * 100_000,
    "full stops": ". " * 100_000,
    "one byte": "\x7f",
    "right to left": "שלום עולם. مرحبا بالعالم، كيف حالك؟ " * 100,
    "a number beyond 64 bits": '{"a": 18446744073709551617, "b": -9223372036854775809}',
    "ten thousand objects in one another": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "ten thousand elements in one another": "<a>" * 10_000 + "</a>" * 10_000,
    "a megabyte of tags without end": '<a "' * 250_000,
    "ten thousand brackets of SQL": "SELECT " + "(" * 10_000,
    "bait for patterns": "a" * 50 + "!",
}


def arm(
    text: str = "", *, request: Request | None = None, total: float = 1.5, cost: float = 0.002, **reply: Any
) -> Arm:
    """An arm that answered with this text, 0.2 s to the first byte."""
    given = {"kind": Kind.OK, "finish_reason": "stop", **reply}
    return Arm(request or Request("openai-chat"), Reply(text=text, **given), Timing(0.2, total, 0.1), cost)


BESIDE = Configured(type="contains", name="beside", value="a")
"""The assertion that max-score looks at."""


def check(type: str, value: Any = None, threshold: float | None = None, *, doors: Doors = CLOSED, **more: Any) -> Check:
    """One built check."""
    return checks.build([Configured(type=type, value=value, threshold=threshold, **more), BESIDE], doors)[0]


def judge(
    type: str, *arms: Arm, value: Any = None, threshold: float | None = None, doors: Doors = CLOSED, **more: Any
) -> Finding:
    """What a check says about one arm, or two."""
    run: Any = check(type, value, threshold, doors=doors, **more).run
    found: Finding = run(*arms)
    return found


TEXTS = st.one_of(
    st.text(),
    st.sampled_from(["", " ", "N/A", "I'm sorry, but I can't help with that.", '{"a": 1}', "[1, 2]", 'see {"a": 1}']),
)
CALLS = st.builds(
    ToolCall, st.sampled_from(["get_weather", "search"]), st.sampled_from(["{}", '{"city": "Oslo"}', "{"])
)
REPLIES = st.builds(
    Reply,
    kind=st.just(Kind.OK),
    text=TEXTS,
    refusal=st.sampled_from(["", "", "I will not."]),
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
    finish_reason=st.sampled_from(["", "stop", "length", "content_filter"]),
    vector=st.sampled_from([(), (), (0.1, 0.2)]),
)
SOME = st.floats(-1, 10)
ARMS = st.builds(
    Arm,
    st.builds(Request, st.just("openai-chat"), schema=st.sampled_from([{}, {"type": "object"}, {"type": "no"}])),
    REPLIES,
    st.builds(Timing, SOME, SOME, SOME),
    SOME,
)

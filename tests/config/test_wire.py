"""Encoding: one table serves both ways, and nothing but WireError ever comes out of a damaged record."""

import dataclasses
import json
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.pair import NEVER, Call, Failure, Outcome, Pair, Role
from config.wire import MAX_BODY, WireError, decode, encode, from_json, to_json

GOLDEN = json.loads((Path(__file__).parents[2] / "config" / "examples" / "pair-1.json").read_text(encoding="utf-8"))

CALL = Call("a" * 32, 1767225600.5, "POST", "/v1/x%2Fy", "api-version=1", (("a", "1"), ("a", "2")), b"{}", "c", ())
ANSWER = Outcome(Failure.NONE, "", 200, (("content-type", "text/plain"),), b"hello", 5, 0.1, 0.2, 0.3, 2, 0.05)
SILENCE = Outcome(Failure.TIMEOUT, "first byte", 0, (), b"", 0, 0.1, NEVER, 5.1, 0, 0.0)

PAIRS = [
    pytest.param(Pair(CALL, "mini", Role.CANDIDATE, ANSWER, ANSWER), id="two answers"),
    pytest.param(Pair(CALL, "control", Role.CONTROL, ANSWER, SILENCE), id="control that timed out"),
    pytest.param(
        Pair(CALL, "mini", Role.CANDIDATE, dataclasses.replace(ANSWER, received=9_000_000), ANSWER), id="capped"
    ),
    pytest.param(
        Pair(dataclasses.replace(CALL, tags=(("tenant", "é€𝄞"),)), "m", Role.CANDIDATE, ANSWER, ANSWER),
        id="unicode tag",
    ),
    pytest.param(
        Pair(dataclasses.replace(CALL, body=bytes(range(256)) * 40), "m", Role.CANDIDATE, SILENCE, SILENCE), id="bytes"
    ),
]


def fields(pair: Pair) -> dict[bytes, bytes]:
    """What Redis gives back for an encoded pair."""
    return {name.encode(): value for name, value in encode(pair).items()}


@pytest.mark.parametrize("pair", PAIRS)
def test_both_ways(pair: Pair) -> None:
    """What is encoded is decoded to the same pair: as stream fields, as plain values, as JSON text."""
    assert decode(fields(pair)) == pair
    assert from_json(to_json(pair)) == pair
    assert from_json(json.loads(json.dumps(to_json(pair)))) == pair


def test_golden_record() -> None:
    """The golden record reads as a pair in which every field is used, and is written back as it was."""
    pair = from_json(GOLDEN)
    assert json.loads(orjson.dumps(to_json(pair))) == GOLDEN
    assert decode(fields(pair)) == pair
    assert pair.live.body.endswith(b"data: [DONE]\n\n")
    assert json.loads(pair.outcome.body)["object"] == "chat.completion"


def test_identity_in_clear() -> None:
    """An unreadable record can be accounted for: its id and shadow stand beside the head."""
    encoded = encode(PAIRS[0].values[0])  # type: ignore[arg-type]
    assert (encoded["id"], encoded["shadow"]) == (b"a" * 32 + b":mini", b"mini")


def head(change: Callable[[dict[str, Any]], object]) -> dict[bytes, bytes]:
    """The first pair's fields with a changed head."""
    changed = fields(PAIRS[0].values[0])  # type: ignore[arg-type]
    content = orjson.loads(changed[b"head"])
    change(content)
    return changed | {b"head": orjson.dumps(content)}


def but(**changes: bytes | None) -> dict[bytes, bytes]:
    """The first pair's fields with some replaced or (None) taken away."""
    whole = fields(PAIRS[0].values[0])  # type: ignore[arg-type]
    whole |= {name.encode(): value for name, value in changes.items() if value is not None}
    return {name: value for name, value in whole.items() if changes.get(name.decode(), b"") is not None}


DAMAGE = [
    pytest.param({}, id="empty"),
    pytest.param(but(schema=None), id="no schema"),
    pytest.param(but(schema=b"2"), id="later schema"),
    pytest.param(but(schema=b"\xff"), id="schema is no text"),
    pytest.param(but(head=None), id="no head"),
    pytest.param(but(head=b"{"), id="head cut off"),
    pytest.param(but(head=b"[]"), id="head is a list"),
    pytest.param(but(head=b"7"), id="head is a number"),
    pytest.param(but(live=None), id="no live body"),
    pytest.param(but(live=b""), id="empty body field"),
    pytest.param(but(live=b"hello"), id="body not compressed"),
    pytest.param(but(live=zlib.compress(b"hello")[:-2]), id="body cut off"),
    pytest.param(but(live=zlib.compress(b"hello") + b"x"), id="bytes behind the body"),
    pytest.param(but(id=b"b:mini"), id="another id in clear"),
    pytest.param(but(shadow=b"other"), id="another shadow in clear"),
    pytest.param(head(lambda it: it.pop("call")), id="no call"),
    pytest.param(head(lambda it: it.update(call="x")), id="call is a text"),
    pytest.param(head(lambda it: it.update(role="judge")), id="unknown role"),
    pytest.param(head(lambda it: it.update(role=[])), id="role is a list"),
    pytest.param(head(lambda it: it.update(shadow=1)), id="shadow is a number"),
    pytest.param(head(lambda it: it["live"].update(failure="bored")), id="unknown failure"),
    pytest.param(head(lambda it: it["live"].update(status="200")), id="status is a text"),
    pytest.param(head(lambda it: it["live"].update(status=True)), id="status is true"),
    pytest.param(head(lambda it: it["live"].update(sent=None)), id="instant is null"),
    pytest.param(head(lambda it: it["live"].update(sent=False)), id="instant is false"),
    pytest.param(head(lambda it: it["call"].update(headers={"a": "b"})), id="headers are a table"),
    pytest.param(head(lambda it: it["call"].update(headers=["ab"])), id="header is a text of two letters"),
    pytest.param(head(lambda it: it["call"].update(headers=[["a"]])), id="header without a value"),
    pytest.param(head(lambda it: it["call"].update(headers=[["a", 1]])), id="header value is a number"),
]


@pytest.mark.parametrize("damaged", DAMAGE)
def test_damage(damaged: dict[bytes, bytes]) -> None:
    """Whatever is unknown or damaged is refused as such."""
    with pytest.raises(WireError):
        decode(damaged)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param([], id="a list"),
        pytest.param({}, id="nothing"),
        pytest.param(GOLDEN | {"schema": 2}, id="later schema"),
        pytest.param(GOLDEN | {"bodies": {}}, id="no bodies"),
        pytest.param(GOLDEN | {"bodies": GOLDEN["bodies"] | {"live": "?"}}, id="not base64"),
        pytest.param(GOLDEN | {"bodies": GOLDEN["bodies"] | {"live": 5}}, id="body is a number"),
        pytest.param(GOLDEN | {"call": GOLDEN["call"] | {"arrived": float("nan")}}, id="arrived at no time"),
        pytest.param(GOLDEN | {"call": GOLDEN["call"] | {"arrived": 10**400}}, id="arrived beyond numbers"),
        pytest.param(GOLDEN | {"role": None}, id="no role"),
    ],
)
def test_damaged_json(record: object) -> None:
    """The JSON form is as strict as the stream form."""
    with pytest.raises(WireError):
        from_json(record)


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param(dataclasses.replace(PAIRS[0].values[0], shadow="\udcff"), id="shadow"),  # type: ignore[type-var]
        pytest.param(
            Pair(dataclasses.replace(CALL, headers=(("a", "\udcff"),)), "m", Role.CANDIDATE, ANSWER, ANSWER),
            id="header",
        ),
    ],
)
def test_unwritable(pair: Pair) -> None:
    """A text that is no Unicode is refused when writing, not found out when reading."""
    with pytest.raises(WireError):
        encode(pair)


def test_bomb() -> None:
    """A small record that would inflate beyond the limit is refused before it does."""
    bomb = zlib.compress(bytes(MAX_BODY + 1), 9)
    assert len(bomb) < 100_000
    with pytest.raises(WireError, match="larger than 64 MiB"):
        decode(but(outcome=bomb))


def test_no_content_in_errors() -> None:
    """The text of an error holds nothing of the record's content."""
    with pytest.raises(WireError) as caught:
        decode(head(lambda it: it.update(role="the patient said")))
    assert "patient" not in str(caught.value)


def test_random_maps() -> None:
    """Ten thousand random or mutated field maps raise nothing but WireError."""
    dice = random.Random(7)
    good = fields(PAIRS[0].values[0])  # type: ignore[arg-type]
    for _ in range(10_000):
        candidate = dict(good)
        for name in dice.sample(sorted(candidate), dice.randint(1, 3)):
            value = bytearray(candidate[name])
            for _ in range(dice.randint(1, 4)):
                value[dice.randrange(len(value))] = dice.randrange(256)
            candidate[name] = bytes(value[: dice.randint(0, len(value))]) if dice.random() < 0.5 else bytes(value)
        if dice.random() < 0.2:
            candidate.pop(dice.choice(sorted(candidate)))
        try:
            decode(candidate)
        except WireError:
            continue


text = st.text(max_size=20)
headers = st.lists(st.tuples(text, text), max_size=3).map(tuple)
instant = st.floats(min_value=-1, max_value=1e6)
count = st.integers(0, 2**40)
outcomes = st.builds(
    Outcome,
    st.sampled_from(Failure),
    text,
    st.integers(0, 999),
    headers,
    st.binary(max_size=200),
    count,
    instant,
    instant,
    instant,
    count,
    instant,
)
calls = st.builds(Call, text, st.floats(0, 4e9), text, text, text, headers, st.binary(max_size=200), text, headers)
pairs = st.builds(Pair, calls, text, st.sampled_from(Role), outcomes, outcomes)


@settings(deadline=None, max_examples=150)
@given(pairs)
def test_any_pair(pair: Pair) -> None:
    """Every pair that can be built survives both forms."""
    assert decode(fields(pair)) == pair
    assert from_json(json.loads(orjson.dumps(to_json(pair)))) == pair

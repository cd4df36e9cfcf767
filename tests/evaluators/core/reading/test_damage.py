"""Reading survives: recorded answers damaged 20,000 times, and wrong types in every place."""

import json
import random

import pytest

from config.pair import Call
from evaluators.core.reading import read, read_request
from evaluators.core.reply import Kind, Request
from tests.evaluators.core.dialects import golden
from tests.evaluators.core.dialects.golden import outcome

JSON, STREAM, TEXT = "application/json", "text/event-stream", "text/plain"


def call(body, path, coding=""):
    return Call("0" * 32, 0.0, "POST", path, "", (("content-encoding", coding),), body, "c", ())


RECORDED = [(path.parent.name, path.suffix, path.read_bytes()) for path in sorted(golden.ROOT.glob("*/*.sse"))]
RECORDED += [
    (path.parent.name, path.suffix, path.read_bytes())
    for path in sorted(golden.ROOT.glob("*/*.json"))
    if not path.name.endswith(".expected.json")
]
VALUES = [b"null", b"-1", b"1e400", b"NaN", b'"\\ud800"', b"[]", b"{}", b"9" * 30, b"true", b'"x"', b"[[[[{}]]]]"]


def damaged(body, dice):
    """A recording with some bytes changed, a stretch cut out, or a JSON value exchanged for another."""
    for _ in range(dice.randrange(1, 5)):
        start = dice.randrange(len(body) + 1)
        match dice.randrange(3):
            case 0:
                body = body[:start] + dice.randbytes(2) + body[start + 2 :]
            case 1:
                body = body[:start] + body[start + dice.randrange(60) :]
            case _:
                colon = body.find(b":", start) + 1
                end = min((body.find(mark, colon) for mark in b",}\n" if mark in body[colon:]), default=len(body))
                body = body[:colon] + dice.choice(VALUES) + body[end:]
    return body


def fuzz(seed, rounds):
    """Damaged and foreign bodies, compressed or not, under any type, status and path: nothing raises."""
    dice = random.Random(seed)
    paths = ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/x")
    codings = ("", "", "", "", "gzip", "deflate", "br", "zstd", "gzip, br", "what")
    for _ in range(rounds):
        dialect, _, body = dice.choice(RECORDED)
        body = dice.randbytes(dice.randrange(80)) if dice.random() < 0.1 else damaged(body, dice)
        coding, status = dice.choice(codings), dice.choice((200, 200, 200, 400, 429, 500))
        answer = outcome(body, dice.choice((JSON, STREAM, TEXT, "")), status=status, coding=coding)
        reply = read(answer, Request(dice.choice((dialect, "plain")), stream=dice.random() < 0.5))
        assert all(text.encode() or True for text in (reply.text, reply.reasoning, reply.refusal, reply.model))
        assert isinstance(reply.kind, Kind)
        request = read_request(call(body, dice.choice(paths), coding))
        json.dumps(request.schema, allow_nan=False)
        request.prompt.encode()


def test_damage():
    """Whatever the bytes, reading says a kind and does not raise."""
    fuzz(1, 20_000)


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_more_damage():
    """The same, a million times."""
    fuzz(2, 1_000_000)


HOSTILE = [None, 0, -1, 1.5, True, "", "x", [], {}, [None], [[]], [{}], {"a": []}, 10**30, ["x", 3, {"type": []}]]


def test_wrong_types_everywhere():
    """Any value in any place of a request or an answer is survived."""
    for dialect, suffix, body in RECORDED:
        if suffix != ".json":
            continue
        whole = json.loads(body)
        for place, keys in [(whole, list(whole))] + [(value, list(value)) for value in _objects(whole)]:
            for key in keys:
                kept = place[key]
                for value in HOSTILE:
                    place[key] = value
                    data = json.dumps(whole).encode()
                    assert isinstance(read(outcome(data, JSON), Request(dialect)).kind, Kind)
                place[key] = kept


def test_wrong_types_in_requests():
    """The same for requests."""
    keys = ("messages", "input", "system", "instructions", "tools", "functions", "response_format", "text", "prompt")
    for path in ("/chat/completions", "/completions", "/responses", "/messages", "/embeddings", "/x"):
        for key in keys:
            for value in HOSTILE:
                body = json.dumps({key: value}).encode()
                assert read_request(call(body, path)).model == ""


def _objects(value):
    """Every object inside a JSON value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in inner:
        if isinstance(child, dict) and child:
            yield child
        yield from _objects(child)

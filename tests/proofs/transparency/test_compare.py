"""The comparison itself: what it must find, and what it must let pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.proofs.transparency.compare import KINDS, Seen, differences, passed
from tests.proofs.transparency.wire import Message

HEAD = [(b"Host", b"app.example"), (b"X-A", b"1"), (b"x-a", b"2"), (b"Content-Length", b"2")]
REQUEST = Message(b"POST /a? HTTP/1.1", HEAD, b"ab", "length")
ANSWER = Message(b"HTTP/1.1 200 OK", [(b"Set-Cookie", b"a"), (b"Set-Cookie", b"b")], b"cd", "chunked")
REFUSED = Message(b"HTTP/1.1 400 Bad Request", [(b"x-understudy-error", b"malformed")])
HINT = Message(b"HTTP/1.1 103 Early Hints", [(b"Link", b"</a>")])


def _fields(message: Message, *changes: tuple[bytes, bytes | None]) -> Message:
    """The message with fields replaced at their place, added at the end, or without them."""
    told = dict(changes)
    kept = [(name, told.get(name, value)) for name, value in message.fields]
    kept += [(name, value) for name, value in changes if name not in dict(message.fields)]
    return replace(message, fields=[(name, value) for name, value in kept if value is not None])


DIFFERENT = {
    "refused": Seen([], replace(ANSWER, start=b"HTTP/1.1 400 Bad Request")),
    "executions": Seen([REQUEST, REQUEST], ANSWER),
    "request line": Seen([replace(REQUEST, start=b"POST /a HTTP/1.1")], ANSWER),
    "request fields": Seen([replace(REQUEST, fields=[HEAD[0], HEAD[2], HEAD[1], HEAD[3]])], ANSWER),
    "request length": Seen([_fields(REQUEST, (b"Content-Length", None))], ANSWER),
    "request body": Seen([replace(REQUEST, body=b"aB")], ANSWER),
    "request trailers": Seen([replace(REQUEST, trailers=[(b"X", b"1")])], ANSWER),
    "status line": Seen([REQUEST], replace(ANSWER, start=b"HTTP/1.1 200 Ok")),
    "answer fields": Seen([REQUEST], replace(ANSWER, fields=ANSWER.fields[::-1])),
    "answer length": Seen([REQUEST], _fields(replace(ANSWER, framing="length"), (b"Content-Length", b"2"))),
    "answer body": Seen([REQUEST], replace(ANSWER, complete=False)),
    "answer trailers": Seen([REQUEST], replace(ANSWER, trailers=[(b"X", b"1")])),
    "interim answers": Seen([REQUEST], replace(ANSWER, interim=[HINT])),
}


@pytest.mark.parametrize("kind", KINDS)
def test_finds(kind: str) -> None:
    """Each kind of difference is found, and nothing else beside it."""
    direct = Seen([REQUEST], replace(ANSWER, framing="none") if kind == "answer length" else ANSWER)
    assert [one.what for one in differences(direct, DIFFERENT[kind])] == [kind]


@pytest.mark.parametrize(
    "through",
    [
        pytest.param(Seen([_fields(REQUEST, (b"Host", b"upstream.example"))], ANSWER), id="host"),
        pytest.param(Seen([_fields(REQUEST, (b"Connection", b"close"))], ANSWER), id="connection"),
        pytest.param(Seen([REQUEST], replace(ANSWER, framing="close")), id="framing"),
        pytest.param(Seen([REQUEST], _fields(ANSWER, (b"Content-Length", b"2"))), id="length for chunks"),
        pytest.param(Seen([REQUEST], replace(ANSWER, start=b"HTTP/1.0 200 OK")), id="version"),
        pytest.param(Seen([REQUEST], replace(ANSWER, interim=[Message(b"HTTP/1.1 100 Continue", [])])), id="100"),
    ],
)
def test_lets_pass(through: Seen) -> None:
    """What the tables allow is no difference."""
    assert differences(Seen([REQUEST], ANSWER), through) == []


def test_trailers_of_a_request_end_at_the_proxy() -> None:
    """Gone is what they must be."""
    direct = replace(REQUEST, trailers=[(b"X", b"1")])
    assert differences(Seen([direct], ANSWER), Seen([REQUEST], ANSWER)) == []


@pytest.mark.parametrize(
    ("through", "found"),
    [
        pytest.param(Seen([], REFUSED), 0, id="refused"),
        pytest.param(Seen([REQUEST], REFUSED), 1, id="refused, and passed on"),
        pytest.param(Seen([], replace(REFUSED, fields=[])), 1, id="refused by somebody else"),
        pytest.param(Seen([REQUEST], ANSWER), 1, id="passed on"),
        pytest.param(Seen([], "EOFError"), 1, id="hung up"),
    ],
)
def test_what_must_be_refused(through: Seen, found: int) -> None:
    """Only the proxy's own 400 is right, and only when nothing has reached the origin."""
    assert [one.what for one in passed(through)] == ["refused"] * found


def test_nominated_fields_end_at_the_proxy() -> None:
    """A field that Connection names may be gone behind the proxy."""
    direct = _fields(REQUEST, (b"Connection", b"X-A"))
    through = replace(REQUEST, fields=[HEAD[0], HEAD[3]])
    assert differences(Seen([direct], ANSWER), Seen([through], ANSWER)) == []

"""What may differ between a direct exchange and one through the proxy, in one table, and the finding of what does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from tests.proofs.transparency.wire import Message

DROPPED = "belongs to one connection (RFC 9110 §7.6.1)"
REPLACED = "names the upstream"
FRAMING = "framing is chosen anew (RFC 9112 §6)"
ANSWERED = "answered by the proxy"

REQUEST_FIELDS: Mapping[bytes, str] = {
    b"host": REPLACED,
    b"connection": DROPPED,
    b"keep-alive": DROPPED,
    b"proxy-connection": DROPPED,
    b"proxy-authenticate": DROPPED,
    b"proxy-authorization": DROPPED,
    b"trailer": DROPPED,
    b"upgrade": DROPPED,
    b"transfer-encoding": FRAMING,
    b"expect": ANSWERED,
}
"""Fields of a request that the origin may see otherwise, or not at all. A field that Connection names is one more, and
of TE only the member `trailers` crosses."""

ANSWER_FIELDS: Mapping[bytes, str] = {
    b"connection": DROPPED,
    b"keep-alive": DROPPED,
    b"proxy-connection": DROPPED,
    b"proxy-authenticate": DROPPED,
    b"proxy-authorization": DROPPED,
    b"trailer": DROPPED,
    b"upgrade": DROPPED,
    b"transfer-encoding": FRAMING,
}
"""Fields of an answer that the client may see otherwise, or not at all. Further: blanks around a value; interim answers
100, which are the proxy's own; what ends a body that had no Content-Length."""


KINDS = (
    "refused",
    "executions",
    "request line",
    "request fields",
    "request length",
    "request body",
    "request trailers",
    "status line",
    "answer fields",
    "answer length",
    "answer body",
    "answer trailers",
    "interim answers",
)
"""Where a difference can be. Refused: the proxy said no, or hung up, where the origin answers; or it let pass what it
must refuse. Trailers of a request end at the proxy (RFC 9110 §6.5.1): one that reaches the origin is the difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not the same and should be."""

    what: str
    direct: object
    through: object

    def __str__(self) -> str:
        return f"{self.what}: direct {_short(self.direct)}, through {_short(self.through)}"


@dataclass(frozen=True, slots=True)
class Seen:
    """Both ends of one exchange: what the origin received (each execution), what the client received."""

    received: list[Message]
    answer: Message | str  # the text says why there is none


def differences(direct: Seen, through: Seen) -> list[Difference]:
    """All differences that the tables do not allow."""
    one_answer, other_answer = direct.answer, through.answer
    if isinstance(one_answer, str) or isinstance(other_answer, str) or not through.received:
        return [Difference("refused", _line(one_answer), _line(other_answer))]
    one, other = direct.received[0], through.received[0]
    pairs = [
        ("executions", len(direct.received), len(through.received)),
        ("request line", one.start, other.start),
        ("request fields", _fields(one, REQUEST_FIELDS), _fields(other, REQUEST_FIELDS)),
        ("request length", _length(one, one), _length(one, other)),
        ("request body", _digest(one), _digest(other)),
        ("request trailers", [], other.trailers),
        ("status line", _status(one_answer), _status(other_answer)),
        ("answer fields", _fields(one_answer, ANSWER_FIELDS), _fields(other_answer, ANSWER_FIELDS)),
        ("answer length", _length(one_answer, one_answer), _length(one_answer, other_answer)),
        ("answer body", _digest(one_answer), _digest(other_answer)),
        ("answer trailers", one_answer.trailers, other_answer.trailers),
        ("interim answers", _interim(one_answer), _interim(other_answer)),
    ]
    return [Difference(what, a, b) for what, a, b in pairs if a != b]


def passed(through: Seen) -> list[Difference]:
    """For a request that the proxy must refuse: what there is of it but a 400 in the proxy's own name."""
    answer = through.answer
    refused = not isinstance(answer, str) and answer.status == 400 and answer.values(b"x-understudy-error")
    if refused and not through.received:
        return []
    return [Difference("refused", b"must be refused with 400", _line(answer))]


def _fields(message: Message, allowed: Mapping[bytes, str]) -> list[tuple[bytes, bytes]]:
    """In order: so same-name order, case and multiplicity are compared at once."""
    nominated = {one.strip().lower() for value in message.values(b"connection") for one in value.split(b",")}
    kept = []
    for name, value in message.fields:
        lower = name.lower()
        if lower == b"te":
            value = b"trailers" if b"trailers" in value.lower() else b""
        if lower not in allowed and lower not in nominated and lower != b"content-length":
            kept.append((name, value))
    return kept


def _length(direct: Message, message: Message) -> list[bytes]:
    """Content-Length stays where there was one, and away where there was no body; in place of chunks it may come."""
    return [] if direct.framing in ("chunked", "close") else message.values(b"content-length")


def _digest(message: Message) -> tuple[str, int, bool]:
    return hashlib.sha256(message.body).hexdigest()[:16], len(message.body), message.complete


def _status(answer: Message) -> tuple[bytes, ...]:
    return tuple(answer.start.split(b" ", 1)[1:])  # the version is each server's own


def _line(answer: Message | str) -> object:
    return answer if isinstance(answer, str) else answer.start


def _interim(answer: Message) -> list[object]:
    return [(one.start, one.fields) for one in answer.interim if one.status != 100]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 600 else f"{text[:590]}… ({len(text)})"

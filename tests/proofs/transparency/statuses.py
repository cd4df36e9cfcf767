"""Every status, with the bodies and the fields that clients read when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from tests.proofs.transparency.cases import Case, Reply
from tests.proofs.transparency.wire import lines

BODIES = (
    ((b"Content-Type", b"application/json"), b'{"error":{"message":"no","type":"t","code":null}}'),
    ((b"Content-Type", b"text/plain; charset=utf-8"), b"upstream says no\n"),
    ((b"Content-Type", b"application/json"), b""),
)
FIELDS = (
    ((b"Retry-After", b"7"), (b"retry-after-ms", b"6500"), (b"x-should-retry", b"true")),
    (
        (b"x-ratelimit-limit-requests", b"60"),
        (b"x-ratelimit-remaining-tokens", b"0"),
        (b"x-ratelimit-reset-tokens", b"6m0s"),
        (b"anthropic-ratelimit-requests-remaining", b"0"),
    ),
    ((b"x-request-id", b"req_1"), (b"request-id", b"req_2"), (b"X-Request-ID", b"req_3")),
)
_REASONS = {one.value: one.phrase.encode() for one in HTTPStatus}


def final(every: int = 1) -> Iterator[Case]:
    """200 to 599, each with each body and each group of fields; `every` takes each so manieth combination."""
    combinations = [(status, body, group) for status in range(200, 600) for body in range(3) for group in range(3)]
    for status, body, group in combinations[::every]:
        kind, text = BODIES[body]
        framing = "none" if status in (204, 304) else "length"
        reply = Reply(status, _REASONS.get(status, b""), (*FIELDS[group], kind), text, framing)
        yield Case(
            b"status-%d-%d-%d" % (status, body, group), b"POST", b"/v1/responses", (), b"{}", "length", answer=reply
        )


def interim() -> Iterator[Case]:
    """102 to 199 before a 200, each with each group of fields; 100 is the proxy's own, and 101 nobody asked for."""
    for status in range(102, 200):
        for group in range(3):
            early = b"HTTP/1.1 %d Early\r\n%b\r\n" % (status, lines(FIELDS[group]))
            key = b"interim-%d-%d" % (status, group)
            yield Case(key, b"POST", b"/v1/responses", (), b"{}", "length", answer=Reply(interim=(early,)))

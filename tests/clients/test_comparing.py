"""The instrument of this folder: it sees what differs, and does not see what two calls may differ in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.comparing import first_difference, received, told
from tests.clients.matrix.table import SAME, Verdict, judge, table
from tests.clients.provider import Received

POST = Received("POST", "/v1/files?a=1", (("Host", "a:1"), ("X-A", "1"), ("x-b", "2")), b"{}")


@pytest.mark.parametrize(
    ("direct", "proxied", "where"),
    [
        ({"a": [1, 2]}, {"a": [1, 2]}, ""),
        ({"a": [1, 2]}, {"a": [1, 3]}, "$.a[1]: 2 directly, 3 through the proxy"),
        ({"a": [1]}, {"a": [1, 2]}, "$.a[1]: nothing directly, 2 through the proxy"),
        ({"a": None}, {}, "$.a: None directly, nothing through the proxy"),
        ({}, {"b": None}, "$.b: nothing directly, None through the proxy"),
        (1, 1.0, "$: 1 directly, 1.0 through the proxy"),
        (True, 1, "$: True directly, 1 through the proxy"),
        ([{"b": "x"}], [{"b": "y"}], "$[0].b: 'x' directly, 'y' through the proxy"),
    ],
)
def test_first_difference(direct: Any, proxied: Any, where: str) -> None:
    """The first place is named, with both values; equal means equal in type too."""
    assert first_difference(direct, proxied) == where


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Received("POST", "/v1/files?a=1", (("x-b", "2"), ("Host", "b:2"), ("X-A", "1")), b"{}"), True),
        (Received("PUT", "/v1/files?a=1", POST.headers, b"{}"), False),
        (Received("POST", "/v1/files", POST.headers, b"{}"), False),
        (Received("POST", "/v1/files?a=1", (*POST.headers, ("X-A", "1")), b"{}"), False),
        (Received("POST", "/v1/files?a=1", (("Host", "a:1"), ("x-a", "1"), ("x-b", "2")), b"{}"), False),
        (Received("POST", "/v1/files?a=1", POST.headers, b"{} "), False),
    ],
    ids=["order and Host", "method", "query", "a field twice", "case of a name", "a byte more"],
)
def test_received(other: Received, same: bool) -> None:
    """Everything that a provider gets counts, but for Host and the order of fields."""
    assert (received([POST]) == received([other])) is same


def test_lots_are_left_out() -> None:
    """A boundary and an id that a client draws anew for each call are no difference; the content between them is."""

    def form(drawn: str, content: str) -> list[dict[str, Any]]:
        body = f"--{drawn}\r\n\r\n{content}\r\n--{drawn}--".encode()
        return received([Received("POST", "/", (("content-type", f"multipart/form-data; boundary={drawn}"),), body)])

    assert form("abc", "x") == form("xyz", "x")
    assert form("abc", "x") != form("abc", "y")
    assert (
        told("http://a/direct/c run-01234567-89ab-cdef-0123-456789abcdef", "http://a/direct/c") == "<base> run-<uuid>"
    )


def test_large_bodies_are_compared_by_digest() -> None:
    """One byte in a million is a difference that fits into a line."""
    plain, spoiled = (received([Received("POST", "/", (), b"a" * 1_000_000 + last)]) for last in (b"a", b"b"))
    assert 0 < len(first_difference(plain, spoiled)) < 400


def line(door: str, **more: Any) -> dict[str, Any]:
    """What a player says of one case at one door."""
    said = {"case": "openai-chat", "name": "chat", "door": door, "due": "well", "end": "well", "base": door, "seen": 1}
    return said | more


BOTH = {("direct", "openai-chat"): [POST], ("proxied", "openai-chat"): [POST]}


@pytest.mark.parametrize(
    ("lines", "calls", "words"),
    [
        ([line("direct"), line("proxied")], BOTH, SAME),
        ([line("direct"), line("proxied", seen=2)], BOTH, "$.seen: 1 directly, 2 through the proxy"),
        ([line("direct"), line("proxied", end="badly")], BOTH, "$.end: 'well' directly, 'badly' through the proxy"),
        ([line("direct", end="badly"), line("proxied", end="badly")], BOTH, "should end well and directly ends badly"),
        ([line("direct"), line("proxied")], {}, "the provider got no request"),
        ([line("direct"), line("proxied")], {**BOTH, ("proxied", "openai-chat"): [POST, POST]}, "$.received[1]"),
        ([line("direct")], BOTH, "it was never played through the proxy"),
    ],
    ids=["same", "another object", "another end", "both fail", "no request", "one request more", "one door only"],
)
def test_judge(lines: list[dict[str, Any]], calls: dict[tuple[str, str], list[Received]], words: str) -> None:
    """A case is the same only when it ended as it should, reached the provider, and shows no difference."""
    (verdict,) = judge("openai", lines, calls)
    assert words in verdict.words
    assert (verdict.mark == "same") == (words == SAME)


def test_table() -> None:
    """What differs is marked, told and counted."""
    shown = table([Verdict("a", "chat", SAME), Verdict("b", "files", "$.x")], {"a": "1.0", "b": "2.0"})
    assert "| chat  | same  | ·       |" in shown
    assert "| files | ·     | DIFFERS |" in shown
    assert shown.endswith("b, files: $.x\nN = 2 cases of 2 clients, each at both doors; 1 differ")

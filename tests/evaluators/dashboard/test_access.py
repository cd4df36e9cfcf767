"""Who may look."""

from __future__ import annotations

import pytest
from aiohttp import web

from evaluators.dashboard.access import Access, Unprotected, is_loopback, named_here, same_origin


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:
    """Only this machine's own names."""
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1:8081", True), ("localhost", True), ("[::1]:8081", True), ("evil.example", False), ("[", False)],
)
def test_named_here(host: str, expected: bool) -> None:
    """The Host header decides, not the address."""
    assert named_here(host) is expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [("", True), ("http://a:1", True), ("http://b:1", False), ("null", False), ("http://[", False)],
)
def test_same_origin(origin: str, expected: bool) -> None:
    """A program has no Origin, a page has its own."""
    assert same_origin(origin, "a:1") is expected


@pytest.mark.parametrize(
    ("authorization", "cookie", "expected"),
    [
        ("", "", False),
        ("Bearer secret", "", True),
        ("bearer secret", "", True),
        ("Basic secret", "", False),
        ("Bearer ", "", False),
        ("", "secret", False),
        ("", Access("secret").ticket, True),
        ("", Access("other").ticket, False),
        ("Bearer wröng", "crümb", False),
    ],
)
def test_allows(authorization: str, cookie: str, expected: bool) -> None:
    """The token itself, or the ticket made from it; whatever the host is called."""
    assert Access("secret").allows("evil.example", authorization, cookie) is expected


@pytest.mark.parametrize(("host", "expected"), [("localhost:1", True), ("evil.example", False)])
def test_without_a_token(host: str, expected: bool) -> None:
    """This machine's own names, and no others."""
    assert Access("").allows(host, "Bearer ", "") is expected


def test_wrong_tokens_age() -> None:
    """A minute later one may try again."""
    access = Access("secret")
    assert not any(access.tries("guess", float(second)) for second in range(10))
    with pytest.raises(web.HTTPTooManyRequests):
        access.tries("secret", 10.0)
    assert access.tries("secret", 60.5)


def test_may_serve() -> None:
    """An open dashboard stays on this machine."""
    Access("").may_serve("127.0.0.1")
    Access("secret").may_serve("0.0.0.0")
    with pytest.raises(Unprotected):
        Access("").may_serve("0.0.0.0")


def test_repr_keeps_the_secret() -> None:
    """What is printed does not hold the token."""
    assert repr(Access("secret")) == "<Access with a token>"
    assert repr(Access("")) == "<Access from this machine only>"

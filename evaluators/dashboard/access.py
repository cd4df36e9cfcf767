"""Who may look: a token by header or cookie, or nobody but this machine. Used by serve for every request.

Without a token the dashboard answers on loopback only, and only to requests that name this machine: a foreign name
that resolves to 127.0.0.1 would let any web page read prompts (DNS rebinding).
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from ipaddress import ip_address

from aiohttp import web
from yarl import URL

COOKIE = "understudy"

MOST_FAILURES = 10
FAILURE_SECONDS = 60.0
"""More wrong tokens than this in this time and nobody may try for a while; a guesser gets 14,400 tries a day."""


class Unprotected(ValueError):
    """The dashboard would be readable by anyone who can reach it; the text names the remedy."""


class Access:
    """Decides about one request at a time; `token` "" means that only this machine may look."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()
        self._failures: deque[float] = deque(maxlen=MOST_FAILURES)

    def __repr__(self) -> str:
        return f"<Access {'with a token' if self._token else 'from this machine only'}>"

    @property
    def open(self) -> bool:
        """True when no token is configured."""
        return not self._token

    @property
    def ticket(self) -> str:
        """What a logged-in browser keeps: derived from the token, so that the token itself is not stored."""
        return hmac.new(self._token, b"understudy dashboard", hashlib.sha256).hexdigest()

    def may_serve(self, host: str) -> None:
        """Raise Unprotected when this address needs a token and there is none."""
        if self.open and not is_loopback(host):
            remedy = "set dashboard.token, or listen on 127.0.0.1"
            raise Unprotected(f"dashboard.listen: {host} can be reached from other machines; {remedy}")

    def allows(self, host: str, authorization: str, cookie: str) -> bool:
        """True when a request with these headers (and our cookie) may see the report; "" where there is none."""
        if self.open:
            return named_here(host)
        scheme, _, given = authorization.partition(" ")
        bearer = scheme.lower() == "bearer" and self.knows(given)
        return bearer or hmac.compare_digest(cookie.encode(), self.ticket.encode())

    def knows(self, given: str) -> bool:
        """Compare a token in constant time."""
        return hmac.compare_digest(given.strip().encode(), self._token)

    def tries(self, given: str, now: float) -> bool:
        """A login attempt at the monotonic instant `now`; raises HTTPTooManyRequests after too many wrong ones."""
        recent = [failure for failure in self._failures if now - failure < FAILURE_SECONDS]
        if len(recent) >= MOST_FAILURES:
            raise web.HTTPTooManyRequests(text="Too many wrong tokens. Wait a minute.")
        right = self.knows(given)
        if not right:
            self._failures.append(now)
        return right


def named_here(host: str) -> bool:
    """True when a Host header names this machine."""
    try:
        return is_loopback(URL(f"http://{host}").host or "")
    except ValueError:
        return False


def same_origin(origin: str, host: str) -> bool:
    """False when a browser's Origin header says that another site sent a request; programs send none, ""."""
    if not origin:
        return True
    try:
        return URL(origin).authority == host
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """True for localhost and the loopback addresses of both families."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

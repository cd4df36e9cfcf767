"""What crosses to whom: header lists, target and query, for live, client and records (for shadows: address).

Live and client get everything but what belongs to one connection (RFC 9110 §7.6.1); records get only what is listed
here. Bytes are read as latin-1, which loses nothing. Used by handler, mirror and plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import unquote_plus, urlsplit

from config.pair import Fields

HeaderPairs = Sequence[tuple[bytes, bytes]]

SHADOW_MARK = "x-understudy-shadow"
"""Added to every copy, so that bills, dashboards and our own loop guard can tell it apart."""

CREDENTIALS = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")
"""The headers in which the providers' SDKs send their key."""

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_ANSWERED_HERE = frozenset({b"expect"})
"""The server in front has already said 100 Continue; asking upstream again could only stall (nginx drops it too)."""

_DECIDING = frozenset({b"connection", b"transfer-encoding"})
"""Hop-by-hop fields that other fields depend on."""

_NEVER_TRAILERS = _HOP_BY_HOP | frozenset(
    b"age authorization cache-control cookie date expect expires host location max-forwards pragma range retry-after "
    b"set-cookie vary warning www-authenticate".split()
)
_NEVER_TRAILING = (b"content-", b"if-", b"proxy-", b"x-understudy-")
"""Framing, routing, request modifiers, authentication, response control and content may not come last."""

_NOTABLE = _HOP_BY_HOP | _ANSWERED_HERE | {b"host"}
_NOTABLE_WITH_KEY = _NOTABLE | frozenset(CREDENTIALS)
"""What does not go to live as it is."""

_RECORDED = frozenset({b"content-type", b"content-encoding", b"retry-after", b"request-id"})
"""Always recorded: how to read the body, what a 429 asked for, and Anthropic's id for questions to the provider.
OpenAI's `x-request-id` is in the default of `capture.headers`, where rate-limit fields can be added as well."""

_NEVER_RECORDED = frozenset({*CREDENTIALS, b"cookie", b"set-cookie", b"proxy-authorization", b"sec-websocket-protocol"})

_RECORDED_PARAMETERS = frozenset({"api-version", "alt", "beta", "model"})
_PLAIN_VALUE = re.compile(r"[A-Za-z0-9._:,/@+%-]{0,200}")
_SECRET_ENDINGS = ("key", "token", "secret", "signature", "password", "credential", "credentials", "authorization")
_SECRET_PARAMETERS = frozenset({"auth", "code", "jwt", "pass", "passwd", "pwd", "session", "sig"})


def to_live(headers: HeaderPairs, *, host: bytes, api_key: str) -> list[tuple[bytes, bytes]]:
    """The client's headers for the live upstream: order, case and repetitions kept, Host replaced.

    With an api_key, the client's credentials give way to it, in the first place and style they had.
    """
    notable = _NOTABLE_WITH_KEY if api_key else _NOTABLE
    kept: list[tuple[bytes, bytes]] = []
    hosts = credentials = False
    for pair in headers:
        lower = pair[0].lower()
        if lower not in notable:
            kept.append(pair)
        elif lower == b"host" and not hosts:
            kept.append((pair[0], host))
            hosts = True
        elif lower in CREDENTIALS and not credentials:
            kept.append((pair[0], credential(lower, api_key.encode())))
            credentials = True
        elif lower == b"te":
            kept += _trailers_only(pair)
        elif lower in _DECIDING and (pair[1] != b"keep-alive" or lower != b"connection"):
            return to_live(_without_nominated(headers), host=host, api_key=api_key)
        # a notable field that is none of these goes no further
    if not hosts:
        kept.insert(0, (b"Host", host))
    if api_key and not credentials:
        kept.append((b"Authorization", credential(b"authorization", api_key.encode())))
    return kept


def to_client(headers: HeaderPairs) -> list[tuple[bytes, bytes]]:
    """The upstream's headers for the client; Content-Length and Content-Encoding stay, for the body is not touched."""
    kept: list[tuple[bytes, bytes]] = []
    for pair in headers:
        lower = pair[0].lower()
        if lower not in _HOP_BY_HOP:
            kept.append(pair)
        elif lower == b"te":
            kept += _trailers_only(pair)
        elif lower in _DECIDING and (pair[1] != b"keep-alive" or lower != b"connection"):
            return to_client(_without_nominated(headers))
    return kept


def credential(style: bytes, key: bytes) -> bytes:
    """What a key looks like in the header called `style`."""
    return b"Bearer " + key if style.lower() == b"authorization" else key


def trailers_to_client(trailers: HeaderPairs) -> list[tuple[bytes, bytes]]:
    """The upstream's trailers for the client: none that would mean something else in a head (RFC 9110 §6.5.1)."""
    return [
        pair
        for pair in trailers
        if (lower := pair[0].lower()) not in _NEVER_TRAILERS and not lower.startswith(_NEVER_TRAILING)
    ]


def recorder(allowed: Iterable[str]) -> Callable[[HeaderPairs], Fields]:
    """The headers of a Call or Outcome: the allowed and the always recorded; credentials never, even when allowed."""
    wanted = _RECORDED.union(name.lower().encode() for name in allowed) - _NEVER_RECORDED
    names = {name: name.decode("latin-1") for name in wanted}

    def recorded(headers: HeaderPairs) -> Fields:
        return tuple(
            [(names[lower], value.decode("latin-1")) for name, value in headers if (lower := name.lower()) in names]
        )

    return recorded


def record(headers: HeaderPairs, allowed: Iterable[str]) -> Fields:
    """`recorder` for a single use."""
    return recorder(allowed)(headers)


def credentials_query(query: str) -> str:
    """The query of a Call: only parameters known to hold no credential, each as it was written."""
    kept = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name in _RECORDED_PARAMETERS and _PLAIN_VALUE.fullmatch(value):
            kept.append(part)
    return "&".join(kept)


def without_credentials(query: str) -> str:
    """The query for a shadow that must not see the client's credentials; everything else byte for byte."""
    first, *rest = re.split("([&;])", query)  # some servers split at ";" too
    parts = [("", first), *zip(rest[::2], rest[1::2], strict=True)]
    kept = "".join(separator + part for separator, part in parts if not _is_secret(part.partition("=")[0]))
    return kept[1:] if _is_secret(first.partition("=")[0]) else kept


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a request target, untouched; of an absolute-form target only these, never its authority."""
    if not target.startswith("/"):
        _, _, rest = target.partition("://")
        cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        target = rest[cut:] if rest[cut : cut + 1] == "/" else f"/{rest[cut:]}"
    path, _, query = target.partition("?")
    return path, query


def same_origin(one: str, other: str) -> bool:
    """Whether two base URLs share scheme, host and port (RFC 6454 §4), and so may see the same credentials."""
    return _origin(one) == _origin(other)


def _without_nominated(headers: HeaderPairs) -> list[tuple[bytes, bytes]]:
    """Neither what Connection names nor the fields that decide it, so that another look finds nothing to decide."""
    nominated = set(_DECIDING)
    for name, value in headers:
        lower = name.lower()
        if lower == b"connection":
            nominated.update(option.strip().lower() for option in value.split(b","))
        elif lower == b"transfer-encoding":  # chunks were read: a length beside them is untrue (RFC 9112 §6.3)
            nominated.add(b"content-length")
    return [pair for pair in headers if (lower := pair[0].lower()) not in nominated or lower == b"te"]


def _trailers_only(te: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    asks = any(member.strip().lower() == b"trailers" for member in te[1].split(b","))
    return [(te[0], b"trailers")] if asks else []


def _is_secret(name: str) -> bool:
    plain = unquote_plus(name).strip().lower()
    return plain in _SECRET_PARAMETERS or plain.endswith(_SECRET_ENDINGS)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return (
        parts.scheme,
        (parts.hostname or "").rstrip("."),
        parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0),
    )

"""What crosses to whom."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.core.headers import (
    CREDENTIALS,
    credentials_query,
    record,
    recorder,
    same_origin,
    split_target,
    to_client,
    to_live,
    trailers_to_client,
    without_credentials,
)

Pairs = list[tuple[bytes, bytes]]

HOP_BY_HOP: Pairs = [
    (b"Connection", b"close, X-Mine"),
    (b"x-mine", b"1"),
    (b"Keep-Alive", b"timeout=5"),
    (b"Proxy-Connection", b"keep-alive"),
    (b"Proxy-Authenticate", b"Basic"),
    (b"Proxy-Authorization", b"Basic secret"),
    (b"TE", b"gzip"),
    (b"Trailer", b"X-Sum"),
    (b"Transfer-Encoding", b"chunked"),
    (b"Upgrade", b"h2c"),
]

CLIENT: Pairs = [
    (b"Host", b"proxy:8080"),
    (b"ACCEPT", b"*/*"),
    (b"X-Twice", b"1"),
    (b"Cookie", b"a=b"),
    (b"x-twice", b"2"),
    (b"authorization", b"Bearer client"),
    (b"OpenAI-Project", b"p1"),
    (b"Content-Type", b"application/json"),
]


def test_live_gets_everything_but_the_hops() -> None:
    """Order, case and repetitions stay; the host is the upstream's, in the place of the client's."""
    assert to_live([*HOP_BY_HOP, *CLIENT], host=b"api.example", api_key="") == [
        (b"Host", b"api.example"),
        *CLIENT[1:],
    ]


def test_a_missing_host_is_added() -> None:
    """HTTP/1.0 clients may leave it out; upstream gets it, first."""
    assert to_live([(b"A", b"1")], host=b"h", api_key="") == [(b"Host", b"h"), (b"A", b"1")]
    assert to_live([(b"A", b"1"), (b"host", b"x"), (b"host", b"y")], host=b"h", api_key="") == [
        (b"A", b"1"),
        (b"host", b"h"),
    ]


def test_trailers_may_be_asked_for_and_expect_is_answered_here() -> None:
    """Of TE only `trailers` passes; Expect does not, for our server has said 100 Continue."""
    headers = [(b"Connection", b"TE"), (b"Te", b"gzip;q=0.5, Trailers"), (b"Expect", b"100-continue")]
    assert to_live(headers, host=b"h", api_key="") == [(b"Host", b"h"), (b"Te", b"trailers")]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        pytest.param([], [(b"Authorization", b"Bearer ours")], id="none"),
        pytest.param([(b"authorization", b"Bearer x")], [(b"authorization", b"Bearer ours")], id="bearer"),
        pytest.param([(b"X-Api-Key", b"x")], [(b"X-Api-Key", b"ours")], id="anthropic"),
        pytest.param([(b"api-key", b"x")], [(b"api-key", b"ours")], id="azure"),
        pytest.param([(b"x-goog-api-key", b"x")], [(b"x-goog-api-key", b"ours")], id="google"),
        pytest.param(
            [(b"x-api-key", b"x"), (b"Authorization", b"Bearer y")], [(b"x-api-key", b"ours")], id="two-styles"
        ),
    ],
)
def test_an_injected_key_takes_the_place_of_the_clients(sent: Pairs, expected: Pairs) -> None:
    """In the same style; nothing of the client's key is left."""
    assert to_live([(b"Host", b"p"), *sent], host=b"h", api_key="ours")[1:] == expected


def test_the_client_gets_everything_but_the_hops() -> None:
    """Length and coding stay, for the body is not touched; repeated cookies stay repeated."""
    answer = [
        (b"Content-Length", b"5"),
        (b"Content-Encoding", b"gzip"),
        (b"Set-Cookie", b"a"),
        (b"Set-Cookie", b"b"),
    ]
    hops = [pair for pair in HOP_BY_HOP if pair[0] != b"Transfer-Encoding"]
    assert to_client([*hops, *answer]) == answer


def test_a_length_beside_chunks_does_not_reach_the_client() -> None:
    """Chunks win over a length (RFC 9112 §6.3), so the length is not passed on."""
    assert to_client([(b"Content-Length", b"5"), (b"Transfer-Encoding", b"chunked"), (b"A", b"1")]) == [(b"A", b"1")]


def test_trailers_hold_nothing_of_a_head() -> None:
    """Framing, routing, credentials, content and control fields do not come last (RFC 9110 §6.5.1)."""
    harmless = [(b"X-Sum", b"1"), (b"grpc-status", b"0"), (b"Server-Timing", b"a"), (b"x-sum", b"2")]
    names = (
        b"Content-Length Transfer-Encoding Trailer Host Authorization Cookie Set-Cookie WWW-Authenticate TE Connection "
        b"Proxy-Authenticate Content-Type Content-Encoding Content-Range Cache-Control Expect Location Retry-After "
        b"Vary If-Match Range Max-Forwards Date Age Expires Upgrade Keep-Alive X-Understudy-Error"
    ).split()
    assert trailers_to_client([*((name, b"1") for name in names), *harmless]) == harmless
    assert trailers_to_client([(name.lower(), b"1") for name in names]) == []


def test_records_hold_what_is_listed_in_lower_case() -> None:
    """Allowed and always recorded fields, in order; credentials not even when they are listed."""
    headers = [
        (b"X-Request-ID", b"r1"),
        (b"Content-Type", b"text/plain; charset=caf\xe9"),
        (b"X-Other", b"no"),
        *((name.upper(), b"secret") for name in CREDENTIALS),
        (b"Cookie", b"secret"),
        (b"Set-Cookie", b"secret"),
        (b"Proxy-Authorization", b"secret"),
        (b"Sec-WebSocket-Protocol", b"openai-insecure-api-key.secret"),
        (b"Retry-After", b"5"),
    ]
    everything = ["x-request-ID", *(name.decode().title() for name, _ in headers if name != b"X-Other")]
    assert record(headers, everything) == (
        ("x-request-id", "r1"),
        ("content-type", "text/plain; charset=caf\xe9"),
        ("retry-after", "5"),
    )
    kept = recorder(everything)
    assert kept(headers) == kept(headers) == record(headers, everything)
    assert record(headers, []) == (("content-type", "text/plain; charset=caf\xe9"), ("retry-after", "5"))


@pytest.mark.parametrize(
    ("query", "recorded", "stranger"),
    [
        pytest.param("", "", "", id="empty"),
        pytest.param("api-version=2026-01-01", "api-version=2026-01-01", "api-version=2026-01-01", id="azure"),
        pytest.param("alt=sse&key=k", "alt=sse", "alt=sse", id="google"),
        pytest.param("key=k&alt=sse&&x=%2f+", "alt=sse", "alt=sse&&x=%2f+", id="first-goes-bytes-stay"),
        pytest.param("key=k", "", "", id="only-a-key"),
        pytest.param("&a=1;Api_Key=k;b=2", "", "&a=1;b=2", id="semicolons"),
        pytest.param("%6Bey=k&access%5Ftoken=t&x=1", "", "x=1", id="percent-encoded-names"),
        pytest.param("X-Amz-Signature=s&X-Amz-Credential=c&sig=s", "", "", id="signed"),
        pytest.param("a&token&beta=true", "beta=true", "a&beta=true", id="no-value"),
        pytest.param("model=a;key=b", "", "model=a", id="hidden-behind-a-semicolon"),
        pytest.param("keyboard=1&tokens=2", "", "keyboard=1&tokens=2", id="only-endings-count"),
    ],
)
def test_queries_lose_their_credentials(query: str, recorded: str, stranger: str) -> None:
    """Records keep known parameters only; strangers get everything but what looks like a credential."""
    assert credentials_query(query) == recorded
    assert without_credentials(query) == stranger


@given(st.text("ab=&;%/+?", max_size=30))
def test_a_query_without_credentials_stays_byte_for_byte(query: str) -> None:
    """Nothing is normalised on the way."""
    assert without_credentials(query) == query


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        pytest.param("/v1/x", ("/v1/x", ""), id="path"),
        pytest.param("/v1/x?a=1?b", ("/v1/x", "a=1?b"), id="query"),
        pytest.param("//evil/x", ("//evil/x", ""), id="double-slash"),
        pytest.param("http://h/v1?a", ("/v1", "a"), id="absolute"),
        pytest.param("http://h", ("/", ""), id="absolute-bare"),
        pytest.param("http://h?a=/", ("/", "a=/"), id="absolute-query-only"),
    ],
)
def test_targets_are_split_at_the_first_question_mark(target: str, parts: tuple[str, str]) -> None:
    """An absolute-form target counts by its path; its authority goes nowhere."""
    assert split_target(target) == parts


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://h", "https://H:443/v1", True),
        ("http://h:80", "http://h.", True),
        ("https://h", "http://h", False),
        ("https://h", "https://h:8443", False),
        ("https://h", "https://h.evil", False),
    ],
)
def test_origins_are_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    """Paths do not matter, ports and schemes do."""
    assert same_origin(one, other) is same


def plainly_end_to_end(headers: Pairs) -> Pairs:
    """RFC 9110 §7.6.1 without any short way."""
    nominated = {
        option.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for option in value.split(b",")
    }
    if any(name.lower() == b"transfer-encoding" for name, _ in headers):
        nominated.add(b"content-length")
    hops = {name.lower() for name, _ in HOP_BY_HOP} - {b"x-mine"}
    kept: Pairs = []
    for name, value in headers:
        lower = name.lower()
        if lower == b"te" and any(member.strip().lower() == b"trailers" for member in value.split(b",")):
            kept.append((name, b"trailers"))
        elif lower not in hops | nominated:
            kept.append((name, value))
    return kept


NAMES = [
    *(name for name, _ in [*HOP_BY_HOP, *CLIENT]),
    b"content-length",
    b"Close",
    b"Keep-Alive",
    b"x-api-key",
    b"Expect",
]
VALUES = [b"keep-alive", b"Keep-Alive", b"close", b"TE, x-mine", b"host,te", b"trailers", b"gzip, Trailers", b"chunked"]
MIXED = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.binary(max_size=4)), max_size=8)


@settings(max_examples=300)
@given(MIXED)
@example([(b"Transfer-Encoding", b"keep-alive"), (b"content-length", b"1")])
def test_the_short_way_keeps_the_same(headers: Pairs) -> None:
    """One look at each field gives what three passes over all of them give."""
    assert to_client(headers) == plainly_end_to_end(headers)
    rest = [pair for pair in plainly_end_to_end(headers) if pair[0].lower() not in (b"host", b"expect")]
    live = to_live(headers, host=b"h", api_key="")
    assert [pair for pair in live if pair[0].lower() != b"host"] == rest
    assert [value for name, value in live if name.lower() == b"host"] == [b"h"]
    keyed = to_live(headers, host=b"h", api_key="k")
    assert [pair for pair in keyed if pair[0].lower() not in (b"host", *CREDENTIALS)] == [
        pair for pair in rest if pair[0].lower() not in CREDENTIALS
    ]
    assert sum(name.lower() in CREDENTIALS and value in (b"k", b"Bearer k") for name, value in keyed) == 1


HEADERS: Any = st.lists(st.tuples(st.sampled_from([name for name, _ in [*HOP_BY_HOP, *CLIENT]]), st.binary()))


@given(HEADERS)
def test_what_reaches_live_reaches_it_in_order(headers: Pairs) -> None:
    """The result is the input with some lines left out and the host exchanged."""
    kept = [pair for pair in to_live(headers, host=b"h", api_key="") if pair[0].lower() not in (b"host", b"te")]
    lines = iter(headers)
    assert all(pair in lines for pair in kept)

"""Where a copy goes and what its head says."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest

from proxy.core.address import Address
from proxy.core.headers import CREDENTIALS, SHADOW_MARK
from proxy.core.sorting import Sorter

Pairs = list[tuple[bytes, bytes]]

MARK = SHADOW_MARK.encode()
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
SORTER = Sorter((), ())


def address(
    name: str = "mini",
    *,
    base: str = "https://o.example/v1",
    same_origin: bool = False,
    api_key: str = "",
    extra: Mapping[str, str] | None = None,
) -> Address:
    """One shadow's."""
    return Address(base, name, same_origin=same_origin, api_key=api_key, extra=extra or {})


def between(one: Address, sent: Pairs) -> Pairs:
    """The fields between Host and the mark, which always stand first and next to last."""
    first, *rest, mark, length = one.fields(SORTER.sort(sent), 7)
    assert first[0] == b"Host"
    assert mark[0] == MARK
    assert length == (b"Content-Length", b"7")
    return rest


def test_a_stranger_gets_the_allow_listed_and_no_credentials() -> None:
    """Another origin without a key of its own: no key, no account, no cookie, its own host, and the mark."""
    assert address().fields(SORTER.sort(CLIENT), 12) == (
        (b"Host", b"o.example"),
        (b"ACCEPT", b"*/*"),
        (b"Content-Type", b"application/json"),
        (b"x-understudy-shadow", b"mini"),
        (b"Content-Length", b"12"),
    )


def test_lives_own_origin_gets_the_clients_credentials() -> None:
    """The control speaks for the same account, and still sends no cookie."""
    assert between(address("control", same_origin=True), CLIENT) == [
        (b"ACCEPT", b"*/*"),
        (b"authorization", b"Bearer client"),
        (b"OpenAI-Project", b"p1"),
        (b"Content-Type", b"application/json"),
    ]


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
@pytest.mark.parametrize("same_origin", [True, False])
def test_a_key_takes_the_place_of_the_clients(same_origin: bool, sent: Pairs, expected: Pairs) -> None:
    """In the client's style; nothing of the client's key is left, at live's own origin neither."""
    assert between(address(same_origin=same_origin, api_key="ours"), sent) == expected


def test_the_operators_headers_override() -> None:
    """Whatever the case of the name; the mark alone cannot be overridden."""
    extra = {"accept": "text/plain", "Authorization": "Basic op", "X-Understudy-Shadow": "no", "X-New": "é"}
    assert between(address(api_key="ours", extra=extra), CLIENT) == [
        (b"Content-Type", b"application/json"),
        (b"accept", b"text/plain"),
        (b"Authorization", b"Basic op"),
        (b"X-New", "é".encode()),
    ]


def test_the_operator_may_name_another_host_and_never_the_framing() -> None:
    """A virtual host behind an address is the operator's business; where the body ends is not."""
    extra = {"hOST": "inner.example", "Content-Length": "5", "transfer-encoding": "chunked", "Connection": "close"}
    assert address(extra=extra).fields(SORTER.sort([]), 3) == (
        (b"Host", b"inner.example"),
        (MARK, b"mini"),
        (b"Content-Length", b"3"),
    )


def test_a_shadow_never_gets_more_than_the_list() -> None:
    """Of 50,000 random header sets nothing but the six allowed fields, the own key, host, mark and length gets out."""
    dice = random.Random(20261121)
    names = [
        *CREDENTIALS,
        *(b"content-type accept accept-encoding anthropic-version anthropic-beta openai-beta".split()),
        *(b"cookie set-cookie forwarded x-forwarded-for traceparent tracestate baggage".split()),
        *(b"openai-organization openai-project proxy-authorization x-stainless-lang host x-understudy-shadow".split()),
    ]
    allowed = set(names[4:10])
    addresses = {own: address(api_key=own) for own in ("", "own")}
    for _ in range(50_000):
        sent = [
            (bytes(c ^ 0x20 if 97 <= c <= 122 and dice.random() < 0.3 else c for c in name), b"client-%d" % at)
            for at, name in enumerate(dice.choices(names, k=dice.randrange(8)))
        ]
        own = dice.choice(["", "own"])
        for name, value in between(addresses[own], sent):
            if name.lower() in CREDENTIALS:
                assert value in (b"own", b"Bearer own")
                assert own
            else:
                assert name.lower() in allowed


@pytest.mark.parametrize(
    ("base", "host"),
    [
        ("http://127.0.0.1:8080", b"127.0.0.1:8080"),
        ("https://[::1]:1/x", b"[::1]:1"),
        ("https://büro.example", b"xn--bro-hoa.example"),
    ],
)
def test_the_host_is_the_bases(base: str, host: bytes) -> None:
    """As the operator wrote it, names in other alphabets as the name system knows them."""
    assert address(base=base).fields(SORTER.sort([]), 0)[0] == (b"Host", host)


@pytest.mark.parametrize(
    ("base", "path", "query", "target"),
    [
        ("https://o", "/v1/chat", "", b"/v1/chat"),
        ("https://o/", "/v1/chat", "?a=1", b"/v1/chat?a=1"),
        ("https://o/pre/", "//v1/%2F", "?", b"/pre//v1/%2F?"),
        ("https://o/prä", "/caf\udce9", "", "/prä".encode() + b"/caf\xe9"),
    ],
)
def test_targets_are_joined_without_reading_them(base: str, path: str, query: str, target: bytes) -> None:
    """The base's path in front, everything else byte for byte."""
    assert address(base=base).target(path, query) == target


@pytest.mark.parametrize("path", ["", "@evil.example/", "v1"])
def test_no_path_can_change_the_host(path: str) -> None:
    """A path begins with a slash."""
    with pytest.raises(ValueError, match="begins with /"):
        address().target(path, "")

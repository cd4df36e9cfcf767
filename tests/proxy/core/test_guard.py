"""The second look at a request's head, rule by rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.core.guard import BOUNDS, REASONS, Bounds, Refusal, look_closely, refuse

HOST = (b"Host", b"proxy.example:8080")
Pairs = list[tuple[bytes, bytes]]


def look(
    *extra: tuple[bytes, bytes],
    method: str = "POST",
    target: bytes | str = "/v1/chat/completions",
    version: tuple[int, int] = (1, 1),
    host: Pairs | None = None,
) -> Refusal | None:
    """One request that is plain but for what the case says."""
    return refuse(method, target, version, [*([HOST] if host is None else host), *extra])


PASSES: list[Any] = [
    pytest.param({}, id="plain"),
    pytest.param({"version": (1, 0)}, id="http-1.0"),
    pytest.param({"version": (1, 0), "host": []}, id="http-1.0-without-host"),
    pytest.param({"target": "/a//b/%2F%00;x=1?q=%00&+&&#"[:-1]}, id="odd-but-legal-path"),
    pytest.param({"target": "//evil.example/x"}, id="double-slash"),
    pytest.param({"target": "/caf\udcc3\udca9"}, id="raw-utf-8-as-aiohttp-gives-it"),
    pytest.param({"target": b"/caf\xc3\xa9"}, id="raw-utf-8-bytes"),
    pytest.param({"target": "http://PROXY.example:8080/v1/x"}, id="absolute-form"),
    pytest.param(
        {"target": "http://proxy.example/v1", "host": [(b"Host", b"proxy.example:80")]}, id="absolute-default-port"
    ),
    pytest.param(
        {"target": "HTTPS://proxy.example:443", "host": [(b"Host", b"proxy.example")]}, id="absolute-https-bare"
    ),
    pytest.param({"target": "http://proxy.example/", "version": (1, 0), "host": []}, id="absolute-1.0-without-host"),
    pytest.param({"method": "OPTIONS", "target": "/v1"}, id="options"),
    pytest.param({"method": "PROPFIND"}, id="unknown-method"),
    pytest.param({"host": [(b"host", b"[::1]:8080")]}, id="ipv6"),
    pytest.param({"host": [(b"HOST", b"under_score")]}, id="compose-service-name"),
]

PASSING_FIELDS: list[Any] = [
    pytest.param([(b"Content-Length", b"0")], id="length-zero"),
    pytest.param([(b"Content-Length", b"%d" % BOUNDS.body)], id="longest-body"),
    pytest.param([(b"Transfer-Encoding", b"Chunked")], id="chunked"),
    pytest.param([(b"X-Tab", b"a\tb"), (b"X-Latin", b"caf\xe9")], id="tab-and-latin-1"),
    pytest.param([(b"x_tenant", b"acme")], id="underscore-of-an-application"),
    pytest.param([(b"Connection", b"keep-alive, X-Mine")], id="nominates-its-own"),
    pytest.param([(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")], id="upgrade"),
    pytest.param([(b"Expect", b"100-Continue")], id="expect-continue"),
    pytest.param([(b"Authorization", b"Bearer a"), (b"Authorization", b"Bearer b")], id="repeated-field"),
]

REFUSED: list[Any] = [
    pytest.param({"version": (2, 0)}, "version", id="http-2-as-text"),
    pytest.param({"version": (1, 2)}, "version", id="http-1.2"),
    pytest.param({"version": (0, 9)}, "version", id="http-0.9"),
    pytest.param({"method": "GE T"}, "method", id="method-with-space"),
    pytest.param({"method": ""}, "method", id="no-method"),
    pytest.param({"method": "GÉT"}, "method", id="method-not-ascii"),
    pytest.param({"method": "CONNECT", "target": "evil.example:443"}, "connect", id="connect"),
    pytest.param({"target": "*"}, "asterisk", id="asterisk-post"),
    pytest.param({"method": "OPTIONS", "target": "*"}, "asterisk", id="asterisk-options"),
    pytest.param({"target": ""}, "target", id="no-target"),
    pytest.param({"target": "/a#b"}, "target", id="fragment"),
    pytest.param({"target": "/a b"}, "target", id="space-in-target"),
    pytest.param({"target": "/a\x00"}, "target", id="nul-in-target"),
    pytest.param({"target": "/a\x7f"}, "target", id="del-in-target"),
    pytest.param({"target": "@evil.example/"}, "target", id="userinfo-trick"),
    pytest.param({"target": "\\evil.example"}, "target", id="backslash"),
    pytest.param({"target": "evil.example:443"}, "target", id="authority-form"),
    pytest.param({"target": "ftp://proxy.example:8080/"}, "target", id="other-scheme"),
    pytest.param({"target": "http:/proxy.example/"}, "target", id="half-absolute"),
    pytest.param({"target": "http://evil.example/v1"}, "authority", id="absolute-other-host"),
    pytest.param({"target": "http://proxy.example:81/v1"}, "authority", id="absolute-other-port"),
    pytest.param({"target": "http://u:p@proxy.example:8080/"}, "authority", id="absolute-userinfo"),
    pytest.param({"target": "http:///v1"}, "authority", id="absolute-empty"),
    pytest.param({"host": []}, "host", id="no-host"),
    pytest.param({"host": [HOST, HOST]}, "host", id="two-hosts-alike"),
    pytest.param({"host": [HOST, (b"hOST", b"evil")]}, "host", id="two-hosts"),
    pytest.param({"host": [HOST, HOST], "version": (1, 0)}, "host", id="two-hosts-1.0"),
    pytest.param({"host": [(b"Host", b"")]}, "host", id="empty-host"),
    pytest.param({"host": [(b"Host", b"u@proxy.example")]}, "host", id="host-userinfo"),
    pytest.param({"host": [(b"Host", b"a b")]}, "host", id="host-space"),
    pytest.param({"host": [(b"Host", b"a,b")]}, "host", id="host-comma"),
    pytest.param({"host": [(b"Host", b"a/b")]}, "host", id="host-slash"),
    pytest.param({"host": [(b"Host", b"a:b")]}, "host", id="host-odd-port"),
    pytest.param({"host": [(b"Host", b"a:123456")]}, "host", id="host-long-port"),
    pytest.param({"host": [(b"Host", b"caf\xe9")]}, "host", id="host-not-ascii"),
]

REFUSED_FIELDS: list[Any] = [
    *(
        pytest.param([(b"Content-Length", value)], "content_length", id=f"length-{name}")
        for name, value in {
            "plus": b"+5",
            "minus": b"-5",
            "underscore": b"1_0",
            "hex": b"0x5",
            "list": b"5, 5",
            "leading-zero": b"05",
            "double-zero": b"00",
            "20-digits": b"1" * 20,
            "empty": b"",
            "unicode-digit": "٥".encode(),
            "fraction": b"5.0",
            "inner-space": b"5 5",
        }.items()
    ),
    pytest.param([(b"Content-Length", b"5"), (b"content-length", b"5")], "content_length", id="two-lengths"),
    *(
        pytest.param([(b"Transfer-Encoding", value)], "transfer_encoding", id=f"coding-{name}")
        for name, value in {
            "gzip": b"gzip",
            "list": b"gzip, chunked",
            "identity": b"identity",
            "empty": b"",
            "quoted": b'"chunked"',
            "parameter": b"chunked;q=1",
            "latin": b"\xa0chunked",
        }.items()
    ),
    pytest.param([(b"Transfer-Encoding", b"chunked")] * 2, "transfer_encoding", id="two-codings"),
    pytest.param([(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"5")], "two_framings", id="te-and-cl"),
    *(
        pytest.param([(name, b"x")], "header_name", id=f"name-{at}")
        for at, name in enumerate([b"", b"A B", b"A\t", b"A:", b"A\x00", b"(A)", b"caf\xe9", b"Content-Length "])
    ),
    *(
        pytest.param([(name, b"x")], "header_name", id=f"lookalike-{name.decode()}")
        for name in (b"Content_Length", b"Transfer_Encoding", b"TRANSFER_encoding", b"X_Api_Key", b"x-api_key")
    ),
    *(
        pytest.param([(b"X-A", value)], "header_value", id=f"value-{name}")
        for name, value in {
            "nul": b"a\x00",
            "cr": b"a\rb",
            "lf": b"a\nb",
            "obs-fold": b"a\r\n b",
            "bell": b"\x07",
            "escape": b"\x1b[0m",
            "del": b"a\x7f",
        }.items()
    ),
    *(
        pytest.param([(b"Connection", value)], "nominated", id=f"nominates-{at}")
        for at, value in enumerate(
            [
                b"close, Authorization",
                b"Content-Type",
                b"HOST",
                b"x, x-api-key",
                b"X-Understudy-Shadow",
                b"keep-alive ,\tcontent-length",
                b"cookie",
            ]
        )
    ),
    pytest.param([(b"Connection", b"close"), (b"connection", b"authorization")], "nominated", id="nominates-second"),
    pytest.param([(b"Expect", b"200-ok")], "expectation", id="unknown-expectation"),
]


@pytest.mark.parametrize("case", PASSES)
def test_lets_pass_what_real_clients_send(case: dict[str, Any]) -> None:
    """Odd but unambiguous heads are none of the guard's business."""
    assert look(**case) is None


@pytest.mark.parametrize("fields", PASSING_FIELDS)
def test_lets_pass_ordinary_fields(fields: Pairs) -> None:
    """Fields that read one way only pass."""
    assert look(*fields) is None


@pytest.mark.parametrize(("case", "reason"), REFUSED)
def test_refuses_what_can_be_read_in_two_ways(case: dict[str, Any], reason: str) -> None:
    """Version, method, target and host: one reason each, 505 for the version and 400 for the rest."""
    assert look(**case) == Refusal(505 if reason == "version" else 400, reason)


@pytest.mark.parametrize(("fields", "reason"), REFUSED_FIELDS)
def test_refuses_odd_fields(fields: Pairs, reason: str) -> None:
    """Framing, names, values and nominations: one reason each, 417 for expectations and 400 for the rest."""
    assert look(*fields) == Refusal(417 if reason == "expectation" else 400, reason)


def test_refuses_chunked_on_http_1_0() -> None:
    """HTTP/1.0 has no chunked coding; two servers disagree about such a message."""
    assert look((b"Transfer-Encoding", b"chunked"), version=(1, 0)) == Refusal(400, "transfer_encoding")


SMALL = Bounds(line=40, fields=3, headers=100, body=50)

MEASURED: list[Any] = [
    pytest.param({"target": "/" + "a" * 25}, [], None, id="longest-line"),
    pytest.param({"target": "/" + "a" * 26}, [], (414, "line_too_long"), id="line"),
    pytest.param({"target": "/" + "é" * 13}, [], (414, "line_too_long"), id="line-in-bytes"),
    pytest.param({"method": "PROPFIND", "target": "/" + "a" * 22}, [], (414, "line_too_long"), id="line-by-its-method"),
    pytest.param({}, [(b"A", b"1"), (b"B", b"1")], None, id="most-fields"),
    pytest.param({}, [(b"A", b"1")] * 2, None, id="most-fields-repeated"),
    pytest.param({}, [(b"A", b"1"), (b"B", b"1"), (b"C", b"1")], (431, "too_many_fields"), id="count"),
    pytest.param({}, [(b"A", b"1")] * 3, (431, "too_many_fields"), id="count-of-a-repeated-one"),
    pytest.param({}, [(b"A", b"1" * 69)], None, id="longest-fields"),
    pytest.param({}, [(b"A", b"1" * 70)], (431, "fields_too_long"), id="fields"),
    pytest.param({}, [(b"A", b"1" * 31), (b"a", b"1" * 36)], (431, "fields_too_long"), id="fields-together"),
    pytest.param({}, [(b"Content-Length", b"50")], None, id="largest-body"),
    pytest.param({}, [(b"Content-Length", b"51")], (413, "body_too_large"), id="body"),
    pytest.param({}, [(b"Content-Length", b"9" * 19)], (413, "body_too_large"), id="body-of-19-digits"),
]


@pytest.mark.parametrize(("case", "fields", "refusal"), MEASURED)
def test_refuses_what_is_too_large(case: dict[str, Any], fields: Pairs, refusal: tuple[int, str] | None) -> None:
    """What measures exactly the bound passes; one byte or field more is refused."""
    plain = {"method": "POST", "target": "/", "host": HOST} | case
    seen = (plain["method"], plain["target"], (1, 1), [plain["host"], *fields], SMALL)
    assert refuse(*seen) == look_closely(*seen) == (Refusal(*refusal) if refusal else None)


def test_every_reason_is_tested() -> None:
    """The tables above reach every rule."""
    measured = {case.values[2][1] for case in MEASURED if case.values[2]}
    assert {case.values[1] for case in (*REFUSED, *REFUSED_FIELDS)} | measured == REASONS


_NAMES = st.sampled_from(
    b"host Host content-length transfer-encoding connection expect accept x_a Content_Length x-a".split()
) | st.binary(max_size=3)
_VALUES = (
    st.sampled_from(
        [b"a.example", b"5", b"050", b"99", b"chunked", b"keep-alive", b"close, host", b"100-continue", b""]
    )
    | st.sampled_from([b" 5", b"a\t", b"\xff"])
    | st.binary(max_size=3)
)
_TARGETS = st.sampled_from(["/", "/v1?x=1", "/a#", "/a b", "/\x7f", "/é", "/\udcff", "*", "", "http://a.example/x"])


@settings(max_examples=300)
@given(
    st.sampled_from(["GET", "POST", "PROPFIND", "CONNECT", "G T", ""]),
    _TARGETS,
    st.sampled_from([(1, 1), (1, 0), (2, 0)]),
    st.lists(st.tuples(_NAMES, _VALUES), max_size=5).map(lambda fields: [(b"Host", b"a.example"), *fields])
    | st.just([]),
)
def test_the_short_way_means_the_same(method: str, target: str, version: tuple[int, int], headers: Pairs) -> None:
    """What passes at a glance passes every rule, and what does not is looked at closely."""
    assert refuse(method, target, version, headers, SMALL) == look_closely(method, target, version, headers, SMALL)


@given(
    st.text(st.characters(max_codepoint=255)),
    st.binary(),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.lists(st.tuples(st.binary(), st.binary())),
)
def test_always_has_an_answer(method: str, target: bytes, version: tuple[int, int], headers: Pairs) -> None:
    """Whatever the head, the guard answers with a known reason or None, and reads str and bytes targets alike."""
    refusal = refuse(method, target, version, headers)
    assert refusal is None or refusal.reason in REASONS
    assert refuse(method, target.decode("utf-8", "surrogateescape"), version, headers) == refusal

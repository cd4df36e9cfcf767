"""Every spelling of a host that was ever used to get somewhere else, beside those that people do write."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from config import hosts
from config.units import HttpUrl

PASS = """
api.openai.com 127.0.0.1 127.8.9.10 10.0.0.5 172.16.3.4 192.168.1.1 100.64.0.9 8.8.8.8 localhost
model.models.svc model.models.svc.cluster.local vllm my_service my-service a a1 1a 0xg x0 xn--bcher-kva.example
münchen.example [::1] [fd00::5] [fd12:3456:789a:1::1] [2606:4700::1111] [2001:db8::1] [FD00::5] 1.2.3.4.example
1.2.3.example 10.0.0.5.nip.io metadata.example.com host.docker.internal
""".split()

ODD = {
    "decimal": "2130706433 0 1 4294967295 2852039166 017700000001",
    "hex": "0x7f000001 0x7f.0.0.1 0x7f.1 127.0.0.0x1 0x 0X7F000001 0xa9fea9fe 0xA9.0xFE.0xA9.0xFE example.0x",
    "octal": "0177.0.0.1 127.0.0.01 0127.0.0.1 010.0.0.5 127.000.000.001 0251.0376.0251.0376 00.0.0.0",
    "short": "127.1 127.0.1 10.5 169.254.43518 1.2 192.168.257",
    "beyond": "256.0.0.1 1.2.3.4.5 1.2.3.256 999.1 127.0.0.1.1 127..0.1 1.2.3.-4.5 api.example.com.1",
    "ipv6-long": "[0:0:0:0:0:0:0:1] [::0001] [0::1] [fd00:0::5] [fd00::0005] [2001:db8:0:0:1:0:0:1] [::1%lo]",
    "zone": "[::1%25lo] [fd00::5%251] [fe80::1%eth0]",
    "ipv6-broken": "[:::1] [1::2::3] [] [g::1] [::1 [1.2.3.4] [fd00:1] [12345::1]",
}
NEVER = {
    "metadata": "169.254.169.254 [fd00:ec2::254] [fd20:ce::254] 100.100.100.200 192.0.0.192 168.63.129.16 metadata "
    "metadata.google.internal METADATA.google.internal metadata.goog instance-data instance-data.ec2.internal",
    "link-local": "169.254.0.1 169.254.170.2 169.254.255.255 [fe80::1] [febf::1] [fe80::a9fe:a9fe]",
    "no address": "0.0.0.0 0.0.0.1 0.1.2.3 [::]",
    "multicast": "224.0.0.1 239.255.255.250 [ff02::1] [ff0e::1]",
    "broadcast": "255.255.255.255",
}
INSIDE = """
[::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:a9fe:a9fe] [::ffff:169.254.169.254] [::127.0.0.1] [::a9fe:a9fe] [::2]
[64:ff9b::a9fe:a9fe] [64:ff9b::169.254.169.254] [64:ff9b::7f00:1] [2002:a9fe:a9fe::] [2002:7f00:1::1] [::FFFF:10.0.0.5]
""".split()
DOTTED = "127.0.0.1. localhost. api.example.com. 169.254.169.254. a.. ".split()
LOOKALIKE = "１２７.0.0.1 127。0。0。1 127．0．0．1 ①②⑦.0.0.1 ｌocalhost localhost｡ 169。254。169。254".split()
SENSELESS = [
    *"a..b .a - -a a- a%31.example 127.0.0.%31 a\\b a,b a;b a'b a<b a|b a^b a`b a{b a!b a~b a*b a$b a&b a+b".split(),
    *"a(b 127.0.0.1\\.example a.-.b".split(),
    "a" * 64,
    "é" * 64,
    ".".join(["a" * 60] * 5),
    "",
]

REFUSED = [
    *((host, "unusual spelling") for text in ODD.values() for host in text.split()),
    *((host, what) for what, text in NEVER.items() for host in text.split()),
    *((host, "inside an IPv6") for host in INSIDE),
    *((host, "ends in a dot") for host in DOTTED),
    *((host, "stand for others") for host in LOOKALIKE),
    *((host, "makes no sense") for host in SENSELESS),
]


@pytest.mark.parametrize("host", PASS)
def test_what_people_write_passes(host: str) -> None:
    """Names, private networks and loopback, and every address as the standards write it."""
    hosts.check(host)
    assert TypeAdapter(HttpUrl).validate_python(f"http://{host}:8000/v1") == f"http://{host}:8000/v1"


@pytest.mark.parametrize(("host", "sentence"), REFUSED)
def test_what_hides_an_address_is_refused(host: str, sentence: str) -> None:
    """One sentence says what is wrong; the URL does not pass either, with a port or without."""
    with pytest.raises(ValueError, match=sentence):
        hosts.check(host)
    for url in (f"http://{host}", f"https://{host}:8443/v1"):
        with pytest.raises(ValidationError):
            TypeAdapter(HttpUrl).validate_python(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://user@127.0.0.1/",
        "http://127.0.0.1@evil.example/",
        "http://a:b@c/",
        "http://127.0.0.1:80@evil/",
        "http://h#@evil.example/",
        "http://h?@evil.example/",
        "http:///evil.example",
        "http:evil.example",
        "//evil.example",
        "file:///etc/passwd",
        "gopher://h/",
        "http://h:0/",
        "http://h:99999/",
        "http://h:8o/",
        "http://h:-1/",
        "http://h:٨٠/",
        "http://h :80/",
        "http://h\t/",
        "http://h\n/",
        "http://[::1]evil/",
        "http://[::1].evil:80/",
    ],
)
def test_urls_that_two_readers_would_split_differently_are_refused(url: str) -> None:
    """No credentials, query, fragment, blank or odd port; nothing behind a bracket."""
    with pytest.raises(ValidationError):
        TypeAdapter(HttpUrl).validate_python(url)


def test_the_table_is_as_long_as_it_says() -> None:
    """More than 120 spellings are refused."""
    assert len({host for host, _ in REFUSED}) > 120

"""Hosts as an operator may write them in a URL: every address in one spelling only, and none that nobody means.

Loopback and private networks are the commonest place of a model and pass. What a name resolves to is looked at again
when it is connected to (proxy.upstream.addresses). Used by units.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE)  # a last label like this makes an address, WHATWG URL §3.5
_DOTS = re.compile("[。．｡]")  # IDNA reads these as dots

_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
METADATA = frozenset(
    {
        IPv6Address("fd00:ec2::254"),  # AWS
        IPv6Address("fd20:ce::254"),  # Google Cloud
        IPv4Address("100.100.100.200"),  # Alibaba Cloud
        IPv4Address("192.0.0.192"),  # Oracle Cloud
        IPv4Address("168.63.129.16"),  # Azure
    }
)
"""Where clouds hand out credentials, beside link-local 169.254.169.254."""

_CARRIERS = (IPv6Network("::/96"), IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16"))
"""IPv6 forms of IPv4 addresses: compatible, mapped, NAT64, 6to4. A second spelling that hides the first."""

NOT_A_HOST = "the host or port makes no sense; write it like https://api.example.com:8443/v1"
_ODD_ADDRESS = "the host is an address in an unusual spelling; write it like 10.0.0.5 or [fd00::5]"
_TRAILING_DOT = "the host ends in a dot; leave it out"
_IPV4_INSIDE = "the host is an IPv4 address inside an IPv6 one; write the IPv4 address itself"
_NEVER = "the host is {what}, where no model answers; write the model's own name or address"


def check(host: str) -> None:
    """Raise ValueError, saying how to write it, for a host that no URL may have; `host` with brackets, without port."""
    if host.startswith("["):
        _check_address(_ipv6(host))
        return
    if host.endswith("."):
        raise ValueError(_TRAILING_DOT)
    if unicodedata.normalize("NFKC", host) != host or _DOTS.search(host):
        raise ValueError("the host has characters that stand for others; write it in plain letters")
    labels = _labels(host)
    if _NUMBER.fullmatch(labels[-1]):
        _check_address(_ipv4(host))
    elif not all(map(_LABEL.fullmatch, labels)) or len(host) > 253:
        raise ValueError(NOT_A_HOST)
    elif host.lower() in _METADATA_NAMES:
        raise ValueError(_NEVER.format(what="a cloud's metadata server"))


def _labels(host: str) -> list[str]:
    try:
        return (host if host.isascii() else host.encode("idna").decode()).split(".")
    except UnicodeError:
        raise ValueError(NOT_A_HOST) from None


def _ipv4(host: str) -> IPv4Address:
    try:
        return IPv4Address(host)  # four decimal numbers, no leading zero: there is no other spelling it takes
    except AddressValueError:
        raise ValueError(_ODD_ADDRESS) from None


def _ipv6(host: str) -> IPv6Address:
    try:
        address = IPv6Address(host[1:].removesuffix("]"))
    except AddressValueError:
        raise ValueError(_ODD_ADDRESS) from None
    if any(address in carrier for carrier in _CARRIERS) and int(address) > 1:
        raise ValueError(_IPV4_INSIDE)
    if f"[{address}]" != host.lower() or address.scope_id:
        raise ValueError(_ODD_ADDRESS)
    return address


def _check_address(address: IPv4Address | IPv6Address) -> None:
    kinds = {
        "a cloud's metadata server": address in METADATA or str(address) == "169.254.169.254",
        "a link-local address": address.is_link_local,
        "no address at all": address.is_unspecified or (address.version == 4 and int(address) >> 24 == 0),
        "a multicast address": address.is_multicast,
        "a broadcast address": str(address) == "255.255.255.255",
    }
    for what, fits in kinds.items():
        if fits:
            raise ValueError(_NEVER.format(what=what))

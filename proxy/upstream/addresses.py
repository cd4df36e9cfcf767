"""Which addresses may be connected to: decided on the resolved one, as a name can point anywhere. For dialing.

Never allowed: where clouds hand out credentials (link-local and the few others), multicast, and "any". Loopback only
under a loopback name. IPv4 is also looked for inside the IPv6 forms that carry it.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from config.hosts import METADATA

_NAT64 = ip_network("64:ff9b::/96")


def allowed(address: str, *, local: bool) -> bool:
    """Whether this numeric address may be connected to; `local`: the operator wrote a loopback name."""
    forms = _forms(ip_address(address.partition("%")[0]))
    return not any(_refused(form, local) for form in forms)


def is_local(host: str) -> bool:
    """Whether a host, as the operator wrote it, means this machine."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return any(form.is_loopback for form in _forms(ip_address(name)))
    except ValueError:
        return False


def _refused(address: IPv4Address | IPv6Address, local: bool) -> bool:
    if address.is_loopback:
        return not local
    return address.is_link_local or address.is_multicast or address.is_unspecified or address in METADATA


def _forms(address: IPv4Address | IPv6Address) -> tuple[IPv4Address | IPv6Address, ...]:
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):  # the second: IPv4-compatible, deprecated
        return (address, IPv4Address(int(address) & 0xFFFFFFFF))
    return (address,)

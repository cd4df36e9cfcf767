"""Whether a target is the proxy itself, to which it must not forward (RFC 9110 §7.6). For wiring and dialing.

Via would say so too, but live would see it, and live gets the client's fields and no other. So the addresses are
compared: before the start those that a target's name resolves to, and again the peer of every connection made.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

Place = tuple[str, int]
"""A numeric address and a port, as a socket gives them."""


def own_places(listening: Iterable[Place], interfaces: Iterable[str]) -> frozenset[Place]:
    """Where this proxy can be reached: by its sockets, of which one that listens on "any" is at every interface."""
    own: set[Place] = set()
    here = [_plain(one) for one in interfaces]
    for host, port in listening:
        address = _plain(host)
        if address.is_unspecified:  # also the other family: "::" takes IPv4 as well on most systems
            own.update((str(one), port) for one in here)
            own.update({("127.0.0.1", port), ("::1", port)})
        own.add((str(address), port))
    return frozenset(own)


def is_own(own: frozenset[Place], targets: Iterable[Place]) -> bool:
    """Whether one of `targets`, each a numeric address and a port, is the proxy itself."""
    return any(_reaches(own, _plain(host), port) for host, port in targets)


def _reaches(own: frozenset[Place], address: IPv4Address | IPv6Address, port: int) -> bool:
    if (str(address), port) in own:
        return True
    if not address.is_loopback and not address.is_unspecified:
        return False
    # to connect to "any" means loopback, and a socket on "any" hears the whole of 127.0.0.0/8
    anywhere = {("0.0.0.0", port), ("::", port)}
    return bool(anywhere & own) or (address.is_unspecified and {("127.0.0.1", port), ("::1", port)} & own != set())


def _plain(host: str) -> IPv4Address | IPv6Address:
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address

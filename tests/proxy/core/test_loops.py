"""A proxy pointed at itself is seen before the first call."""

from __future__ import annotations

import pytest

from proxy.core.loops import is_own, own_places

INTERFACES = ["127.0.0.1", "::1", "10.1.2.3", "fe80::1%eth0"]


@pytest.mark.parametrize(
    ("listening", "target", "own"),
    [
        pytest.param(("127.0.0.1", 8080), ("127.0.0.1", 8080), True, id="same"),
        pytest.param(("127.0.0.1", 8080), ("127.0.0.1", 8081), False, id="other-port"),
        pytest.param(("127.0.0.1", 8080), ("127.0.0.2", 8080), False, id="other-loopback-address"),
        pytest.param(("127.0.0.1", 8080), ("10.1.2.3", 8080), False, id="not-listened-on"),
        pytest.param(("127.0.0.1", 8080), ("::ffff:127.0.0.1", 8080), True, id="mapped"),
        pytest.param(("127.0.0.1", 8080), ("0.0.0.0", 8080), True, id="any-means-loopback"),
        pytest.param(("::1", 8080), ("::", 8080), True, id="any-means-loopback-6"),
        pytest.param(("10.1.2.3", 8080), ("0.0.0.0", 8080), False, id="any-does-not-mean-an-interface"),
        pytest.param(("0.0.0.0", 8080), ("127.0.0.1", 8080), True, id="any"),
        pytest.param(("0.0.0.0", 8080), ("127.9.9.9", 8080), True, id="any-hears-all-of-loopback"),
        pytest.param(("0.0.0.0", 8080), ("10.1.2.3", 8080), True, id="any-is-each-interface"),
        pytest.param(("0.0.0.0", 8080), ("10.1.2.4", 8080), False, id="a-neighbour"),
        pytest.param(("0.0.0.0", 8080), ("10.1.2.3", 80), False, id="a-neighbour-port"),
        pytest.param(("::", 8080), ("10.1.2.3", 8080), True, id="any-6-hears-4"),
        pytest.param(("::", 8080), ("fe80::1%eth0", 8080), True, id="scoped"),
        pytest.param(("fd00::5", 443), ("fd00:0::5", 443), True, id="another-spelling"),
    ],
)
def test_addresses_are_compared_by_meaning(listening: tuple[str, int], target: tuple[str, int], own: bool) -> None:
    """Ports, families, mapped forms and the unspecified address."""
    assert is_own(own_places([listening], INTERFACES), [target]) is own


def test_one_of_several_addresses_is_enough() -> None:
    """A name that resolves to the proxy among others would loop now and then."""
    own = own_places([("127.0.0.1", 8080), ("10.1.2.3", 8081)], INTERFACES)
    assert is_own(own, [("8.8.8.8", 443), ("10.1.2.3", 8081)])
    assert not is_own(own, [("8.8.8.8", 443), ("10.1.2.3", 8080)])
    assert not is_own(own, [])

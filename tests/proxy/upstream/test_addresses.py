"""Which addresses may be connected to."""

from __future__ import annotations

import pytest

from proxy.upstream.addresses import allowed, is_local


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::a9fe:a9fe",
        "fe80::1",
        "fe80::1%eth0",
        "febf::1",
        "0.0.0.0",
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "239.255.255.250",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "::ffff:100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
    ],
)
def test_never(address: str) -> None:
    """Where credentials are handed out, groups, and nowhere: under no name."""
    assert not allowed(address, local=False)
    assert not allowed(address, local=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_loopback_under_a_loopback_name(address: str) -> None:
    """This machine is reached only by whoever wrote so."""
    assert allowed(address, local=True)
    assert not allowed(address, local=False)


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "172.16.0.9", "8.8.8.8", "fd00::1", "2606:4700::1111"])
def test_anywhere_else(address: str) -> None:
    """Private networks are where models run."""
    assert allowed(address, local=False)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("api.localhost", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost.example.com", False),
        ("notlocalhost", False),
        ("10.0.0.1", False),
    ],
)
def test_names_of_this_machine(host: str, local: bool) -> None:
    """By name or number."""
    assert is_local(host) is local

"""The door itself: who stands in it has every handle, and a failure says no more than its own words."""

from __future__ import annotations

from typing import Any

import pytest

from config.pair import Failure
from proxy.handler.relay import Relay
from proxy.mirror.shadowing import ShadowCall
from proxy.upstream import door, exchange, lean
from tests.doubles import asked
from tests.proxy.upstream.told import Told


def _handles(protocol: Any) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "real"),
    [
        pytest.param(door.Sink, Relay, id="relay"),
        pytest.param(door.Sink, ShadowCall, id="shadow-call"),
        pytest.param(door.Sink, Told, id="told"),
        pytest.param(door.Exchange, exchange.Exchange, id="exchange"),
        pytest.param(door.Upstream, lean.LeanUpstream, id="lean"),
        pytest.param(door.Upstream, asked.AskedUpstream, id="asked"),
    ],
)
def test_every_handle_is_there(protocol: Any, real: Any) -> None:
    """What callers may call exists on each that stands in, real or double."""
    missing = {name for name in _handles(protocol) if not callable(getattr(real, name, None))}
    assert not missing


def test_a_failure_in_our_words() -> None:
    """The text of the error is the detail, and nothing of a library's."""
    error = door.ExchangeError(Failure.CONNECT, door.LOOP)
    assert (str(error), error.failure, error.detail) == (door.LOOP, Failure.CONNECT, door.LOOP)

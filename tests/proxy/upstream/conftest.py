"""Both loops for every test of this room: uvloop runs in production, the default one wherever there is no uvloop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from tests.proxy.upstream.authority import Authority, authority


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Their transports end connections, count buffers and shut TLS down in ways of their own."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Certificates for the tests that speak TLS."""
    return authority(tmp_path_factory.mktemp("ca"))

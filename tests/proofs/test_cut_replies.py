"""A network that loses replies, with their connections: everything arrives, some of it twice, and is counted once."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import orjson
import pytest

from config.wire import decode
from proxy.core.accounting import Ledger
from proxy.publisher import Publisher, PublisherRules, Spool, connect
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from tests.doubles.faults import relay
from tests.doubles.valkey import valkey_server
from tests.proxy.publisher.made import pair

STREAM = "understudy:pairs"


async def cut(pairs: int, rate: int, with_spool: bool) -> None:
    """Offer pairs through a relay that swallows every tenth reply; compare what arrived with what was offered."""
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as server:
        async with relay(server.socket) as between:
            between.cut_every = 10
            ledger, rules = Ledger(), PublisherRules(STREAM, 1_000_000, 64 << 20, "proxy-1")
            spool = Spool(Path(folder) / "spool", "proxy-1", 64 << 20) if with_spool else None
            url = f"redis://127.0.0.1:{between.port}"
            publisher = Publisher(rules, connect(url), ledger, Telemetry(), spool)
            await publisher.start(Tasks())
            for number in range(pairs):
                publisher.offer(pair(number))
                if number % (rate // 100) == 0:
                    await asyncio.sleep(0.01)
            async with asyncio.timeout(120):
                while ledger.calls("mini") < pairs:
                    await asyncio.sleep(0.01)
            between.cut_every = 0
            await publisher.close(5.0)
        with server.client() as client:
            ids = [decode(fields).id for _, fields in client.xrange(STREAM)]
            rows = orjson.loads(client.hget(f"{STREAM}:accounting", "proxy-1") or b"[]")
        print(f"{pairs} offered, {between.reply_lost} replies cut: {len(ids)} entries of {len(set(ids))} pairs")
        assert set(ids) == {pair(number).id for number in range(pairs)}
        assert between.reply_lost > pairs / 1000
        assert [row[2:] for row in rows] == [["paired", "", pairs]]


@pytest.mark.parametrize("with_spool", [False, True])
async def test_cut_replies_lose_nothing(with_spool: bool) -> None:
    """1,000 pairs: all ids are there, each counted once."""
    await cut(1000, 2000, with_spool)


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize("with_spool", [False, True])
async def test_ten_thousand_with_cut_replies(with_spool: bool) -> None:
    """10,000 pairs: all ids are there, each counted once."""
    await cut(10_000, 1000, with_spool)

"""The live path on real sockets: verbatim both ways, broken answers stay broken, clients that leave are noticed."""

from __future__ import annotations

from tests.doubles.client import Client
from tests.doubles.upstream import ScriptedUpstream, answer
from tests.proxy.conftest import RigMaker


async def test_relays_a_call_and_its_answer(rig: RigMaker) -> None:
    """A JSON call reaches live with its bytes and comes back with live's."""
    async with ScriptedUpstream(answer(b'{"ok":1}')) as live, rig(live.url) as proxy, Client(proxy.url) as client:
        reply = await proxy.chat(client)
        assert reply.status == 200
        assert reply.body == b'{"ok":1}'
        assert [name for name, _ in reply.headers] == [b"Content-Type", b"Content-Length"]

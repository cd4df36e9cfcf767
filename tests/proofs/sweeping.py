"""The sweep of the canaries: providers that break in every way, and a client whose requests are full of keys.

Each scenario is named in the prompt, so that live and its shadows are told apart by their mark. Used by test_canary.
"""

from __future__ import annotations

import asyncio
import json

from tests.doubles.client import Answer, Client
from tests.doubles.upstream import Script, Turn
from tests.proofs.canary import ECHO, Canaries

SCENARIOS = (
    *("fine", "live-401", "live-307", "live-hang", "live-cut", "live-garbage", "live-trailers"),
    *("shadow-hang", "shadow-500", "shadow-429", "shadow-cut", "shadow-reset", "shadow-garbage", "shadow-307"),
)
SHADOW = b"x-understudy-shadow"
_COMPLETE = b'{"choices":[{"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
_UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n"
_STATUS = {
    **{"401": b"401 Unauthorized", "307": b"307 Temporary Redirect", "500": b"500 Oops"},
    **{"429": b"429 Too Many Requests"},
}


def provider(canaries: Canaries) -> Script:
    """A script for live and candidates alike."""
    keys = canaries.keys
    cookie = f"Set-Cookie: sid={keys['set-cookie']}\r\n".encode()
    extra = {
        "401": f"WWW-Authenticate: Bearer {keys['www-authenticate']}\r\n".encode(),
        "307": f"Location: http://127.0.0.1:9/?key={keys['location']}\r\n".encode(),
    }

    async def script(turn: Turn) -> None:
        who = b"shadow-" if turn.header(SHADOW) else b"live-"
        _, _, named = turn.body.partition(who)
        fault = named.partition(b'"')[0].decode()
        if turn.header(b"upgrade"):
            agreed = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            await turn.send(agreed + cookie + b"Sec-WebSocket-Protocol: realtime\r\n\r\nhello")
            turn.close()
        elif fault == "hang":
            await turn.gone()
        elif fault == "reset":
            turn.reset()
        elif fault == "garbage":
            await turn.send(cookie + b"\r\n")
            turn.close()
        elif fault == "cut":
            await turn.send(b"HTTP/1.1 200 OK\r\n" + cookie + b"Content-Length: 99\r\n\r\n{")
            turn.close()
        elif fault == "trailers":
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Key\r\n" + cookie
            trailer = f"0\r\nX-Key: {keys['response-trailer']}\r\n\r\n".encode()
            await turn.send(head + b"\r\n%x\r\n%b\r\n" % (len(_COMPLETE), _COMPLETE) + trailer)
        else:
            said = _COMPLETE if fault != "401" else json.dumps({"error": f"no such key: {keys[ECHO]}"}).encode()
            status = _STATUS.get(fault, b"200 OK")
            if turn.target.startswith(b"/v1/models"):
                said, status = json.dumps({"error": keys["error-body"]}).encode(), b"401 Unauthorized"
            lines = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
            await turn.send(lines % (status, cookie + extra.get(fault, b""), len(said)) + said)

    return script


async def chats(url: str, canaries: Canaries, scenarios: tuple[str, ...] = SCENARIOS) -> None:
    """Every scenario as a chat call, all at once."""
    lines, target = canaries.headers(), f"/v1/chat/completions?{canaries.query()}"
    await asyncio.gather(*(_chat(url, target, scenario, lines) for scenario in scenarios))


async def others(url: str, canaries: Canaries) -> None:
    """Requests that are refused, too large, of another kind, for a live that is away, or broken off."""
    keys, lines = canaries.keys, canaries.headers()
    target = f"/v1/chat/completions?{canaries.query()}"
    kind = lines + b"Content-Type: multipart/form-data; boundary=b\r\n"
    form = (
        f'--b\r\nContent-Disposition: form-data; name="api_key"\r\n\r\n{keys["multipart"]}\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    ).encode()
    field = json.dumps({"api_key": keys["json-field"], "headers": {"Authorization": keys["json-field"]}}).encode()
    statuses = [
        await _ask(url, "POST", "/v1/audio/transcriptions", kind, form),
        await _ask(url, "POST", "/v1/connectors", lines + b"Content-Type: application/json\r\n", field),
        await _ask(url, "GET", f"/v1/models?{canaries.query()}", lines),
        await _ask(url, "POST", target, lines, b'{"model":"m","messages":[],"x":"' + b"y" * 70_000 + b'"}'),
        await _ask(url, "GET", f"/v1/realtime?{canaries.query()}", lines + _UPGRADE),
        await _ask(url, "POST", f"/away{target}", lines, b"{}"),
        await _ask(url, "POST", f"http://u:{keys['userinfo']}@app.example/v1/chat/completions", lines, b"{}"),
        await _ask(url, "POST", target, lines + b"Host: b\r\n", b"{}"),
        await _ask(url, "POST", target, lines + b"bad name " + keys["Cookie"].encode() + b": x\r\n", b"{}"),
        await _ask(url, "POST", target, lines + b"Transfer-Encoding: chunked\r\n", b"{}"),
        await _ask(url, "POST", f"/%00{target}", lines, b"not json"),
    ]
    assert statuses == [200, 200, 401, 200, 101, 502, 400, 400, 400, 400, 200]
    async with Client(url) as leaver:
        await leaver.send(f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n".encode() + lines + b"\r\n{")
    async with Client(url) as trailing:
        head = f"POST {target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Key\r\n".encode()
        await trailing.send(head + lines + f"\r\n2\r\n{{}}\r\n0\r\nX-Key: {keys['request-trailer']}\r\n\r\n".encode())
        assert (await trailing.answer()).status == 200


async def _chat(url: str, target: str, scenario: str, lines: bytes) -> Answer:
    body = b'{"model":"m","messages":[{"role":"user","content":"%b"}]}' % scenario.encode()
    async with Client(url) as client:
        return await client.ask("POST", target, body, lines + b"Content-Type: application/json\r\n")


async def _ask(url: str, method: str, target: str, lines: bytes, body: bytes = b"") -> int:
    async with Client(url) as client:
        return (await client.ask(method, target, body, lines)).status

"""Fake models that speak the OpenAI chat API, streaming and not, with a real model's latency and ill temper.

Runs as a process of its own (`python -m evaluators.demo.models`), so that its pauses are nobody else's: reads its
orders as one JSON object on standard input, prints the port of each model as one JSON line, serves until told to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from evaluators.demo import recorded
from evaluators.demo.answers import Answer, answer
from evaluators.demo.faults import SLOW_FIRST_TOKEN

_FIRST_TOKEN = (0.060, 0.140)
_BETWEEN_PIECES = (0.004, 0.012)
_PIECE = 24  # characters a chunk: about six tokens, as providers batch them

Answering = Callable[[Mapping[str, Any]], Answer]


def model_app(name: str, answering: Answering, dice: random.Random, pace: float = 1.0) -> web.Application:
    """One fake model; `pace` scales its latency (0 answers at once)."""

    async def chat(request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
            said = answering(body)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return _error(400, "invalid_request_error", "The request body is not a chat request this model knows.")
        if said.limited:
            return _error(429, "rate_limit_exceeded", "Rate limit reached.", {"retry-after": "1"})
        delay = dice.uniform(*_FIRST_TOKEN) + (SLOW_FIRST_TOKEN if said.late else 0.0)
        await asyncio.sleep(delay * pace)
        if body.get("stream"):
            return await _stream(request, name, said, dice, pace)
        await asyncio.sleep(len(said.text) / _PIECE * sum(_BETWEEN_PIECES) / 2 * pace)
        return web.json_response(_whole(name, body, said))

    app = web.Application(client_max_size=16 << 20)
    app.router.add_post("/v1/chat/completions", chat)
    return app


async def _stream(
    request: web.Request, name: str, said: Answer, dice: random.Random, pace: float
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    pieces = [said.text[at : at + _PIECE] for at in range(0, len(said.text), _PIECE)]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if said.tool_name:
        function = {"name": said.tool_name, "arguments": ""}
        deltas.append({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]})
        half = len(said.tool_arguments) // 2
        for part in (said.tool_arguments[:half], said.tool_arguments[half:]):
            deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
    deltas += [{"content": piece} for piece in pieces]
    if said.cut:
        deltas = deltas[: max(1, len(deltas) * 2 // 3)]
    for delta in deltas:
        await response.write(_event(name, [{"index": 0, "delta": delta, "finish_reason": None}]))
        await asyncio.sleep(dice.uniform(*_BETWEEN_PIECES) * pace)
    if said.cut:  # the connection breaks; a chunked answer without its last chunk
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write(_event(name, [{"index": 0, "delta": {}, "finish_reason": _finish(said)}]))
    await response.write(_event(name, [], _usage(said)))
    await response.write(b"data: [DONE]\n\n")
    return response


def _whole(name: str, body: Mapping[str, Any], said: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.tool_name:
        function = {"name": said.tool_name, "arguments": said.tool_arguments}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    return {
        "id": "chatcmpl-demo",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": name,
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(said)}],
        "usage": _usage(said),
    }


def _event(name: str, choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
    chunk: dict[str, Any] = {
        "id": "chatcmpl-demo",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": name,
        "choices": choices,
        "usage": usage,
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _finish(said: Answer) -> str:
    return "tool_calls" if said.tool_name else "stop"


def _usage(said: Answer) -> dict[str, int]:
    written = max(1, len(said.text + said.tool_arguments) // 4)
    return {"prompt_tokens": 40, "completion_tokens": written, "total_tokens": 40 + written}


def _error(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"error": {"message": message, "type": kind, "code": kind}}
    return web.json_response(body, status=status, headers=headers)


def spoilt(faults: list[str], dice: random.Random) -> Answering:
    """A model that commits these planted faults."""
    return lambda body: answer(body, faults, dice)


def replayed(items: Mapping[str, recorded.Item]) -> Answering:
    """A model that says again what was recorded; the request names the item in its metadata."""
    return lambda body: Answer(items[body["metadata"]["item"]].output)


async def serve(orders: Mapping[str, Any]) -> None:
    """Serve every model of `orders`: name -> {"faults": [...]} or {"answers": path}; "seed", "pace" beside them."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    ports: dict[str, int] = {}
    async with contextlib.AsyncExitStack() as stack:
        for index, (name, order) in enumerate(orders["models"].items()):
            dice = random.Random(orders["seed"] * 1009 + index)
            answering = (
                replayed(recorded.read(Path(order["answers"]))) if "answers" in order else spoilt(order["faults"], dice)
            )
            runner = web.AppRunner(model_app(name, answering, dice, orders["pace"]), access_log=None)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=1)
            await site.start()
            ports[name] = runner.addresses[0][1]
        sys.stdout.write(json.dumps(ports) + "\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.stdin.readline())))

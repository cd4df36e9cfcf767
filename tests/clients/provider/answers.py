"""How every API of the provider answers: whole, streamed, packed, refused, malformed or cut; the model's name decides.

Used by the modules of the single APIs.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiohttp import web

STATUS = {
    "bad": 400,
    "denied": 401,
    "missing": 404,
    "unprocessable": 422,
    "limited": 429,
    "broken": 500,
    "overloaded": 529,
}
"""Models that are refused, and how."""

_COMMON = {"x-request-id": "req_1", "x-ratelimit-remaining-requests": "41"}
_PATIENCE = 5.0
"""Seconds that the model `slow` waits for its client to leave: every client here leaves after less than one."""

Handler = Any
Routes = Sequence[tuple[str, str, Handler]]


async def whole(request: web.Request, model: str, content: Mapping[str, Any]) -> web.StreamResponse:
    """A JSON answer, or what the model's name asks for instead."""
    refusal = await _refusal(request, model)
    if refusal is not None:
        return refusal
    body = json.dumps(content).encode()
    headers = {**_COMMON, "content-type": "application/json"}
    if model == "zipped":
        packer = zlib.compressobj(wbits=31)
        return web.Response(body=packer.compress(body) + packer.flush(), headers=headers | {"content-encoding": "gzip"})
    if model == "cut":
        response = web.StreamResponse(headers=headers | {"content-length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        _cut(request)
        return response
    return web.Response(body=body, headers=headers)


async def streamed(request: web.Request, model: str, events: Sequence[str]) -> web.StreamResponse:
    """Server-sent events, one write each, or what the model's name asks for instead."""
    refusal = await _refusal(request, model)
    if refusal is not None:
        return refusal
    response = web.StreamResponse(headers={**_COMMON, "content-type": "text/event-stream; charset=utf-8"})
    packer = zlib.compressobj(wbits=31) if model == "zipped" else None
    if packer is not None:
        response.headers["content-encoding"] = "gzip"
    half = len(events) // 2
    said = [*events[:half], _senseless(events[half]), *events[half + 1 :]] if model == "malformed" else events
    with suppress(ConnectionError):  # a client may leave early
        await response.prepare(request)
        for event in said[:half] if model == "cut" else said:
            data = event.encode()
            await response.write(packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH) if packer else data)
        if packer is not None:
            await response.write(packer.flush())
        if model == "cut":
            _cut(request)
    return response


def binary(content: bytes, kind: str) -> web.Response:
    """A file or a sound."""
    return web.Response(body=content, headers={**_COMMON, "content-type": kind})


def named(event: Mapping[str, Any]) -> str:
    """An event whose SSE name is its `type`, as OpenAI's Responses and Anthropic send them."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def bare(event: Mapping[str, Any]) -> str:
    """An event without a name."""
    return f"data: {json.dumps(event)}\n\n"


def _senseless(event: str) -> str:
    return event.rstrip()[:-5] + "\n\n"  # JSON that stops too early, in an event that does not


async def _refusal(request: web.Request, model: str) -> web.Response | None:
    if model == "slow":
        await asyncio.sleep(_PATIENCE)
    if model == "flaky" and request.headers.get("x-stainless-retry-count") == "0":
        return _error("limited", {"retry-after-ms": "5"})
    return _error(model, {"retry-after": "7"}) if model in STATUS else None


def _error(name: str, headers: Mapping[str, str]) -> web.Response:
    message = f"This is the {name} error."
    error = {"message": message, "type": f"{name}_error", "code": name, "param": None, "status": name.upper()}
    content = {"type": "error", "message": message, "error": error}
    return web.json_response(content, status=STATUS[name], headers={**_COMMON, **headers})


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()

"""The Anthropic API: messages, counted tokens. Files and models have OpenAI's paths and are answered there."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.clients.provider.answers import Routes, named, streamed, whole


async def _messages(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    tools = bool(body.get("tools"))
    said = {"type": "text", "text": "Grüße aus Oslo"}
    wanted = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_sequence": None}
    message |= {"stop_reason": "tool_use" if tools else "end_turn", "usage": {"input_tokens": 9, "output_tokens": 12}}
    if not body.get("stream"):
        return await whole(request, body["model"], message | {"content": [wanted if tools else said]})
    block = (wanted | {"input": {}}) if tools else (said | {"text": ""})
    kind, name = ("input_json_delta", "partial_json") if tools else ("text_delta", "text")
    parts = ('{"ci', 'ty": "Oslo"}') if tools else ("Grüße", " aus", " Oslo")
    start = message | {"content": [], "stop_reason": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": kind, name: part}} for part in parts),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 12}},
        {"type": "message_stop"},
    ]
    if body["model"] == "fails-midway":
        events[4:] = [{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}]
    return await streamed(request, body["model"], [named(event) for event in events])


async def _count(request: web.Request) -> web.StreamResponse:
    return await whole(request, (await request.json())["model"], {"input_tokens": 9})


ROUTES: Routes = (("POST", "/v1/messages", _messages), ("POST", "/v1/messages/count_tokens", _count))

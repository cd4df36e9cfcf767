"""Cohere's second API: chat whole and streamed, embeddings."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.clients.provider.answers import Routes, named, streamed, whole

_CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
_USAGE = {"billed_units": {"input_tokens": 9, "output_tokens": 12}, "tokens": {"input_tokens": 9, "output_tokens": 12}}


async def _chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    tools = bool(body.get("tools"))
    reason = "TOOL_CALL" if tools else "COMPLETE"
    if body.get("stream"):
        middle = _call_events() if tools else _text_events()
        start = {"type": "message-start", "id": "c_1", "delta": {"message": {"role": "assistant"}}}
        end = {"type": "message-end", "delta": {"finish_reason": reason, "usage": _USAGE}}
        return await streamed(request, body["model"], [named(event) for event in (start, *middle, end)])
    said = {"content": [{"type": "text", "text": "Grüße aus Oslo"}]}
    message = {"role": "assistant"} | ({"tool_plan": "Look.", "tool_calls": [_CALL]} if tools else said)
    content = {"id": "c_1", "finish_reason": reason, "message": message, "usage": _USAGE}
    return await whole(request, body["model"], content)


def _text_events() -> list[dict[str, Any]]:
    def delta(content: dict[str, Any]) -> dict[str, Any]:
        return {"index": 0, "delta": {"message": {"content": content}}}

    return [
        {"type": "content-start", **delta({"type": "text", "text": ""})},
        *({"type": "content-delta", **delta({"text": part})} for part in ("Grüße", " aus", " Oslo")),
        {"type": "content-end", "index": 0},
    ]


def _call_events() -> list[dict[str, Any]]:
    opened = _CALL | {"function": {"name": "get_weather", "arguments": ""}}
    parts = [{"function": {"arguments": part}} for part in ('{"ci', 'ty": "Oslo"}')]
    return [
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "Look."}}},
        {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": opened}}},
        *({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": part}}} for part in parts),
        {"type": "tool-call-end", "index": 0},
    ]


async def _embed(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    content = {"id": "e_1", "embeddings": {"float": [[0.25, -0.5, 1.0]]}, "texts": body["texts"]}
    return await whole(request, body["model"], content | {"response_type": "embeddings_by_type"})


ROUTES: Routes = (("POST", "/v2/chat", _chat), ("POST", "/v2/embed", _embed))

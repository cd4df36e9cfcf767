"""A small provider that speaks the OpenAI and Anthropic APIs well enough for their official SDKs, errors included.

What it answers depends only on the request, so that asking it directly and through the proxy must give equal objects.
"""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

_USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
_STATUS = {
    "bad": 400,
    "denied": 401,
    "missing": 404,
    "unprocessable": 422,
    "limited": 429,
    "broken": 500,
    "overloaded": 529,
}


def app() -> web.Application:
    """The provider."""
    made = web.Application()
    made.router.add_post("/v1/chat/completions", _chat)
    made.router.add_post("/v1/responses", _responses)
    made.router.add_post("/v1/embeddings", _embeddings)
    made.router.add_post("/v1/messages", _messages)
    made.router.add_get("/v1/models", _models)
    return made


async def _chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    if body["model"] in _STATUS:
        return _refusal(body["model"])
    tools = bool(body.get("tools"))
    if not body.get("stream"):
        message = {"role": "assistant", "content": None if tools else "Grüße aus Oslo", "refusal": None}
        choice = {"index": 0, "message": message | ({"tool_calls": [_CALL]} if tools else {}), "finish_reason": "stop"}
        return _json({"object": "chat.completion", "choices": [choice], "usage": _USAGE} | _ids("chatcmpl-1", body))
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += _tool_deltas() if tools else [{"content": piece} for piece in ("Grüße", " aus", " Oslo")]
    chunks = [_chunk(body, [{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    chunks.append(_chunk(body, [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if tools else "stop"}]))
    chunks.append(_chunk(body, []) | {"usage": _USAGE})
    events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return await _stream(request, [*events, "data: [DONE]\n\n"], cut=body["model"] == "cut")


def _tool_deltas() -> list[dict[str, Any]]:
    opening = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    parts = [{"index": 0, "function": {"arguments": part}} for part in ('{"ci', 'ty": "Oslo"}')]
    return [{"tool_calls": [call]} for call in (opening, *parts)]


async def _responses(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    if body["model"] in _STATUS:
        return _refusal(body["model"])
    text = {"type": "output_text", "text": "Oslo", "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    whole = {
        "object": "response",
        "status": "completed",
        "output": [item],
        "created_at": 1,
        "parallel_tool_calls": True,
    }
    whole |= {"id": "resp_1", "model": body["model"], "tool_choice": "auto", "tools": []}
    if not body.get("stream"):
        return _json(whole)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": whole | {"status": "in_progress", "output": []}},
        {"type": "response.output_text.delta", "delta": "Os", "logprobs": [], **place},
        {"type": "response.output_text.delta", "delta": "lo", "logprobs": [], **place},
        {"type": "response.completed", "response": whole},
    ]
    return await _stream(request, [_named(event | {"sequence_number": n}) for n, event in enumerate(events)])


async def _embeddings(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    if body["model"] in _STATUS:
        return _refusal(body["model"])
    data = [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5, 1.0]}]
    return _json(
        {"object": "list", "model": body["model"], "data": data, "usage": {"prompt_tokens": 2, "total_tokens": 2}}
    )


async def _models(_request: web.Request) -> web.StreamResponse:
    data = [{"id": "atlas-1", "object": "model", "created": 1, "owned_by": "tests"}]
    return _json({"object": "list", "data": data})


async def _messages(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    if body["model"] in _STATUS:
        return _refusal(body["model"])
    tools = bool(body.get("tools"))
    said = {"type": "text", "text": "Grüße aus Oslo"}
    wanted = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_sequence": None}
    message |= {"stop_reason": "tool_use" if tools else "end_turn", "usage": {"input_tokens": 9, "output_tokens": 12}}
    if not body.get("stream"):
        return _json(message | {"content": [wanted if tools else said]})
    block = (wanted | {"input": {}}) if tools else (said | {"text": ""})
    kind, name = ("input_json_delta", "partial_json") if tools else ("text_delta", "text")
    parts = ('{"ci', 'ty": "Oslo"}') if tools else ("Grüße", " aus", " Oslo")
    start = message | {"content": [], "stop_reason": None, "usage": {"input_tokens": 9, "output_tokens": 1}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": kind, name: part}} for part in parts),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
            "usage": {"output_tokens": 12},
        },
        {"type": "message_stop"},
    ]
    if body["model"] == "fails-midway":
        events[4:] = [{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}]
    return await _stream(request, [_named(event) for event in events], cut=body["model"] == "cut")


async def _stream(request: web.Request, events: list[str], cut: bool = False) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_1"})
    await response.prepare(request)
    for event in events[: len(events) // 2] if cut else events:
        await response.write(event.encode())
    if cut and request.transport is not None:
        request.transport.close()
    return response


def _named(event: dict[str, Any]) -> str:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"


def _chunk(body: dict[str, Any], choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": choices} | _ids("chatcmpl-1", body)


def _ids(identity: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"id": identity, "created": 1_760_000_000, "model": body["model"]}


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(content, status=status, headers={"x-request-id": "req_1"})


def _refusal(name: str) -> web.Response:
    error = {"message": f"This is the {name} error.", "type": f"{name}_error", "code": name, "param": None}
    headers = {"x-request-id": "req_1", "retry-after": "7"}
    return web.json_response({"type": "error", "error": error}, status=_STATUS[name], headers=headers)

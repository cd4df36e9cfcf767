"""The OpenAI API: chat, responses, embeddings, images, sounds, files, models; Mistral's chat is close enough to it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from aiohttp import WSMsgType, web

from tests.clients.provider.answers import STATUS, Routes, bare, binary, named, streamed, whole

_USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
_ARGUMENTS = ('{"ci', 'ty": "Oslo"}')
_SOUND = bytes(range(256)) * 300
_FILE = b"\x00\xff\r\n\r\n0\r\n\r\ndata: [DONE]\n\n" * 9_000


async def _chat(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    model, tools = body["model"], bool(body.get("tools"))
    if not body.get("stream"):
        message = {"role": "assistant", "content": None if tools else "Grüße aus Oslo", "refusal": None}
        choice = {"index": 0, "message": message | ({"tool_calls": [_CALL]} if tools else {})}
        choice["finish_reason"] = "tool_calls" if tools else "stop"
        return await whole(
            request, model, {"object": "chat.completion", "choices": [choice], "usage": _USAGE} | _ids(body)
        )
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += _tool_deltas(model) if tools else [{"content": piece} for piece in ("Grüße", " aus", " Oslo")]
    chunks = [_chunk(body, [{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    chunks.append(_chunk(body, [{"index": 0, "delta": {}, "finish_reason": "tool_calls" if tools else "stop"}]))
    chunks.append(_chunk(body, []) | {"usage": _USAGE})
    return await streamed(request, model, [*map(bare, chunks), "data: [DONE]\n\n"])


def _tool_deltas(model: str) -> list[dict[str, Any]]:
    if model.startswith("mistral"):  # that API sends a call in one piece
        return [{"tool_calls": [{"index": 0, **_CALL}]}]
    opening = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    parts = [{"index": 0, "function": {"arguments": part}} for part in _ARGUMENTS]
    return [{"tool_calls": [call]} for call in (opening, *parts)]


def _chunk(body: dict[str, Any], choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": choices} | _ids(body)


def _ids(body: dict[str, Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "created": 1_760_000_000, "model": body["model"]}


async def _responses(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    tools = bool(body.get("tools"))
    text = {"type": "output_text", "text": "Oslo", "annotations": [], "logprobs": []}
    said = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    wanted = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "get_weather", "status": "completed"}
    item = wanted | {"arguments": "".join(_ARGUMENTS)} if tools else said
    answer = {"object": "response", "status": "completed", "output": [item], "created_at": 1}
    answer |= {"id": "resp_1", "model": body["model"], "tool_choice": "auto", "tools": [], "parallel_tool_calls": True}
    answer |= {"usage": {"input_tokens": 9, "output_tokens": 12, "total_tokens": 21}}
    answer["usage"] |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    if not body.get("stream"):
        return await whole(request, body["model"], answer)
    started = answer | {"status": "in_progress", "output": [], "usage": None}
    inside = _call_events(wanted) if tools else _text_events(said, text)
    events = [
        {"type": "response.created", "response": started},
        *inside,
        {"type": "response.completed", "response": answer},
    ]
    numbered = [event | {"sequence_number": number} for number, event in enumerate(events)]
    return await streamed(request, body["model"], [named(event) for event in numbered])


def _text_events(item: dict[str, Any], text: dict[str, Any]) -> list[dict[str, Any]]:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    opened = item | {"status": "in_progress", "content": []}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        {"type": "response.content_part.added", "part": text | {"text": ""}, **place},
        *({"type": "response.output_text.delta", "delta": part, "logprobs": [], **place} for part in ("Os", "lo")),
        {"type": "response.output_text.done", "text": "Oslo", "logprobs": [], **place},
        {"type": "response.content_part.done", "part": text, **place},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ]


def _call_events(call: dict[str, Any]) -> list[dict[str, Any]]:
    place, kind = {"item_id": "fc_1", "output_index": 0}, "response.function_call_arguments"
    spoken = "".join(_ARGUMENTS)
    opened, closed = call | {"status": "in_progress", "arguments": ""}, call | {"arguments": spoken}
    return [
        {"type": "response.output_item.added", "output_index": 0, "item": opened},
        *({"type": f"{kind}.delta", "delta": part, **place} for part in _ARGUMENTS),
        {"type": f"{kind}.done", "name": call["name"], "arguments": spoken, **place},
        {"type": "response.output_item.done", "output_index": 0, "item": closed},
    ]


async def _embeddings(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    vector = "AACAPgAAAL8AAIA/" if body.get("encoding_format") == "base64" else [0.25, -0.5, 1.0]
    data = [{"object": "embedding", "index": 0, "embedding": vector}]
    content = {"object": "list", "id": "emb_1", "model": body["model"], "data": data}
    return await whole(request, body["model"], content | {"usage": _USAGE})


async def _images(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    return await whole(request, body["model"], {"created": 1, "data": [{"b64_json": "iVBORw0KGgo=" * 20_000}]})


async def _models(request: web.Request) -> web.StreamResponse:
    data = [{"id": "atlas-1", "object": "model", "created": 1, "owned_by": "tests"}]
    return await whole(request, "", {"object": "list", "data": data})


async def _transcription(request: web.Request) -> web.StreamResponse:
    fields = await _fields(request)
    model = fields["model"].decode()
    if fields.get("stream") == b"true":
        parts = [{"type": "transcript.text.delta", "delta": part} for part in ("Grüße", " aus Oslo")]
        done = {"type": "transcript.text.done", "text": "Grüße aus Oslo"}
        return await streamed(request, model, [named(event) for event in (*parts, done)])
    return await whole(request, model, {"text": f"heard {hashlib.sha256(fields['file']).hexdigest()}"})


async def _speech(_request: web.Request) -> web.StreamResponse:
    return binary(_SOUND, "audio/mpeg")


async def _upload(request: web.Request) -> web.StreamResponse:
    fields = await _fields(request)
    content = {"id": "file_1", "bytes": len(fields["file"]), "created_at": 1, "filename": "notes.jsonl"}
    if "anthropic-version" in request.headers:
        content |= {"type": "file", "mime_type": "text/plain", "size_bytes": len(fields["file"])}
        content["created_at"] = "2026-01-01T00:00:00Z"
    else:
        content |= {"object": "file", "purpose": fields["purpose"].decode(), "status": "processed"}
    return await whole(request, "", content)


async def _download(_request: web.Request) -> web.StreamResponse:
    return binary(_FILE, "application/octet-stream")


async def _fields(request: web.Request) -> dict[str, bytes]:
    """A form's fields; the body has been read for the diary, so that aiohttp's own reader is of no use."""
    boundary = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    found = {}
    for part in (await request.read()).split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        found[head.partition(b' name="')[2].partition(b'"')[0].decode()] = content.removesuffix(b"\r\n")
    return found


async def _realtime(request: web.Request) -> web.StreamResponse:
    """A session: greets, and answers `response.create` by two deltas; a refused model gets no WebSocket at all."""
    model = request.query["model"]
    if model in STATUS:
        return await whole(request, model, {})
    socket = web.WebSocketResponse(protocols=["realtime"])
    await socket.prepare(request)
    session = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "model": model}
    await socket.send_json({"type": "session.created", "event_id": "event_1", "session": session})
    async for message in socket:
        if message.type is WSMsgType.TEXT and json.loads(message.data)["type"] == "response.create":
            place = {"response_id": "resp_1", "item_id": "msg_1", "output_index": 0, "content_index": 0}
            for number, part in enumerate(("Grüße", " aus Oslo" * 20_000)):
                event = {"type": "response.output_text.delta", "event_id": f"event_{number + 2}", "delta": part}
                await socket.send_json(event | place)
            await socket.close(code=4000, message=b"that was all")
    return socket


ROUTES: Routes = (
    ("POST", "/v1/chat/completions", _chat),
    ("POST", "/v1/responses", _responses),
    ("POST", "/v1/embeddings", _embeddings),
    ("POST", "/v1/images/generations", _images),
    ("POST", "/v1/audio/transcriptions", _transcription),
    ("POST", "/v1/audio/speech", _speech),
    ("POST", "/v1/files", _upload),
    ("GET", "/v1/files/{file}/content", _download),
    ("GET", "/v1/models", _models),
    ("GET", "/v1/realtime", _realtime),
)

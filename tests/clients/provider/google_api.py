"""The Gemini API: generateContent whole and streamed, embeddings, counted tokens. The model is part of the path."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.clients.provider.answers import Routes, bare, streamed, whole

_MODEL = "/{version:v1|v1beta}/models/{model:[^:/]+}"


async def _generate(request: web.Request) -> web.StreamResponse:
    part = _wanted() if (await request.json()).get("tools") else {"text": "Grüße aus Oslo"}
    return await whole(request, request.match_info["model"], _answer(part, "STOP"))


async def _stream(request: web.Request) -> web.StreamResponse:
    tools = (await request.json()).get("tools")
    parts = [_wanted()] if tools else [{"text": piece} for piece in ("Grüße", " aus", " Oslo", ".")]
    answers = [_answer(part, "STOP" if part is parts[-1] else None) for part in parts]
    return await streamed(request, request.match_info["model"], [bare(answer) for answer in answers])


async def _embed(request: web.Request) -> web.StreamResponse:
    values = {"values": [0.25, -0.5, 1.0]}
    return await whole(request, request.match_info["model"], {"embedding": values, "embeddings": [values]})


async def _count(request: web.Request) -> web.StreamResponse:
    return await whole(request, request.match_info["model"], {"totalTokens": 9})


def _wanted() -> dict[str, Any]:
    return {"functionCall": {"id": "call_1", "name": "get_weather", "args": {"city": "Oslo"}}}


def _answer(part: dict[str, Any], reason: str | None) -> dict[str, Any]:
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}}
    return {
        "candidates": [candidate | ({"finishReason": reason} if reason else {})],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 12, "totalTokenCount": 21},
        "modelVersion": "atlas-1",
        "responseId": "resp_1",
    }


ROUTES: Routes = (
    ("POST", f"{_MODEL}:generateContent", _generate),
    ("POST", f"{_MODEL}:streamGenerateContent", _stream),
    ("POST", f"{_MODEL}:embedContent", _embed),
    ("POST", f"{_MODEL}:batchEmbedContents", _embed),
    ("POST", f"{_MODEL}:countTokens", _count),
)

"""The OpenAI SDK, synchronous; its asynchronous half is in the normal tests, at another major version."""

from __future__ import annotations

from typing import Any

import openai

from tests.clients.matrix.players import ASK, CITY, KEY, TOOL, Play, collected, with_models

_SOUND = ("hello.wav", bytes(range(256)) * 400, "audio/wav")
_NOTES = ("notes.jsonl", b'{"custom_id": "1"}\r\n--not-a-boundary\n' * 50_000)
_PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'iVBORw0KGgo=' * 150_000}"}}
_FUNCTION = {"type": "function", "name": "get_weather", "parameters": CITY, "strict": False}


def _client(base: str, retries: int = 0) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, organization="org-1", max_retries=retries)


def _chat(base: str, model: str = "atlas-1", **more: Any) -> Any:
    return _client(base, 1 if model == "flaky" else 0).chat.completions.create(model=model, messages=ASK, **more)


def _stream(base: str, model: str = "atlas-1", **more: Any) -> Any:
    return collected(_chat(base, model, stream=True, stream_options={"include_usage": True}, **more))


def _picture(base: str) -> Any:
    ask = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, _PICTURE]}]
    return _client(base).chat.completions.create(model="atlas-1", messages=ask)


def _left(base: str) -> Any:
    with _chat(base, stream=True) as stream:
        return next(iter(stream))


def _response(base: str, model: str = "atlas-1") -> Any:
    return _client(base).responses.create(model=model, input="Where?")


def _response_stream(base: str, model: str = "atlas-1", **more: Any) -> Any:
    return collected(_client(base).responses.create(model=model, input="Where?", stream=True, **more))


def _response_tools(base: str) -> Any:
    with _client(base).responses.stream(model="atlas-1", input="Where?", tools=[_FUNCTION]) as stream:
        return [*stream, stream.get_final_response()]


def _transcription(base: str, model: str = "atlas-1") -> Any:
    return _client(base).audio.transcriptions.create(model=model, file=_SOUND)


def _transcription_stream(base: str) -> Any:
    return collected(_client(base).audio.transcriptions.create(model="atlas-1", file=_SOUND, stream=True))


def _speech(base: str) -> Any:
    with _client(base).audio.speech.with_streaming_response.create(model="s", voice="alloy", input="Hi") as answer:
        return [answer.headers["content-type"], b"".join(answer.iter_bytes(4096))]


def _headers(base: str) -> Any:
    raw = _client(base).chat.completions.with_raw_response.create(model="atlas-1", messages=ASK)
    return sorted(pair for pair in raw.headers.multi_items() if pair[0].lower() != "date")


def _realtime(base: str, model: str = "atlas-1") -> Any:
    seen = []
    with _client(base).realtime.connect(model=model) as connection:
        seen.append(connection.recv())
        connection.response.create()
        try:
            seen += list(connection)
        except Exception as error:  # the provider closes with a code of its own
            seen.append([type(error).__name__, str(error)])
    return seen


WELL: dict[str, Play] = {
    "chat": _chat,
    "chat tools": lambda base: _chat(base, tools=[TOOL]),
    "chat stream": _stream,
    "chat stream tools": lambda base: _stream(base, tools=[TOOL]),
    "chat large": _picture,
    "chat left early": _left,
    "responses": _response,
    "responses stream": _response_stream,
    "responses stream tools": _response_tools,
    "embeddings": lambda base: _client(base).embeddings.create(model="atlas-1", input=["Oslo"]),
    "audio upload": _transcription,
    "audio upload stream": _transcription_stream,
    "audio download": _speech,
    "file upload": lambda base: _client(base).files.create(file=_NOTES, purpose="batch"),
    "file download": lambda base: _client(base).files.content("file_1").content,
    "images": lambda base: _client(base).images.generate(model="atlas-1", prompt="Oslo"),
    "models": lambda base: list(_client(base).models.list()),
    "raw headers": _headers,
    "realtime": _realtime,
    **with_models(_chat, {"packed": "zipped", "tried again": "flaky"}),
    **with_models(_stream, {"packed stream": "zipped"}),
}
BADLY: dict[str, Play] = {
    **with_models(_chat, {"429": "limited", "500": "broken", "cut": "cut"}),
    **with_models(_stream, {"429 stream": "limited", "cut stream": "cut", "malformed stream": "malformed"}),
    **with_models(_realtime, {"realtime 429": "limited"}),
}

"""The official OpenAI SDK gets the same objects and the same errors through the proxy as without it."""

from __future__ import annotations

import hashlib
from typing import Any

import openai
import pytest

from tests.clients.conftest import Call, Doors, collected

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY}}]
RESPONSE_TOOLS = [{"type": "function", "name": "get_weather", "parameters": CITY, "strict": False}]
ASK = [{"role": "user", "content": "Greetings from where?"}]
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'iVBORw0KGgo=' * 150_000}"}}
SOUND = ("hello.wav", bytes(range(256)) * 400, "audio/wav")
NOTES = ("notes.jsonl", b'{"custom_id": "1", "body": {}}\r\n--not-a-boundary\n' * 50_000)
ERRORS = ("bad", "denied", "missing", "unprocessable", "limited", "broken", "overloaded")


def _end_to_end(headers: Any) -> list[Any]:
    return [
        pair for pair in headers.multi_items() if pair[0].lower() not in ("date", "connection", "transfer-encoding")
    ]


def _digest(content: bytes) -> list[Any]:
    return [len(content), hashlib.sha256(content).hexdigest()]


async def _chat(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.chat.completions.create(model=model, messages=ASK)).model_dump()


async def _chat_tools(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.chat.completions.create(model=model, messages=ASK, tools=TOOLS)).model_dump()


async def _chat_picture(client: openai.AsyncOpenAI, model: str) -> Any:
    ask = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}]
    return (await client.chat.completions.create(model=model, messages=ask)).model_dump()


async def _chat_stream(client: openai.AsyncOpenAI, model: str) -> Any:
    options = {"include_usage": True}
    return await collected(
        await client.chat.completions.create(model=model, messages=ASK, stream=True, stream_options=options)
    )


async def _chat_stream_tools(client: openai.AsyncOpenAI, model: str) -> Any:
    return await collected(await client.chat.completions.create(model=model, messages=ASK, tools=TOOLS, stream=True))


async def _chat_left(client: openai.AsyncOpenAI, model: str) -> Any:
    async with await client.chat.completions.create(model=model, messages=ASK, stream=True) as stream:
        async for event in stream:
            return event.model_dump()


async def _chat_slow(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.chat.completions.create(model="slow", messages=ASK, timeout=0.3)).model_dump()


async def _response(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.responses.create(model=model, input="Where?")).model_dump()


async def _response_stream(client: openai.AsyncOpenAI, model: str) -> Any:
    return await collected(await client.responses.create(model=model, input="Where?", stream=True))


async def _response_stream_tools(client: openai.AsyncOpenAI, model: str) -> Any:
    async with client.responses.stream(model=model, input="Where?", tools=RESPONSE_TOOLS) as stream:
        events = await collected(stream)
        return [*events, (await stream.get_final_response()).model_dump()]


async def _embedding(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.embeddings.create(model=model, input="Oslo", encoding_format="float")).model_dump()


async def _embedding_packed(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.embeddings.create(model=model, input=["Oslo"])).model_dump()


async def _transcription(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.audio.transcriptions.create(model=model, file=SOUND)).model_dump()


async def _transcription_stream(client: openai.AsyncOpenAI, model: str) -> Any:
    return await collected(await client.audio.transcriptions.create(model=model, file=SOUND, stream=True))


async def _speech(client: openai.AsyncOpenAI, model: str) -> Any:
    async with client.audio.speech.with_streaming_response.create(model=model, voice="alloy", input="Hi") as answer:
        return [answer.headers["content-type"], *_digest(b"".join([part async for part in answer.iter_bytes(4096)]))]


async def _upload(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.files.create(file=NOTES, purpose="batch")).model_dump()


async def _download(client: openai.AsyncOpenAI, model: str) -> Any:
    return _digest((await client.files.content("file_1")).content)


async def _images(client: openai.AsyncOpenAI, model: str) -> Any:
    return (await client.images.generate(model=model, prompt="Oslo")).model_dump()


async def _models(client: openai.AsyncOpenAI, model: str) -> Any:
    return [found.model_dump() async for found in client.models.list()]


async def _raw_headers(client: openai.AsyncOpenAI, model: str) -> Any:
    raw = await client.chat.completions.with_raw_response.create(model=model, messages=ASK)
    return _end_to_end(raw.headers)


async def _raw_stream_headers(client: openai.AsyncOpenAI, model: str) -> Any:
    raw = await client.chat.completions.with_raw_response.create(model=model, messages=ASK, stream=True)
    return [_end_to_end(raw.headers), *await collected(raw.parse())]


CALLS = {
    "chat": _chat,
    "chat with tools": _chat_tools,
    "chat with a picture": _chat_picture,
    "chat streamed": _chat_stream,
    "chat streamed with tools": _chat_stream_tools,
    "chat left early": _chat_left,
    "responses": _response,
    "responses streamed": _response_stream,
    "responses streamed with tools": _response_stream_tools,
    "embeddings": _embedding,
    "embeddings packed": _embedding_packed,
    "transcription": _transcription,
    "transcription streamed": _transcription_stream,
    "speech": _speech,
    "file upload": _upload,
    "file download": _download,
    "images": _images,
    "models": _models,
    "raw headers": _raw_headers,
    "raw headers of a stream": _raw_stream_headers,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_same_objects(call: Call, doors: Doors) -> None:
    """Every call gives the same object directly and through the proxy."""
    direct, proxied = await doors.openai(call, "atlas-1")
    assert isinstance(direct, dict | list), direct
    assert proxied == direct


@pytest.mark.parametrize("model", ["zipped", "flaky"])
@pytest.mark.parametrize("call", [_chat, _chat_stream, _response_stream, _embedding, _raw_headers])
async def test_same_objects_from_odd_answers(call: Call, model: str, doors: Doors) -> None:
    """A packed answer is unpacked by the client alone, and a refusal is tried again by the client alone."""
    direct, proxied = await doors.openai(call, model)
    assert isinstance(direct, dict | list), direct
    assert proxied == direct


@pytest.mark.parametrize("model", [*ERRORS, "cut"])
@pytest.mark.parametrize("call", [_chat, _chat_stream, _response, _response_stream, _embedding, _transcription])
async def test_same_errors(call: Call, model: str, doors: Doors) -> None:
    """Every provider error is the same exception with the same contents."""
    direct, proxied = await doors.openai(call, model)
    if model != "cut" or call is not _response_stream:  # this stream has no last word that the SDK would miss
        assert isinstance(direct, tuple), direct
    assert proxied == direct


@pytest.mark.parametrize(
    ("call", "model"), [(_chat_stream, "malformed"), (_response_stream, "malformed"), (_chat_slow, "slow")]
)
async def test_same_despair(call: Call, model: str, doors: Doors) -> None:
    """A stream without sense and an answer that does not come end as they do without the proxy."""
    direct, proxied = await doors.openai(call, model)
    assert isinstance(direct, tuple), direct
    assert proxied == direct


async def _realtime(client: openai.AsyncOpenAI, model: str) -> Any:
    async with client.realtime.connect(model=model) as connection:
        first = await connection.recv()
        await connection.response.create()
        try:
            return [first.model_dump(), *await collected(connection)]
        except Exception as error:  # the provider closes with a code of its own
            return [type(error).__name__, str(error)]


@pytest.mark.parametrize("model", ["atlas-1", "limited"])
async def test_same_realtime_session(model: str, doors: Doors) -> None:
    """A realtime session has the same events and the same end, and a refusal is the same refusal."""
    pytest.importorskip("websockets", reason="the SDK's realtime extra is not installed")
    direct, proxied = await doors.openai(_realtime, model)
    assert isinstance(direct, list) == (model == "atlas-1"), direct
    assert proxied == direct

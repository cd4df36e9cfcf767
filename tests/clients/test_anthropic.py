"""The official Anthropic SDK gets the same objects and the same errors through the proxy as without it."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from tests.clients.conftest import Call, Doors, collected

TOOLS = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]
ASK = [{"role": "user", "content": "Greetings from where?"}]
ERRORS = ("bad", "denied", "missing", "unprocessable", "limited", "broken", "overloaded")


async def _message(client: anthropic.AsyncAnthropic, model: str) -> Any:
    return (await client.messages.create(model=model, messages=ASK, max_tokens=99)).model_dump()


async def _message_tools(client: anthropic.AsyncAnthropic, model: str) -> Any:
    return (await client.messages.create(model=model, messages=ASK, max_tokens=99, tools=TOOLS)).model_dump()


async def _message_stream(client: anthropic.AsyncAnthropic, model: str) -> Any:
    return await collected(await client.messages.create(model=model, messages=ASK, max_tokens=99, stream=True))


async def _message_stream_tools(client: anthropic.AsyncAnthropic, model: str) -> Any:
    async with client.messages.stream(model=model, messages=ASK, max_tokens=99, tools=TOOLS) as stream:
        return (await stream.get_final_message()).model_dump()


async def _count(client: anthropic.AsyncAnthropic, model: str) -> Any:
    return (await client.messages.count_tokens(model=model, messages=ASK)).model_dump()


async def _upload(client: anthropic.AsyncAnthropic, model: str) -> Any:
    return (await client.beta.files.upload(file=("notes.txt", b"notes\r\n" * 300_000, "text/plain"))).model_dump()


async def _raw_headers(client: anthropic.AsyncAnthropic, model: str) -> Any:
    raw = await client.messages.with_raw_response.create(model=model, messages=ASK, max_tokens=99)
    return [pair for pair in raw.headers.multi_items() if pair[0].lower() != "date"]


CALLS = {
    "message": _message,
    "message with tools": _message_tools,
    "message streamed": _message_stream,
    "message streamed with tools": _message_stream_tools,
    "tokens counted": _count,
    "file upload": _upload,
    "raw headers": _raw_headers,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_same_objects(call: Call, doors: Doors) -> None:
    """Every call gives the same object directly and through the proxy."""
    direct, proxied = await doors.anthropic(call, "atlas-1")
    assert isinstance(direct, dict | list), direct
    assert proxied == direct


@pytest.mark.parametrize("model", ["zipped", "flaky"])
@pytest.mark.parametrize("call", [_message, _message_stream])
async def test_same_objects_from_odd_answers(call: Call, model: str, doors: Doors) -> None:
    """A packed answer is unpacked by the client alone, and a refusal is tried again by the client alone."""
    direct, proxied = await doors.anthropic(call, model)
    assert isinstance(direct, dict | list), direct
    assert proxied == direct


@pytest.mark.parametrize("model", [*ERRORS, "cut", "fails-midway", "malformed"])
@pytest.mark.parametrize("call", [_message, _message_stream, _message_stream_tools])
async def test_same_errors(call: Call, model: str, doors: Doors) -> None:
    """Every provider error is the same exception with the same contents."""
    direct, proxied = await doors.anthropic(call, model)
    whole = call is _message and model in ("fails-midway", "malformed")
    assert isinstance(direct, dict if whole else tuple), direct
    assert proxied == direct

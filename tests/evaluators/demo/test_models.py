"""Fake models speak the OpenAI chat API well enough for the official SDK, and badly where they should."""

import asyncio
import random
from contextlib import asynccontextmanager

import openai
import pytest
from aiohttp import web

from evaluators.children import child
from evaluators.demo.answers import Answer
from evaluators.demo.models import model_app, replayed
from evaluators.demo.recorded import Item

ASK = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


@asynccontextmanager
async def _client(said):
    runner = web.AppRunner(model_app("m", lambda body: said, random.Random(1), pace=0.0), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="k", max_retries=0) as client:
        yield client
    await runner.cleanup()


async def test_text_comes_whole_and_in_pieces():
    """Both deliveries say the same."""
    async with _client(Answer("Grüße aus Oslo, und noch viel mehr Text")) as client:
        whole = await client.chat.completions.create(**ASK)
        pieces = [chunk async for chunk in await client.chat.completions.create(**ASK, stream=True)]
    assert whole.choices[0].message.content == "Grüße aus Oslo, und noch viel mehr Text"
    assert "".join(p.choices[0].delta.content or "" for p in pieces if p.choices) == whole.choices[0].message.content
    assert pieces[-1].usage == whole.usage


async def test_tools_are_called_in_deltas():
    """The arguments of a streamed tool call add up."""
    async with _client(Answer("", "get_weather", '{"city": "Oslo"}')) as client:
        whole = await client.chat.completions.create(**ASK)
        pieces = [chunk async for chunk in await client.chat.completions.create(**ASK, stream=True)]
    calls = [call for p in pieces if p.choices for call in p.choices[0].delta.tool_calls or ()]
    assert (
        "".join(call.function.arguments for call in calls) == whole.choices[0].message.tool_calls[0].function.arguments
    )


async def test_limits_are_429():
    """A limited answer is the SDK's RateLimitError."""
    async with _client(Answer(limited=True)) as client:
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(**ASK)


async def test_a_cut_stream_breaks():
    """A cut stream ends in a transport error, not in a finish reason."""
    async with _client(Answer("words " * 40, cut=True)) as client:
        stream = await client.chat.completions.create(**ASK, stream=True)
        with pytest.raises(Exception, match=r".") as broken:
            _ = [chunk async for chunk in stream]
    assert not isinstance(broken.value, openai.APIStatusError)


def test_recorded_answers_are_said_again():
    """The request's metadata names the item."""
    assert replayed({"7": Item("7", (), "Hello")})({"metadata": {"item": "7"}}) == Answer("Hello")


async def test_runs_as_a_process_that_names_its_ports():
    """The child prints one port per model and ends when told to."""
    orders = {"models": {"live": {"faults": []}, "mini": {"faults": ["rate-limited"]}}, "seed": 1, "pace": 0}
    async with child("models", ["-m", "evaluators.demo.models"], orders=orders) as models:
        assert set(models.ready) == {"live", "mini"}
        _, writer = await asyncio.open_connection("127.0.0.1", models.ready["mini"])
        writer.close()
    assert await models.stop() == 0

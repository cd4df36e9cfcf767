"""The door to vectors: what is asked of the endpoint, what is remembered, and what is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from config.settings import Embeddings
from evaluators.core.finding import DoorFailed
from evaluators.judges.embedding import Embedding
from evaluators.judges.posting import Posting
from tests.doubles.upstream import ScriptedUpstream, Turn, answer


@pytest.fixture
def posting() -> Iterator[Posting]:
    opened = Posting()
    yield opened
    opened.close()


def door(posting: Posting, url: str, **more: Any) -> Embedding:
    """A door on this endpoint."""
    return Embedding(posting, Embeddings.model_validate({"base_url": url, "model": "m", "timeout": "1s", **more}))


async def counting(turn: Turn) -> None:
    """A script: the vector of a text is its length and 1; the last text's comes first."""
    texts = json.loads(turn.body)["input"]
    data = [{"index": at, "embedding": [len(text), 1]} for at, text in enumerate(texts)]
    await answer(json.dumps({"data": data[::-1]}).encode())(turn)


async def embed(found: Embedding, *texts: str) -> list[list[float]]:
    return [list(vector) for vector in await asyncio.to_thread(found.embed, texts)]


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_the_question_is_openais(posting: Posting, suffix: str) -> None:
    """One path however the base is written, the model and the texts; the key goes in the header and nowhere else."""
    async with ScriptedUpstream(counting) as server:
        found = door(posting, server.url + suffix, api_key="sk-1")
        assert await embed(found, "four", "to", "four") == [[4, 1], [2, 1], [4, 1]]
        turn = server.turns[0]
        assert turn.target == b"/v1/embeddings"
        assert turn.header(b"authorization") == b"Bearer sk-1"
        assert json.loads(turn.body) == {"model": "m", "input": ["four", "to"], "encoding_format": "float"}
        assert "sk-1" not in repr(found)


async def test_what_was_asked_is_not_asked_again(posting: Posting) -> None:
    """Vectors are kept by text, the oldest go first, and the number of them is bounded."""
    async with ScriptedUpstream(counting) as server:
        endpoint = Embeddings.model_validate({"base_url": server.url, "model": "m"})
        found = Embedding(posting, endpoint, most_kept=2)
        for texts in (("a", "bb"), ("a", "ccc"), ("a",), ("bb",)):
            await embed(found, *texts)
        assert [json.loads(turn.body)["input"] for turn in server.turns] == [["a", "bb"], ["ccc"], ["bb"]]
        assert server.turns[0].header(b"authorization") == b""
        assert repr(found) == "<Embedding of m, 2 kept>"


async def test_many_and_long_texts(posting: Posting) -> None:
    """A question holds 64 texts, and of a text its first 20,000 characters; half a character is sent as it is."""
    async with ScriptedUpstream(counting) as server:
        found = door(posting, server.url)
        vectors = await embed(found, *("x" * n for n in range(1, 101)), "y" * 30_000, "\ud800")
        assert vectors == [[n, 1] for n in range(1, 101)] + [[20_000, 1], [1, 1]]
        assert [len(json.loads(turn.body)["input"]) for turn in server.turns] == [64, 38]


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        {"data": []},
        {"data": [{"embedding": [1]}]},
        {"data": [{"embedding": [1]}, {"embedding": [1, 2]}]},
        {"data": [{"embedding": []}, {"embedding": []}]},
        {"data": [{"embedding": ["1"]}, {"embedding": ["2"]}]},
        {"data": [{"embedding": [1e99]}, {"embedding": [1]}]},
        {"data": [{"embedding": [1], "index": 0}, {"embedding": [1], "index": 0}]},
        {"data": [{"embedding": [1], "index": "0"}, {"embedding": [1], "index": 1}]},
        {"data": [7, 8]},
    ],
)
async def test_an_answer_without_a_vector_for_each_text_is_refused(posting: Posting, said: Any) -> None:
    """Nothing is guessed and nothing of it is kept."""
    async with ScriptedUpstream(answer(json.dumps(said).encode())) as server:
        found = door(posting, server.url)
        with pytest.raises(DoorFailed, match="something else than one vector for each text"):
            await embed(found, "a", "b")
        assert repr(found) == "<Embedding of m, 0 kept>"

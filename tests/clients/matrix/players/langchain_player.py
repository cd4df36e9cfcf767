"""LangChain's chat models and embeddings for OpenAI and Anthropic."""

from __future__ import annotations

from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from tests.clients.matrix.players import KEY, TOOL, Play, collected, with_models

_ASK = "Greetings from where?"


def _openai(base: str, model: str = "atlas-1", **more: Any) -> ChatOpenAI:
    return ChatOpenAI(base_url=f"{base}/v1", api_key=KEY, model=model, max_retries=0, **more)


def _anthropic(base: str, model: str = "atlas-1") -> ChatAnthropic:
    return ChatAnthropic(base_url=base, api_key=KEY, model=model, max_retries=0, max_tokens=99)


def _embeddings(base: str) -> Any:
    asked = OpenAIEmbeddings(
        base_url=f"{base}/v1", api_key=KEY, model="atlas-1", max_retries=0, check_embedding_ctx_length=False
    )
    return asked.embed_query("Oslo")


def _streamed(base: str, model: str) -> Any:
    return collected(_openai(base, model).stream(_ASK))


def _anthropic_streamed(base: str, model: str) -> Any:
    return collected(_anthropic(base, model).stream(_ASK))


WELL: dict[str, Play] = {
    "chat": lambda base: _openai(base).invoke(_ASK),
    "chat tools": lambda base: _openai(base).bind_tools([TOOL]).invoke(_ASK),
    "chat stream": lambda base: list(_openai(base, stream_usage=True).stream(_ASK)),
    "chat stream tools": lambda base: list(_openai(base).bind_tools([TOOL]).stream(_ASK)),
    "responses": lambda base: _openai(base, use_responses_api=True).invoke(_ASK),
    "responses stream": lambda base: list(_openai(base, use_responses_api=True).stream(_ASK)),
    "embeddings": _embeddings,
    "Claude chat": lambda base: _anthropic(base).invoke(_ASK),
    "Claude tools": lambda base: _anthropic(base).bind_tools([TOOL]).invoke(_ASK),
    "Claude stream": lambda base: list(_anthropic(base).stream(_ASK)),
    "Claude stream tools": lambda base: list(_anthropic(base).bind_tools([TOOL]).stream(_ASK)),
}
BADLY: dict[str, Play] = {
    **with_models(lambda base, model: _openai(base, model).invoke(_ASK), {"429": "limited", "500": "broken"}),
    **with_models(_streamed, {"cut stream": "cut", "malformed stream": "malformed"}),
    **with_models(_anthropic_streamed, {"Claude 429": "limited", "Claude cut stream": "cut"}),
}

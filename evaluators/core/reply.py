"""Reply: the canonical reading of one Outcome, the same for every API family. Made by reading, used by checks.

Absence is a named state: an empty tuple, an empty string, or UNKNOWN; never None and never NaN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

UNKNOWN = -1
"""A count that the provider did not report."""


class Kind(StrEnum):
    """How an arm's answer ended, in the words of the outcome table. OK is everything readable and not blank."""

    OK = "ok"
    TIMEOUT = "timeout"
    CONNECT = "connect"
    RESET = "reset"
    HTTP_4XX = "http_4xx"
    HTTP_429 = "http_429"
    HTTP_5XX = "http_5xx"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    BLANK = "blank"
    REFUSED_BY_PROVIDER = "refused_by_provider"
    CLIENT_LEFT = "client_left"


EXCUSED = frozenset({Kind.CLIENT_LEFT})
"""Kinds that are nobody's fault: such a pair is counted, and no check is run on it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool or function call that the model asks for."""

    name: str
    arguments: str  # the raw text as the model wrote it: unreadable JSON is a finding, not an accident


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back, as the application told the model."""

    name: str  # "" where the request does not say
    text: str
    error: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider reported them; UNKNOWN where it did not."""

    input: int = UNKNOWN
    output: int = UNKNOWN
    cached: int = UNKNOWN
    reasoning: int = UNKNOWN


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said. `kind` tells whether the rest may be believed."""

    kind: Kind
    text: str = ""
    reasoning: str = ""
    refusal: str = ""  # the provider's own refusal field
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""  # stop, length, content_filter, tool_calls; the provider's own word otherwise; "" unknown
    model: str = ""
    usage: Usage = Usage()
    vector: tuple[float, ...] = ()  # the first embedding, for the embeddings API
    streamed: bool = False
    logprobs: tuple[float, ...] = ()  # of the answer's tokens, natural logarithms, where the request asked for them
    flagged: tuple[str, ...] = ()  # the provider's own content filter: "input" or "output", with its word for why
    unread: tuple[str, ...] = ()  # what could not be read, in short phrases of ours

    @property
    def ok(self) -> bool:
        """True when the arm answered and the answer could be read."""
        return self.kind is Kind.OK

    @property
    def words(self) -> str:
        """What a person would read: the text, or where there is none the provider's refusal."""
        return self.text or self.refusal


@dataclass(frozen=True, slots=True)
class Request:
    """What the application asked: read once per pair, shared by both arms."""

    dialect: str  # openai-chat, openai-responses, anthropic-messages, embeddings, plain
    model: str = ""
    stream: bool = False
    prompt: str = ""  # the last user turn, as text: topics and rules look here
    system: str = ""
    turns: int = 0  # user messages so far, this one included
    characters: int = 0  # of all message text
    tools: tuple[str, ...] = ()  # names offered
    schema: dict[str, Any] = field(
        default_factory=dict
    )  # JSON Schema the request itself demands of the answer; {} none
    json_mode: bool = False  # the answer must be JSON, whether or not there is a schema
    tool_schemas: dict[str, dict[str, Any]] = field(default_factory=dict)  # tool name -> JSON Schema of its arguments
    called: tuple[ToolCall, ...] = ()  # what the assistant called earlier in this conversation, oldest first
    tool_results: tuple[ToolResult, ...] = ()  # what these calls gave, oldest first
    body: dict[str, Any] = field(
        default_factory=dict
    )  # the request itself, for checks with paths; {} where it is no JSON
    route: str = ""  # the call's path: one application's endpoint, where its answers are alike

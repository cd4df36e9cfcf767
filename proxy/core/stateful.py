"""What in a call only its provider can use: ids, files, tools that act there, sealed reasoning. Used by plan, rewrite.

A copy of such a call means something else: the id it names does not exist elsewhere, or a tool runs twice. `why`
names the reason not to send one; reasoning alone can be left out. Rules are tables, and what they do not know about
a tool counts as executing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import is_
from typing import Any

_SEGMENTS = {
    # Resources kept by the provider: POST creates or changes one. Threads' and batches' inner paths end like
    # inference calls (/threads/{id}/messages), so the whole path is looked at.
    "batches": "batch",
    "assistants": "resource",
    "containers": "resource",
    "conversations": "resource",
    "evals": "resource",
    "files": "resource",
    "fine_tuning": "resource",
    "realtime": "resource",
    "threads": "resource",
    "uploads": "resource",
    "vector_stores": "resource",
}

_FIELDS = {
    # OpenAI Responses: the history is at the provider, under an id.
    "previous_response_id": "previous_response_id",
    "conversation": "conversation",
    # The answer is fetched later, by an id that only one provider knows.
    "background": "background",
    # A prepared agent or cached prefix that only its provider has.
    "assistant_id": "stored_prompt",
    "agent_id": "stored_prompt",
    "cachedContent": "stored_prompt",
    "cached_content": "stored_prompt",
    # Anthropic: a sandbox that survives the call, and tools that run at the provider.
    "container": "container",
    "mcp_servers": "server_tools",
    # Search switched on without a tool: OpenAI chat, xAI, OpenRouter, Azure's own data, Cohere.
    "web_search_options": "server_tools",
    "search_parameters": "server_tools",
    "plugins": "server_tools",
    "data_sources": "server_tools",
    "connectors": "server_tools",
    # Files uploaded before; the bodies of batch calls.
    "file_ids": "file_reference",
    "input_file_id": "batch",
    "requests": "batch",
}

_SEGMENT_NAMES = frozenset(_SEGMENTS)
_FIELD_NAMES = frozenset(_FIELDS)

_UNSET: tuple[Any, ...] = (None, False, "", [])
"""Values that ask for nothing; an empty object asks for the defaults (`web_search_options: {}` searches)."""

_CLIENT_TOOLS = frozenset({"function", "custom", "apply_patch"})
"""Tool types that only make the model ask; the application runs them, so nobody runs the copy's call."""

_CLIENT_TOOL_PREFIXES = ("bash_", "text_editor_", "computer_20", "memory_")
"""Anthropic's dated client tools (`bash_20250124`); OpenAI's `computer_use_preview` is not among them."""

_GEMINI_CLIENT_TOOLS = frozenset({"functionDeclarations", "function_declarations"})
_NAMED_TOOL = frozenset({"name", "function"})

_ITEMS = {
    # OpenAI Responses: an item by id; a history that the provider folded into one opaque item.
    "item_reference": "item_reference",
    "compaction": "item_reference",
    # What server-side tools left in the history; bound to the provider that ran them.
    "web_search_call": "server_tools",
    "file_search_call": "server_tools",
    "code_interpreter_call": "server_tools",
    "image_generation_call": "server_tools",
    "computer_call": "server_tools",
    "computer_call_output": "server_tools",
    "local_shell_call": "server_tools",
    "local_shell_call_output": "server_tools",
    "mcp_call": "server_tools",
    "mcp_list_tools": "server_tools",
    "mcp_approval_request": "server_tools",
    "mcp_approval_response": "server_tools",
    "server_tool_use": "server_tools",
    "mcp_tool_use": "server_tools",
    "mcp_tool_result": "server_tools",
    "web_search_tool_result": "server_tools",
    "web_fetch_tool_result": "server_tools",
    "code_execution_tool_result": "server_tools",
    "bash_code_execution_tool_result": "server_tools",
    "text_editor_code_execution_tool_result": "server_tools",
    "container_upload": "file_reference",
}

_FILE_KEYS = ("file_id", "file_ids", "fileUri", "file_uri", "fileData")
_TELLING = frozenset({*_FILE_KEYS, "source", "audio"})
_DESCENT = frozenset({"content", "source", "file", "parts", "output", "attachments", "image_url", "input_audio"})
"""Where content nests. Tool arguments and schemas are not entered: a `file_id` there is the application's own."""

REASONS = frozenset(
    {*_SEGMENTS.values(), *_FIELDS.values(), *_ITEMS.values(), "stored_prompt", "file_reference", "audio_reference"}
)
"""Every answer of `why` except the empty one."""


def why(path: str, body: Mapping[str, Any]) -> str:
    """The reason not to shadow this call, one of REASONS, or "" when a copy of it stands alone."""
    segments = path.split("/")
    if not _SEGMENT_NAMES.isdisjoint(segments):
        return next(_SEGMENTS[segment] for segment in segments if segment in _SEGMENTS)
    if not _FIELD_NAMES.isdisjoint(body):
        for field, reason in _FIELDS.items():
            if body.get(field) not in _UNSET:
                return reason
    prompt = body.get("prompt")
    if isinstance(prompt, dict) and prompt.get("id"):  # OpenAI: a prompt template stored by id
        return "stored_prompt"
    if "tools" in body and any(_executes(tool) for tool in _sequence(body["tools"])):
        return "server_tools"
    return _inside(body)


def without_reasoning(path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body without reasoning that is sealed for one model and account (others answer 400); itself if none is."""
    for suffix, field, strip in _REASONING:
        if path.endswith(suffix):
            before = _sequence(body.get(field))
            after = strip(before)
            return body if after is before else {**body, field: after}
    return body


def _executes(tool: object) -> bool:
    if not isinstance(tool, dict):
        return True
    kind = tool.get("type")
    if kind is None:  # Anthropic's plain tools have a name and no type; Gemini's are told apart by their only key
        return not (_NAMED_TOOL & tool.keys() or tool.keys() <= _GEMINI_CLIENT_TOOLS)
    return not (isinstance(kind, str) and (kind in _CLIENT_TOOLS or kind.startswith(_CLIENT_TOOL_PREFIXES)))


def _node(node: Mapping[str, Any]) -> str:
    kind = node.get("type")
    if isinstance(kind, str) and kind in _ITEMS:
        return _ITEMS[kind]
    if kind is None and len(node) == 1 and "id" in node:  # the short form of item_reference
        return "item_reference"
    if _TELLING.isdisjoint(node):  # nearly always, and long conversations have thousands of nodes
        return ""
    if any(node.get(key) for key in _FILE_KEYS):
        return "file_reference"
    source = node.get("source")
    if isinstance(source, dict) and source.get("type") == "file":
        return "file_reference"
    audio = node.get("audio")  # OpenAI chat: an earlier spoken answer, by id
    return "audio_reference" if isinstance(audio, dict) and audio.get("id") else ""


def _inside(body: Mapping[str, Any]) -> str:
    """The reason of a message, item or content block, whichever is met first; without recursion, for bodies may be
    deep. Plain turns, `role` and a text, are nearly all there is and passed by at a quarter of what the look costs."""
    left = [body.get(field) for field in ("messages", "input", "contents", "system")]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += [item for item in value if isinstance(item, dict) and not _plain(item)]
        elif isinstance(value, dict):
            if reason := _node(value):
                return reason
            left += [inner for key, inner in value.items() if key in _DESCENT and not isinstance(inner, str)]
    return ""


def _plain(item: dict[str, Any]) -> bool:
    return len(item) == 2 and "role" in item and isinstance(item.get("content"), str)


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _strip_items(items: list[Any]) -> list[Any]:
    """Responses. With the reasoning go the ids of the other items: an id promises that its reasoning is there."""
    if not any(_kind(item) == "reasoning" for item in items):
        return items
    return [_bare(item, _ID) for item in items if _kind(item) != "reasoning"]


_ID = frozenset({"id"})


def _strip_chat(messages: list[Any]) -> list[Any]:
    """Chat: what gateways and reasoning models add to an assistant's message."""
    for message in messages:
        if isinstance(message, dict) and not _THOUGHTS.isdisjoint(message):
            return [_bare(message, _THOUGHTS) for message in messages]
    return messages


_THOUGHTS = frozenset({"reasoning", "reasoning_content", "reasoning_details", "thinking_blocks"})


def _strip_thinking(messages: list[Any]) -> list[Any]:
    """Anthropic. A message that held nothing else goes too, for the API refuses empty ones."""
    kept = [_thoughtless(message) for message in messages]
    if all(map(is_, kept, messages)):
        return messages
    return [message for message in kept if message is not None]


def _thoughtless(message: Any) -> Any:
    blocks = message.get("content") if isinstance(message, dict) else None
    if not isinstance(blocks, list):
        return message
    kept = [block for block in blocks if _kind(block) not in ("thinking", "redacted_thinking")]
    if len(kept) == len(blocks):
        return message
    return {**message, "content": kept} if kept else None


def _bare(item: Any, names: frozenset[str]) -> Any:
    return {key: value for key, value in item.items() if key not in names} if isinstance(item, dict) else item


def _kind(item: object) -> object:
    return item.get("type") if isinstance(item, dict) else None


_REASONING: tuple[tuple[str, str, Callable[[list[Any]], list[Any]]], ...] = (
    ("/chat/completions", "messages", _strip_chat),
    ("/responses", "input", _strip_items),
    ("/messages", "messages", _strip_thinking),
)

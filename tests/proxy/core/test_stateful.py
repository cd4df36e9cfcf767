"""What a copy of a call could not stand alone with."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.core.stateful import REASONS, why, without_reasoning

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"


def user(*blocks: Any) -> dict[str, Any]:
    """A user's message with these content blocks."""
    return {"role": "user", "content": list(blocks)}


STATEFUL: list[Any] = [
    pytest.param("/v1/threads/t/messages", {}, "resource", id="assistants-thread"),
    pytest.param("/v1/messages/batches", {}, "batch", id="anthropic-batches"),
    pytest.param("/openai/v1/files", {}, "resource", id="files"),
    pytest.param(RESPONSES, {"previous_response_id": "resp_1"}, "previous_response_id", id="chained"),
    pytest.param(RESPONSES, {"conversation": {"id": "conv_1"}}, "conversation", id="conversation"),
    pytest.param(RESPONSES, {"background": True}, "background", id="background"),
    pytest.param(RESPONSES, {"prompt": {"id": "pmpt_1"}}, "stored_prompt", id="stored-prompt"),
    pytest.param(CHAT, {"agent_id": "ag_1"}, "stored_prompt", id="agent"),
    pytest.param("/v1beta/models/m:generateContent", {"cachedContent": "c"}, "stored_prompt", id="gemini-cache"),
    pytest.param(MESSAGES, {"container": "container_1"}, "container", id="anthropic-container"),
    pytest.param(MESSAGES, {"mcp_servers": [{"url": "https://m"}]}, "server_tools", id="anthropic-mcp"),
    pytest.param(CHAT, {"web_search_options": {"x": 1}}, "server_tools", id="chat-search"),
    pytest.param(CHAT, {"web_search_options": {}}, "server_tools", id="chat-search-with-defaults"),
    pytest.param(CHAT, {"plugins": [{"id": "web"}]}, "server_tools", id="openrouter-plugins"),
    *(
        pytest.param(RESPONSES, {"tools": [{"type": kind}]}, "server_tools", id=f"openai-{kind}")
        for kind in (
            "web_search web_search_preview_2025_03_11 file_search code_interpreter computer_use_preview mcp "
            "image_generation local_shell shell something_new"
        ).split()
    ),
    *(
        pytest.param(MESSAGES, {"tools": [{"type": kind, "name": "n"}]}, "server_tools", id=f"anthropic-{kind}")
        for kind in "web_search_20250305 web_fetch_20250910 code_execution_20250825 tool_search_tool_bm25_1".split()
    ),
    pytest.param("/g", {"tools": [{"googleSearch": {}}]}, "server_tools", id="gemini-search"),
    pytest.param("/g", {"tools": [{"functionDeclarations": [], "codeExecution": {}}]}, "server_tools", id="gemini-mix"),
    pytest.param(CHAT, {"tools": ["web"]}, "server_tools", id="tool-of-unknown-shape"),
    pytest.param(CHAT, {"tools": [{"type": 7}]}, "server_tools", id="tool-of-odd-type"),
    pytest.param(
        CHAT, {"messages": [user({"type": "file", "file": {"file_id": "f"}})]}, "file_reference", id="chat-file"
    ),
    pytest.param(
        RESPONSES, {"input": [user({"type": "input_image", "file_id": "f"})]}, "file_reference", id="responses-image"
    ),
    pytest.param(
        MESSAGES,
        {"messages": [user({"type": "document", "source": {"type": "file"}})]},
        "file_reference",
        id="anthropic-source",
    ),
    pytest.param(
        MESSAGES,
        {"messages": [user({"type": "tool_result", "content": [{"source": {"file_id": "f"}}]})]},
        "file_reference",
        id="inside-a-tool-result",
    ),
    pytest.param(MESSAGES, {"messages": [user({"type": "container_upload"})]}, "file_reference", id="anthropic-upload"),
    pytest.param("/g", {"contents": [{"parts": [{"fileData": {"fileUri": "u"}}]}]}, "file_reference", id="gemini-file"),
    pytest.param(CHAT, {"file_ids": ["f"]}, "file_reference", id="file-ids"),
    pytest.param("/v1/x", {"input_file_id": "f"}, "batch", id="openai-batch"),
    pytest.param(RESPONSES, {"input": [{"type": "item_reference", "id": "i"}]}, "item_reference", id="item"),
    pytest.param(RESPONSES, {"input": [{"id": "i"}]}, "item_reference", id="item-short-form"),
    pytest.param(RESPONSES, {"input": [{"type": "mcp_call", "id": "m"}]}, "server_tools", id="mcp-history"),
    pytest.param(
        MESSAGES,
        {"messages": [{"role": "assistant", "content": [{"type": "server_tool_use"}]}]},
        "server_tools",
        id="anthropic-history",
    ),
    pytest.param(
        CHAT, {"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "audio_reference", id="spoken-answer"
    ),
    pytest.param(
        CHAT,
        {"messages": [{"role": "assistant", "content": "x", "audio": {"id": "a"}}]},
        "audio_reference",
        id="spoken-answer-with-text",
    ),
]

STATELESS: list[Any] = [
    pytest.param(CHAT, {}, id="empty"),
    pytest.param(CHAT, {"messages": [{"role": "user", "content": "hi"}], "store": True}, id="chat"),
    pytest.param(RESPONSES, {"input": "hi", "previous_response_id": None, "background": False}, id="nulls"),
    pytest.param("/v1/completions", {"prompt": "Once"}, id="text-prompt"),
    pytest.param("/v1/completions", {"prompt": ["a", "b"]}, id="prompt-list"),
    pytest.param(RESPONSES, {"prompt": {}}, id="prompt-without-id"),
    pytest.param(
        CHAT, {"tools": [{"type": "function", "function": {"name": "files"}}, {"type": "custom"}]}, id="functions"
    ),
    pytest.param(CHAT, {"tools": [{"function": {"name": "f"}}]}, id="function-without-type"),
    pytest.param(MESSAGES, {"tools": [{"name": "f", "input_schema": {"file_id": {}}}]}, id="anthropic-plain"),
    pytest.param(
        MESSAGES,
        {"tools": [{"type": kind} for kind in ("bash_20250124", "text_editor_20250728", "computer_20250124")]},
        id="anthropic-client-tools",
    ),
    pytest.param("/g", {"tools": [{"functionDeclarations": []}, {"function_declarations": []}]}, id="gemini-functions"),
    pytest.param(
        MESSAGES,
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "input": {"file_id": "mine"}}]}]},
        id="arguments-are-the-applications",
    ),
    pytest.param(CHAT, {"messages": [user({"type": "file", "file": {"file_data": "data:"}})]}, id="inline-file"),
    pytest.param(
        MESSAGES, {"messages": [user({"type": "image", "source": {"type": "base64", "data": "x"}})]}, id="inline-image"
    ),
    pytest.param(CHAT, {"messages": [{"role": "user", "content": "x", "audio": None}]}, id="no-audio"),
    pytest.param(RESPONSES, {"input": [{"type": "message", "id": "m", "role": "user", "content": []}]}, id="own-id"),
    pytest.param(CHAT, {"messages": {"role": "user"}, "tools": {"type": "mcp"}, "input": [1]}, id="odd-shapes"),
]


@pytest.mark.parametrize(("path", "body", "reason"), STATEFUL)
def test_names_what_the_copy_would_miss(path: str, body: dict[str, Any], reason: str) -> None:
    """Each family of provider-side state has its reason."""
    assert why(path, body) == reason
    assert reason in REASONS


@pytest.mark.parametrize(("path", "body"), STATELESS)
def test_lets_pass_what_stands_alone(path: str, body: dict[str, Any]) -> None:
    """Inline content and tools of the application are no state."""
    assert why(path, body) == ""


def test_every_reason_is_tested() -> None:
    """The table above reaches every family."""
    assert {case.values[2] for case in STATEFUL} == REASONS


def test_deep_bodies_are_walked_without_recursion() -> None:
    """Ten thousand levels of content are no danger."""
    body: Any = {"type": "text", "file_id": "f"}
    for _ in range(10_000):
        body = {"content": [body]}
    assert why(CHAT, {"messages": [body]}) == "file_reference"


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "content", "source", "id", "file_id", "audio", "tools", "messages", "input", "name"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # nested data, on machines that are busy
@given(st.dictionaries(st.sampled_from(["messages", "input", "tools", "prompt", "conversation"]), JSON))
def test_any_body_has_an_answer(body: dict[str, Any]) -> None:
    """Whatever shape a body has, the answer is a known reason or none, and stripping leaves it readable."""
    assert why(CHAT, body) in REASONS | {""}
    for path in (CHAT, RESPONSES, MESSAGES):
        stripped = without_reasoning(path, body)
        assert without_reasoning(path, stripped) is stripped


TURN: Any = st.fixed_dictionaries({"role": st.sampled_from(["user", "tool"]), "content": JSON | st.text(max_size=3)})
ITEM: Any = st.dictionaries(
    st.sampled_from(["type", "content", "role", "id", "file_id", "source", "audio", "text"]),
    st.sampled_from(["file", "mcp_call", "compaction", "text", "", 0, {"type": "file"}, {"id": "x"}]) | JSON,
    max_size=3,
)


def named(value: Any) -> Any:
    """The same with a name in every turn, which means nothing here: no turn is plain then, and all are looked at."""
    if isinstance(value, list):
        return [named(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: named(item) for key, item in value.items()}
    return inner | {"name": "n"} if "role" in inner else inner


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TURN | ITEM | st.lists(TURN | ITEM, max_size=2), max_size=4), st.sampled_from(["messages", "input"]))
def test_passing_plain_turns_by_changes_nothing(turns: list[Any], field: str) -> None:
    """Over 1,000 bodies: the quick way and the whole look give the same reason."""
    assert why(CHAT, {field: turns}) == why(CHAT, named({field: turns}))


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
TEXT = {"type": "text", "text": "hi"}

SEALED: list[Any] = [
    pytest.param(
        RESPONSES,
        {"input": [{"type": "reasoning", "id": "rs"}, {"type": "message", "id": "m", "role": "assistant"}, "odd"]},
        {"input": [{"type": "message", "role": "assistant"}, "odd"]},
        id="responses",
    ),
    pytest.param(
        MESSAGES,
        {"messages": ["odd", user(TEXT), {"role": "assistant", "content": [THOUGHT, TEXT]}], "max_tokens": 1},
        {"messages": ["odd", user(TEXT), {"role": "assistant", "content": [TEXT]}], "max_tokens": 1},
        id="anthropic",
    ),
    pytest.param(
        MESSAGES,
        {"messages": [user(TEXT), {"role": "assistant", "content": [{"type": "redacted_thinking"}]}]},
        {"messages": [user(TEXT)]},
        id="anthropic-nothing-left",
    ),
    pytest.param(
        CHAT,
        {"messages": ["odd", {"role": "assistant", "content": "hi", "reasoning_details": [{}]}]},
        {"messages": ["odd", {"role": "assistant", "content": "hi"}]},
        id="chat",
    ),
]


@pytest.mark.parametrize(("path", "body", "expected"), SEALED)
def test_sealed_reasoning_is_left_out(path: str, body: dict[str, Any], expected: dict[str, Any]) -> None:
    """Only the reasoning goes, and the original is not touched."""
    before = repr(body)
    assert without_reasoning(path, body) == expected
    assert repr(body) == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RESPONSES, {"input": "hi"}),
        (RESPONSES, {"input": [{"type": "message", "id": "m"}]}),
        (MESSAGES, {"messages": [user(TEXT)]}),
        (CHAT, {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/embeddings", {"input": [{"type": "reasoning"}]}),
    ],
)
def test_a_body_without_reasoning_stays_itself(path: str, body: dict[str, Any]) -> None:
    """The very same object comes back."""
    assert without_reasoning(path, body) is body

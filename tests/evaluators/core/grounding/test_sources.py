"""Where the retrieved context of a request is."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.grounding import Context, Source, context, path_of
from evaluators.core.grounding.sources import MAX_NODES, MAX_SOURCES
from evaluators.core.reply import Request, ToolResult


def asked(content: Any, role: str = "user", **body: Any) -> Request:
    """A request with one message."""
    return Request("openai-chat", body={"messages": [{"role": role, "content": content}], **body})


def found(request: Request, *paths: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, text and names of every source."""
    return [(one.kind, one.text.strip(), one.names) for one in context(request, [*map(path_of, paths)]).sources]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("What is 1 + 1?", [], id="none"),
        pytest.param("<context>The sky.</context> Why?", [("tag", "The sky.", ())], id="a tag"),
        pytest.param(
            '<documents><document index="1" title="A"> x</document><doc id=\'7\'>y</doc></documents>',
            [("tag", "x", ("1", "A")), ("tag", "y", ("7",))],
            id="documents",
        ),
        pytest.param("<Search_Results>a</Search_Results>", [("tag", "a", ())], id="any case"),
        pytest.param("<context>never closed <context>twice", [], id="unclosed"),
        pytest.param("<contexts>a</contexts> <contextual>b</contextual>", [], id="another tag"),
        pytest.param("Context:\nThe sky.\n\nQuestion: why?", [("heading", "The sky.", ())], id="a heading"),
        pytest.param("## Relevant documents:\nA\nB", [("heading", "A\nB", ())], id="a heading to the end"),
        pytest.param("In this context: go", [], id="a word in a sentence"),
        pytest.param(
            [{"type": "document", "title": "T", "source": {"type": "text", "data": "D"}}],
            [("document", "document\nT\ntext\nD", ("T",))],
            id="a document block",
        ),
        pytest.param(
            [
                {
                    "type": "search_result",
                    "source": "https://a.b",
                    "title": "T",
                    "content": [{"type": "text", "text": "x"}],
                }
            ],
            [("search_result", "search_result\nhttps://a.b\nT\ntext\nx", ("T", "https://a.b"))],
            id="a search result",
        ),
        pytest.param(
            [{"type": "document", "source": {"type": "base64", "data": "AAAA"}}], [], id="a document that is no text"
        ),
    ],
)
def test_contents(content: Any, expected: list[Any]) -> None:
    """Tags, headings and blocks are found; ordinary words are not."""
    assert found(asked(content)) == expected


def test_only_what_was_asked_has_tags_and_headings() -> None:
    """A heading in an earlier answer is no context."""
    assert found(asked("Sources:\nnone", role="assistant")) == []
    assert found(asked("x", system="<context>S</context>")) == [("tag", "S", ())]
    assert found(asked("x", system=[{"type": "text", "text": "<context>S</context>"}])) == [("tag", "S", ())]
    assert found(Request("openai-responses", body={"instructions": "Context: I", "input": "x"})) == [
        ("heading", "I", ())
    ]
    assert found(Request("plain", prompt="<context>P</context>")) == [("tag", "P", ())]


def test_tool_results_are_sources() -> None:
    """One each, or one for every record of a list; JSON without its escapes."""
    request = Request(
        "openai-chat",
        tool_results=(
            ToolResult("read", 'plain "text"'),
            ToolResult("find", '{"results": [{"id": 4, "text": "a\\nb"}, {"url": "https://x.y", "n": 5}]}'),
            ToolResult("list", '[{"title": "T"}]'),
            ToolResult("get", '{"temp": 21.5, "ok": true}'),
            ToolResult("rows", "[1, 2]"),
            ToolResult("none", ""),
        ),
    )
    assert found(request) == [
        ("tool", 'plain "text"', ()),
        ("tool", "4\na\nb", ("4",)),
        ("tool", "https://x.y\n5", ("https://x.y",)),
        ("tool", "T", ("T",)),
        ("tool", "21.5", ()),
        ("tool", "1\n2", ()),
    ]


def test_documents_of_the_body_and_of_file_search() -> None:
    """Documents beside the messages, and what an earlier file search brought."""
    request = asked(
        "x",
        documents=["first", {"id": "d2", "text": "second"}],
        context="third",
        input=[{"type": "file_search_call", "results": [{"filename": "a.pdf", "text": "fourth"}]}],
    )
    assert found(request) == [
        ("file_search", "a.pdf\nfourth", ("a.pdf",)),
        ("document", "first", ()),
        ("document", "d2\nsecond", ("d2",)),
        ("document", "third", ()),
    ]
    assert not context(request).opaque


def test_paths_name_the_context() -> None:
    """With paths only these are the context; without a value there is none."""
    request = asked("<context>T</context>", metadata={"docs": [{"text": "a", "id": "1"}, {"text": "b"}]})
    assert found(request, "metadata.docs[*].text", "/metadata/docs/0") == [
        ("path", "a", ()),
        ("path", "b", ()),
        ("path", "a\n1", ("1",)),
    ]
    assert found(request, "metadata.docs") == [("path", "a\n1", ("1",)), ("path", "b", ())]
    assert found(request, "metadata.none") == []


def test_everything_said_is_known() -> None:
    """Prompt, earlier turns, nested numbers and names; not the request's own settings, nor encoded bytes."""
    said = context(asked([{"text": "hello"}, "A" * 5_000], max_tokens=500, metadata={"n": 7, "yes": True})).said
    assert said == "user\nhello\n7"
    assert context(Request("plain", prompt="p", system="s")).said == "s\np"


@pytest.mark.parametrize(
    ("request_", "opaque"),
    [
        pytest.param(asked("x"), False, id="words"),
        pytest.param(asked([{"type": "image_url", "image_url": {"url": "data:"}}]), True, id="a picture"),
        pytest.param(asked([{"type": "document", "source": {"type": "url"}}]), True, id="a document elsewhere"),
        pytest.param(asked([{"type": "document", "source": {"type": "text"}}]), False, id="a document of words"),
        pytest.param(asked("x", tools=[{"type": "web_search_20250305"}]), True, id="a search by the provider"),
        pytest.param(asked("x", tools=[{"type": "function"}]), False, id="a function"),
        pytest.param(asked("x", input=[{"type": "file_search_call", "results": None}]), True, id="results left out"),
        pytest.param(asked("x", previous_response_id="r1"), True, id="an earlier response"),
        pytest.param(asked([{"type": 1}]), False, id="no type"),
    ],
)
def test_what_cannot_be_read_is_noted(request_: Request, opaque: bool) -> None:
    """The model may have seen more than is here as text."""
    assert context(request_).opaque is opaque


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.sampled_from(["document", "<doc>a</doc>"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "source", "messages", "role", "documents", "results", "id"]), inner)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(["messages", "input", "system", "tools", "documents", "prompt"]), JSON))
def test_any_body_is_walked(body: dict[str, Any]) -> None:
    """No request raises, and the same request has the same context."""
    request = Request("plain", body=body, tool_results=(ToolResult("", str(body)),))
    assert context(request) == context(request)
    assert all(isinstance(name, str) for source in context(request).sources for name in source.names)


@pytest.mark.parametrize(
    "unit", ["<doc>", "<doc></doc>", "<context>", "<", "<doc ", "Context:\n", "[{", "# x\n", "</doc>", "context "]
)
def test_a_megabyte_is_searched_in_time(unit: str) -> None:
    """Whatever it repeats, a prompt of a megabyte is searched in about a second."""
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    assert len(context(asked(text)).sources) <= MAX_SOURCES
    assert time.process_time() - began < 3


def test_a_body_of_endless_small_parts_is_not_walked_to_its_end() -> None:
    """Beyond the last value that is looked at the context counts as unread; ten thousand levels are no matter."""
    deep: Any = "x"
    for _ in range(10_000):
        deep = [deep]
    assert context(asked(deep)) == Context((), "user\nx")
    assert context(asked([0] * (MAX_NODES + 1))).opaque
    assert Source("tool", "x").names == ()

"""The retrieved context of a request: where the texts are that an answer should rest on. Neighbours: paths, claims.

Found without configuration: tool results, document and search-result blocks, `documents` of the body, results of file
search, and tagged or headed stretches of the system and user text. What is there but cannot be read as text (PDF,
pictures, searches that the provider runs) is noted: an answer may then know things that nobody here can see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from evaluators.core.grounding.paths import Path, values_at
from evaluators.core.reply import Request

MAX_SOURCES = 1_000
"""Of one request; more cannot be cited by number either. What lies beyond still counts as said."""
MAX_NODES = 200_000
"""Values of a body walked through, about 0.2 s; a 1 MB body of messages has some hundred."""
_MAX_BLOB = 4_000
"""Characters without a space after which a text is taken for encoded bytes."""

_NAMES = ("id", "document_id", "doc_id", "file_id", "index", "title", "name", "filename", "source", "url", "uri")
_LISTS = ("results", "documents", "sources", "matches", "hits", "items", "data", "chunks", "passages")
_OPAQUE = frozenset(
    """image image_url input_image input_file file input_audio web_search_tool_result web_fetch_tool_result
    web_search_call code_interpreter_call mcp_call container_upload""".split()
)
_HOSTED = ("web_search", "file_search", "code_interpreter", "code_execution", "web_fetch", "mcp", "computer")
_PROMPTS = ("system", "instructions", "prompt", "input", "system_prompt", "query", "question", "message", "text")
_DIALOGUES = ("messages", "input", "contents")
_ANSWERERS = ("assistant", "model", "tool", "function")
_GIVEN = ("documents", "context", "contexts", "passages", "sources")
_STATE = ("previous_response_id", "conversation", "web_search_options", "data_sources")

_ITEM = "document|doc|source|search_result|result|passage|chunk|excerpt|snippet"
_WHOLE = "context|documents|sources|retrieved|retrieved_context|search_results|results|passages|chunks|knowledge"
_OPENING = {
    kind: re.compile(rf"<(?P<tag>{names})(?=[\s>])(?P<with>[^<>]{{0,400}})>", re.IGNORECASE)
    for kind, names in (("whole", _WHOLE), ("item", _ITEM))
}
_ATTRIBUTE = re.compile(r"(?:id|index|title|name|source|url)\s?=\s?[\"']([^\"'\n]{1,300})[\"']", re.IGNORECASE)
_HEADING = re.compile(
    r"^[#*\t ]{0,6}(?:(?:retrieved |relevant |additional )?(?:context|documents?|sources?|passages?|excerpts?)"
    r"|search results|knowledge base|reference (?:text|material))(?: information)?[*\t ]{0,4}:[*\t ]{0,4}",
    re.IGNORECASE | re.MULTILINE,
)
_END = re.compile(
    r"^[#*\t ]{0,6}(?:user )?(?:question|query|task|instructions?|answer|request|user)[*\t ]{0,4}:|^#{1,6} ",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Source:
    """One retrieved text, and the names by which an answer may cite it."""

    kind: str  # path, tool, document, search_result, file_search, tag, heading
    text: str
    names: tuple[str, ...] = ()  # ids, titles, addresses, as they stand


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer may rest on. Without sources there is nothing to be grounded in."""

    sources: tuple[Source, ...] = ()
    said: str = ""  # everything the request says in words, sources included
    opaque: bool = False  # the model may have seen more than can be read here


def context(request: Request, paths: Sequence[Path] = ()) -> Context:
    """The context of a request: of `paths` into its body when there are any, else of every usual place."""
    body = {key: value for key, value in request.body.items() if not isinstance(value, int | float)}  # max_tokens: 500
    nodes = tuple(_nodes(body))
    said = [value for value in _words(nodes) if not _blob(value)] or [request.system, request.prompt]
    tools = [source for result in request.tool_results for source in _tool(result.text)]
    if paths:
        found: Iterable[Source] = (
            source for path in paths for value in values_at(body, path) for source in _given("path", value)
        )
    else:
        blocks = [source for node in nodes if isinstance(node, dict) for source in _block(node)]
        top = [source for key in _GIVEN for source in _given("document", body.get(key, []))]
        asked = [*_asked(body)] or [request.system, request.prompt]
        found = (*tools, *blocks, *top, *(source for text in asked for source in _marked(text)))
    sources = tuple(source for source in found if source.text.strip() or source.names)[:MAX_SOURCES]
    texts = (*said, *(source.text for source in (*tools, *sources)))
    opaque = len(nodes) >= MAX_NODES or any(map(_hidden, nodes)) or any(body.get(key) for key in _STATE)
    return Context(sources, "\n".join(texts), opaque)


def _asked(body: dict[str, Any]) -> Iterator[str]:
    """What application and user wrote: not what the model answered before."""
    for key in _PROMPTS:
        if isinstance(body.get(key), str) or key == "system":
            yield from _words(_nodes(body.get(key)))
    for key in _DIALOGUES:
        for turn in _rows(body.get(key)):
            if isinstance(turn, dict) and turn.get("role") not in _ANSWERERS:
                yield from (text for text in _words(_nodes(turn)) if not _blob(text))


def _nodes(value: Any) -> Iterator[Any]:
    """Every value of a body, outermost first."""
    waiting = [value]
    for _ in range(MAX_NODES):
        if not waiting:
            return
        node = waiting.pop()
        yield node
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting.extend(reversed([*inner]))


def _words(nodes: Iterable[Any]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, str):
            yield node
        elif isinstance(node, int | float) and not isinstance(node, bool):
            yield str(node)


def _blob(text: str) -> bool:
    return len(text) > _MAX_BLOB and len(text[:_MAX_BLOB].split(maxsplit=1)) == 1


def _flat(value: Any) -> str:
    """The words and numbers in a value, joined: JSON without its escapes, a content block without its keys."""
    return value if isinstance(value, str) else "\n".join(_words(_nodes(value)))


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _record(kind: str, value: Any) -> Source:
    if not isinstance(value, dict):
        return Source(kind, _flat(value))
    names = tuple(str(value[key]) for key in _NAMES if isinstance(value.get(key), str | int) and value[key] != "")
    return Source(kind, _flat(value), names)


def _given(kind: str, value: Any) -> Iterator[Source]:
    for one in value if isinstance(value, list) else [value]:
        yield _record(kind, one)


def _tool(text: str) -> Iterator[Source]:
    """A tool's result: one source, or one for each entry where it is a list of records."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        yield Source("tool", text)
        return
    held = [value[key] for key in _LISTS if isinstance(value.get(key), list)] if isinstance(value, dict) else [value]
    rows = _rows(held[0]) if held else []
    if rows and all(isinstance(row, dict) for row in rows):
        yield from (_record("tool", row) for row in rows)
    else:
        yield _record("tool", value)


def _block(node: dict[Any, Any]) -> Iterator[Source]:
    kind = node.get("type")
    if kind in ("document", "search_result"):
        inner = node.get("source")
        if kind == "document" and isinstance(inner, dict) and inner.get("type") not in ("text", "content"):
            return  # base64, url, file: nothing to read
        yield _record(kind, node)
    elif kind == "file_search_call":
        yield from (_record("file_search", row) for row in _rows(node.get("results")))


def _hidden(node: Any) -> bool:
    if not isinstance(node, dict) or not isinstance(kind := node.get("type"), str):
        return False
    if kind == "file_search_call":
        return not isinstance(node.get("results"), list)
    if kind in _OPAQUE or kind.startswith(_HOSTED):
        return True
    inner = node.get("source") if kind == "document" else None
    return isinstance(inner, dict) and inner.get("type") not in ("text", "content")


def _marked(text: str) -> Iterator[Source]:
    """Stretches between tags, and below headings where there are no tags."""
    items = [*_tagged(text, "item")]
    whole = [*_tagged(text, "whole")]
    if items or whole:
        loose = [source for source in whole if not _OPENING["item"].search(source.text)]
        yield from (*items, *loose)
        return
    for heading in _HEADING.finditer(text):
        end = _END.search(text, heading.end())
        yield Source("heading", text[heading.end() : end.start() if end else len(text)])
        return  # the first heading's stretch reaches to the question; further headings lie inside it


def _tagged(text: str, kind: str) -> Iterator[Source]:
    position, unclosed = 0, set[str]()
    while opening := _OPENING[kind].search(text, position):
        position = opening.end()
        tag = opening["tag"].lower()
        closing = None if tag in unclosed else re.compile(rf"</{tag}\s?>", re.IGNORECASE).search(text, position)
        if closing is None:
            unclosed.add(tag)  # not searched for again: a text of opening tags alone costs one pass
            continue
        inner = text[position : closing.start()]
        yield Source("tag", inner, tuple(_ATTRIBUTE.findall(opening["with"])))
        position = closing.end()

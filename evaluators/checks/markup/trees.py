"""Assertions on XML: is-xml, contains-xml, by promptfoo's rules. Built by the registry; HTML is pages' business.

A document type with declarations of its own is refused, so that no entity can be defined, let alone grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

import regex

from evaluators.core.finding import (
    Assert,
    BadCheck,
    CheckType,
    Finding,
    Params,
    assertion,
    broken,
    failed,
    passed,
)
from evaluators.core.on_text import on_text

SCAN_SECONDS = 0.25
"""For the tags of one answer, some 25,000 of them; quotation marks can be set so that one tag never ends."""

_NAME = r"[:_A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\uffff][-.:\w\u00b7]*+"
_TAG = regex.compile(
    r"<!--(?:.*?-->|.*)|<!\[CDATA\[(?:.*?\]\]>|.*)|<\?(?:.*?\?>|.*)"
    rf"|<(?P<end>/?)(?P<name>{_NAME})(?P<rest>(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>",
    regex.DOTALL,
)
_ATTRIBUTE = regex.compile(r"([^\s=/\"']++)(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'))?+")
_JOINT = "\x1f"


@assertion("is-xml", dimension="correctness", takes=("value",), layer="format")
def is_xml(params: Params) -> Assert:
    """The whole answer is one well-formed XML 1.0 document with every required element.

    `value` is a list of dotted paths, a text with commas, or {requiredElements: [...]}. As in promptfoo a path goes
    through a repeated element by its number (items.item.0.name), and `@_name` is an attribute.
    """
    required = _required(params)

    def judge(text: str) -> Finding:
        try:
            missing = _missing(_document(text, bool(required)), required)
        except (expat.ExpatError, _OwnDeclarations, UnicodeEncodeError) as error:
            return failed(f"is not XML: {error if isinstance(error, _OwnDeclarations) else _reason(error)}")
        return failed(f"lacks {', '.join(missing)}", paths=missing) if missing else passed()

    return on_text(judge)


@assertion("contains-xml", dimension="correctness", takes=("value",), layer="format")
def contains_xml(params: Params) -> Assert:
    """The answer has elements that are opened and closed, and those that stand together have every required one."""
    required = _required(params)

    def judge(text: str) -> Finding:
        try:
            groups = [group for group in _groups(text) if group]
        except TimeoutError:
            return broken(f"its tags could not be told apart within {SCAN_SECONDS:g} s")
        if not groups:
            return failed("has no XML in it")
        missing = min((_missing(group, required) for group in groups), key=len)
        return failed(f"lacks {', '.join(missing)}", paths=missing) if missing else passed()

    return on_text(judge)


TYPES: tuple[CheckType, ...] = (is_xml, contains_xml)


class _OwnDeclarations(Exception):
    """A document type with an internal subset."""


@dataclass(slots=True)
class _Open:
    """An element that is not closed yet, with what it holds: a member that is there twice is a list."""

    name: str
    members: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, member: Any) -> None:
        if name not in self.members:
            self.members[name] = member
        elif isinstance(self.members[name], list):
            self.members[name].append(member)
        else:
            self.members[name] = [self.members[name], member]


def _required(params: Params) -> tuple[tuple[str, ...], ...]:
    value = params.value
    if isinstance(value, dict):
        if value.keys() - {"requiredElements"}:
            raise BadCheck(f"{params.type} takes `value: {{requiredElements: [PATH, ...]}}`")
        value = value.get("requiredElements")
    if value is None or value == []:
        return ()
    paths = Params(params.type, value).texts()
    if not all(paths):
        raise BadCheck(f"{params.type} has an empty path in its `value:`")
    return tuple(tuple(path.split(".")) for path in paths)


def _document(text: str, members: bool) -> Mapping[str, Any]:
    """The members of a document if they are wanted; raises ExpatError, _OwnDeclarations or UnicodeEncodeError."""
    parser = expat.ParserCreate("utf-8", _JOINT)
    parser.namespace_prefixes = True
    parser.buffer_text = True
    stack = [_Open("")]

    def doctype(name: str, system: str | None, public: str | None, own: bool) -> None:
        if own:
            raise _OwnDeclarations("a document type with declarations of its own is refused")

    def start(name: str, attributes: dict[str, str]) -> None:
        stack.append(_Open(_written(name), {f"@_{_written(key)}": "" for key in attributes}))

    def end(_name: str) -> None:
        closed = stack.pop()
        stack[-1].add(closed.name, closed.members or "")

    def characters(data: str) -> None:
        if data.strip():
            stack[-1].members["#text"] = ""

    parser.StartDoctypeDeclHandler = doctype
    if members:
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = characters
    parser.Parse(text.encode(), True)
    return stack[0].members


def _written(name: str) -> str:
    """`uri local prefix` as the document has it."""
    parts = name.split(_JOINT)
    return f"{parts[2]}:{parts[1]}" if len(parts) == 3 else parts[-1]


def _reason(error: Exception) -> str:
    if not isinstance(error, expat.ExpatError):
        return "a character that is none"
    return f"{expat.ErrorString(error.code)} in line {error.lineno}"


def _groups(text: str) -> Iterator[Mapping[str, Any]]:
    """Members of each place that is never closed, the text itself first. An end that fits nothing closes nothing."""
    outermost = _Open("")
    stack = [outermost]
    for tag in _TAG.finditer(text, timeout=SCAN_SECONDS):
        name, rest = tag["name"], tag["rest"]
        if name is None:
            continue
        if tag["end"]:
            if stack[-1].name == name:
                closed = stack.pop()
                stack[-1].add(name, closed.members or "")
            else:
                yield from (_only_elements(lost.members) for lost in stack[1:])
                del stack[1:]
            continue
        attributes = {f"@_{key}": "" for key in _ATTRIBUTE.findall(rest)} if rest else {}
        if rest.rstrip().endswith("/"):
            stack[-1].add(name, attributes or "")
        else:
            stack.append(_Open(name, attributes))
    yield from (_only_elements(lost.members) for lost in stack)


def _only_elements(members: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: member for key, member in members.items() if not key.startswith("@_")}


def _missing(members: Mapping[str, Any], required: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple(".".join(path) for path in required if not _has(members, path))


def _has(members: Any, path: tuple[str, ...]) -> bool:
    for key in path:
        if isinstance(members, list) and key.isascii() and key.isdigit() and str(int(key[:9])) == key:
            if int(key) >= len(members):
                return False
            members = members[int(key)]
        elif isinstance(members, dict) and key in members:
            members = members[key]
        else:
            return False
    return True

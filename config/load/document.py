"""YAML text to plain values that remember their places. Fed by reading; knows YAML and variables, not the settings.

Scalars follow the YAML 1.2 core schema, not 1.1: `no` is a word, not false, and a date is a text. Duplicate keys and
tags are mistakes. Variables are replaced in scalars after parsing, so a value can never change the document's shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from config.load.mistake import Place
from config.units import fill, has_variable, is_variable

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,2})?")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))

Finish = Callable[[Place, str], str]
"""Turns what the file says at a place into what it stands for (a mounted secret); raises ValueError."""


@dataclass(slots=True)
class Document:
    """What was read: `values` is None when there is nothing to read."""

    values: Any = None
    places: dict[Place, tuple[int, int]] = field(default_factory=dict)  # line and column, from 1
    hidden: dict[str, str] = field(default_factory=dict)  # value from outside the file -> how the file writes it
    wrong: list[tuple[Place, str]] = field(default_factory=list)
    broken: list[tuple[int, int, str]] = field(default_factory=list)  # not YAML at all: line, column, why


def read(text: str, environ: Mapping[str, str], is_text: Callable[[Place], bool], finish: Finish) -> Document:
    """The document of `text`; all that is wrong with it is in `wrong` and `broken`, nothing is raised."""
    document = Document()
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        if node is not None:
            document.values = _Walk(document, environ, is_text, finish).value(node, ())
    except yaml.MarkedYAMLError as error:  # its text would quote the line, which may hold a credential
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        why = " ".join(part for part in (error.context, error.problem) if part)
        remedy = "check indentation, colons and quotes here (inside [ ] and { } a ${VARIABLE} needs quotes)"
        document.broken.append((*where, f"this is not YAML: {why}; {remedy}"))
    except yaml.YAMLError:
        document.broken.append((1, 1, "this is not YAML: it holds control characters; save it as plain UTF-8 text"))
    except RecursionError:
        document.broken.append((1, 1, "an anchor contains itself, or tables are nested hundreds deep; flatten it"))
    return document


def retyped(text: str) -> Any:
    """A plain scalar as YAML 1.2 types it: null, true, 5, 0.2, or text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


class _Walk:
    """One walk over the nodes; fills the document as it goes."""

    def __init__(
        self, document: Document, environ: Mapping[str, str], is_text: Callable[[Place], bool], finish: Finish
    ) -> None:
        self._to = document
        self._environ = environ
        self._is_text = is_text
        self._finish = finish

    def value(self, node: yaml.Node, place: Place) -> Any:
        """The plain value of a node, whose place is already known except for the top."""
        self._to.places.setdefault(place, _at(node))
        if node.tag not in _TAGS:
            return self._refuse(place, f"the tag {node.tag} is not part of this language; leave it out")
        if isinstance(node, yaml.MappingNode):
            return self._table(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, (*place, position)) for position, one in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, place)

    def _table(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for key, value in self._pairs(node, place):
            here = (*place, key.value)
            if not place and key.value.startswith("x-"):
                continue
            if key.value in table:
                first = self._to.places[here][0]
                self._to.places[here] = _at(key)
                self._refuse(here, f"this key is given twice, first in line {first}; keep one")
                continue
            self._to.places[here] = _at(key)
            table[key.value] = self.value(value, here)
        return table

    def _pairs(self, node: yaml.MappingNode, place: Place) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        """Keys and values with `<<` spread out; the table's own keys come first and win."""
        own: list[tuple[yaml.ScalarNode, yaml.Node]] = []
        merged: list[tuple[yaml.ScalarNode, yaml.Node]] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(place, "a key must be a plain word; put quotes around text that begins with [ or {")
            elif key.value != "<<" or key.style is not None:
                own.append((key, value))
            else:
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if isinstance(source, yaml.MappingNode):
                        merged += self._pairs(source, place)
                    else:
                        self._refuse(place, "`<<:` takes the alias of a table, like `<<: *defaults`")
        taken = {key.value for key, _ in own}
        for key, value in merged:
            if key.value not in taken:
                taken.add(key.value)
                own.append((key, value))
        return own

    def _scalar(self, node: yaml.ScalarNode, place: Place) -> Any:
        written: str = node.value
        try:
            filled = fill(written, self._environ)
            text = self._finish(place, filled)
        except ValueError as error:
            return self._refuse(place, str(error))
        if text and (has_variable(written) or text != filled):
            self._to.hidden[text] = written
        if node.style is not None:
            return text
        if self._is_text(place):
            return None if not text or (text == written and text in _NULL) else text
        return retyped(text) if text == written or is_variable(written) else text

    def _refuse(self, place: Place, why: str) -> None:
        self._to.wrong.append((place, why))


def _at(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1

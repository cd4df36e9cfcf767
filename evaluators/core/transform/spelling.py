"""The words of a transform: what is a name, a text, a regular expression. Neighbours: parsing makes sense of them."""

from __future__ import annotations

import re

from evaluators.core.ecma import BadPattern, compiled
from evaluators.core.transform.values import Regex

Token = tuple[str, str]
"""Its kind (name, number, text, regex, mark or space) and how it is written."""

REMEDY = "write it as a Python function, `transform: file://transform.py:function`"


class BadTransform(ValueError):
    """The transform is no part of the language; the text names what, and the remedy."""


def spelled(source: str) -> list[Token]:
    """The tokens with the spaces between them; raises BadTransform."""
    found: list[Token] = []
    position, last = 0, ""
    while position < len(source):
        operand = last in ("number", "text", "regex") or (last == "name") or last in (")", "]")
        match = None if operand else _REGEX.match(source, position)
        kind = "regex"
        if match is None or source.startswith(("//", "/*"), position):
            match = _TOKEN.match(source, position)
            kind = match.lastgroup or "" if match else ""
        if match is None:
            raise BadTransform(f"{source[position : position + 20]!r} is not understood; {REMEDY}")
        if kind != "space":
            last = match[0] if kind == "mark" or match[0] == "return" else kind
        found.append((kind, match[0]))
        position = match.end()
    return found


def chained(first: str, second: str) -> str:
    """One expression for two transforms, one after the other; raises BadTransform where one has several statements."""
    if re.search(r"\n|;|\breturn\b", first + second):
        raise BadTransform("two transforms can be joined only when both are one expression; join them by hand")
    parts = [f"({first})" if kind == "name" and text == "output" else text for kind, text in spelled(second)]
    return "".join(parts)


def literal(text: str) -> Regex:
    """A regular expression literal; raises BadTransform."""
    match = _REGEX.fullmatch(text)
    assert match is not None
    try:
        return Regex(compiled(match["body"], match["flags"]), "g" in match["flags"])
    except BadPattern as error:
        raise BadTransform(f"{text} is no regular expression: {error}; mend it") from error


def unescaped(text: str) -> str:
    """The text of a quoted text without its quotes."""

    def one(match: re.Match[str]) -> str:
        said = match[1]
        if said[0] in "ux" and len(said) > 1:
            return chr(min(int(said[1:].strip("{}"), 16), 0x10FFFF))
        return _ESCAPES.get(said, said)

    return _ESCAPE.sub(one, text)


_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*[\s\S]*?\*/)|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_$][\w$]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`)
    |(?P<mark>===|!==|=>|\?\.|\?\?|&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,;=(){}\[\]])""",
    re.VERBOSE,
)
_REGEX = re.compile(r"/(?P<body>(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/(?P<flags>[a-z]*)")
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\s\S])")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}

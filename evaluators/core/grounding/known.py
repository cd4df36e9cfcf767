"""What is known from a context: which quotes, citations and names can be found there. Neighbours: claims, sources."""

from __future__ import annotations

import re
from functools import cached_property

from evaluators.core.grounding.claims import Citation, plainly
from evaluators.core.grounding.sources import Context

_ELLIPSIS = re.compile(r"\[?(?:\.\.\.|…)\]?")
_EDGES = " .,;:!?\"'()[]"
_ADDRESS = re.compile(r"https?://[^\s<>\"'\])}|]+")
_BRACKET = re.compile(r"\[\^?([^\[\]\n]{1,60})\]")
_LABELLED = re.compile(
    r"\b(?:doc|document|source|src|ref|reference|passage|chunk|result|file|snippet|context|excerpt)s?"
    r"[ _:#\[(-]{0,3}(?:id[ =:]{1,2})?(\d{1,3})\b"
)
_COUNTED = re.compile(r"^[ \t#*]{0,4}(\d{1,3})[.):]", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")


class Known:
    """Questions to one context, each answered from an index that is made when it is first asked."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def __repr__(self) -> str:
        return f"Known({len(self._context.sources)} sources, {len(self._context.said)} characters)"

    def quote(self, span: str) -> bool:
        """Whether the words stand there, part by part where the quote leaves something out."""
        parts = [plainly(part).strip(_EDGES) for part in _ELLIPSIS.split(span)]
        return all(part in self._text for part in parts)

    def citation(self, cited: Citation) -> bool:
        """Whether there is something that this can point to."""
        if cited.kind == "url" or cited.text.lower().startswith("http"):
            return _address(cited.text) in self._addresses
        text = plainly(cited.text)
        if text.partition(":")[0].isdecimal() and cited.kind != "source":
            return self._numbered(text.partition(":")[0])
        if text in self._labels:
            return True
        labelled = _LABELLED.fullmatch(text)
        if labelled:
            return self._numbered(labelled[1])
        return text.strip(_EDGES) in self._text

    def name(self, word: str) -> bool:
        """Whether every part of the word stands there, plural or not."""
        parts = _WORD.findall(plainly(word))
        return all({part, part + "s", part.removesuffix("s")} & self._words for part in parts)

    def _numbered(self, number: str) -> bool:
        return 1 <= int(number) <= len(self._context.sources) or number in self._labels

    @cached_property
    def _text(self) -> str:
        named = (name for source in self._context.sources for name in source.names)
        return plainly("\n".join((self._context.said, *named)))

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(_WORD.findall(self._text))

    @cached_property
    def _labels(self) -> frozenset[str]:
        """Names of sources, numbers they are labelled with, and what stands in brackets: ids as a person gives them."""
        retrieved = "\n".join(source.text for source in self._context.sources)
        return frozenset(
            (
                *(plainly(name) for source in self._context.sources for name in source.names),
                *map(plainly, _BRACKET.findall(self._context.said)),
                *_LABELLED.findall(self._text),
                *_COUNTED.findall(retrieved),
            )
        )

    @cached_property
    def _addresses(self) -> frozenset[str]:
        names = " ".join(name for source in self._context.sources for name in source.names)
        return frozenset(map(_address, _ADDRESS.findall(f"{self._context.said} {names}")))


def _address(url: str) -> str:
    """Without what does not change the page: scheme, www, fragment, a slash or full stop at the end."""
    bare = url.partition("#")[0].lower().partition("://")[2].removeprefix("www.")
    return bare.rstrip("/.,;:!?*_")

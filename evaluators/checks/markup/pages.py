"""Assertions on HTML: is-html, contains-html, as promptfoo decides them. Built by the registry; XML is trees' business.

promptfoo reads a page with parse5. What it asks of the tree is little: is there an element, and does text stand outside
all of them? That is followed here through paragraphs, formatting, tables and raw text, without building the tree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape

import regex

from evaluators.core.finding import Assert, CheckType, Finding, Params, assertion, broken, failed, passed
from evaluators.core.on_text import on_text

SCAN_SECONDS = 0.25
"""For one tag, or sign of HTML: quotation marks can be set so that it never ends."""
MAX_MARKS = 20_000
"""Tags of an answer that is-html reads, in 0.3 s; what comes behind them changes nothing."""

_KNOWN = frozenset(
    """html head title base link meta style body article section nav aside h1 h2 h3 h4 h5 h6 header footer address p hr
    pre blockquote ol ul li dl dt dd figure figcaption main div a em strong small s cite q dfn abbr ruby rt rp data time
    code var samp kbd sub sup i b u mark bdi bdo span br wbr img iframe embed object param picture source video audio
    track map area svg math script noscript canvas ins del table caption colgroup col tbody thead tfoot tr td th form
    label input button select datalist optgroup option textarea output progress meter fieldset legend details summary
    dialog menu slot template""".split()
)
_WRAPPERS = frozenset({"html", "head", "body"})
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_RAW = frozenset("title textarea script style xmp iframe noembed noframes".split())
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
_TABLE_ROWS = frozenset({"table", "tbody", "thead", "tfoot", "tr"})
_TABLE_PARTS = frozenset("caption col colgroup tbody td tfoot th thead tr".split())
_HEAD_ONLY = frozenset("base basefont bgsound link meta title noscript noframes style script template".split())
_ENDS_PARAGRAPH = frozenset(
    """address article aside blockquote center details dialog dir div dl dd dt fieldset figcaption figure footer form h1
    h2 h3 h4 h5 h6 header hgroup hr li main menu nav ol p plaintext pre section summary ul""".split()
)
_MARK = regex.compile(
    r"<!--(?:-?>|.*?--!?>|.*)|<[!?](?:[^>]*+>|.*)|</[^a-zA-Z](?:[^>]*+>|.*)"
    r"|<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<rest>(?:=\s*+(?:\"[^\"]*+\"|'[^']*+')|[^>])*+)>",
    regex.DOTALL,
)
_OPENING = regex.compile(r"<[a-zA-Z][a-zA-Z0-9-]*+(?:\s|\Z)")
_CLOSING = regex.compile(r"</[a-zA-Z][a-zA-Z0-9-]*+\s*+\Z")
_SELF_CLOSING = regex.compile(r"<[a-zA-Z][a-zA-Z0-9-]*+(?:\s|/\Z)")
_SIGNS = (
    (1, regex.compile(r"&(?:[a-zA-Z]++|#[0-9]++|#x[0-9a-fA-F]++);")),
    (2, regex.compile(r"(?i)<!DOCTYPE\s+html")),
    (1, regex.compile(r"<!--[^-]*+(?:-[^-]++)*+-->")),
    (1, regex.compile(r"\s[a-zA-Z-]++=\s*+[\"'][^\"']*+[\"']")),
    (
        2,
        regex.compile(
            r"(?i)<(?:html|head|body|div|span|p|a|img|h[1-6]|ul|ol|li|table|tr|td|th|form|input|button|script|style|link"
            r"|meta|br|hr)\b"
        ),
    ),
)


@assertion("is-html", dimension="correctness", layer="format")
def is_html(params: Params) -> Assert:
    """The answer is a page or a piece of one: elements, and no text outside of them unless there is a <body>."""
    return _in_time(_page)


@assertion("contains-html", dimension="correctness", layer="format")
def contains_html(params: Params) -> Assert:
    """The answer shows two signs of HTML: tags that open and close, a well-known tag, an attribute, an entity, ..."""
    return _in_time(lambda text: passed() if _signs(text) >= 2 else failed("has no HTML in it"))


TYPES: tuple[CheckType, ...] = (is_html, contains_html)


def _in_time(judge: Callable[[str], Finding]) -> Assert:
    def judged(text: str) -> Finding:
        try:
            return judge(text)
        except TimeoutError:
            return broken(f"its tags could not be told apart within {SCAN_SECONDS:g} s")

    return on_text(judged)


def _signs(text: str) -> int:
    """Weights of the signs, tags taken between two `>` each, so that the time stays in proportion."""
    before = text.split(">")[:-1]
    opening, closing = any(map(_OPENING.search, before)), any(map(_CLOSING.search, before))
    closed = any(part.endswith("/") and _SELF_CLOSING.search(part) for part in before)
    found = sum(weight for weight, sign in _SIGNS if sign.search(text, timeout=SCAN_SECONDS))
    return found + opening + closing + closed


def _page(text: str) -> Finding:
    text = text.strip()
    if not text:
        return failed("is blank")
    if text[:5].lower() == "<?xml":
        return failed("is XML, not HTML")
    page = _Page()
    _read(page, text)
    if page.bare_text and not page.body:
        return failed("has text outside of HTML elements")
    return passed() if page.elements else failed("has no HTML elements")


@dataclass(slots=True)
class _Page:
    """What is open at one place of the page, and what was seen so far."""

    open: list[str] = field(default_factory=list)
    elements: bool = False
    bare_text: bool = False
    body: bool = False  # written out, before anything that stands in it
    begun: bool = False  # something stands in the body

    def text(self, text: str) -> None:
        """Text directly in a table is put before it."""
        if not unescape(text.replace("\0", "")).strip():
            return
        self.begun = True
        self.bare_text |= all(name in _TABLE_ROWS for name in self.open[:_LOOK])

    def start(self, name: str, closed: bool) -> None:
        """An opening tag."""
        if name in _TABLE_PARTS and "table" not in self.open:
            return  # the parser drops it
        self.elements |= name in _KNOWN or "-" in name
        if name in _WRAPPERS:
            self.body |= name == "body" and not self.begun
            return
        self.begun |= name not in _HEAD_ONLY
        if name in _ENDS_PARAGRAPH and "p" in self.open[-_LOOK:]:
            self.end("p")
        if name not in _VOID and not (closed and {"svg", "math"} & {name, *self.open[-_LOOK:]}):
            self.open.append(name)

    def end(self, name: str) -> None:
        """A closing tag: it closes what is in it, but formatting goes on."""
        self.elements |= name == "br" or (name == "p" and self.begun)  # the parser makes one where none is open
        near = self.open[-_LOOK:]
        if name not in near:
            return
        at = len(self.open) - 1 - near[::-1].index(name)
        again = [inner for inner in self.open[at + 1 :] if inner in _FORMATTING]
        self.open[at:] = again


_LOOK = 512
"""How far up an element is looked for that a tag closes; parse5 has no limit, and pages are not that deep."""


def _read(page: _Page, text: str) -> None:
    at, lowered = 0, text.lower()
    for _ in range(MAX_MARKS):
        mark = _MARK.search(text, at, timeout=SCAN_SECONDS)
        if mark is None:
            page.text(text[at:])
            return
        page.text(text[at : mark.start()])
        at, name = mark.end(), (mark["name"] or "").lower()
        if not name:
            continue
        if mark["end"]:
            page.end(name)
            continue
        page.start(name, mark["rest"].rstrip().endswith("/"))
        if name in _RAW and page.open and page.open[-1] == name:
            end = lowered.find(f"</{name}", at)
            at = end if end >= 0 else len(text)

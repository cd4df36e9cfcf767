"""What an answer quotes, cites and names. Neighbours: known tells which of it is in the context, sources finds that.

Program code has to be taken out before; a JSON answer is to be handed in as its texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

MAX_CLAIMS = 500
"""Of one kind and answer; an answer of a whole page holds about 20."""
MAX_LOOKED_AT = 5_000
"""Matches of one pattern, or lines, that are looked at in one answer: what is said more often is said again."""
MAX_QUOTE = 2_000

_PAIRS = {'"': '"', "“": "”", "„": "“”", "«": "»", "「": "」", "『": "』"}
_QUOTE = re.compile(
    "|".join(f"{opening}([^{opening}{closing}\n]{{1,{MAX_QUOTE}}})[{closing}]" for opening, closing in _PAIRS.items())
)
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»「」『』", '"'),
        **dict.fromkeys("‘’‚‛´", "'"),
        **dict.fromkeys("–—−‐‑‒", "-"),
        **dict.fromkeys("*_`\u00ad\u200b\u200c\u200d\ufeff"),
    }
)
_DASH = re.compile(r" ?- ?")

_CODE = re.compile(r"`[^`\n]{1,300}`")
_LIST = re.compile(r"\[\^?(\d{1,3}(?: ?[,;–-] ?\^?\d{1,3}){0,20})\](?!\()")
_LENTICULAR = re.compile(r"【([^【】\n]{1,120})】")
_MARKER = re.compile(
    r"\[((?:doc|document|source|src|ref|reference|passage|chunk|result|file|snippet|context|excerpt)s?[ _#-]{0,2}"
    r"[\w.-]{0,40}\d[\w.-]{0,40})\](?!\()",
    re.IGNORECASE,
)
_SOURCE = re.compile(r"[(\[] ?sources? ?: ?([^()\[\]\n]{1,200})[)\]]", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>\"'\])}|]+")
_PAGE = re.compile(r",? ?\b(?:p|pp|page|pages|section|chapter|line|lines)\b\.? ?[\d–-]{1,12}$", re.IGNORECASE)
_RANGE = re.compile(r"(\d+) ?[–-] ?(\d+)")

_TOKEN = re.compile(r"[^\W\d_][\w'’-]{0,60}")
_BEGINS = re.compile(r"[.!?:;\n\"“„«(\[*•|/—–>-]")
_HEADLINE = re.compile(r"\*\*[^*\n]{1,200}\*\*|^#[^\n]{0,300}$", re.MULTILINE)
_TITLED = 0.5
"""Share of capitalised words from which a line is a heading or a list of names, of which nothing is known."""
_GERMAN = frozenset({"der", "die", "und", "das", "ist", "nicht", "ein", "eine", "mit", "für", "auf", "von"})
_COMMON = frozenset(
    """i i'm i'll i've i'd mr mrs ms dr prof sir january february march april may june july august september october
    november december monday tuesday wednesday thursday friday saturday sunday yes no ok okay note internet god
    english""".split()
)


@dataclass(frozen=True, slots=True)
class Citation:
    """One pointer to a source."""

    kind: str  # number, marker, url, source
    text: str


def plainly(text: str) -> str:
    """The text as it is compared: case, quotes, dashes, emphasis, white space and Unicode forms made one."""
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN).casefold()
    return _DASH.sub("-", " ".join(text.split()))


def quotes(text: str, words: int) -> tuple[str, ...]:
    """Quoted stretches of at least that many words, on one line; 'single' quotes are too often apostrophes."""
    spans = (next(filter(None, found.groups())) for found in _found(_QUOTE, text))
    return tuple(dict.fromkeys(span for span in spans if len(span.split()) >= words))[:MAX_CLAIMS]


def citations(text: str) -> tuple[Citation, ...]:
    """Every pointer: [1], [2, 3-5], [^1], [doc-3], 【4†file.pdf】, (Source: x), and addresses; markdown links too."""
    text = _CODE.sub(" ", text)
    found = (Citation(kind, name) for kind, read in _READERS for name in read(text))
    return tuple(dict.fromkeys(found))[:MAX_CLAIMS]


def names(text: str) -> tuple[str, ...]:
    """Capitalised names in running English text, as single words; () for a text that seems German.

    Left out: the first word of a sentence or line, after a colon, quote, bracket or dash; headings, bold text, lines
    mostly in capitals; acronyms; days, months and titles.
    """
    text = _HEADLINE.sub("\n", text)
    lower = {token for token in text.split() if token.islower()}
    if len(lower & _GERMAN) > 2:
        return ()
    found = (name for line in text.split("\n", MAX_LOOKED_AT)[:MAX_LOOKED_AT] for name in _in_line(line))
    return tuple(dict.fromkeys(found))[:MAX_CLAIMS]


def _in_line(line: str) -> Iterator[str]:
    tokens = list(_found(_TOKEN, line))
    capitals = sum(token[0][0].isupper() for token in tokens)
    if capitals >= _TITLED * len(tokens):
        return
    end = -1
    for token in tokens:
        first = end < 0 or _BEGINS.search(line, end, token.start())
        end = token.end()
        word = token[0].removesuffix("'s").removesuffix("’s").rstrip("'’-")
        if not first and word[0].isupper() and not word.isupper() and word.lower().replace("’", "'") not in _COMMON:
            yield word


def _found(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    return islice(pattern.finditer(text), MAX_LOOKED_AT)


def _numbers(text: str) -> Iterator[str]:
    for found in _found(_LIST, text):
        yield from _numbered(found[1].replace("^", ""))


def _numbered(text: str) -> Iterator[str]:
    for part in re.split("[,;]", text):
        if span := _RANGE.search(part):
            low, high = int(span[1]), int(span[2])
            yield from map(str, range(low, min(high, low + 20) + 1))
        else:
            yield str(int(part))


def _lenticular(text: str) -> Iterator[str]:
    """【4:0†handbook.pdf】 names a file, 【3】 and 【4:0†source】 a place in the list of results."""
    for found in _found(_LENTICULAR, text):
        place, _, name = found[1].partition("†")
        yield place.strip() if name.strip().lower() in ("", "source") or re.match(r"L\d", name) else name.strip()


def _sources(text: str) -> Iterator[str]:
    for found in _found(_SOURCE, text):
        yield from (name for part in found[1].split(";") if (name := _PAGE.sub("", part.strip())))


_READERS = (
    ("number", _numbers),
    ("marker", _lenticular),
    ("marker", lambda text: (found[1] for found in _found(_MARKER, text))),
    ("source", _sources),
    ("url", lambda text: (found[0].rstrip(".,;:!?*_") for found in _found(_URL, text))),
)

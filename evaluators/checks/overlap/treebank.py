"""Words and signs as the Penn Treebank splits them, the way js-rouge does: the tokens of rouge-n. Used by scores."""

from __future__ import annotations

import regex

_SPACE = regex.compile(r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")
_QUOTE = regex.compile(r"``|''|\"")
_BEFORE_OPENING = regex.compile(r"[\s\p{P}<]")
_BEFORE_LAST = regex.compile(r"[\s\p{Ps}<]")
_QUOTED = regex.compile(r"[\p{L}\p{N}\p{Sc}\p{Ps}]")
_SIGNS = tuple(
    (regex.compile(pattern), put)
    for pattern, put in (
        (r"\.{3}", " ... "),
        (r"[:,](?!\p{Nd})", r" \g<0> "),
        (r"[;@#$%&]", r" \g<0> "),
        (r"([^.])(?<!(?a:\b)[A-Za-z]\.[A-Za-z])(\.)([\])}>'\s]*+)\Z", r"\1 \2\3 "),
        (r"[?!]", r" \g<0> "),
        (r"[\][(){}<>]", r" \g<0> "),
        (r"--", " -- "),
    )
)
_APOSTROPHES = tuple(
    (regex.compile(pattern), put)
    for pattern, put in (
        (r"([^'])' ", r"\1 ' "),
        (r"'([sSmMdD]) ", r" '\1 "),
        (r"('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", r" \1 "),
        *(
            (rf"(?i)(?<![\w\u200c\u200d]){contraction}(?![\w\u200c\u200d])", r" \1 \2 ")
            for contraction in (
                *(r"(can)(not)", r"(d)('ye)", r"(gim)(me)", r"(gon)(na)", r"(got)(ta)", r"(lem)(me)", r"(more)('n)"),
                *(r"(wan)(na)(?= )", r"('t)(is)", r"('t)(was)"),
            )
        ),
    )
)


def treebank_words(text: str) -> list[str]:
    """The tokens of the text, read as one sentence."""
    text = _SPACE.sub(" ", text).strip(" ")
    written = _with_quotes(text)
    for pattern, put in _SIGNS:
        written = pattern.sub(put, written)
    written = f" {written} "
    for pattern, put in _APOSTROPHES:
        written = pattern.sub(put, written)
    return [word for word in written.split(" ") if word]


def _with_quotes(text: str) -> str:
    """Quotation marks as `` and '', whichever they were written with."""
    inside, parts, end = False, [], 0
    for found in _QUOTE.finditer(text):
        inside = found[0] == "``" or (not inside and _opens(text, found.start(), found[0]))
        parts += [text[end : found.start()], " `` " if inside else " '' "]
        end = found.end()
    return "".join([*parts, text[end:]])


def _opens(text: str, start: int, quote: str) -> bool:
    before, after = text[start - 1 : start], start + len(quote)
    if before and (before in ".!?" or not (_BEFORE_OPENING.match(before) or text[start - 2 : start] == "``")):
        return False
    if before and after == len(text) and not _BEFORE_LAST.match(before):
        return False
    if quote == '"':
        return True
    following = _QUOTE.search(text, after)
    return bool(before and _QUOTED.match(text, after) and following and following[0] == "''")

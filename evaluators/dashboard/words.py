"""word_diff: two answers as one text with what was taken out and what was put in. Used by pages."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from markupsafe import Markup

MOST_WORDS = 3000
"""Beyond this the comparison, which grows with the square of the words, would hold up the page."""

_PARTS = re.compile(r"\w+|\s+|[^\w\s]")


def word_diff(live: str, candidate: str) -> Markup:
    """The words that only live has as <del>, those that only the candidate has as <ins>; all of it escaped."""
    if live == candidate:
        return Markup('<p class="soft">Nothing: the answers are the same, word by word.</p>')
    old, new = _PARTS.findall(live), _PARTS.findall(candidate)
    if len(old) > MOST_WORDS or len(new) > MOST_WORDS:
        return Markup('<p class="soft">The answers are too long to compare here word by word.</p>')
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return Markup("<pre>{}</pre>").format(
        Markup("").join(_step(kind, "".join(old[a:b]), "".join(new[c:d])) for kind, a, b, c, d in steps)
    )


def _step(kind: str, old: str, new: str) -> Markup:
    if kind == "equal":
        return Markup("{}").format(old)
    taken = Markup("<del>{}</del>").format(old) if old else Markup()
    return taken + (Markup("<ins>{}</ins>").format(new) if new else Markup())

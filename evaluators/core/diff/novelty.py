"""What an answer has that nobody gave it: the shape that the checks for personal data and for secrets share.

A detector finds items in a text; an item counts when neither the request nor the other answer has it, however it is
spaced there. Findings are stored and shown, so they carry kinds and counts, never what was found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    Compare,
    Finding,
    Params,
    differ,
    failed,
    passed,
    same,
)
from evaluators.core.on_text import NO_TEXT
from evaluators.core.reply import Reply, Request

Item = tuple[str, str]
"""A kind, and a normal form: two spellings of one thing have one form."""
Detector = Callable[[str], Iterable[Item]]

MAX_SCANNED = 200_000
"""Characters that detectors see, some fifty thousand tokens: the worst text made for it takes them half a second."""
SURE = 9
"""Letters and digits from which a form is looked for anywhere in what was given; fewer may be there by chance."""


def kinds(params: Params, known: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
    """The kinds that `value:` names, all of them known; the default where it names none."""
    if params.value is None:
        return tuple(default)
    wanted = params.texts()
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise BadCheck(f"{params.type} does not know {unknown[0]!r}; known: {', '.join(known)}")
    return wanted


def nothing_new(find: Detector) -> Assert:
    """An assertion that fails where the answer has an item that the request has not."""

    def check(arm: Arm) -> Finding:
        if silent(arm.reply):
            return NO_TEXT
        found = _new(find, said(arm.reply), lambda: (given(arm.request),))
        return failed(_counted(found), paths=tuple(found)) if found else passed()

    return check


def nothing_newer(find: Detector) -> Compare:
    """A comparison that differs where the shadow's answer has an item that neither request nor live's answer has."""

    def check(live: Arm, shadow: Arm) -> Finding:
        if silent(shadow.reply):
            return NO_TEXT
        found = _new(find, said(shadow.reply), lambda: (said(live.reply), given(shadow.request)))
        return differ(1.0, _counted(found), tuple(found)) if found else same()

    return check


def said(reply: Reply) -> str:
    """All that goes out: the text, the provider's refusal, and what tools would be called with."""
    return "\n".join((reply.text, reply.refusal, *(call.arguments for call in reply.tool_calls)))


def silent(reply: Reply) -> bool:
    """True for an embedding: nothing was said, so nothing can be found in it."""
    return bool(reply.vector) and not said(reply).strip()


def given(request: Request) -> str:
    """All text that the application sent: prompt, system prompt, tool results and every value of the body."""
    results = (result.text for result in request.tool_results)
    return "\n".join((request.prompt, request.system, *results, *_leaves(request.body)))


def _leaves(body: object) -> Iterable[str]:
    waiting: list[object] = [body]
    while waiting:  # no recursion: a body may be as deep as its sender likes
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif one is not None and not isinstance(one, bool):
            yield str(one)


def _new(find: Detector, text: str, known: Callable[[], Iterable[str]]) -> Counter[str]:
    found = set(find(text[:MAX_SCANNED]))
    if found:  # most answers have none, and what was given need not be searched
        for other in known():
            folded, squeezed = other.casefold(), _squeezed(other)
            found -= set(find(other[:MAX_SCANNED]))
            found = {item for item in found if not _within(item[1], folded, squeezed)}
    return Counter(dict(sorted(Counter(kind for kind, _ in found).items())))


def _within(form: str, folded: str, squeezed: str) -> bool:
    compact = _squeezed(form)
    if len(compact) >= SURE:
        return compact in squeezed
    return bool(re.search(rf"(?<![^\W_]){re.escape(form.casefold())}(?![^\W_])", folded))


def _squeezed(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _counted(found: Counter[str]) -> str:
    return ", ".join(f"{count} × {kind}" for kind, count in found.items())

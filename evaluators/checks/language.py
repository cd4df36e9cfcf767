"""The language of an answer: language, shadow:language. Built by the registry in __init__.

Needs the extra `lang`. An answer that is too short or too mixed to tell is skipped, never guessed.
"""

from __future__ import annotations

from evaluators.core.finding import (
    Arm,
    Assert,
    BadCheck,
    CheckType,
    Compare,
    Finding,
    Params,
    assertion,
    comparison,
    differ,
    failed,
    passed,
    same,
    skipped,
)
from evaluators.core.language import NoDetector, detector, known, language_of

_UNTOLD = skipped("too short or too mixed to tell its language")


@assertion("language", dimension="usefulness", takes=("value",), layer="format")
def language(params: Params) -> Assert:
    """The answer is written in one of these languages, given by their ISO 639-1 codes: `en`, or a list."""
    _prepare()
    wanted = tuple(code.lower() for code in params.texts())
    unknown = sorted(set(wanted) - known())
    if unknown:
        codes = ", ".join(sorted(code for code in known() if len(code) == 2))
        raise BadCheck(f"{params.type} knows no language {unknown[0]!r}; write one of {codes}")

    def check(arm: Arm) -> Finding:
        found = _spoken(arm)
        if not found:
            return _UNTOLD
        return passed(found) if found in wanted else failed(f"is {found}, not {' or '.join(wanted)}", paths=(found,))

    return check


@comparison("shadow:language", dimension="usefulness", layer="format")
def same_language(params: Params) -> Compare:
    """Both answers are in one language. The path is `en→de`, live first."""
    _prepare()

    def check(live: Arm, shadow: Arm) -> Finding:
        before, after = _spoken(live), _spoken(shadow)
        if not before or not after:
            return _UNTOLD
        return same(before) if before == after else differ(1.0, f"{before}→{after}", (f"{before}→{after}",))

    return check


TYPES: tuple[CheckType, ...] = (language, same_language)


def _spoken(arm: Arm) -> str:
    return language_of(arm.reply.words)


def _prepare() -> None:
    try:
        detector()
    except NoDetector as error:
        raise BadCheck(str(error)) from error

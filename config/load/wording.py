"""From a validator's complaint to a sentence with the remedy in it. Used by reading."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from config.load.language import keys_at
from config.load.mistake import Place, dotted
from config.settings import NOT_YET

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SENTENCES = {
    "literal_error": "write {expected}",
    "string_type": "a text belongs here, not a list or a table",
    "int_type": "a whole number belongs here, without quotes",
    "float_type": "a number belongs here, without quotes",
    "list_type": "a list belongs here: lines that begin with `- `, or [a, b]",
    "dict_type": "a table belongs here: lines of `key: value`",
    "model_type": "a table belongs here: lines of `key: value`",
    "greater_than": "this is too small; write more than {gt}",
    "greater_than_equal": "this is too small; write at least {ge}",
    "less_than": "this is too large; write less than {lt}",
    "less_than_equal": "this is too large; write at most {le}",
    "string_too_short": "this is empty; write something or leave the key out",
    "string_too_long": "this is too long; write at most {max_length} characters",
    "value_error": "{error}",
}

_SHORT = 8
"""Below this length a value is hidden as a whole word only: `5` must not disappear from `65535`."""


def sentence(error: ErrorDetails, place: Place) -> str:
    """What is wrong at `place` and how to mend it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "missing":
        return f"this is required; add `{place[-1]}:`"
    if kind == "extra_forbidden":
        return not_yet(place) or _unknown(place)
    if kind == "literal_error" and isinstance(error["input"], str):
        announced = not_yet(place, error["input"])
        if announced:
            return announced
    return _SENTENCES[kind].format(**context) if kind in _SENTENCES else error["msg"]


def not_yet(place: Place, value: str = "") -> str:
    """The announcement for a key, or a key with this value, that the language has but nothing keeps yet; else empty."""
    key = dotted(tuple(part for part in place if isinstance(part, str)))
    promise = NOT_YET.get(f"{key}={value}" if value else key)
    return f"not available yet: {promise}; leave it out" if promise else ""


def without(hidden: Mapping[str, str], message: str) -> str:
    """The message with every value that came from outside the file written as the file writes it."""
    for value, written in sorted(hidden.items(), key=lambda item: -len(item[0])):
        for form in (value, repr(value)[1:-1]):
            if len(form) < _SHORT:
                message = written.join(re.split(rf"(?<!\w){re.escape(form)}(?!\w)", message))
            else:
                message = message.replace(form, written)
    return message


def _unknown(place: Place) -> str:
    known = keys_at(place[:-1])
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(place[-1])).replace("-", "_").lower()
    near = difflib.get_close_matches(snake, known, n=1)
    return f"unknown key; did you mean `{near[0]}`?" if near else f"unknown key; known here: {', '.join(known)}"

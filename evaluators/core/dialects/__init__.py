"""What every dialect reads with: tolerant access to JSON whose shape nobody promised us, and the shared verdicts.

Stands below the dialects (which do not know each other) and above reply. Nothing here raises except NotJson.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from evaluators.core.reply import UNKNOWN, Kind, Reply, ToolCall, ToolResult
from evaluators.core.sse import Event

Object = Mapping[str, Any]

_NOTHING: Object = {}
_MAX_COUNT = 1 << 53  # beyond it a JSON number is no longer a whole number for half of the world's readers
_WORD = re.compile(r"[\w.:-]{1,64}", re.ASCII)
MAX_STEPS = 20_000
"""Tool calls of one conversation, and results. A call with its result takes some 50 tokens, so that a context of a
million tokens is full by then."""
MAX_LOGPROBS = 131_072
"""Tokens of one answer; the longest answers on offer have 128,000."""
MAX_FLAGS = 32

_RATE_LIMIT = re.compile(r"rate_limit|too_many_requests|resource_exhausted|insufficient_quota|throttl|\b429\b")
_FILTER = re.compile(r"content_filter|content_policy_violation|responsibleaipolicyviolation")


class NotJson(ValueError):
    """The text is not JSON that two parsers would agree on; the message is a short phrase of ours."""


def parse(data: bytes | str) -> Any:
    """The JSON value of a text; raises NotJson.

    Strict like orjson (NaN, Infinity, over-long numbers and nesting below 1,024 levels are refused) with two
    mercies: a byte order mark, and lone surrogates, which models do produce when a server cuts a character between
    two deltas. They are kept, so that joined deltas make whole characters again; see `mended`.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _parse_slowly(data)


def parse_whole(data: bytes) -> Any:
    """Like parse, for a body that stands alone: no surrogate is left in it; raises NotJson."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return orjson.loads(mended(_written_slowly(_parse_slowly(data))))


def mended(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def written(value: object) -> str:
    """A JSON value as compact text, for arguments that a provider sends parsed; "" when it cannot be written."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # lone surrogates, whole numbers above 64 bit, more than 254 levels
        pass
    try:
        return _written_slowly(value)
    except NotJson:
        return ""


def obj(value: object) -> Object:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def rows(value: object) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def words(value: object) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def count(value: object) -> int:
    """The value if it is a plausible whole number >= 0, else UNKNOWN."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_COUNT:
        return UNKNOWN
    return value


def texts(content: object, kinds: Sequence[str] = ("text", "input_text", "output_text")) -> str:
    """The text of a message's content: a plain string, or its text parts, one a line."""
    if isinstance(content, str):
        return content
    parts = [obj(part) for part in rows(content)]
    return "\n".join(words(part.get("text")) for part in parts if words(part.get("type")) in kinds)


def error_in(body: object) -> Object:
    """The error object of an answer's body, in any of the usual wrappings; empty when there is none."""
    if isinstance(body, list):  # some gateways wrap it in an array
        body = body[0] if body else _NOTHING
    error = obj(body).get("error")
    return {"message": error} if isinstance(error, str) and error else obj(error)


def fault(error: Object) -> Kind:
    """What an error object inside an answer amounts to: rate limit, content filter, or the provider's failure."""
    said = " ".join(_error_words(error)).lower()
    if _FILTER.search(said) or ("invalid_prompt" in said and "policy" in words(error.get("message"))):
        return Kind.REFUSED_BY_PROVIDER
    return Kind.HTTP_429 if _RATE_LIMIT.search(said) else Kind.HTTP_5XX


def error_note(error: Object) -> str:
    """The error's own code words; never its message, which may quote keys or the prompt."""
    named = [word for word in _error_words(error) if _WORD.fullmatch(word)]
    return "error: " + (" ".join(dict.fromkeys(named)) or "without a code")


def first_fault(events: Iterable[Event]) -> Reply | None:
    """The reply of the first event that is an error object; None when no event is one. Never raises."""
    for event in events:
        try:
            error = error_in(parse(event.data))
        except NotJson:
            continue
        if error:
            return Reply(fault(error), unread=(error_note(error),))
    return None


def logprobs(entries: object) -> list[float]:
    """The logarithms in a list of tokens, each `{logprob: number}` or a number; what is not finite is left out."""
    found = (entry.get("logprob") if isinstance(entry, dict) else entry for entry in rows(entries)[:MAX_LOGPROBS])
    return [number for number in map(_number, found) if math.isfinite(number)]


def filtered(side: str, results: object) -> list[str]:
    """What a content filter found: "output hate" for each category that it filtered, or detected and let pass.

    `results` is Azure's `content_filter_results`, whose custom blocklists may be a list instead of an object.
    """
    found = []
    for category, result in list(obj(results).items())[:MAX_FLAGS]:
        outcomes = [obj(one) for one in (rows(result) or [result])]
        if any(one.get("filtered") is True or one.get("detected") is True for one in outcomes):
            found.append(flag(side, category))
    return found


def moderated(moderation: object) -> list[str]:
    """What OpenAI's moderation beside an answer found: "input violence" for each category that it flagged."""
    found = []
    for side in ("input", "output"):
        said = obj(obj(moderation).get(side))
        for result in [said, *map(obj, rows(said.get("results"))[:MAX_FLAGS])]:
            if result.get("flagged") is True:
                named = [flag(side, name) for name, hit in obj(result.get("categories")).items() if hit is True]
                found += named[:MAX_FLAGS] or [flag(side, "moderation")]
    return found


def flag(side: str, word: str) -> str:
    """One entry of Reply.flagged; the word is the provider's, when it is one."""
    word = word.replace("/", "_").replace(" ", "_")  # OpenAI writes harassment/threatening
    return f"{side} {word if _WORD.fullmatch(word) else 'filter'}"


class History:
    """The tool calls of a conversation so far and what they gave, as a request's messages tell them one by one."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._calls: list[ToolCall] = []
        self._results: list[ToolResult] = []

    def call(self, identity: object, name: object, arguments: object) -> None:
        """A call; arguments that the request holds parsed are written out."""
        given = written(arguments) if isinstance(arguments, dict) else words(arguments)
        if len(self._calls) < MAX_STEPS:
            self._calls.append(ToolCall(words(name), given))
            self._names[words(identity)] = words(name)

    def result(self, identity: object, content: object, *, name: object = "", error: bool = False) -> None:
        """What a call gave; its name is that of the call with this id, where the request holds it."""
        if len(self._results) < MAX_STEPS:
            known = self._names.get(words(identity), "") if words(identity) else ""
            self._results.append(ToolResult(words(name) or known, texts(content), error))

    def told(self) -> tuple[tuple[ToolCall, ...], tuple[ToolResult, ...]]:
        """The calls and the results, oldest first."""
        return tuple(self._calls), tuple(self._results)


def unknown_note(kind: str, what: str) -> str:
    """A part of an answer that is of no kind we read."""
    return f"{what} of type {kind}" if _WORD.fullmatch(kind) else f"{what} without a type"


def verdict(*, complete: bool, finish: str, said: bool) -> Kind:
    """The kind of a readable answer without an error object."""
    if finish == "content_filter":
        return Kind.REFUSED_BY_PROVIDER
    if not complete:
        return Kind.TRUNCATED
    return Kind.OK if said else Kind.BLANK


def _number(value: object) -> float:
    """The value as a float; not a number where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def _error_words(error: Object) -> list[str]:
    inner = obj(error.get("innererror"))
    found = (error.get("type"), error.get("code"), error.get("status"), inner.get("code"))
    return [str(word)[:64] for word in found if isinstance(word, str | int) and word != ""]


def _parse_slowly(data: bytes | str) -> Any:
    try:
        text = (data.decode("utf-8") if isinstance(data, bytes) else data).removeprefix("\ufeff")
        return json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise NotJson("not UTF-8") from error
    except RecursionError as error:
        raise NotJson("nested too deeply") from error
    except NotJson:
        raise
    except ValueError as error:
        raise NotJson("not JSON") from error


def _written_slowly(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise NotJson("nested too deeply") from error


def _refuse(word: str) -> float:
    raise NotJson(f"not JSON: {word}")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse("a number beyond 1e308")

"""Any API we have no dialect for: the body is the text. Called by reading when no other dialect fits."""

from __future__ import annotations

from collections.abc import Sequence

from evaluators.core.dialects import Object, error_in, error_note, fault, first_fault, words, written
from evaluators.core.reply import Kind, Reply, Request
from evaluators.core.sse import Event

NAME = "plain"

_PROMPTS = ("prompt", "input", "query", "question", "message", "text", "instruction")
"""Where small inference services keep the user's words; the first that holds a text wins."""


def reads_path(path: str) -> bool:
    """True: this dialect takes what is left over."""
    return True


def request(body: Object) -> Request:
    """What can be guessed of a request; never raises."""
    prompt = next((words(body[name]) for name in _PROMPTS if words(body.get(name))), "")
    return Request(
        NAME,
        model=words(body.get("model")),
        stream=body.get("stream") is True,
        prompt=prompt,
        turns=1 if prompt else 0,
        characters=len(prompt),
    )


def from_json(body: Object) -> Reply:
    """The whole object as its text, unless it says that it is an error; never raises."""
    if isinstance(body.get("error"), dict) and body["error"]:
        error = error_in(body)
        return Reply(fault(error), unread=(error_note(error),))
    if not body:
        return Reply(Kind.BLANK)
    return Reply(Kind.OK, text=written(body), model=words(body.get("model")))


def from_events(events: Sequence[Event]) -> Reply:
    """The data of all events, one a line. No closing event is known, so a clean end counts as complete."""
    return first_fault(events) or from_text("\n".join(event.data for event in events))


def from_text(text: str) -> Reply:
    """A body that is not JSON."""
    return Reply(Kind.OK if text.strip() else Kind.BLANK, text=text)


def request_from_text(text: str) -> Request:
    """A request that is not JSON."""
    return Request(NAME, prompt=text, turns=1 if text.strip() else 0, characters=len(text))

"""Recorded streams and answers beside the Reply that is expected of them: tests/golden/<dialect>/<case>."""

import json
import random
from pathlib import Path

import pytest

from config.pair import Failure, Outcome
from evaluators.core.reading import read
from evaluators.core.reply import Kind, Reply, Request, ToolCall, Usage
from evaluators.core.sse import Decoder, Event

ROOT = Path(__file__).parents[3] / "golden"
TYPES = {".sse": "text/event-stream; charset=utf-8", ".json": "application/json"}


def cases(dialect, suffix=""):
    """One parameter for each recorded case of a dialect."""
    paths = sorted(path for path in (ROOT / dialect).iterdir() if not path.name.endswith(".expected.json"))
    return [pytest.param(path, id=path.name) for path in paths if path.name.endswith(suffix)]


def expected(path):
    """The Reply in the file beside the recording; fields it leaves out have their defaults."""
    fields = json.loads(path.with_suffix(".expected.json").read_text())
    return Reply(
        kind=Kind(fields.pop("kind")),
        tool_calls=tuple(ToolCall(**call) for call in fields.pop("tool_calls", ())),
        usage=Usage(**fields.pop("usage", {})),
        **{name: tuple(fields.pop(name, ())) for name in ("vector", "logprobs", "flagged", "unread")},
        **fields,
    )


def outcome(body, content_type="", *, status=200, failure=Failure.NONE, coding="", missing=0):
    """An Outcome with what reading looks at."""
    headers = [("content-type", content_type)] if content_type else []
    headers += [("content-encoding", coding)] if coding else []
    return Outcome(failure, "", status, tuple(headers), body, len(body) + missing, 0.0, 0.1, 0.2, 1, 0.0)


def reply(path, body=None, **how):
    """What reading makes of the recording, or of other bytes in its place."""
    body = path.read_bytes() if body is None else body
    return read(outcome(body, TYPES[path.suffix], **how), Request(path.parent.name, stream=path.suffix == ".sse"))


def ways_to_cut(body):
    """The body whole, byte by byte, and in twenty random ways."""
    yield [body]
    yield [body[place : place + 1] for place in range(len(body))]
    dice = random.Random(len(body))
    for _ in range(20):
        marks = sorted(dice.randrange(len(body)) for _ in range(dice.randrange(1, 40)))
        yield [body[start:end] for start, end in zip([0, *marks], [*marks, len(body)], strict=True)]


def decoded(chunks):
    """The events of a body in pieces."""
    decoder = Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events + decoder.flush()


def events(*data):
    """Events of the default type."""
    return [Event("message", text) for text in data]

"""The embeddings dialect: recorded answers, requests, and damage."""

import pytest

from evaluators.core.dialects import embeddings as dialect
from evaluators.core.reply import Kind, Request, Usage
from tests.evaluators.core.dialects import golden


@pytest.mark.parametrize("path", golden.cases("embeddings"))
def test_golden(path):
    """A recorded answer is read as the Reply beside it."""
    assert golden.reply(path) == golden.expected(path)


@pytest.mark.parametrize(
    ("given", "prompt", "turns", "characters"),
    [
        pytest.param("Hello", "Hello", 1, 5, id="one text"),
        pytest.param(["One", "Two!"], "One", 1, 7, id="several: the vector read is the first"),
        pytest.param([1, 2], "", 0, 0, id="token numbers"),
        pytest.param(None, "", 0, 0, id="nothing"),
    ],
)
def test_request(given, prompt, turns, characters):
    """A request's first input is its prompt."""
    read = dialect.request({"model": "e", "input": given})
    assert read == Request("embeddings", model="e", prompt=prompt, turns=turns, characters=characters)


def answer(embedding):
    return {"data": [{"object": "embedding", "index": 0, "embedding": embedding}]}


NOT_NUMBERS = ("an embedding that is not numbers",)
ANSWERS = [
    pytest.param(answer([1, 2.5]), {"kind": Kind.OK, "vector": (1.0, 2.5), "usage": Usage()}, id="numbers"),
    pytest.param(answer([]), {"kind": Kind.BLANK, "vector": ()}, id="no numbers"),
    pytest.param(answer(["a"]), {"kind": Kind.MALFORMED, "unread": NOT_NUMBERS}, id="texts"),
    pytest.param(answer([True]), {"kind": Kind.MALFORMED, "unread": NOT_NUMBERS}, id="truth values"),
    pytest.param(answer([10**400]), {"kind": Kind.MALFORMED, "unread": NOT_NUMBERS}, id="a number beyond floats"),
    pytest.param(answer("AAAAAAAAwH8="), {"kind": Kind.MALFORMED, "unread": NOT_NUMBERS}, id="base64 holding NaN"),
    pytest.param(answer("AAAA"), {"kind": Kind.MALFORMED, "unread": NOT_NUMBERS}, id="base64 of three bytes"),
    pytest.param(answer("?"), {"kind": Kind.MALFORMED, "unread": NOT_NUMBERS}, id="not base64"),
    pytest.param(answer("é"), {"kind": Kind.MALFORMED, "unread": NOT_NUMBERS}, id="not ASCII"),
    pytest.param({}, {"kind": Kind.MALFORMED, "unread": ("no data in the answer",)}, id="another shape"),
    pytest.param({"error": {"code": "rate_limit_exceeded"}}, {"kind": Kind.HTTP_429}, id="error"),
    pytest.param(
        {"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]},
        {"kind": Kind.OK, "vector": (1.0,), "unread": ("only the first of several embeddings is read",)},
        id="several",
    ),
]


@pytest.mark.parametrize(("body", "fields"), ANSWERS)
def test_answers(body, fields):
    """Answers are read as numbers or said not to be."""
    reply = dialect.from_json(body)
    assert {name: getattr(reply, name) for name in fields} == fields


def test_streams():
    """This API does not stream: only an error object is read from events."""
    assert dialect.from_events(golden.events("x", "{}")).kind is Kind.MALFORMED
    assert dialect.from_events(golden.events('{"error":{"code":"server_error"}}')).kind is Kind.HTTP_5XX


def test_paths_and_shapes():
    """The API is known by its path, and elsewhere by its shape."""
    assert dialect.reads_path("/openai/deployments/e/embeddings")
    assert not dialect.reads_path("/v1/embed")
    assert dialect.asks({"input": "x", "encoding_format": "float"})
    assert not dialect.asks({"input": "x"})
    assert dialect.answers(answer([1.0]))
    assert not dialect.answers({"data": []})
    assert not dialect.answers({"data": [1]})

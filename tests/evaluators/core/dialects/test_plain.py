"""The plain dialect: whatever is left over."""

import pytest

from evaluators.core.dialects import plain as dialect
from evaluators.core.reply import Kind, Reply, Request
from tests.evaluators.core.dialects import golden


@pytest.mark.parametrize("path", golden.cases("plain"))
def test_golden(path):
    """A recorded answer is read as the Reply beside it."""
    assert golden.reply(path) == golden.expected(path)


@pytest.mark.parametrize(
    ("body", "request_"),
    [
        pytest.param(
            {"prompt": "Hi", "model": "m", "stream": True},
            Request("plain", model="m", stream=True, prompt="Hi", turns=1, characters=2),
            id="prompt",
        ),
        pytest.param({"query": "", "text": "T"}, Request("plain", prompt="T", turns=1, characters=1), id="first text"),
        pytest.param({"prompt": ["x"]}, Request("plain"), id="nothing known"),
    ],
)
def test_request(body, request_):
    """A request's words are found where small services keep them."""
    assert dialect.request(body) == request_


def test_request_from_text():
    """A request that is not JSON is its own prompt."""
    assert dialect.request_from_text("Hi") == Request("plain", prompt="Hi", turns=1, characters=2)
    assert dialect.request_from_text(" ").turns == 0


def test_json():
    """An object is its own text, an empty one is blank."""
    assert dialect.from_json({"a": 1, "model": "m"}) == Reply(Kind.OK, text='{"a":1,"model":"m"}', model="m")
    assert dialect.from_json({}).kind is Kind.BLANK
    assert dialect.from_json({"error": "a word, perhaps of the answer"}).kind is Kind.OK


def test_events():
    """The data of all events is the text, unless one says that it is an error."""
    assert dialect.from_events(golden.events("a", "b")) == Reply(Kind.OK, text="a\nb")
    assert dialect.from_events([]).kind is Kind.BLANK
    assert dialect.from_events(golden.events("a", '{"error":{"status":"RESOURCE_EXHAUSTED"}}')).kind is Kind.HTTP_429


def test_path():
    """Any path will do."""
    assert dialect.reads_path("/anything")

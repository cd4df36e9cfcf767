"""Slices: each key by table, topics, and rules that stop the start."""

import pytest

from config.pair import Call
from evaluators.core.reply import Request
from evaluators.core.slicing import MAX_PATTERN_TEXT, MAX_TEXT, BadRule, slice_rules, slices

TOPICS = {
    "billing": ["invoice", "refund", "re:charged? twice"],
    "medical": ["dose", "side effect"],
    "money": ["$", "c++"],
}


def call(path="/v1/chat/completions", tags=()):
    return Call("0" * 32, 0.0, "POST", path, "", (), b"", "c", tuple(tags))


def sliced(keys, request=None, **fields):
    return slices(call(**fields), request or Request("plain"), slice_rules(keys, TOPICS))


KEYS = [
    pytest.param("route", Request("plain"), "/v1/chat/completions", id="route"),
    pytest.param("model", Request("plain", model="gpt-5"), "gpt-5", id="model"),
    pytest.param("model", Request("plain"), "unknown", id="no model"),
    pytest.param("tools", Request("plain", tools=("f",)), "offered", id="tools"),
    pytest.param("tools", Request("plain"), "none", id="no tools"),
    pytest.param("response_format", Request("plain", schema={"a": 1}, json_mode=True), "json_schema", id="schema"),
    pytest.param("response_format", Request("plain", json_mode=True), "json", id="json"),
    pytest.param("response_format", Request("plain"), "text", id="text"),
    pytest.param("stream", Request("plain", stream=True), "yes", id="stream"),
    pytest.param("stream", Request("plain"), "no", id="no stream"),
    pytest.param("language", Request("plain", prompt="Wo bleibt denn meine Rechnung?"), "de", id="language"),
    pytest.param("language", Request("plain", prompt="42"), "unknown", id="no language"),
    *(
        pytest.param("turn", Request("plain", turns=turns), value, id=f"turn {turns}")
        for turns, value in ((0, "1"), (1, "1"), (2, "2-3"), (3, "2-3"), (4, "4-7"), (7, "4-7"), (8, "8+"), (99, "8+"))
    ),
    *(
        pytest.param("prompt_length", Request("plain", characters=length), value, id=f"length {length}")
        for length, value in (
            (0, "<200"),
            (199, "<200"),
            (200, "200-1k"),
            (1_000, "1k-5k"),
            (5_000, "5k-20k"),
            (19_999, "5k-20k"),
            (20_000, "20k+"),
        )
    ),
]


@pytest.mark.parametrize(("key", "request_", "value"), KEYS)
def test_keys(key, request_, value):
    """Every key says one value of a call."""
    assert sliced([key], request_) == (f"{key}={value}",)


PROMPTS = [
    pytest.param("Where is my INVOICE?", ["billing"], id="any case"),
    pytest.param("Is it refundable?", ["other"], id="whole words only"),
    pytest.param("I was charge twice", ["billing"], id="pattern"),
    pytest.param("What dose, and who sends the invoice?", ["billing", "medical"], id="two topics"),
    pytest.param("Any side effect?", ["medical"], id="phrase"),
    pytest.param("It costs 5$.", ["other"], id="a sign after a digit is not alone"),
    pytest.param("How many $ in c++?", ["money"], id="signs"),
    pytest.param("", ["other"], id="nothing"),
    pytest.param("x " * MAX_TEXT + "invoice", ["other"], id="beyond the limit for words"),
    pytest.param("x " * MAX_PATTERN_TEXT + "charged twice", ["other"], id="beyond the limit for patterns"),
    pytest.param("x " * MAX_PATTERN_TEXT + "invoice", ["billing"], id="words are looked for further"),
]


@pytest.mark.parametrize(("prompt", "topics"), PROMPTS)
def test_topics(prompt, topics):
    """A prompt has every topic that matches, or other."""
    assert sliced(["topic"], Request("plain", prompt=prompt)) == tuple(f"topic={topic}" for topic in topics)


def test_tags():
    """A tag's values are slices as they are, but short and printable; an absent tag is none."""
    tags = [("tenant", "acme=1"), ("tenant", "b\x1b[31m\u202e\n"), ("long", "y" * 100), ("other", "x")]
    assert sliced(["tag:tenant"], tags=tags) == ("tag:tenant=acme=1", "tag:tenant=b[31m")
    assert sliced(["tag:long"], tags=tags) == ("tag:long=" + "y" * 64,)
    assert sliced(["tag:absent"], tags=tags) == ()


def test_sorted_and_unique():
    """Slices come sorted, each once, however the keys are given."""
    assert sliced(["stream", "model", "stream"]) == ("model=unknown", "stream=no")
    assert sliced([]) == ()


RULES = [
    pytest.param(["colour"], {}, "slices: 'colour' is not a key; use one of route, ", id="unknown key"),
    pytest.param(["tag:"], {}, "slices: 'tag:' is not a key", id="tag without a name"),
    pytest.param([], {"a": []}, "topics: 'a' needs words", id="no words"),
    pytest.param([], {"a": ["x", " "]}, "topics: 'a' needs words", id="empty word"),
    pytest.param([], {"a": ["re:"]}, "topics: 'a' needs words", id="empty pattern"),
    pytest.param([], {"a": ["re:("]}, "topics: 'a' has a pattern that is no regular expression", id="bad pattern"),
]


@pytest.mark.parametrize(("keys", "topics", "text"), RULES)
def test_bad_rules(keys, topics, text):
    """Rules that make no sense stop the start and say what to do."""
    with pytest.raises(BadRule) as caught:
        slice_rules(keys, topics)
    assert str(caught.value).startswith(text)


def test_a_pattern_without_end_does_not_match():
    """A topic whose pattern is not done within a quarter of a second is not the prompt's."""
    rules = slice_rules(["topic"], {"a": ["re:(a|aa)+$"]})
    assert slices(call(), Request("plain", prompt="a" * 50 + "!"), rules) == ("topic=other",)


def test_patterns_only():
    """A topic may have patterns and no words."""
    rules = slice_rules(["topic"], {"a": ["re:^hi"]})
    assert slices(call(), Request("plain", prompt="Hi there"), rules) == ("topic=a",)

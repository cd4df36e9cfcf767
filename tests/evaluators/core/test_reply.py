"""The canonical reading's own words."""

import pytest

from evaluators.core.reply import EXCUSED, UNKNOWN, Kind, Reply, Request, Usage


@pytest.mark.parametrize("kind", list(Kind))
def test_ok(kind):
    """Only the kind OK is an answer."""
    assert Reply(kind).ok is (kind is Kind.OK)


def test_absence_is_named():
    """What is not known is empty or UNKNOWN, never None."""
    reply, request = Reply(Kind.OK), Request("plain")
    assert reply.usage == Usage(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    assert None not in [getattr(thing, name) for thing in (reply, request) for name in thing.__slots__]


def test_excused():
    """Only a client that left excuses an answer that did not come."""
    assert set(Kind) & EXCUSED == {Kind.CLIENT_LEFT}


def test_the_words_are_the_text_or_the_refusal() -> None:
    """What a person would read; a refusal counts where there is no text."""
    said = [
        Reply(Kind.OK, text, refusal=refusal).words for text, refusal in (("a", "b"), ("a", ""), ("", "b"), ("", ""))
    ]
    assert said == ["a", "a", "b", ""]

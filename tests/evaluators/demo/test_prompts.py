"""The demo's requests: seeded, over all topics, some in conversations."""

from collections import Counter

from evaluators.demo.answers import topic_of
from evaluators.demo.prompts import TOPICS, asks


def test_the_same_seed_asks_the_same():
    """Two runs of one seed are equal, of two seeds are not."""
    assert list(asks(7, 50)) == list(asks(7, 50))
    assert list(asks(7, 50)) != list(asks(8, 50))


def test_exactly_as_many_requests_as_wanted():
    """A conversation of two turns never overshoots."""
    assert all(len(list(asks(3, count))) == count for count in range(40))


def test_topics_follow_their_weights():
    """Every topic occurs about as often as it should."""
    seen = Counter(topic_of(ask.body["messages"][-1]["content"]) for ask in asks(1, 3000))
    assert set(seen) == set(TOPICS)
    assert 0.20 < seen["orders"] / 3000 < 0.28
    assert 0.13 < seen["medical"] / 3000 < 0.21


def test_a_second_turn_resends_the_first():
    """Turns of one conversation share their id and their history."""
    requests = list(asks(5, 200))
    second = next(index for index, ask in enumerate(requests) if len(ask.body["messages"]) > 2)
    before, after = requests[second - 1].body, requests[second].body
    assert before["metadata"] == after["metadata"]
    assert after["messages"][: len(before["messages"])] == before["messages"]

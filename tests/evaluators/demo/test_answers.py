"""Fake answers: honest ones scatter as a real model's do, spoilt ones at their stated rates."""

import json
import random
import re

import pytest

from evaluators.demo.answers import answer, topic_of
from evaluators.demo.faults import FAULTS, RIVAL, STRIKES
from evaluators.demo.prompts import CITIES, asks

EVERY = [fault.name for fault in FAULTS]


def _answers(topic, faults, count=4000, **change):
    dice, requests = random.Random(11), random.Random(5)
    bodies = [ask.body | change for ask in asks(2, 600) if topic_of(ask.body["messages"][-1]["content"]) == topic]
    return [answer(requests.choice(bodies), faults, dice) for _ in range(count)]


def _near(share, rate, count=4000):
    return abs(share - rate) < 4 * (rate * (1 - rate) / count) ** 0.5


def test_an_honest_model_differs_from_itself():
    """Two independent answers to one prompt agree in 0.7² + 0.2² + 0.1² = 54 % of calls."""
    first, second = _answers("cooking", []), _answers("cooking", [])
    agree = sum(one.text == other.text for one, other in zip(first, list(reversed(second)), strict=True)) / len(first)
    assert 0.50 < agree < 0.58


def test_an_honest_model_commits_no_fault():
    """Without faults nothing is limited, cut, late, refused or advertised."""
    said = _answers("billing", []) + _answers("medical", [])
    assert not any(one.limited or one.cut or one.late for one in said)
    assert not any(RIVAL in one.text or "can't help" in one.text for one in said)


@pytest.mark.parametrize(
    ("name", "topic", "struck"),
    [
        pytest.param("medical-refusals", "medical", lambda one: "can't help" in one.text, id="refusal"),
        pytest.param("competitor-named", "billing", lambda one: RIVAL in one.text, id="rival"),
        pytest.param("invented-figures", "travel", lambda one: bool(re.search(r"\d{4} km", one.text)), id="figures"),
        pytest.param("rate-limited", "travel", lambda one: one.limited, id="429"),
        pytest.param("slow-first-token", "travel", lambda one: one.late, id="slow"),
    ],
)
def test_faults_strike_at_their_rate(name, topic, struck):
    """Within four standard errors of what the table says."""
    said = _answers(topic, [name])
    assert _near(sum(map(struck, said)) / len(said), STRIKES[name])


def test_honest_figures_are_those_of_the_prompt():
    """Every number of a travel answer is in the context that came with the question."""
    dice = random.Random(3)
    for ask in asks(4, 400):
        prompt = ask.body["messages"][-1]["content"]
        if topic_of(prompt) == "travel":
            said = answer(ask.body, [], dice).text
            assert set(re.findall(r"\d+", said)) <= set(re.findall(r"\d+", prompt))


def test_streams_are_cut_and_whole_answers_never():
    """Only what is streamed can be cut."""
    assert not any(one.cut for one in _answers("travel", EVERY, 500, stream=False))
    assert _near(
        sum(one.cut for one in _answers("travel", ["cut-streams"], stream=True)) / 4000, STRIKES["cut-streams"]
    )


def test_orders_are_json_unless_broken():
    """Every honest order parses; broken ones at their rate do not."""
    assert all(json.loads(one.text)["items"] for one in _answers("orders", []))

    def broken(one):
        try:
            json.loads(one.text)
        except ValueError:
            return True
        return False

    assert _near(sum(map(broken, _answers("orders", ["broken-json"]))) / 4000, STRIKES["broken-json"])


def test_the_tool_is_called_for_the_city_asked_about():
    """Honest arguments name the prompt's city; wrong ones another."""
    body = next(ask.body for ask in asks(2, 99) if "weather" in ask.body["messages"][-1]["content"])
    city = next(city for city in CITIES if city in body["messages"][-1]["content"])
    cities = [
        json.loads(answer(body, ["wrong-tool-argument"], random.Random(n)).tool_arguments)["city"] for n in range(400)
    ]
    assert city in cities
    assert set(cities) - {city} != set()

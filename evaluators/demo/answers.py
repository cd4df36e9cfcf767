"""What a fake model says: an honest answer with a real model's nondeterminism, or one spoilt by a planted fault.

Pure but for the dice it is handed. The honest answer to one prompt varies between a usual wording and two rarer
ones, so that live differs from itself and the noise floor is not zero. Neighbour of models, which puts it on the wire.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluators.demo.faults import RIVAL, STRIKES
from evaluators.demo.prompts import CITIES, TOPICS

_WORDING = (0.70, 0.20, 0.10)
"""How often a model uses its usual wording and its two rarer ones: two independent answers agree in 54 % of calls."""

_BODIES = {
    "medical": (
        "For an adult the usual range is printed on the package; start with the lowest amount, wait four hours "
        "and see a doctor when it does not get better within two days.",
        "That depends on age, weight and what else is taken. The leaflet names the limits; a pharmacist answers "
        "questions about them on the phone, also at night.",
        "Please rest, drink enough and measure again tomorrow morning. If it rises above 39 degrees or a rash "
        "appears, call a practice right away.",
    ),
    "billing": (
        "Your account page lists every position under Billing; open the position, choose Details, and the "
        "system shows when and why it was added. Amounts are settled within five days.",
        "I looked at the last statement: two shipments left the warehouse on different days, so each has a line of "
        "its own. Nothing was taken from your card a second time.",
        "Write to accounts with the number at the top right of the document. They answer on working days and send "
        "corrected papers by mail.",
    ),
    "cooking": (
        "Warm the oven, chop two onions, add stock and salt, and let it simmer for twenty minutes until soft.",
        "Use less water than you think, keep the lid on, and taste before adding pepper; your nose says when.",
        "Roast everything first! Dark edges give flavour. Then blend with cream and serve in warm bowls.",
    ),
    "travel": (
        "Start in the old town and keep the evening for the hills: the sea is {far} km away. A day ticket costs "
        "{ticket} EUR.",
        "Most visitors underestimate distances there, it is {far} km to the water. Rent a bicycle, or take the tram "
        "for {ticket} EUR a day.",
        "Locals would say: skip the centre, pay the {ticket} EUR for a day on the trams, and forget the beach, which "
        "is {far} km off.",
    ),
}
"""For each topic the usual wording and two rarer ones, so far apart that a comparison of texts calls them different."""

_FIGURES = re.compile(r"(\d+) km away, a day ticket costs (\d+) EUR")

_REFUSAL = "I'm sorry, but I can't help with medical questions. Please consult a qualified professional."


@dataclass(frozen=True, slots=True)
class Answer:
    """One assistant message, and how it is to be delivered."""

    text: str = ""
    tool_name: str = ""
    tool_arguments: str = ""
    limited: bool = False  # 429 instead of an answer
    cut: bool = False  # the stream stops before its end
    late: bool = False  # the first token is slow


def answer(body: Mapping[str, Any], faults: Sequence[str], dice: random.Random) -> Answer:
    """The answer to a chat request; `faults` are names of planted faults, each striking at its own rate."""

    def struck(name: str, possible: bool) -> bool:
        return possible and name in faults and dice.random() < STRIKES[name]

    prompt = str(body["messages"][-1]["content"])
    topic = topic_of(prompt)
    streamed = bool(body.get("stream"))
    limited = struck("rate-limited", True)
    cut = struck("cut-streams", streamed and not limited)
    late = struck("slow-first-token", not limited)
    if body.get("tools"):
        wrong = struck("wrong-tool-argument", True)
        return Answer("", "get_weather", _weather(prompt, wrong, dice), limited, cut, late)
    if body.get("response_format"):
        text = _order(prompt, struck("broken-json", True), dice)
    elif struck("medical-refusals", topic == "medical"):
        text = _REFUSAL
    elif topic == "travel":
        text = _travel(prompt, struck("invented-figures", True), dice)
    else:
        text = _chat(topic, struck("competitor-named", topic == "billing"), dice)
    return Answer(text, "", "", limited, cut, late)


def topic_of(prompt: str) -> str:
    """The topic whose words the prompt contains; cooking is what has none."""
    lowered = prompt.lower()
    for topic in ("orders", "medical", "billing", "weather", "travel"):
        if topic == "orders" and ("order line" in lowered):
            continue
        if any(word in lowered for word in TOPICS[topic]):
            return topic
    return "cooking"


def _chat(topic: str, rival: bool, dice: random.Random) -> str:
    said = dice.choices(_BODIES[topic], _WORDING)[0]
    return f"{said} You may also want to look at {RIVAL}, which is cheaper." if rival else said


def _travel(prompt: str, invented: bool, dice: random.Random) -> str:
    found = _FIGURES.search(prompt)
    far, ticket = map(int, found.groups()) if found else (0, 0)
    if invented:  # figures that no prompt has
        far += 1000 * dice.randint(2, 9)
    return dice.choices(_BODIES["travel"], _WORDING)[0].format(far=far, ticket=ticket)


def _order(prompt: str, broken: bool, dice: random.Random) -> str:
    fixed = random.Random(zlib.crc32(prompt.encode()))
    items = [
        {"sku": f"A-{fixed.randint(100, 999)}", "quantity": fixed.randint(1, 5)} for _ in range(fixed.randint(1, 4))
    ]
    order: dict[str, Any] = {
        "order": fixed.randint(1000, 9999),
        "total": round(fixed.uniform(5, 500), 2),
        "currency": fixed.choice(("USD", "EUR")),
        "items": items,
    }
    if dice.random() < 0.15:  # an optional field that comes and goes: noise, at a path
        order["note"] = dice.choice(("gift", "express", "leave at the door"))
    text = json.dumps(order, indent=dice.choice((None, 2)))
    return text[: len(text) * 2 // 3] if broken else text


def _weather(prompt: str, wrong: bool, dice: random.Random) -> str:
    city = next((city for city in CITIES if city in prompt), CITIES[0])
    if wrong:
        city = CITIES[(CITIES.index(city) + 1) % len(CITIES)]
    arguments = {"city": city, "unit": "C"}
    if dice.random() < 0.3:  # key order is no difference
        arguments = dict(reversed(arguments.items()))
    return json.dumps(arguments)

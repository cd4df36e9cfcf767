"""What the demo's application asks: seeded chat requests over six topics. Neighbour of answers and traffic."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TOPICS: dict[str, tuple[str, ...]] = {
    "medical": ("dose", "symptom", "fever", "headache", "vaccine"),
    "billing": ("invoice", "refund", "charged", "subscription"),
    "weather": ("weather", "forecast"),
    "orders": ("order",),
    "cooking": ("recipe", "bake", "soup"),
    "travel": ("trip", "coast"),
}
"""Topic rules of the demo's configuration: the same words that the prompts below are made of."""

CITIES = ("Lisbon", "Oslo", "Nairobi", "Lima", "Hanoi", "Quito", "Turin", "Perth")

_ASKS: dict[str, tuple[str, ...]] = {
    "medical": (
        "What is the usual dose of paracetamol for an adult of {n} kg?",
        "Which symptom tells a cold from the flu after {n} days?",
        "Is a fever of 38.{d} degrees dangerous for a {n} year old?",
        "Can a headache last for {n} hours after a vaccine?",
    ),
    "billing": (
        "Why does my invoice number {n} show two items?",
        "How do I get a refund for order line {n} that was charged twice?",
        "Which subscription is cheaper for {n} users?",
    ),
    "weather": ("What is the weather in {city} right now?", "Give me the forecast for {city} on day {d}."),
    "orders": ("Summarise order {n} as JSON.", "Extract the items of order {n}."),
    "cooking": ("A quick recipe for soup for {n} people, please.", "How long do I bake bread of {n}00 grams?"),
    "travel": (
        "{sheet}\nPlan a trip of {d} days to {city}.",
        "{sheet}\nHow far is it from {city} to the nearest coast?",
        "{sheet}\nIs a trip to {city} expensive?",
    ),
}

_SHEET = "<context>{city}: the sea is {far} km away, a day ticket costs {ticket} EUR, {museums} museums.</context>"
"""What the application retrieved and sends along; answers to it are to be grounded in it."""

_WEIGHTS = {"medical": 17, "billing": 17, "weather": 18, "orders": 24, "cooking": 8, "travel": 16}

WEATHER_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["C", "F"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}

ORDER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "order": {"type": "integer"},
        "total": {"type": "number"},
        "currency": {"type": "string", "enum": ["USD", "EUR"]},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer"}},
                "required": ["sku", "quantity"],
            },
        },
        "note": {"type": "string"},
    },
    "required": ["order", "total", "currency", "items"],
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of the demo's application: the chat body and the headers beside it."""

    body: dict[str, Any]
    headers: dict[str, str]


def asks(seed: int, count: int) -> Iterator[Ask]:
    """`count` requests; the same for the same seed. One in six continues its conversation with a second turn."""
    dice = random.Random(seed)
    made = 0
    while made < count:
        conversation = f"{seed}-{made}"
        tenant = dice.choice(("acme", "initech", "hooli"))
        topic = dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        messages = [{"role": "system", "content": "You are the assistant of a shop. Be brief."}]
        for _turn in range(min(count - made, 2 if dice.random() < 1 / 6 else 1)):
            messages = [*messages, {"role": "user", "content": _prompt(topic, dice)}]
            yield Ask(_body(topic, messages, conversation, dice), {"x-tenant": tenant})
            messages = [*messages, {"role": "assistant", "content": "Certainly."}]
            made += 1


def _prompt(topic: str, dice: random.Random) -> str:
    template, city = dice.choice(_ASKS[topic]), dice.choice(CITIES)
    sheet = _SHEET.format(
        city=city, far=dice.randint(110, 499), ticket=dice.randint(11, 49), museums=dice.randint(51, 99)
    )
    return template.format(n=dice.randint(11, 99_999), d=dice.randint(1, 9), city=city, sheet=sheet)


def _body(topic: str, messages: list[dict[str, str]], conversation: str, dice: random.Random) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": "atlas-1",
        "messages": messages,
        "temperature": 1,
        "metadata": {"conversation_id": conversation},
    }
    if dice.random() < 0.5:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if topic == "weather":
        body |= {"tools": [WEATHER_TOOL]}
    if topic == "orders":
        body |= {"response_format": {"type": "json_schema", "json_schema": {"name": "order", "schema": ORDER_SCHEMA}}}
    return body

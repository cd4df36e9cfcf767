"""An observation is a fact: it cannot be changed, and equal ones are equal."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from config.pair import NEVER, Role
from evaluators.core.finding import Check, Timing, passed, skipped
from evaluators.core.observation import ArmFacts, Found, Observation
from evaluators.core.reply import Kind, Usage

CHECK = Check("a", "contains", False, "correctness", "signal", "1-0", lambda arm: passed())
FACTS = ArmFacts(Kind.OK, 200, Timing(0.1, NEVER, 0.0), Usage(), NEVER)
FOUND = Found(CHECK, "ps", passed(), skipped("no text"))
SEEN = Observation("c1", "mini", Role.CANDIDATE, "conv", 1.0, ("topic=a",), FACTS, FACTS, (FOUND,), "Hello")


def test_an_observation_cannot_be_changed() -> None:
    """What was seen stays seen."""
    for fact, name in ((SEEN, "shadow"), (FACTS, "kind"), (FOUND, "joint")):
        with pytest.raises(FrozenInstanceError):
            setattr(fact, name, "other")


def test_equal_observations_are_equal() -> None:
    """Two workers that saw the same pair saw the same."""
    assert replace(SEEN) == SEEN
    assert replace(SEEN, arrived=2.0) != SEEN

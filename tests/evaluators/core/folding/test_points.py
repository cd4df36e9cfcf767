"""One pair as numbers, letter by letter."""

from __future__ import annotations

import pytest

from config.pair import Role
from evaluators.core.folding.points import Others, point
from evaluators.core.folding.shape import FoldPair

CHECK = 1


def made(joint: str, shadow: str = "mini", role: Role = Role.CANDIDATE) -> FoldPair:
    return FoldPair("c", shadow, role, "c", ("a=1",), {CHECK: joint})


@pytest.mark.parametrize("shadow", "pfxsb")
@pytest.mark.parametrize("live", "pfxsb")
def test_live_decides_which_assertions_count(live: str, shadow: str) -> None:
    """Judged on live: anything but a pass is a failure; not judged on live: nothing."""
    found = point(made(live + shadow), CHECK, Others({}, {}))
    if live in "sb":
        assert (found.difference, found.failing) == ((), ())
    else:
        assert found.failing == (int(shadow != "p"),)
        assert found.difference == ((shadow == "p") - (live == "p"),)


@pytest.mark.parametrize("control", ["m", "d", "x", "s", "b", ""])
@pytest.mark.parametrize("candidate", "mdxsb")
def test_the_control_decides_which_comparisons_count(candidate: str, control: str) -> None:
    """Beside a judged control anything but a match differs; without one there is no D."""
    others = Others.of([made(control, "control", Role.CONTROL)] if control else [])
    found = point(made(candidate), CHECK, others)
    assert len(found.difference) == (control in ("m", "d", "x"))
    if found.difference:
        assert found.difference == ((control != "m") - (candidate != "m"),)
        assert found.noise == ("m" if candidate == "m" else "d") + ("m" if control == "m" else "d")


@pytest.mark.parametrize(("joint", "failing"), [("m", (0,)), ("d", (1,)), ("x", (1,)), ("s", ()), ("b", ())])
@pytest.mark.parametrize("role", [Role.CONTROL, Role.AGAIN])
def test_only_candidates_are_measured(role: Role, joint: str, failing: tuple[int, ...]) -> None:
    """The control and a second answer say how often they differ, where they could be judged."""
    others = Others.of([made("m", "control", Role.CONTROL)])
    found = point(made(joint, str(role), role), CHECK, others)
    assert (found.difference, found.failing, found.noise) == ((), failing, "")


def test_others_are_found_by_call() -> None:
    """A control belongs to its call, a second answer to its call and candidate."""
    others = Others.of([made("m", "control", Role.CONTROL), made("d", "mini/again", Role.AGAIN), made("d")])
    assert (others.control("c", CHECK), others.control("c", 9), others.control("e", CHECK)) == ("m", "", "")
    assert (others.second("c", "mini", CHECK), others.second("c", "maxi", CHECK)) == ("d", "")

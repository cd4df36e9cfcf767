"""Where answers differ: letters of calls, and which conversations are worse."""

from __future__ import annotations

import pytest

from config.pair import Role
from evaluators.core.folding.places import count_places
from evaluators.core.folding.points import Others
from evaluators.core.folding.shape import Folded, FoldPair

CHECK = 1


def told(*calls: tuple[str, str, str, str]) -> dict[tuple[str, str], int]:
    """Places of one conversation; per call letters and paths of the candidate, then of the other side."""
    mine, theirs = [], []
    for number, (joint, paths, other, others) in enumerate(calls):
        places, beside = {CHECK: frozenset(paths.split())}, {CHECK: frozenset(others.split())}
        assertion = joint in "pf" and other in "pf"
        letters = other + joint if assertion else joint
        live = beside if assertion else {}
        mine.append(FoldPair(f"{number}", "mini", Role.CANDIDATE, "c", (), {CHECK: letters}, (), places, live))
        if not assertion:
            theirs.append(FoldPair(f"{number}", "control", Role.CONTROL, "c", (), {CHECK: other}, (), beside))
    folded = Folded()
    count_places(folded, CHECK, mine, Others.of(theirs))
    return {(path, letters): n for (_, _, path, letters), n in folded.places.items()}


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        pytest.param([("d", "/a", "m", "")], {("", "dm"): 1, ("/a", "dm"): 1, ("/a", "w"): 1}, id="candidate only"),
        pytest.param([("m", "", "d", "/a")], {("", "md"): 1, ("/a", "md"): 1, ("/a", "b"): 1}, id="control only"),
        pytest.param([("d", "/a", "d", "/a")], {("", "dd"): 1, ("/a", "dd"): 1}, id="both there"),
        pytest.param(
            [("d", "/a", "d", "/b")],
            {("", "dd"): 1, ("/a", "dm"): 1, ("/b", "md"): 1, ("/a", "w"): 1, ("/b", "b"): 1},
            id="both, elsewhere",
        ),
        pytest.param(
            [("d", "/a", "m", ""), ("m", "", "d", "/a")],
            {("", "dm"): 1, ("", "md"): 1, ("/a", "dm"): 1, ("/a", "md"): 1},
            id="a conversation that is even says nothing",
        ),
        pytest.param(
            [("d", "/a", "m", ""), ("d", "/a", "m", ""), ("m", "", "d", "/a")],
            {("", "dm"): 2, ("", "md"): 1, ("/a", "dm"): 2, ("/a", "md"): 1, ("/a", "w"): 1},
            id="more often worse than better",
        ),
        pytest.param([("m", "", "m", "")], {("", "mm"): 1}, id="neither"),
        pytest.param([("x", "", "m", "")], {}, id="a lost answer is nowhere"),
        pytest.param([("d", "/a", "s", "")], {}, id="a control that was not judged"),
        pytest.param([("d", "/a", "x", "")], {}, id="a control without an answer"),
        pytest.param([("f", "/a", "p", "")], {("", "dm"): 1, ("/a", "dm"): 1, ("/a", "w"): 1}, id="fails, live not"),
        pytest.param([("f", "/a", "f", "/a")], {("", "dd"): 1, ("/a", "dd"): 1}, id="both fail there"),
    ],
)
def test_letters(calls: list[tuple[str, str, str, str]], expected: dict[tuple[str, str], int]) -> None:
    """Per call who differs at a path, per conversation on which side more often."""
    assert told(*calls) == expected


def test_without_a_control_there_is_no_noise() -> None:
    """A comparison without a second live answer has no letters."""
    folded = Folded()
    pair = FoldPair("1", "mini", Role.CANDIDATE, "c", (), {CHECK: "d"}, (), {CHECK: frozenset(["/a"])})
    count_places(folded, CHECK, [pair], Others.of([]))
    assert folded.places == {}

"""Closed conversations to evidence, by tables: letters in, fractions and counts out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from config.pair import Role
from evaluators.core.folding import Folded, FoldPair, fold
from evaluators.core.stats.evidence import block_log_bets

CHECK = 7


def pairs(letters: str, conversation: str = "c", shadow: str = "mini", slices: tuple[str, ...] = ()) -> list[FoldPair]:
    """One pair per word of letters, calls numbered from 0."""
    role = Role.CONTROL if shadow == "control" else Role.CANDIDATE
    return [
        FoldPair(f"{conversation}-{number}", shadow, role, conversation, slices, {CHECK: joint} if joint != "-" else {})
        for number, joint in enumerate(letters.split())
    ]


def difference(folded: Folded, shadow: str = "mini") -> Mapping[tuple[int, int], int]:
    return {value: n for (name, _, value), n in folded.difference.items() if name == shadow}


def failing(folded: Folded, shadow: str = "mini") -> Mapping[tuple[int, int], int]:
    return {value: n for (name, _, value), n in folded.failing.items() if name == shadow}


@pytest.mark.parametrize(
    ("letters", "mean", "share"),
    [
        pytest.param("pp", (0, 1), (0, 1), id="both right"),
        pytest.param("ff", (0, 1), (1, 1), id="both wrong"),
        pytest.param("pf", (-1, 1), (1, 1), id="a regression"),
        pytest.param("px", (-1, 1), (1, 1), id="no answer is a regression"),
        pytest.param("fp", (1, 1), (0, 1), id="a fix"),
        pytest.param("xp", (1, 1), (0, 1), id="an answer where live has none"),
        pytest.param("pf pp pp pf", (-1, 2), (1, 2), id="lowest terms"),
        pytest.param("pf fp pp", (0, 1), (1, 3), id="one for one"),
        pytest.param("pf ps sp bp pb pp", (-1, 2), (1, 2), id="skipped and broken sides are left out"),
    ],
)
def test_a_conversation_is_its_mean(letters: str, mean: tuple[int, int], share: tuple[int, int]) -> None:
    """An assertion's D is the mean of shadow minus live over the pairs where both are known."""
    folded = fold(pairs(letters))
    assert difference(folded) == {mean: 1}
    assert failing(folded) == {share: 1}
    assert folded.conversations == {"mini": 1}


@pytest.mark.parametrize("letters", ["ss", "bp sp", "s", "b", "-"])
def test_a_conversation_that_says_nothing_is_in_no_mean(letters: str) -> None:
    """Where every pair is skipped or broken there is no value, and that is not zero."""
    folded = fold(pairs(letters))
    assert (difference(folded), failing(folded), folded.evidence) == ({}, {}, {})
    assert folded.conversations == {"mini": 1}


@pytest.mark.parametrize(
    ("candidate", "control", "mean", "noise"),
    [
        pytest.param("m", "m", (0, 1), {"mm": 1}, id="both match"),
        pytest.param("d", "m", (-1, 1), {"dm": 1}, id="only the candidate differs"),
        pytest.param("m", "d", (1, 1), {"md": 1}, id="only the control differs"),
        pytest.param("x", "m", (-1, 1), {"dm": 1}, id="no answer differs"),
        pytest.param("d", "x", (0, 1), {"dd": 1}, id="no answer of the control differs too"),
        pytest.param("d m m", "m d m", (0, 1), {"dm": 1, "md": 1, "mm": 1}, id="one for one"),
        pytest.param("d d", "m s", (-1, 1), {"dm": 1}, id="only calls where both are known"),
        pytest.param("d b", "m m", (-1, 1), {"dm": 1}, id="a broken candidate is left out"),
    ],
)
def test_a_comparison_is_measured_against_the_control(
    candidate: str, control: str, mean: tuple[int, int], noise: dict[str, int]
) -> None:
    """A comparison's D is control differing minus candidate differing, over calls that have both."""
    folded = fold(pairs(candidate) + pairs(control, shadow="control"))
    assert difference(folded) == {mean: 1}
    assert {letters: n for (shadow, _, text, letters), n in folded.noise.items() if not text} == noise
    assert difference(folded, "control") == {}


def test_without_a_control_a_comparison_is_only_a_share() -> None:
    """Calls without a control say how often the candidate differs, and nothing about noise or evidence."""
    folded = fold(pairs("d m m m s", slices=("a=1",)) + pairs("-", shadow="control"))
    assert failing(folded) == {(1, 4): 1}
    assert (difference(folded), folded.noise, folded.evidence) == ({}, {}, {})


def test_noise_is_counted_per_slice_of_the_call() -> None:
    """The letters of candidate and control are counted for every slice of the candidate's pair."""
    folded = fold(pairs("d", slices=("a=1", "b=2")) + pairs("m", shadow="control", slices=("a=1", "b=2")))
    assert folded.noise == {("mini", CHECK, text, "dm"): 1 for text in ("", "a=1", "b=2")}


def test_a_slice_is_set_against_the_conversations_outside_of_it() -> None:
    """In the slice counts each conversation by its pairs there; the rest has no pair there at all."""
    block = [
        *pairs("pf pp", "1", slices=("a=1",)),  # worse inside
        *pairs("fp", "2", slices=("a=1",)),  # better inside
        *pairs("pf", "3", slices=("b=1",)),  # worse outside
        *pairs("pp", "4", slices=("b=1",)),
        *pairs("ss", "5", slices=("b=1",)),  # says nothing anywhere
        FoldPair("6-0", "mini", Role.CANDIDATE, "6", ("a=1",), {CHECK: "pp"}),  # inside it did well
        FoldPair("6-1", "mini", Role.CANDIDATE, "6", ("b=1",), {CHECK: "pf"}),
        FoldPair("7-0", "mini", Role.CANDIDATE, "7", ("a=1",), {CHECK: "ss"}),  # touches a=1: not of its rest
        FoldPair("7-1", "mini", Role.CANDIDATE, "7", ("c=1",), {CHECK: "pf"}),
    ]
    found = fold(block).evidence["mini", CHECK, "a=1"]
    assert (found.conversations, found.worse, found.better) == (3, 1, 1)
    assert (found.others, found.others_worse) == (2, 1)
    assert found.log_bets == block_log_bets(3, 1, 2, 1)


def test_shadows_checks_and_conversations_are_kept_apart() -> None:
    """Two candidates and two conversations make four means, and a control is folded like any shadow."""
    folded = fold(
        [
            *pairs("pf", "1"),
            *pairs("pp", "2"),
            *pairs("fp", "1", "maxi"),
            *pairs("pp", "2", "maxi"),
            *pairs("pf", "1", "control"),
        ]
    )
    assert difference(folded) == {(-1, 1): 1, (0, 1): 1}
    assert difference(folded, "maxi") == {(1, 1): 1, (0, 1): 1}
    assert difference(folded, "control") == {(-1, 1): 1}
    assert folded.conversations == {"mini": 2, "maxi": 2, "control": 1}


def test_an_empty_block_adds_nothing() -> None:
    """No pairs, no numbers."""
    assert fold([]) == Folded({}, {}, {}, {}, {})

"""Closed conversations to evidence, by tables: letters in, fractions and counts out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.pair import Role
from evaluators.core.folding import Folded, FoldPair, crossings, fold
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
        pytest.param("pf sp bp ss pp", (-1, 2), (1, 2), id="where live was not judged nobody is"),
        pytest.param("ps pb pp pp", (-1, 2), (1, 2), id="escaping the check is failing it"),
        pytest.param("fs xb", (0, 1), (1, 1), id="no worse than a live that fails too"),
    ],
)
def test_a_conversation_is_its_mean(letters: str, mean: tuple[int, int], share: tuple[int, int]) -> None:
    """An assertion's D is the mean of shadow minus live over the pairs where both are known."""
    folded = fold(pairs(letters))
    assert difference(folded) == {mean: 1}
    assert failing(folded) == {share: 1}
    assert folded.conversations == {"mini": 1}


@pytest.mark.parametrize("letters", ["ss", "bp sp", "s", "-"])
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
        pytest.param("b", "m", (-1, 1), {"dm": 1}, id="a candidate that breaks the check differs"),
        pytest.param("s", "m", (-1, 1), {"dm": 1}, id="and one that nothing can be compared with"),
        pytest.param("s", "d", (0, 1), {"dd": 1}, id="never better than the control by that"),
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


@pytest.mark.parametrize(
    ("candidate", "control", "share"),
    [
        pytest.param("b m", "-", (1, 2), id="nobody to compare with"),
        pytest.param("b m", "b m", (0, 1), id="the check broke on live's own answer too"),
        pytest.param("b m", "s m", (0, 1), id="or did not apply to it"),
    ],
)
def test_a_broken_comparison_cannot_vanish(candidate: str, control: str, share: tuple[int, int]) -> None:
    """In the differing share it counts as a difference, unless the control had the same trouble."""
    assert failing(fold(pairs(candidate) + pairs(control, shadow="control"))) == {share: 1}


LETTERS = st.sampled_from(["pp", "pf", "fp", "ff", "px", "xp", "ps", "pb", "fs", "sp", "bp", "ss"])
COMPARED = st.sampled_from(["m", "d", "x", "s", "b", "-"])


@given(st.lists(LETTERS, min_size=1, max_size=6), st.integers(0, 5), st.sampled_from("xsb"))
def test_an_assertion_that_is_escaped_never_helps(letters: list[str], which: int, worse: str) -> None:
    """Replacing any answer of the candidate by a lost or unjudgeable one never moves mean D up, nor failing down."""
    changed = [joint[0] + worse if place == which % len(letters) else joint for place, joint in enumerate(letters)]
    before, after = fold(pairs(" ".join(letters))), fold(pairs(" ".join(changed)))
    assert [top / bottom for top, bottom in difference(after)] <= [top / bottom for top, bottom in difference(before)]
    assert [top / bottom for top, bottom in failing(after)] >= [top / bottom for top, bottom in failing(before)]
    assert len(difference(after)) == len(difference(before))


@given(st.lists(st.tuples(COMPARED, COMPARED), min_size=1, max_size=6), st.integers(0, 5), st.sampled_from("xsb"))
def test_a_comparison_that_is_escaped_never_helps(both: list[tuple[str, str]], which: int, worse: str) -> None:
    """The same for comparisons, whatever the control does."""
    candidate = [joint for joint, _ in both]
    if candidate[which % len(both)] == "-":
        return
    changed = [worse if place == which % len(both) else joint for place, joint in enumerate(candidate)]
    control = pairs(" ".join(joint for _, joint in both), shadow="control")
    before, after = (fold(pairs(" ".join(joints)) + control) for joints in (candidate, changed))
    assert [top / bottom for top, bottom in difference(after)] <= [top / bottom for top, bottom in difference(before)]
    assert len(difference(after)) == len(difference(before))


def test_a_second_answer_is_no_candidate() -> None:
    """Pairs of the candidate beside itself say how often it differs from itself, and are set against nothing."""
    again = [
        FoldPair("c-0", "mini/again", Role.AGAIN, "c", ("a=1",), {CHECK: "d"}),
        FoldPair("d-0", "mini/again", Role.AGAIN, "d", (), {CHECK: "m"}),
    ]
    folded = fold(again + pairs("m", shadow="control"))
    assert difference(folded, "mini/again") == {}
    assert failing(folded, "mini/again") == {(1, 1): 1, (0, 1): 1}
    assert (folded.evidence, folded.crossed, folded.noise, folded.energy) == ({}, {}, {}, {})


def test_a_conversation_has_the_mean_energy_of_its_calls() -> None:
    """Calls with candidate, control and the candidate again are averaged first."""
    again = [FoldPair(f"c-{n}", "mini/again", Role.AGAIN, "c", (), {CHECK: "m"}) for n in range(2)]
    folded = fold([*pairs("d m"), *pairs("m m", shadow="control"), *again])
    assert folded.energy == {("mini", CHECK, (1, 2)): 1}


def test_crossings_are_set_against_the_rest() -> None:
    """Two slices of different keys are a group like a slice, of candidates only, and the latest call that was worse."""
    block = [
        FoldPair(
            f"{shadow}-{n}",
            shadow,
            Role.CONTROL if shadow == "control" else Role.CANDIDATE,
            f"{n}",
            (f"a={n % 2}", f"b={n % 3}"),
            {CHECK: "pf" if n % 6 == 0 else "pp"},
            crossings((f"a={n % 2}", f"b={n % 3}")),
        )
        for n in range(12)
        for shadow in ("mini", "control")
    ]
    folded = fold(block)
    found = folded.crossed["mini", CHECK, ("a=0", "b=0")]
    assert (found.conversations, found.worse, found.better, found.others, found.others_worse) == (2, 2, 0, 10, 0)
    assert found.log_bets == block_log_bets(2, 2, 10, 0)
    assert folded.examples == {("mini", CHECK, ("a=0", "b=0")): "mini-6"}
    assert {shadow for shadow, _, _ in folded.crossed} == {"mini"}
    assert {shadow for shadow, _, _ in folded.evidence} == {"mini"}


def test_an_empty_block_adds_nothing() -> None:
    """No pairs, no numbers."""
    assert fold([]) == Folded()

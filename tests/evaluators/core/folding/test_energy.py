"""Energy per call, and that its mean is what the laws of the answers say."""

from __future__ import annotations

import numpy as np
import pytest

from config.pair import Role
from evaluators.core.folding import FoldPair, fold
from evaluators.core.folding.energy import energies
from evaluators.core.folding.points import Others

CHECK = 1


def asked(call: str, conversation: str, candidate: str, control: str, again: str) -> list[FoldPair]:
    shadows = (
        ("mini", Role.CANDIDATE, candidate),
        ("control", Role.CONTROL, control),
        ("mini/again", Role.AGAIN, again),
    )
    return [FoldPair(call, name, role, conversation, (), {CHECK: joint}) for name, role, joint in shadows if joint]


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        pytest.param("mmm", [(0, 2)], id="all agree"),
        pytest.param("dmm", [(2, 2)], id="always another answer"),
        pytest.param("ddm", [(1, 2)], id="live scatters"),
        pytest.param("ddd", [(0, 2)], id="both scatter"),
        pytest.param("mdd", [(-2, 2)], id="scatter alike"),
        pytest.param("xmm", [], id="a lost first answer"),
        pytest.param("dmx", [], id="a lost second answer"),
        pytest.param("dms", [], id="a second answer that is not judged"),
        pytest.param("bmm", [], id="a first one that is not"),
        pytest.param("dsm", [], id="a control that is not"),
    ],
)
def test_energy_of_a_call(letters: str, expected: list[tuple[int, int]]) -> None:
    """2 d(L,C) - d(L,L') - d(C,C'), halved, where all three are known."""
    pairs = asked("c", "c", *letters)
    assert energies(pairs[:1], CHECK, Others.of(pairs)) == expected
    assert energies(pairs[:1], CHECK, Others.of(pairs[:2])) == []


def test_a_conversation_is_its_mean_energy() -> None:
    """Calls of one conversation are averaged first."""
    pairs = [*asked("1", "c", "d", "m", "m"), *asked("2", "c", "m", "m", "m"), *asked("3", "e", "m", "d", "d")]
    assert fold(pairs).energy == {("mini", CHECK, (1, 2)): 1, ("mini", CHECK, (-1, 1)): 1}


def test_a_steadier_candidate_is_found() -> None:
    """p = (.7, .3), q = (1, 0): noise .42, rate .30, excess -.12, energy .18, on 20 000 simulated calls."""
    dice = np.random.default_rng(7)
    n = 20_000
    live, again_live = dice.random(n) < 0.3, dice.random(n) < 0.3
    pairs: list[FoldPair] = []
    for number in range(n):
        candidate, control = "md"[int(live[number])], "md"[int(live[number] != again_live[number])]
        pairs += asked(f"{number}", f"{number}", candidate, control, "m")
    folded = fold(pairs)
    energy = sum(2 * top / bottom * times for (_, _, (top, bottom)), times in folded.energy.items()) / n
    excess = -sum(top / bottom * times for (_, _, (top, bottom)), times in folded.difference.items()) / n
    assert energy == pytest.approx(0.18, abs=0.02)
    assert excess == pytest.approx(-0.12, abs=0.02)


def test_the_same_model_has_no_energy() -> None:
    """q = p: the mean energy of 20 000 calls is within three standard errors of zero."""
    dice = np.random.default_rng(8)
    answers = dice.random((20_000, 4)) < 0.3
    e = 2 * (answers[:, 0] != answers[:, 1]) - (answers[:, 0] != answers[:, 2]) - (answers[:, 1] != answers[:, 3]) * 1.0
    assert abs(e.mean()) < 3 * e.std() / np.sqrt(len(e))

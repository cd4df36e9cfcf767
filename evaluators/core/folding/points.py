"""One pair under one check as numbers: D in {-1, 0, 1}, and whether the shadow fails. Used by fold.

**What cannot be judged is not missing at random.** A candidate whose answers escape a check would otherwise look
better the more of them do. So which pairs count is decided by the other side alone, and there the candidate's answer is
taken at its worst unless it was judged:

- *Assertions.* A pair counts when live was judged. Whatever the shadow has then but a pass (no answer, skipped, broken)
  is a failure: D is -1 where live passed, 0 where live failed too. Where live was not judged, nobody is.
- *Comparisons.* D needs the control, and a pair counts when the control was judged against live. Whatever the
  candidate has then but a match is a difference, a skip as well: what could be compared with the control's answer could
  not be with its own. Without a judged control there is no D; in the differing share a broken comparison still counts
  as a difference, unless it broke or was skipped on the control too, where live or the check itself must be the reason.

It follows that replacing any answer of the candidate by one that is lost, skipped or broken leaves every count of pairs
as it is and moves no D up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.pair import Role
from evaluators.core.folding.shape import FoldPair, Point

SCORE = {"p": 1, "f": 0, "x": 0}
DIFFERS = {"m": 0, "d": 1, "x": 1}
_LETTER = ("m", "d")


@dataclass(frozen=True, slots=True)
class Others:
    """The pairs that candidates are measured with: of a call the control, and of a candidate's call the second one."""

    controls: Mapping[str, FoldPair]
    again: Mapping[tuple[str, str], FoldPair]  # by call and candidate

    @classmethod
    def of(cls, pairs: Iterable[FoldPair]) -> Others:
        """Those among these pairs."""
        controls, again = {}, {}
        for pair in pairs:
            if pair.role is Role.CONTROL:
                controls[pair.call_id] = pair
            elif pair.role is Role.AGAIN:
                again[pair.call_id, pair.shadow.removesuffix(f"/{Role.AGAIN}")] = pair
        return cls(controls, again)

    def control(self, call_id: str, check: int) -> str:
        """The control's letter; "" when there is none."""
        pair = self.controls.get(call_id)
        return pair.letters.get(check, "") if pair else ""

    def second(self, call_id: str, candidate: str, check: int) -> str:
        """The letter of the candidate's second answer beside its first; "" when there is none."""
        pair = self.again.get((call_id, candidate))
        return pair.letters.get(check, "") if pair else ""


def point(pair: FoldPair, check: int, others: Others) -> Point:
    """What the pair says under a check that it has letters for."""
    joint = pair.letters[check]
    if len(joint) == 2:
        return _asserted(pair, joint)
    return _compared(pair, joint, others.control(pair.call_id, check))


def _asserted(pair: FoldPair, joint: str) -> Point:
    live = SCORE.get(joint[0])
    if live is None:
        return Point(pair.slices, (), (), "")
    shadow = SCORE.get(joint[1], 0)
    return Point(pair.slices, (shadow - live,), (1 - shadow,), "")


def _compared(pair: FoldPair, joint: str, control_letter: str) -> Point:
    control = DIFFERS.get(control_letter) if pair.role is Role.CANDIDATE else None
    if control is not None:
        differs = DIFFERS.get(joint, 1)
        return Point(pair.slices, (control - differs,), (differs,), _LETTER[differs] + _LETTER[control])
    broke = joint == "b" and pair.role is Role.CANDIDATE and control_letter not in ("s", "b")
    alone = 1 if broke else DIFFERS.get(joint)
    return Point(pair.slices, (), () if alone is None else (alone,), "")

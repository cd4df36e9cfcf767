"""Where answers differ: per JSON path and tool argument, each path with its own noise. Used by fold.

A call counts when both sides gave an answer that was judged (an answer that is lost differs as a whole, and nowhere in
particular): for a comparison the candidate and the control, both beside live; for an assertion the candidate and live
itself. Per call and path the letters say who differs (or fails) there, candidate then other side: "dd", "dm", "md", and
under the path "" all of these calls by the whole answer, so that "mm" of a path is what is left of them.

Calls of a conversation may depend on each other, so bets count conversations: "w" (worse) when on more of its calls
only the candidate differs there than only the other side does, "b" (better) when on fewer; conversations with as many
of one as of the other, mostly none of either, say nothing. The null of a path: given the past and given which
conversations are not even there, such a conversation is not likelier to be worse than better. Where the two answers of
each call are exchangeable, as they are when the candidate is live, it holds whatever the calls of a conversation share.
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluators.core.folding.points import Others
from evaluators.core.folding.shape import NOWHERE, Folded, FoldPair

_ANSWERED = {"p": "m", "f": "d", "m": "m", "d": "d"}
_Places = frozenset[str]


def count_places(folded: Folded, check: int, judged: Sequence[FoldPair], others: Others) -> None:
    """Add the letters of one conversation of a candidate under one check."""
    key, net = (judged[0].shadow, check), dict[str, int]()
    for pair in judged:
        letters, mine, theirs = _both(pair, check, others)
        if not letters:
            continue
        folded.places[(*key, "", letters)] += 1
        for path in mine | theirs:
            both = ("d" if path in mine else "m") + ("d" if path in theirs else "m")
            folded.places[(*key, path, both)] += 1
            net[path] = net.get(path, 0) + (path in mine) - (path in theirs)
    for path, sign in net.items():
        if sign:
            folded.places[(*key, path, "w" if sign > 0 else "b")] += 1


def _both(pair: FoldPair, check: int, others: Others) -> tuple[str, _Places, _Places]:
    """Letters of the whole answers, candidate then other side, and where each differs; no letters: does not count."""
    joint = pair.letters[check]
    if len(joint) == 2:
        mine, other, theirs = joint[1], joint[0], pair.live_paths.get(check, NOWHERE)
    else:
        control = others.controls.get(pair.call_id)
        mine, other = joint, others.control(pair.call_id, check)
        theirs = control.paths.get(check, NOWHERE) if control else NOWHERE
    if mine not in _ANSWERED or other not in _ANSWERED:
        return "", NOWHERE, NOWHERE
    return _ANSWERED[mine] + _ANSWERED[other], pair.paths.get(check, NOWHERE), theirs

"""Cost, output tokens and latency of a conversation as log ratios that can be bet on. Used by fold.

A conversation's value is log(live / candidate) of the sums over its calls where both are known: as with every D,
negative is worse, here dearer or slower. It is clipped to [-1, 1], so beyond 2.7 times nothing more is said, and
rounded to hundredths, so that equal conversations can be counted together: half a hundredth is 0.5 % of the ratio.

A call that is known on one side only is counted, not used: a candidate whose slowest calls time out, or whose provider
reports no usage, would otherwise look fast and cheap. Whoever judges by ratios looks at that count first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log

from evaluators.core.folding.shape import Folded, FoldPair, fraction
from evaluators.core.tally import Value

RATIOS = {
    "log_cost": "cost",
    "log_output_tokens": "output_tokens",
    "log_total": "total",
    "log_first_byte": "first_byte",
}
"""Kinds of ratio -> what is measured."""

_STEPS = 100


def count_ratios(folded: Folded, shadow: str, conversations: Iterable[Sequence[FoldPair]]) -> None:
    """Add what the conversations of one shadow took."""
    for conversation in conversations:
        for kind in RATIOS:
            both = [pair.measured[kind] for pair in conversation if kind in pair.measured]
            known = [(live, mine) for live, mine in both if live >= 0 and mine >= 0]
            if known:
                value = log_ratio(sum(live for live, _ in known), sum(mine for _, mine in known))
                folded.ratios[shadow, kind, value] += 1
            one_sided = sum((live >= 0) != (mine >= 0) for live, mine in both)
            if one_sided:
                folded.unmeasured[shadow, kind] += one_sided


def log_ratio(live: float, candidate: float) -> Value:
    """log(live / candidate) in [-1, 1] in hundredths; nothing beside nothing is equal, beside something the end."""
    if live <= 0 or candidate <= 0:
        return (live > 0) - (candidate > 0), 1
    return fraction(round(_STEPS * max(-1.0, min(1.0, log(live / candidate)))), _STEPS)

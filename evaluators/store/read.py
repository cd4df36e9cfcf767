"""Tallies of a time window, as core.tally wants them. Called by assess; lists of pairs are in browsing.

Every number is a sum over tally rows of the window's hour buckets: what it costs grows with hours, checks and slices,
never with traffic. All of it is read in one transaction, so the numbers belong to one moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, func, select

from config.pair import NEVER, Role
from config.routing import is_control
from evaluators.core.tally import Accounting, CheckTally, ShadowTally, Total, Window
from evaluators.store import Store, schema
from evaluators.store.browsing import Filter, PairRow, pair, pairs
from evaluators.store.counting import bucket_of, rank
from evaluators.store.summing import Nested, Span, crossed, evidence, leaf
from evaluators.store.vocabulary import ALL

__all__ = ["Filter", "PairRow", "pair", "pairs", "tallies", "window"]

_NOTHING: Mapping[Any, Any] = {}


def tallies(store: Store, since: float, until: float) -> tuple[ShadowTally, ...]:
    """Everything known about every shadow between two Unix times, by name; whole hour buckets, 0 from the start.

    What pairs say is counted in the hour of the call's arrival, what conversations say in the hour they were folded.
    Of each check the version in use last. Raises StoreAway.
    """
    with store.reading() as connection:
        span = Span(connection, bucket_of(since), until)
        checks = _current_checks(connection)
        found = _Found.of(span, _words(connection), set(checks), since)
    names = sorted({*found.outcomes, *found.accounts, *found.dead})
    return tuple(_shadow(name, found, checks) for name in names)


def window(store: Store, since: float, until: float) -> Window:
    """What `tallies` of these two times covers, and the first and last arrival in it; raises StoreAway."""
    arrived = schema.pairs.c.arrived
    inside = (arrived >= bucket_of(since)) & (arrived < until)
    with store.reading() as connection:
        # Two queries: SQLite answers a lone min or max from one end of the index.
        first = connection.execute(select(func.min(arrived)).where(inside)).scalar()
        last = connection.execute(select(func.max(arrived)).where(inside)).scalar()
    return Window(since, until, NEVER if first is None else first, NEVER if last is None else last)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the tables hold for the window, by shadow and then as the field says."""

    outcomes: Nested  # role -> live kind -> shadow kind -> n
    joints: Nested  # check id -> slice -> letters -> n
    paths: Nested  # check id -> path -> n
    noise: Nested  # check id -> slice -> letters -> n
    fractions: Nested  # check id -> kind -> value -> n
    evidence: Nested  # check id -> slice -> Evidence
    examples: Nested  # check id -> slice -> call ids
    places: Nested  # check id -> path -> letters -> n
    crossed: Nested  # check id -> crossing -> span -> row, and under "example" -> call ids
    bins: Nested  # (arm, metric) -> bin -> n
    totals: Nested  # (arm, name) -> Total
    conversations: Nested  # n
    accounts: Nested  # name of the bucket of calls -> reason -> n
    dead: Nested  # n

    @classmethod
    def of(cls, span: Span, words: Mapping[int, str], checks: set[int], since: float) -> _Found:
        return cls(
            outcomes=span.nested(schema.outcomes, "shadow", "role", "live_kind", "shadow_kind"),
            joints=_sliced(span, schema.joints, words),
            paths=_named(span.nested(schema.paths, "shadow", "check_id", "path_id"), words),
            noise=_sliced(span, schema.noise, words),
            fractions=_fractions(span),
            evidence=evidence(span, words),
            examples=_examples(span.connection, words, since),
            places=_named(span.nested(schema.path_noise, "shadow", "check_id", "path_id", "letters"), words),
            crossed=crossed(span, words),
            bins=_by_two(span.nested(schema.bins, "shadow", "arm", "metric", "bin")),
            totals=_totals(span),
            conversations=span.nested(schema.conversations, "shadow"),
            accounts=span.nested(schema.accounting, "shadow", "name", "reason"),
            dead=_dead(span),
        )


def _shadow(name: str, found: _Found, checks: Mapping[int, Any]) -> ShadowTally:
    by_role = found.outcomes.get(name, {})
    role = Role(max(by_role)) if by_role else _role_of(name)
    outcomes: dict[tuple[str, str], int] = defaultdict(int)
    for kinds in by_role.values():
        for live, shadows in kinds.items():
            for kind, n in shadows.items():
                outcomes[live, kind] += n
    evaluated = sum(outcomes.values())
    used = [number for number in checks if number in found.joints.get(name, _NOTHING)]
    kinds = found.fractions.get(name, _NOTHING).get(schema.NO_CHECK, _NOTHING)
    return ShadowTally(
        shadow=name,
        role=role,
        pairs=evaluated,
        conversations=found.conversations.get(name, 0),
        outcomes=dict(outcomes),
        checks=tuple(_check(checks[number], name, found) for number in used),
        histograms=found.bins.get(name, {}),
        totals=found.totals.get(name, {}),
        accounting=_accounting(found.accounts.get(name, {}), evaluated, found.dead.get(name, 0)),
        ratios={kind: values for kind, values in kinds.items() if not kind.startswith(schema.UNMEASURED)},
        unmeasured={
            kind.removeprefix(schema.UNMEASURED): sum(calls.values())
            for kind, calls in kinds.items()
            if kind.startswith(schema.UNMEASURED)
        },
    )


def _role_of(name: str) -> Role:
    """What a shadow without pairs is, by its name; no candidate can have such names."""
    if is_control(name):
        return Role.CONTROL
    return Role.AGAIN if name.endswith(f"/{Role.AGAIN}") else Role.CANDIDATE


def _check(check: Any, shadow: str, found: _Found) -> CheckTally:
    def of(tree: Nested) -> Nested:
        leaves: Nested = tree.get(shadow, _NOTHING).get(check.id, {})
        return leaves

    joints, noise, fractions, crossed = of(found.joints), of(found.noise), of(found.fractions), of(found.crossed)
    return CheckTally(
        label=check.label,
        type=check.type,
        comparison=bool(check.comparison),
        dimension=check.dimension,
        severity=check.severity,
        version=check.version,
        joint=joints.get("", {}),
        slices={text: letters for text, letters in joints.items() if text},
        paths=of(found.paths),
        difference=fractions.get("difference", {}),
        failing=fractions.get("failing", {}),
        noise=noise.get("", {}),
        slice_noise={text: letters for text, letters in noise.items() if text},
        evidence=of(found.evidence),
        examples=of(found.examples),
        places=of(found.places),
        energy=fractions.get("energy", {}),
        crossed={text: spans for text, (spans, _) in crossed.items()},
        crossed_examples={text: tuple(calls) for text, (_, calls) in crossed.items()},
    )


def _accounting(names: Mapping[str, Mapping[str, int]], evaluated: int, dead: int) -> Accounting:
    parts = {name: dict(names.get(name, {})) for name in ("ineligible", "skipped", "dropped")}
    sampled_out = sum(names.get("sampled_out", {}).values())
    # What was judged was published, even if the proxy's snapshot is some seconds older, or if a file was replayed.
    paired = max(sum(names.get("paired", {}).values()), evaluated + dead)
    calls = sum(sum(reasons.values()) for reasons in parts.values()) + sampled_out + paired
    return Accounting(
        calls=calls, sampled_out=sampled_out, paired=paired, evaluated=evaluated, dead_lettered=dead, **parts
    )


def _current_checks(connection: Connection) -> dict[int, Any]:
    """Of every label the check that was taken into use last, by id."""
    table = schema.checks
    rows = connection.execute(select(table).order_by(table.c.used, table.c.id)).all()
    latest = {row.label: row for row in rows}
    return {row.id: row for row in sorted(latest.values(), key=lambda row: str(row.label))}


def _words(connection: Connection) -> dict[int, str]:
    rows = connection.execute(select(schema.words.c.id, schema.words.c.word))
    return {ALL: "", **{number: word for number, word in rows}}


def _sliced(span: Span, table: Table, words: Mapping[int, str]) -> Nested:
    return _named(span.nested(table, "shadow", "check_id", "slice_id", "letters"), words)


def _named(tree: Nested, words: Mapping[int, str]) -> Nested:
    """The same tree with words for their numbers, at the third level."""
    return {
        shadow: {check: {words[number]: leaf for number, leaf in leaves.items()} for check, leaves in checks.items()}
        for shadow, checks in tree.items()
    }


def _by_two(tree: Nested) -> Nested:
    return {
        shadow: {(arm, name): leaf for arm, names in arms.items() for name, leaf in names.items()}
        for shadow, arms in tree.items()
    }


def _fractions(span: Span) -> Nested:
    tree: Nested = {}
    for shadow, check, kind, over, under, n in span.sums(
        schema.fractions, ("shadow", "check_id", "kind", "over", "under")
    ):
        leaf(tree, (shadow, check, kind))[over, under] = int(n)
    return tree


def _totals(span: Span) -> Nested:
    tree: Nested = {}
    for shadow, arm, name, n, total in span.sums(schema.totals, ("shadow", "arm", "name"), "n", "sum"):
        unit = schema.PICODOLLARS if name == "cost" else 1
        leaf(tree, (shadow,))[arm, name] = Total(int(n), int(total) / unit)
    return tree


def _examples(connection: Connection, words: Mapping[int, str], since: float) -> Nested:
    table, tree = schema.examples, Nested()
    rows = connection.execute(select(table).where(table.c.rank >= rank(since, "")).order_by(table.c.rank.desc()))
    for row in rows:
        latest = leaf(tree, (row.shadow, row.check_id))
        text = words[row.slice_id]
        latest[text] = (*latest.get(text, ()), row.rank.partition(" ")[2])
    return tree


def _dead(span: Span) -> Nested:
    table = schema.dead
    inside = (table.c.bucket >= span.start) & (table.c.bucket < span.until)
    query = select(table.c.shadow, func.count()).where(inside).group_by(table.c.shadow)
    return {shadow: n for shadow, n in span.connection.execute(query)}

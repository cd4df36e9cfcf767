"""Tallies for the tests of report, gate, render and dashboard: small ones by hand, one life-like set from a seed."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

from config.pair import Role
from evaluators.core.stats.evidence import block_log_bets
from evaluators.core.stats.histogram import bin_of
from evaluators.core.tally import Accounting, CheckTally, Evidence, ShadowTally, Total, Window

WINDOW = Window(0.0, 1_800_000_000.0, 1_799_990_000.0, 1_799_999_990.0)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE pairs;--",
    "\u202egnp.exe\u2066",
    "nul\x00 and \x1b[31mred",
    "| `code` ](javascript:alert(1)) <!-- ]]> &amp;",
)
TOPICS = {"billing": 0.30, "medical": 0.06, "shipping": 0.40, "other": 0.24}


def assertion(label: str = "is-json", joint: dict[str, int] | None = None, **more: object) -> CheckTally:
    """An assertion's tally; one conversation per pair unless `difference` and `failing` say otherwise."""
    letters = {"pp": 90, "pf": 6, "fp": 1, "ff": 3} if joint is None else joint
    bad = {"p": 0, "f": 1, "x": 1}
    judged = {two: n for two, n in letters.items() if set(two) <= set(bad)}
    difference: Counter[tuple[int, int]] = Counter()
    failing: Counter[tuple[int, int]] = Counter()
    for (live, shadow), n in judged.items():
        difference[bad[live] - bad[shadow], 1] += n
        failing[bad[shadow], 1] += n
    given = {"difference": dict(difference), "failing": dict(failing), **more}
    return CheckTally(label, label, False, "correctness", "blocker", "1-abc", letters, **given)  # type: ignore[arg-type]


def comparison(
    label: str = "shadow:text", joint: dict[str, int] | None = None, noise: dict[str, int] | None = None, **more: object
) -> CheckTally:
    """A comparison's tally; one conversation per call that has a control."""
    cells = {"dd": 70, "dm": 110, "md": 50, "mm": 770} if noise is None else noise
    letters = {"d": cells.get("dd", 0) + cells.get("dm", 0), "m": cells.get("md", 0) + cells.get("mm", 0)}
    worth = {"dd": 0, "dm": -1, "md": 1, "mm": 0}
    difference: Counter[tuple[int, int]] = Counter()
    for two, n in cells.items():
        difference[worth[two], 1] += n
    given = {"difference": dict(difference), "noise": cells, **more}
    return CheckTally(label, label, True, "difference", "signal", "1-def", joint or letters, **given)  # type: ignore[arg-type]


def shadow(*checks: CheckTally, name: str = "mini", role: Role = Role.CANDIDATE, **more: object) -> ShadowTally:
    """A shadow's tally around its checks, every call answered on both sides."""
    pairs = max((sum(check.joint.values()) for check in checks), default=0)
    given: dict[str, object] = {
        "pairs": pairs,
        "conversations": pairs,
        "outcomes": {("ok", "ok"): pairs} if pairs else {},
        "histograms": {},
        "totals": {},
        **more,
    }
    return ShadowTally(shadow=name, role=role, checks=checks, **given)  # type: ignore[arg-type]


def latencies(live: float, candidate: float, n: int = 1000) -> dict[tuple[str, str], dict[int, int]]:
    """Histograms of n calls per arm, spread evenly from half to twice the given middle (seconds)."""
    found: dict[tuple[str, str], dict[int, int]] = {}
    for arm, middle in (("live", live), ("shadow", candidate)):
        bins = Counter(bin_of(middle * 4 ** (step / n - 0.5)) for step in range(n))
        for metric in ("first_byte", "total", "longest_gap"):
            found[arm, metric] = dict(bins)
    return found


def life(pairs: int = 6000, seed: int = 11, hostile: bool = False) -> list[ShadowTally]:
    """A candidate with planted faults and a control: broken JSON under billing, refusals under medical, slower."""
    dice = random.Random(seed)
    topics = dict(zip(HOSTILE, TOPICS.values(), strict=False)) if hostile else TOPICS
    names = list(topics)
    planted = {"json": dict.fromkeys(names, 0.004), "refusal": dict.fromkeys(names, 0.01)}
    planted["json"][names[0]], planted["refusal"][names[1]] = 0.16, 0.31
    checks = [
        _assertion(dice, "is-json", pairs, topics, 0.003, planted["json"]),
        _assertion(dice, "not-is-refusal", pairs, topics, 0.012, planted["refusal"], "usefulness"),
        _assertion(dice, "no-competitors", pairs, topics, 0.001, dict.fromkeys(names, 0.001), "risk"),
        _assertion(dice, "finish-reason", pairs, topics, 0.031, dict.fromkeys(names, 0.017), "usefulness"),
        _comparison(dice, "shadow:text", pairs, topics, 0.52, 0.41, {}),
        _comparison(dice, "shadow:json", pairs, topics, 0.11, 0.045, {"/items/*/price": 0.07, "/currency": 0.03}),
        _comparison(dice, "shadow:tool-calls", pairs, topics, 0.062, 0.06, {"get_weather/city": 0.05}),
        _comparison(dice, "shadow:length", pairs, topics, 0.18, 0.23, {}),
    ]
    candidate = shadow(
        *checks,
        pairs=pairs,
        conversations=pairs - 140,
        outcomes={
            ("ok", "ok"): pairs - 96,
            ("ok", "timeout"): 41,
            ("ok", "http_429"): 19,
            ("ok", "blank"): 7,
            ("http_5xx", "ok"): 12,
            ("http_429", "ok"): 6,
            ("timeout", "timeout"): 3,
            ("client_left", "ok"): 8,
        },
        histograms=_life_latencies(dice, pairs - 96),
        totals={
            ("live", "input_tokens"): Total(pairs - 96, (pairs - 96) * 812.0),
            ("shadow", "input_tokens"): Total(pairs - 96, (pairs - 96) * 812.0),
            ("live", "output_tokens"): Total(pairs - 96, (pairs - 96) * 231.4),
            ("shadow", "output_tokens"): Total(pairs - 96, (pairs - 96) * 268.9),
            ("live", "cost"): Total(pairs - 96, (pairs - 96) * 0.00433),
            ("shadow", "cost"): Total(pairs - 96, (pairs - 96) * 0.00074),
        },
        accounting=Accounting(
            calls=pairs * 2,
            ineligible={"path": 2300, "stateful": 410, "body_too_large": 12},
            sampled_out=pairs * 2 - pairs - 2722 - 210 - 9 - 34,
            skipped={"in_flight": 180, "breaker": 30},
            dropped={"memory": 9},
            paired=pairs + 34,
            evaluated=pairs,
            dead_lettered=2,
        ),
    )
    return [candidate, _control(dice, checks, pairs, topics)]


def _assertion(
    dice: random.Random,
    label: str,
    pairs: int,
    topics: dict[str, float],
    live: float,
    candidate: dict[str, float],
    dimension: str = "correctness",
) -> CheckTally:
    slices: dict[str, Counter[str]] = defaultdict(Counter)
    worse: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for _ in range(pairs):
        topic = dice.choices(list(topics), list(topics.values()))[0]
        turn = dice.choice(("first", "later"))
        letters = "pf"[dice.random() < live] + "pf"[dice.random() < candidate[topic]]
        for name in (f"topic={topic}", f"turn={turn}", "route=/v1/chat/completions"):
            slices[name][letters] += 1
            worse[name].append((letters == "pf", letters == "fp"))
    joint = sum((Counter(slices[f"turn={turn}"]) for turn in ("first", "later")), Counter())
    made = assertion(label, dict(joint))
    return CheckTally(
        label=label,
        type=label,
        comparison=False,
        dimension=dimension,
        severity="signal" if label == "finish-reason" else "blocker",
        version="1-abc",
        joint=dict(joint),
        slices={name: dict(letters) for name, letters in slices.items()},
        difference=made.difference,
        failing=made.failing,
        evidence=_evidence(worse, pairs, joint["pf"]),
        examples={"": ("0192f1a0c3d27be5a6b1c2d3e4f50617", "0192f1a0c3d27be5a6b1c2d3e4f50618")},
    )


def _evidence(worse: dict[str, list[tuple[bool, bool]]], pairs: int, all_worse: int) -> dict[str, Evidence]:
    found = {}
    for name, seen in worse.items():
        n, bad, good = len(seen), sum(one for one, _ in seen), sum(two for _, two in seen)
        bets = block_log_bets(n, bad, pairs - n, all_worse - bad)
        found[name] = Evidence(n, bad, good, pairs - n, all_worse - bad, bets)
    return found


def _comparison(
    dice: random.Random,
    label: str,
    pairs: int,
    topics: dict[str, float],
    rate: float,
    noise: float,
    paths: dict[str, float],
) -> CheckTally:
    slices: dict[str, Counter[str]] = defaultdict(Counter)
    both: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(pairs):
        topic = f"topic={dice.choices(list(topics), list(topics.values()))[0]}"
        hard = dice.random()
        letter = "md"[hard * 0.6 + dice.random() * 0.4 < rate]
        slices[topic][letter] += 1
        if dice.random() < 0.3:
            both[topic][letter + "md"[hard * 0.6 + dice.random() * 0.4 < noise]] += 1
    made = comparison(
        label, noise={two: sum(letters[two] for letters in both.values()) for two in ("dd", "dm", "md", "mm")}
    )
    return CheckTally(
        label=label,
        type=label,
        comparison=True,
        dimension="difference",
        severity="signal",
        version="1-def",
        joint=dict(sum(slices.values(), Counter())),
        slices={name: dict(letters) for name, letters in slices.items()},
        paths={path: int(share * pairs) for path, share in paths.items()},
        difference=made.difference,
        noise=made.noise,
        slice_noise={name: dict(letters) for name, letters in both.items()},
    )


def _control(dice: random.Random, checks: list[CheckTally], pairs: int, topics: dict[str, float]) -> ShadowTally:
    again = []
    for check in checks:
        if check.comparison:
            differ = check.noise["dd"] + check.noise["md"]
            joint = {"d": differ, "m": sum(check.noise.values()) - differ}
            paths = {path: int(n * 0.12) for path, n in check.paths.items()}
            again.append(comparison(check.label, joint, check.noise, paths=paths))
        else:
            made = _assertion(dice, check.label, pairs // 3, topics, 0.01, dict.fromkeys(topics, 0.01))
            again.append(made)
    account = Accounting(calls=pairs * 2, sampled_out=pairs * 2 - pairs // 3, paired=pairs // 3, evaluated=pairs // 3)
    return shadow(*again, name="control", role=Role.CONTROL, pairs=pairs // 3, accounting=account)


def _life_latencies(dice: random.Random, n: int) -> dict[tuple[str, str], dict[int, int]]:
    found: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    middles = {"first_byte": 0.31, "total": 2.4, "longest_gap": 0.09}
    for metric, middle in middles.items():
        for _ in range(n):
            prompt = dice.gauss(0, 0.45)
            found["live", metric][bin_of(middle * 2.718 ** (prompt + dice.gauss(0, 0.25)))] += 1
            found["shadow", metric][bin_of(middle * 1.19 * 2.718 ** (prompt + dice.gauss(0, 0.35)))] += 1
    return {key: dict(bins) for key, bins in found.items()}

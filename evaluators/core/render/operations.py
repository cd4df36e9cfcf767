"""Who answered, how fast, for how much, and where every call went, as HTML. Used by html."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from markupsafe import Markup

from evaluators.core.render.order import accounts
from evaluators.core.render.safe import line
from evaluators.core.render.svg import Scale, axis, bar_row, log_scale_of, strip_row
from evaluators.core.report.shape import CandidateReport, Quantiles, Ratio, Report, Spent
from evaluators.core.report.words import count, percent, seconds, times, usd
from evaluators.core.tally import Accounting

METRICS = {"first_byte": "First byte", "total": "Last byte", "gap": "Longest pause in a stream"}


def outcomes(candidate: CandidateReport) -> Markup:
    """The two-by-two table of who answered, and the ways of failing."""
    table, name = candidate.outcomes, line(candidate.name)
    rows = (
        ("Both answered", table.both_ok),
        (f"Only {name} failed", table.candidate_failed),
        ("Only live failed", table.live_failed),
        ("Both failed", table.both_failed),
        ("The application hung up", table.excused),
    )
    shown = (
        Markup("<tr><th>{}</th><td>{:,}</td><td>{}</td></tr>").format(
            label, pairs, percent(pairs / candidate.pairs if candidate.pairs else 0.0)
        )
        for label, pairs in rows
    )
    return Markup(
        '<div><h3>Who answered</h3><p class="lead">No answer counts as a failure in every check.</p><table><tbody>{}'
        "</tbody></table></div>{}"
    ).format(Markup("").join(shown), _kinds(candidate))


def latency(candidate: CandidateReport) -> Markup:
    """Quantile strips of both arms on one logarithmic scale per page."""
    arms = [arm for metric in candidate.latency.values() for arm in (metric.live, metric.candidate)]
    scale = log_scale_of(point for arm in arms for point in (arm.p50, arm.p95, arm.p99))
    rows = []
    for name, metric in candidate.latency.items():
        rows.append(_strip(METRICS[name], "live", metric.live, scale, Ratio(-1.0, ())))
        rows.append(_strip("", line(candidate.name), metric.candidate, scale, metric.ratio["p95"]))
    return Markup(
        '<h3>How fast</h3><p class="lead">The dot is the median, the bars are the 95th and 99th percentile. A call '
        'without an answer counts as slower than any other.</p><div class="rows">{}<div class="line scale"><div></div>'
        "{}<div></div></div></div>"
    ).format(Markup("").join(rows), axis(scale, [_tick(tick) for tick in scale.ticks()]))


def spending(candidate: CandidateReport) -> Markup:
    """Tokens and cost per answer."""
    rows = [_spent(f"{name.capitalize()} tokens", spent, "{:,.0f}".format) for name, spent in candidate.tokens.items()]
    rows.append(_spent("Cost", candidate.cost, usd))
    rows.append(_spent("Cost of a thousand", _thousandfold(candidate.cost), usd))
    return Markup(
        '<div><h3>Tokens and cost</h3><p class="lead">Per answer, where both arms answered and reported usage.</p>'
        "<table><thead><tr><th></th><th>Live</th><th>{}</th><th>Ratio</th></tr></thead><tbody>{}</tbody></table></div>"
    ).format(line(candidate.name), Markup("").join(rows))


def accounting(report: Report) -> Markup:
    """Where every call of every shadow went."""
    parts = (_waterfall(shadow, what, account) for shadow, what, account in accounts(report))
    queued = f" {count(report.queue_waiting, 'pair')} in the queue." if report.queue_waiting > 0 else ""
    return Markup(
        '<h3>Where every call went</h3><p class="lead">Each call ends in exactly one place. What we left out is never '
        "held against a candidate.{}</p>{}"
    ).format(queued, Markup("").join(parts))


def _kinds(candidate: CandidateReport) -> Markup:
    kinds = candidate.outcomes.kinds
    names = [name for name in {**kinds["live"], **kinds["candidate"]} if any(arm.get(name) for arm in kinds.values())]
    rows = (
        Markup("<tr><th>{}</th><td>{:,}</td><td>{:,}</td></tr>").format(
            name.replace("_", " "), kinds["live"].get(name, 0), kinds["candidate"].get(name, 0)
        )
        for name in names
    )
    if not names:
        return Markup('<div><h3>How it failed</h3><p class="soft">Every call was answered on both sides.</p></div>')
    return Markup(
        '<div><h3>How it failed</h3><p class="lead">By the way an answer was lost.</p><table><thead><tr><th></th>'
        "<th>Live</th><th>{}</th></tr></thead><tbody>{}</tbody></table></div>"
    ).format(line(candidate.name), Markup("").join(rows))


def _strip(metric: str, arm: str, found: Quantiles, scale: Scale, ratio: Ratio) -> Markup:
    points = (found.p50, found.p95, found.p99)
    kind = "live" if arm == "live" else "candidate"
    numbers = " · ".join(seconds(point) for point in points)
    lost = f" · {found.missing:,} unanswered" if found.missing else ""
    beside = f"p95 {times(ratio.value)} live's" if ratio.value >= 0 else ""
    return Markup(
        '<div class="line"><div><span class="name">{}</span><small><bdi>{}</bdi>{}</small></div>{}'
        '<div class="num">{}<small>{}</small></div></div>'
    ).format(metric, arm, lost, strip_row(scale, points, kind, f"{arm}: {numbers}"), numbers, beside)


def _spent(name: str, spent: Spent, shown: Callable[[float], str]) -> Markup:
    means = [shown(arm.mean) if arm.n else "–" for arm in (spent.live, spent.candidate)]
    return Markup("<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>").format(name, *means, times(spent.ratio))


def _thousandfold(spent: Spent) -> Spent:
    live, candidate = (type(arm)(arm.n, arm.sum, arm.mean * 1000) for arm in (spent.live, spent.candidate))
    return Spent(live, candidate, spent.ratio)


def _waterfall(shadow: str, what: str, account: Accounting) -> Markup:
    scale = Scale(0.0, max(account.calls, 1))
    rows, left = [_step("Calls", 0, account.calls, account.calls, "even", scale, {})], account.calls
    for label, reasons, tone in (
        ("Not eligible", account.ineligible, "lost"),
        ("Sampled out", {"": account.sampled_out}, "lost"),
        ("Skipped by us", account.skipped, "lost"),
        ("Dropped by us", account.dropped, "trouble"),
    ):
        gone = sum(reasons.values())
        rows.append(_step(label, left - gone, left, gone, tone, scale, reasons))
        left -= gone
    judged = account.evaluated
    rows.append(_step("Paired", 0, account.paired, account.paired, "even", scale, {}))
    rows.append(_step("Judged", 0, judged, judged, "kept", scale, {}))
    rows.append(_step("Waiting", judged, judged + account.waiting, account.waiting, "lost", scale, {}))
    rows.append(_step("Given up", left - account.dead_lettered, left, account.dead_lettered, "trouble", scale, {}))
    warning = Markup() if account.balanced else Markup('<p class="notice">The counts do not add up.</p>')
    return Markup('<details open><summary><bdi>{}</bdi>{}</summary>{}<div class="rows">{}</div></details>').format(
        line(shadow), f" – {line(what)}" if what else "", warning, Markup("").join(rows)
    )


def _step(label: str, start: int, end: int, calls: int, tone: str, scale: Scale, reasons: Mapping[str, int]) -> Markup:
    why = ", ".join(f"{reason.replace('_', ' ')} {n:,}" for reason, n in _largest(reasons) if reason and n)
    return Markup('<div class="line"><div>{}<small>{}</small></div>{}<div class="num">{:,}</div></div>').format(
        label, line(why), bar_row(scale, start, end, tone, f"{label}: {calls:,}"), calls
    )


def _largest(reasons: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda item: -item[1])


def _tick(value: float) -> str:
    return f"{value * 1000:g} ms" if value < 1 else f"{value:g} s"

"""The verdict card of one candidate and its rules as HTML. Used by html."""

from __future__ import annotations

from markupsafe import Markup

from evaluators.core.render.safe import line
from evaluators.core.render.sentences import expected, headlines, missing
from evaluators.core.render.svg import Dot, Scale, dot_row, icon, scale_of
from evaluators.core.report.shape import CandidateReport, Latency, Report, Rule, Verdict
from evaluators.core.report.words import count, percent, points, times, usd

GLYPHS = {"worse": "▲", "better": "▼", "even": "●"}

TONES = {Verdict.FAIL: "worse", Verdict.PASS: "better", Verdict.WAIT: "even", Verdict.INCONCLUSIVE: "even"}

CALLED = {
    Verdict.PASS: "passes",
    Verdict.FAIL: "fails",
    Verdict.WAIT: "is not decided yet",
    Verdict.INCONCLUSIVE: "stays undecided",
}


def navigation(report: Report) -> Markup:
    """One link per candidate, with its verdict; nothing when there is only one."""
    if len(report.candidates) < 2:
        return Markup()
    links = (
        Markup('<a href="#c{}"><bdi>{}</bdi> <span class="soft">{}</span></a>').format(
            number, line(candidate.name), candidate.decision.verdict.value
        )
        for number, candidate in enumerate(report.candidates)
    )
    return Markup("<nav>{}</nav>").format(Markup("").join(links))


def card(candidate: CandidateReport) -> Markup:
    """The verdict, what it rests on, and the findings in sentences."""
    decision = candidate.decision
    said = (
        Markup('<li><span class="glyph {}">{}</span><span>{}</span></li>').format(
            sentence.tone, GLYPHS[sentence.tone], line(sentence.text, 400)
        )
        for sentence in headlines(candidate)
    )
    return Markup(
        '<div class="card"><header>{}<div><h2><bdi>{}</bdi> {}</h2><p>{}</p></div></header>'
        '<ul class="says">{}</ul>{}</div>'
    ).format(
        icon(decision.verdict.value),
        line(candidate.name),
        CALLED[decision.verdict],
        line(f"{decision.reason} {expected(decision)}", 400),
        Markup("").join(said),
        _facts(candidate),
    )


def rules(candidate: CandidateReport) -> Markup:
    """Every rule with its limit, its interval and its reason."""
    if not candidate.decision.rules:
        return Markup()
    rows = (_rule(rule) for rule in candidate.decision.rules)
    return Markup(
        '<h3>What was decided, rule by rule</h3><p class="lead">The dashed line is the limit. A rule passes when its '
        "whole interval is on the good side of it, and fails when all of it is on the other.</p>"
        '<div class="rows">{}</div>'
    ).format(Markup("").join(rows))


def _slower(what: str, metric: Latency) -> tuple[str, str, str]:
    """The ratio at the 95th percentile, or at the median where too many calls without an answer leave none."""
    point = "p95" if metric.ratio["p95"].value >= 0 else "p50"
    return (f"{what}, {point}", times(metric.ratio[point].value), "of live's")


def _rule(rule: Rule) -> Markup:
    return Markup(
        '<div class="line"><div><span class="name"><bdi>{}</bdi></span><small>{} · {}</small></div>{}'
        '<div class="num"><strong class="{}">{}</strong>{}</div>'
        '<p class="reason soft">{}</p></div>'
    ).format(
        line(rule.name),
        rule.kind.replace("_", " "),
        "blocks" if rule.severity == "blocker" else "signal only",
        _rule_picture(rule),
        TONES[rule.verdict],
        rule.verdict.value,
        Markup("").join(Markup("<small>{}</small>").format(part) for part in missing(rule)),
        line(rule.reason, 400),
    )


def _rule_picture(rule: Rule) -> Markup:
    if rule.kind == "max_ratio":
        held = [value for value in (rule.limit, rule.value, *rule.interval) if 0 < value < 20]
        scale = Scale(0.0, max([*held, 1.0]) * 1.1)
        said = f"{times(rule.value)} with the limit at {times(rule.limit)}"
    elif rule.kind == "max_failures":
        scale = Scale(0.0, max(rule.limit, rule.value, 1.0) * 1.2)
        said = f"{rule.value:,.0f} failed with the limit at {rule.limit:,.0f}"
    else:
        scale = scale_of([rule.limit * 1.2, rule.value, *rule.interval])
        said = f"{points(rule.value)} points with the limit at {percent(rule.limit)}"
    known = rule.value > 0 if rule.kind == "max_ratio" else rule.kind == "max_failures" or bool(rule.interval)
    dot = Dot(rule.value, rule.interval, TONES[rule.verdict], limit=(rule.limit,), known=known)
    return dot_row(scale, dot, said)


def _facts(candidate: CandidateReport) -> Markup:
    first, total, cost = candidate.latency["first_byte"], candidate.latency["total"], candidate.cost
    facts = (
        ("Pairs judged", f"{candidate.pairs:,}", f"{count(candidate.conversations, 'conversation')} closed"),
        ("Live asked twice", f"{candidate.control_pairs:,}", "the noise floor"),
        _slower("First byte", first),
        _slower("Last byte", total),
        ("Cost per answer", times(cost.ratio), f"{usd(cost.candidate.mean)} against {usd(cost.live.mean)}"),
    )
    shown = (Markup("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>").format(*fact) for fact in facts)
    return Markup('<dl class="facts">{}</dl>').format(Markup("").join(shown))

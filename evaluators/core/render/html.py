"""html: a Report as one self-contained page: no script, no request to anywhere, readable on paper. Used by the CLI
and the dashboard; the parts are in verdict, findings, where, operations and guide.

Everything goes through Markup.format, which escapes what is not markup of ours; safe.line removes what escaping
leaves alone.
"""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

from evaluators.core.render.findings import assertions, comparisons
from evaluators.core.render.guide import guide
from evaluators.core.render.operations import accounting, latency, outcomes, spending
from evaluators.core.render.safe import line
from evaluators.core.render.style import CSS, CSS_HASH
from evaluators.core.render.verdict import card, navigation, rules
from evaluators.core.render.where import slices
from evaluators.core.report.shape import CandidateReport, Report

POLICY = f"default-src 'none'; style-src '{CSS_HASH}'; base-uri 'none'; form-action 'none'"

PAGE = Markup(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{head}'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
    "<title>{title}</title><style>{css}</style></head><body>{body}</body></html>\n"
)

NOTHING = Markup(
    '<p class="lead">No candidate is known yet. Name one under <code>candidates:</code> in the configuration, send '
    "traffic through the proxy, and look again.</p>"
)


def html(report: Report) -> str:
    """The whole page; all styles inline, light and dark by the reader's system."""
    head = Markup('<meta http-equiv="Content-Security-Policy" content="{}">').format(POLICY)
    return page(title(report), body(report), head)


def page(title: str, body: Markup, head: Markup) -> str:
    """A page around a body; `head` is what differs between a file and the dashboard."""
    return str(PAGE.format(head=head, title=line(title), css=Markup(CSS), body=body))


def title(report: Report) -> str:
    """The verdicts in one line, for tabs and bookmarks."""
    said = ", ".join(f"{candidate.name}: {candidate.decision.verdict.value}" for candidate in report.candidates)
    return f"Understudy – {said or 'no candidates'}"


def body(report: Report, links: Markup = Markup()) -> Markup:  # noqa: B008 - immutable
    """What is between the body tags; the dashboard adds its links."""
    candidates = Markup("").join(_candidate(number, found) for number, found in enumerate(report.candidates))
    return Markup(
        '<div class="top"><p class="mark">Understudy</p><h1>What would change?</h1><p class="soft">{}</p>{}{}</div>'
        "<main>{}{}{}</main>"
    ).format(_when(report), links, navigation(report), candidates or NOTHING, accounting(report), guide(report.alpha))


def instant(at: float) -> str:
    """A Unix time in words, UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%-d %B %Y, %H:%M} UTC"


def _when(report: Report) -> str:
    window = report.window
    if window.first_arrival < 0:
        return f"No pairs yet. Made {instant(report.generated_at)}."
    seen = f"Calls from {instant(window.first_arrival)} to {instant(window.last_arrival)}."
    return f"{seen} Made {instant(report.generated_at)}."


def _candidate(number: int, candidate: CandidateReport) -> Markup:
    details = Markup()
    if candidate.pairs:
        details = Markup('{}{}{}<div class="two">{}</div>{}{}').format(
            assertions(candidate),
            comparisons(candidate),
            slices(candidate),
            outcomes(candidate),
            latency(candidate),
            spending(candidate),
        )
    return Markup('<section class="candidate" id="c{}">{}{}{}</section>').format(
        number, card(candidate), rules(candidate), details
    )

"""The dashboard's pages as strings: the live report, the list of pairs, one pair side by side. Used by serve.

What models and users wrote appears as text only: never as Markdown, never as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup

from evaluators.assess import PairLine, PairSide, PairView
from evaluators.core.observation import REGRESSED
from evaluators.core.render.html import body, instant, page, title
from evaluators.core.render.safe import block, line
from evaluators.core.report import Report
from evaluators.dashboard.words import word_diff

LIVE = Markup('<script src="/live.js" defer></script><noscript><meta http-equiv="refresh" content="5"></noscript>')

LETTERS = {
    "pf": "regressed",
    "px": "regressed, no answer",
    "ps": "regressed, nothing left to judge",
    "pb": "regressed, breaks the check",
    "fp": "fixed",
    "xp": "fixed, live gave no answer",
    "ff": "both fail",
    "d": "differs",
    "x": "no answer",
}
"""Joint letters worth a word in a list."""

SHOWN = {"regressed": ("pf", "px", "ps", "pb"), "fixed": ("fp", "xp"), "differs": ("d", "x")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pairs a reader asked for; what is empty does not restrict."""

    shadow: str = ""
    check: str = ""
    show: str = ""  # a key of SHOWN, together with check
    slice: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        """From the address of the page."""
        show = query.get("show", "")
        known = show if show in SHOWN else ""
        return cls(query.get("shadow", ""), query.get("check", ""), known, query.get("slice", ""))

    @property
    def letters(self) -> tuple[str, ...]:
        """The joint letters asked for."""
        return SHOWN.get(self.show, REGRESSED) if self.check else ()


def live(report: Report, *, may_leave: bool) -> str:
    """The report, kept fresh by our one script, or by the browser where scripts are off."""
    leave = Markup('<form method="post" action="/logout"><button>Log out</button></form>') if may_leave else Markup()
    links = Markup(
        '<nav><a href="/pairs">Pairs</a><a href="/report.json">Report as JSON</a><a href="/gate.json">Decision as JSON'
        "</a>{}</nav>"
    ).format(leave)
    return page(title(report), body(report, links), LIVE)


def only(report: Report, candidate: str) -> Report:
    """One candidate's part of the report; raises HTTPNotFound for a name that is not in it."""
    if not candidate:
        return report
    kept = tuple(found for found in report.candidates if found.name == candidate)
    if not kept:
        raise web.HTTPNotFound(text=f"There is no candidate {line(candidate, 80)}.")
    return replace(report, candidates=kept)


def pair_list(found: Sequence[PairLine], wanted: Wanted) -> str:
    """The latest pairs, with links to each."""
    rows = Markup("").join(_row(one) for one in found)
    empty = Markup('<p class="soft">No pair fits.</p>') if not found else Markup()
    shown = Markup(
        '{}<div class="wide"><table class="pairs"><thead><tr><th>When</th><th>Shadow</th><th>Asked</th><th>What the '
        "checks say</th></tr></thead><tbody>{}</tbody></table></div>{}"
    ).format(_form(wanted), rows, empty)
    return _around("Pairs", shown, Markup('<a href="/">Report</a>'))


def pair(view: PairView) -> str:
    """One pair: what was asked, both answers side by side, the words that changed, and the findings."""
    changed = word_diff(block(_said(view.live)), block(_said(view.candidate)))
    shown = Markup(
        '<h3>Asked</h3>{}<pre>{}</pre><div class="two">{}{}</div><h3>What changed</h3>{}<h3>Findings</h3>{}'
    ).format(
        _system(view),
        block(view.request.prompt),
        _side("Live", view.live),
        _side(view.shadow, view.candidate),
        changed,
        _findings(view),
    )
    return _around(f"Pair {view.call.id[:12]}", shown, Markup('<a href="/">Report</a><a href="/pairs">Pairs</a>'))


def login(said: str) -> str:
    """The form for the token."""
    note = Markup('<p class="notice">{}</p>').format(said) if said else Markup()
    form = Markup(
        '{}<form method="post" action="/login"><label>Token <input type="password" name="token" required autofocus '
        'autocomplete="current-password"></label> <button>Look</button></form>'
    ).format(note)
    return _around("Log in", form, Markup())


def trouble(what: str, why: str) -> str:
    """What went wrong, in words for the reader."""
    return _around(what, Markup("<p>{}</p>").format(line(why, 400)), Markup('<a href="/">Report</a>'))


def _around(heading: str, shown: Markup, links: Markup) -> str:
    inside = Markup(
        '<div class="top"><p class="mark">Understudy</p><h1>{}</h1><nav>{}</nav></div><main>{}</main>'
    ).format(line(heading), links, shown)
    return page(f"{heading} – Understudy", inside, Markup())


def _row(one: PairLine) -> Markup:
    said = [f"{check}: {LETTERS[letters]}" for check, letters in one.joints.items() if letters in LETTERS]
    kinds = "" if one.live_kind == one.kind == "ok" else f"live {one.live_kind}, {one.shadow} {one.kind}"
    return Markup(
        '<tr><th><a href="/pairs/{}/{}">{}</a></th><td><bdi>{}</bdi></td><td><bdi>{}</bdi><small>{}</small></td>'
        "<td>{}</td></tr>"
    ).format(
        quote(one.call_id, safe=""),
        quote(one.shadow, safe=""),
        instant(one.arrived),
        line(one.shadow, 40),
        line(one.preview, 120),
        line(", ".join(one.slices), 120),
        line("; ".join([kinds, *said] if kinds else said), 200) or "nothing",
    )


def _form(wanted: Wanted) -> Markup:
    fields = Markup("").join(
        Markup('<label>{} <input name="{}" value="{}"></label> ').format(label, name, line(value, 120))
        for label, name, value in (
            ("Shadow", "shadow", wanted.shadow),
            ("Check", "check", wanted.check),
            ("Slice", "slice", wanted.slice),
        )
    )
    choices = Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(
            name, Markup(" selected") if name == wanted.show else Markup(), name or "all"
        )
        for name in ("", *SHOWN)
    )
    return Markup(
        '<form class="filter">{}<label>Show <select name="show">{}</select></label> <button>Filter</button></form>'
    ).format(fields, choices)


def _said(side: PairSide) -> str:
    """All that an answer says, as text."""
    reply = side.reply
    calls = [f"{call.name}({call.arguments})" for call in reply.tool_calls]
    return "\n".join(part for part in (reply.text, reply.refusal, *calls) if part)


def _side(name: str, side: PairSide) -> Markup:
    reply = side.reply
    facts = [reply.kind.value, reply.model, reply.finish_reason and f"finished: {reply.finish_reason}", *reply.unread]
    return Markup('<div><h3><bdi>{}</bdi></h3><p class="soft">{}</p><pre>{}</pre></div>').format(
        line(name), line(" · ".join(fact for fact in facts if fact), 300), block(_said(side)) or "(no answer)"
    )


def _system(view: PairView) -> Markup:
    if not view.request.system:
        return Markup()
    return Markup("<details><summary>System prompt</summary><pre>{}</pre></details>").format(block(view.request.system))


def _findings(view: PairView) -> Markup:
    rows = Markup("").join(
        Markup("<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>").format(
            line(label, 80),
            view.live.findings[label].result.value if label in view.live.findings else "–",
            finding.result.value,
            line(", ".join((finding.detail, *finding.paths)).strip(", "), 300),
        )
        for label, finding in view.candidate.findings.items()
    )
    return Markup(
        '<div class="wide"><table class="pairs"><thead><tr><th>Check</th><th>Live</th><th>{}</th><th>Why</th></tr>'
        "</thead><tbody>{}</tbody></table></div>"
    ).format(line(view.shadow, 40), rows)

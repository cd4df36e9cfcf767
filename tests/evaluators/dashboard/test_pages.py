"""The pages: hostile text stays text, and everything is where one looks for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiohttp import web

from evaluators.core.observation import REGRESSED
from evaluators.core.reply import Kind, Reply, Request
from evaluators.dashboard.pages import LETTERS, SHOWN, Wanted, live, login, only, pair, pair_list, trouble
from tests.evaluators.core.render.pages import lively, read
from tests.evaluators.dashboard.scripted import LINE, VIEW


def test_pair() -> None:
    """What was asked, both answers, the changed words, the findings."""
    text = pair(VIEW)
    found = read(text)
    words = " ".join(found.words)
    assert "script" not in found.tags
    assert "<script>alert(1)</script>��" in words
    assert "<del>" in text
    assert "find({" in words
    assert "not JSON, /a" in words
    assert "Be kind." in words
    assert "finished: stop" in words


def test_pair_without_an_answer() -> None:
    """Silence is shown as such, and there may be no system prompt."""
    silent = replace(VIEW.candidate, reply=Reply(Kind.TIMEOUT), findings={})
    text = pair(replace(VIEW, candidate=silent, request=Request("plain")))
    read(text)
    assert "(no answer)" in text
    assert "System prompt" not in text


def test_list() -> None:
    """Each pair links to its page and says what the checks said."""
    text = pair_list([LINE, replace(LINE, joints={}, kind="ok")], Wanted(show="fixed", check="is-json"))
    found = read(text)
    assert "script" not in found.tags
    assert f'href="/pairs/{LINE.call_id}/mini"' in text
    assert "live ok, mini timeout; is-json: regressed" in text
    assert '<option value="fixed" selected>fixed</option>' in text
    assert "No pair fits." in pair_list([], Wanted())


@pytest.mark.parametrize(
    ("query", "letters"),
    [
        ({}, ()),
        ({"check": "a"}, REGRESSED),
        ({"check": "a", "show": "regressed"}, ("pf", "px", "ps", "pb")),
        ({"check": "a", "show": "differs"}, ("d", "x")),
        ({"check": "a", "show": "'; drop"}, REGRESSED),
        ({"show": "fixed"}, ()),
    ],
)
def test_wanted(query: dict[str, str], letters: tuple[str, ...]) -> None:
    """Letters belong to a check; an unknown word asks for nothing."""
    assert Wanted.of(query).letters == letters


def test_live() -> None:
    """Logging out is offered where one can log in."""
    assert "/logout" in live(lively(), may_leave=True)
    assert "/logout" not in live(lively(), may_leave=False)
    assert "Content-Security-Policy" not in live(lively(), may_leave=False)


def test_only() -> None:
    """One candidate, or a page that says there is none of that name."""
    assert only(lively(), "") is lively()
    assert len(only(lively(), "mini").candidates) == 1
    with pytest.raises(web.HTTPNotFound):
        only(lively(), "nobody")


def test_small_pages() -> None:
    """Forms and errors are pages too."""
    assert "<b>" not in trouble("<b>", "<b>")
    assert "notice" in login("That is not the token.")
    assert "notice" not in login("").split("</style>")[1]


def test_every_regression_has_a_word() -> None:
    """What counts as worse can be asked for and is named in the list."""
    assert {*SHOWN["regressed"], *SHOWN["differs"]} == set(REGRESSED)
    assert LETTERS.keys() >= set(REGRESSED)

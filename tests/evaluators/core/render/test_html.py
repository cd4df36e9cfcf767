"""The page: one file, no script, no request, and hostile text stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from markupsafe import Markup

from evaluators.core.render.html import POLICY, body, html, instant, page, title
from evaluators.core.report import Report
from tests.evaluators.core.render.pages import lively, made, read, rich, silent
from tests.evaluators.core.samples import HOSTILE, WINDOW, life, shadow


def test_the_page_nests_and_loads_nothing() -> None:
    """No script, no style attribute, no handler, no address of anything outside."""
    text = html(lively())
    found = read(text)
    assert found.tags.isdisjoint({"script", "img", "iframe", "link", "object", "form", "base"})
    assert found.attributes.isdisjoint({"style", "src", "action", "srcdoc"})
    assert not any(name.startswith("on") for name in found.attributes)
    assert "http://" not in text
    assert "https://" not in text


def test_policy() -> None:
    """Nothing may run or load but the one style sheet."""
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
    assert POLICY in unescape(html(silent()))


def test_hostile_text_stays_text() -> None:
    """Names from users and models appear, and nothing of them acts."""
    found = read(html(lively(hostile=True)))
    assert found.tags.isdisjoint({"script", "img"})
    words = " ".join(found.words)
    assert "topic=<script>alert(1)</script>" in words
    assert not re.search("[\x00\x1b\u202e\u2066]", words)


def test_hostile_pairs_places_and_discoveries() -> None:
    """What slices, paths and discoveries are made of is no more trusted."""
    found = read(html(rich(hostile=True)))
    assert found.tags.isdisjoint({"script", "img"})
    assert not re.search("[\x00\x1b\u202e\u2066]", " ".join(found.words))


def test_hostile_names_everywhere() -> None:
    """A candidate's name, a path and a kind are no more trusted than a slice."""
    tallies = life(400, hostile=True)
    for name in HOSTILE:
        checks = tuple(replace(check, paths=dict.fromkeys(HOSTILE, 3)) for check in tallies[0].checks)
        report = made([replace(tallies[0], shadow=name, checks=checks), tallies[1]])
        assert read(html(report)).tags.isdisjoint({"script", "img"})


def test_sections() -> None:
    """Everything a reader looks for has its place, in this order."""
    text = html(lively())
    headings = [
        "mini</bdi> fails",
        "What was decided",
        "How often it fails",
        "How often it differs",
        "Where",
        "Who answered",
        "How it failed",
        "How fast",
        "Tokens and cost",
        "Where every call went",
        "How to read this",
    ]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)
    assert "Calls from 15 January 2027, 05:13 UTC to 15 January 2027, 07:59 UTC." in text


def test_before_the_first_pair() -> None:
    """An empty report says what comes next."""
    report = made([])
    assert "Name one under <code>candidates:</code>" in html(report)
    assert title(report) == "Understudy – no candidates"
    read(html(silent()))


def test_no_arrival_yet() -> None:
    """Without an arrival there is no time span."""
    assert "No pairs yet." in body(replace(silent(), window=replace(WINDOW, first_arrival=-1.0)))


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_navigation(names: tuple[str, ...]) -> None:
    """Two candidates have links, one needs none."""
    report: Report = made([shadow(name=name) for name in names])
    assert ('href="#c1"' in html(report)) is (len(names) == 2)
    assert title(report) == "Understudy – " + ", ".join(f"{name}: inconclusive" for name in names)


def test_page_escapes_its_title() -> None:
    """A title is text."""
    assert "<title>&lt;b&gt;</title>" in page("<b>", Markup("<p>x</p>"), Markup())


def test_instant() -> None:
    """Times are UTC, in words."""
    assert instant(0.0) == "1 January 1970, 00:00 UTC"

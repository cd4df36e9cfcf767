"""is-xml and contains-xml, as promptfoo decides them, and bounded on hostile answers."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm, check, judge

PASS, FAIL, SKIP = Result.PASS, Result.FAIL, Result.SKIP


@pytest.mark.parametrize(
    ("text", "whole", "anywhere"),
    [
        ("<a/>", PASS, PASS),
        ("text <a><b>1</b></a> more", FAIL, PASS),
        ("<a><b></a></b>", FAIL, FAIL),
        ("<a/> and <b/>", FAIL, PASS),
        ("<a x=1/>", FAIL, PASS),
        ("<a><b/><c/>", FAIL, PASS),
        ("<!-- <a/> -->", FAIL, FAIL),
        ("<?xml version='1.0'?><a/>", PASS, PASS),
        (" <?xml version='1.0'?><a/>", FAIL, PASS),
        ("<!DOCTYPE a><a/>", PASS, PASS),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a/>", FAIL, PASS),
        ("<a>&nbsp;</a>", FAIL, PASS),
        ("<p:a/>", FAIL, PASS),
        ("<p:a xmlns:p='u'/>", PASS, PASS),
        ("<p>hello<br></p>", FAIL, FAIL),
        ("1 < 2 and 3 > 2", FAIL, FAIL),
        ("```xml\n<a/>\n```", FAIL, PASS),
        ("\ud800<a/>", FAIL, PASS),
        ("", FAIL, FAIL),
    ],
)
def test_without_required_elements(text: str, whole: Result, anywhere: Result) -> None:
    """is-xml wants a document, contains-xml elements that close."""
    assert judge("is-xml", arm(text)).result is whole
    assert judge("contains-xml", arm(text)).result is anywhere


@pytest.mark.parametrize(
    ("text", "value", "missing"),
    [
        ("<a><b><c/></b></a>", ["a.b.c"], ()),
        ("<a><b><c/></b></a>", "a.b, a.x", ("a.x",)),
        ("<a><b/><b/></a>", {"requiredElements": ["a.b.0", "a.b.1", "a.b.2"]}, ("a.b.2",)),
        ("<a><b><c/></b><b/></a>", ["a.b.c"], ("a.b.c",)),
        ("<a x='1'>t</a>", ["a.@_x", "a.#text"], ()),
        ("<p:a xmlns:p='u'><p:b/></p:a>", ["p:a.p:b"], ()),
        ("<a>t</a>", ["a.b"], ("a.b",)),
    ],
)
def test_required_elements(text: str, value: Any, missing: tuple[str, ...]) -> None:
    """Paths go through the document, by number where an element is repeated; what lacks is named."""
    assert judge("is-xml", arm(text), value=value).paths == missing


def test_elements_that_stand_together_are_searched_together() -> None:
    """Two pieces beside each other are one place; those of an element that never closes are another."""
    assert judge("contains-xml", arm("<a/> text <b x='1'/>"), value=["a", "b.@_x"]).result is PASS
    assert judge("contains-xml", arm("<a><x/></a> <a><x/></a>"), value=["a.x"]).result is FAIL
    assert judge("contains-xml", arm("</z><u><a/><b/>"), value=["a", "b"]).result is PASS
    assert judge("contains-xml", arm("<u><a/></z><b/>"), value=["a", "b"]).paths == ("b",)


def test_blank_text_is_no_member() -> None:
    """Spaces between elements are none; other text is `#text`."""
    assert judge("is-xml", arm("<a> <b/>\n</a>"), value=["a.#text"]).result is FAIL
    assert judge("is-xml", arm("<a>x<b/></a>"), value=["a.#text"]).result is PASS


def test_an_entity_is_never_defined() -> None:
    """A document type with declarations is refused before it is used; calls are skipped."""
    bomb = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><a>&y;</a>'
    assert judge("is-xml", arm(bomb)).detail == "is not XML: a document type with declarations of its own is refused"
    assert judge("is-xml", arm("", tool_calls=(ToolCall("a", "{}"),))).result is SKIP


@pytest.mark.parametrize("value", [{"elements": ["a"]}, ["a", ""], 7.5j, True])
def test_a_value_that_makes_no_sense_stops_the_start(value: Any) -> None:
    """Paths are texts."""
    with pytest.raises(BadCheck):
        check("is-xml", value)


def test_tags_without_end_are_broken() -> None:
    """Quotation marks that never let a tag end cost a quarter of a second."""
    assert judge("contains-xml", arm("<b>x</b>" * 400_000)).result is Result.BROKEN

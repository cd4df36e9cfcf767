"""is-html and contains-html, as promptfoo decides them with parse5, and bounded on hostile answers."""

from __future__ import annotations

import pytest

from evaluators.core.finding import Result
from evaluators.core.reply import ToolCall
from tests.evaluators.checks.arms import arm, judge

PASS, FAIL = Result.PASS, Result.FAIL
PAGES = [
    ("<p>a</p>", PASS, PASS),
    ("text", FAIL, FAIL),
    ("", FAIL, FAIL),
    ("<p>a</p> text", FAIL, PASS),
    ("<html><body>text</body></html>", PASS, PASS),
    ("<html>text</html>", FAIL, PASS),
    ("<p>x</p><body>text</body>", FAIL, PASS),
    ("<p>a<div>b</div>c", FAIL, PASS),
    ("<p><b>x</p>text", PASS, PASS),
    ("<table>text</table>", FAIL, PASS),
    ("<table><tr><td>x</td></tr></table>", PASS, PASS),
    ("<td>x</td>", FAIL, PASS),
    ("<br>", PASS, PASS),
    ("a<br>b", FAIL, PASS),
    ("<my-tag>x</my-tag>", PASS, PASS),
    ("<foo>x</foo>", FAIL, PASS),
    ("</p>", FAIL, FAIL),
    ("</div>", FAIL, FAIL),
    ("<script>var a='<p>'</script>", PASS, PASS),
    ("<script>x", PASS, PASS),
    ("<!-- c -->", FAIL, FAIL),
    ("&nbsp;<p>x</p>", PASS, PASS),
    ("<?xml version='1.0'?><a/>", FAIL, PASS),
    ("<svg><path/></svg>", PASS, PASS),
    ("<svg/>text", FAIL, FAIL),
    ("1 < 2", FAIL, FAIL),
    ("Use <div> here", FAIL, PASS),
    ("a & b &copy;", FAIL, FAIL),
]


@pytest.mark.parametrize(("text", "whole", "anywhere"), PAGES)
def test_pages(text: str, whole: Result, anywhere: Result) -> None:
    """is-html wants no text outside of elements, contains-html two signs."""
    assert [judge(name, arm(text)).result for name in ("is-html", "contains-html")] == [whole, anywhere]


def test_a_page_of_many_tags_is_judged_by_its_beginning() -> None:
    """What comes behind the last tag that is read changes nothing."""
    assert judge("is-html", arm("<p>a</p>" * 10_050)).result is PASS
    assert judge("is-html", arm("<p>a</p>" * 10_050 + "text")).result is PASS
    assert judge("is-html", arm("text" + "<p>a</p>" * 10_050)).result is FAIL


def test_calls_are_skipped_and_tags_without_end_are_broken() -> None:
    """Nothing to read, and what could be read for ever."""
    assert judge("is-html", arm("", tool_calls=(ToolCall("a", "{}"),))).result is Result.SKIP
    assert judge("is-html", arm('<a "' * 250_000)).result is Result.BROKEN

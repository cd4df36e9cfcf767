"""Findings are short, parameters are read or refused."""

from __future__ import annotations

from math import inf, nan
from time import process_time
from typing import Any

import pytest

from evaluators.core.finding import (
    CLOSED,
    MAX_DETAIL,
    MAX_PATHS,
    MAX_PATTERN,
    PATTERN_SECONDS,
    Arm,
    BadCheck,
    BadPattern,
    Finding,
    Params,
    Result,
    assertion,
    broken,
    comparison,
    differ,
    failed,
    fields,
    passed,
    pattern,
    same,
    skipped,
)

LONG = "x" * 1000
MANY = tuple(str(n) for n in range(100))


@pytest.mark.parametrize(
    ("finding", "result", "score"),
    [
        pytest.param(passed(LONG), Result.PASS, 1.0, id="passed"),
        pytest.param(passed(LONG, 0.8), Result.PASS, 0.8, id="passed a little"),
        pytest.param(failed(LONG), Result.FAIL, 0.0, id="failed"),
        pytest.param(failed(LONG, 0.4, MANY), Result.FAIL, 0.4, id="failed in places"),
        pytest.param(same(LONG), Result.SAME, 0.0, id="same"),
        pytest.param(same(LONG, 0.1), Result.SAME, 0.1, id="nearly the same"),
        pytest.param(differ(0.9, LONG, MANY), Result.DIFFER, 0.9, id="differ"),
        pytest.param(skipped(LONG), Result.SKIP, 0.0, id="skipped"),
        pytest.param(broken(LONG), Result.BROKEN, 0.0, id="broken"),
    ],
)
def test_a_finding_is_short(finding: Finding, result: Result, score: float) -> None:
    """Whatever an answer holds, what is kept of it is bounded."""
    assert (finding.result, finding.score) == (result, score)
    assert finding.detail == LONG[:MAX_DETAIL]
    assert finding.paths in ((), MANY[:MAX_PATHS])


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (0, "0"), (1.5, "1.5"), ("", "")], ids=str)
def test_a_text(value: Any, text: str) -> None:
    """Numbers are texts too."""
    assert Params("contains", value).text() == text


@pytest.mark.parametrize("value", [None, True, [], {}], ids=str)
def test_no_text(value: Any) -> None:
    """Anything else is refused, with the name of the check."""
    with pytest.raises(BadCheck, match="contains needs"):
        Params("contains", value).text()


@pytest.mark.parametrize(
    ("value", "texts"), [("a, b", ("a", "b")), (["a,b", 1], ("a,b", "1")), ("a", ("a",))], ids=["comma", "list", "one"]
)
def test_texts(value: Any, texts: tuple[str, ...]) -> None:
    """A list, or a text with commas."""
    assert Params("contains-any", value).texts() == texts


@pytest.mark.parametrize("value", [None, 1, [], {}, [None], [True], [["a"]]], ids=str)
def test_no_texts(value: Any) -> None:
    """Anything else is refused, with the name of the check."""
    with pytest.raises(BadCheck, match="contains-any needs"):
        Params("contains-any", value).texts()


@pytest.mark.parametrize(("threshold", "limit"), [(None, 5.0), (0, 0), (2.5, 2.5)], ids=str)
def test_a_limit(threshold: float | None, limit: float) -> None:
    """The threshold, or the default."""
    assert Params("levenshtein", threshold=threshold).limit(5) == limit


@pytest.mark.parametrize("threshold", [-1, nan, inf], ids=str)
def test_no_limit(threshold: float) -> None:
    """A limit is a number of zero or more."""
    with pytest.raises(BadCheck, match="zero or more"):
        Params("levenshtein", threshold=threshold).limit(5)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(' "a, b" ,c', ("a, b", "c"), id="quotes keep a comma"),
        pytest.param('"a ""b""",""', ('a "b"',), id="a quote written twice"),
        pytest.param(r'"a \"b\\"', ('a "b\\',), id="a quote after a backslash"),
        pytest.param('a "b", ,c"', ('a "b"', 'c"'), id="quotes inside a text stay"),
        pytest.param("", (), id="nothing"),
    ],
)
def test_fields(text: str, found: tuple[str, ...]) -> None:
    """Texts between commas are told apart as in CSV."""
    assert fields(text) == found


@pytest.mark.parametrize("source", ["(a+)+$", r"(?:\w*)*x", "[[a]", r"\p{Lu}", "(a{99}){99}"])
def test_a_pattern_is_searched(source: str) -> None:
    """Whatever may be searched is searched anywhere in the text, whatever it warns of."""
    assert pattern(source)("aax[A" + "a" * 9801)


def test_a_pattern_may_ignore_the_case() -> None:
    """Case counts unless told otherwise."""
    assert pattern("STOP", fold=True)("please stop")
    assert not pattern("STOP")("please stop")


@pytest.mark.parametrize("options", [{}, {"seconds": 0.01}], ids=str)
def test_a_search_always_ends(options: dict[str, Any]) -> None:
    """A pattern that backtracks for ever is left after a quarter of a second, or earlier where that is wanted."""
    begun, search = process_time(), pattern("(a|aa)+$", **options)
    with pytest.raises(TimeoutError):
        search("a" * 50 + "!")
    assert process_time() - begun < 0.1 + options.get("seconds", PATTERN_SECONDS)


@pytest.mark.parametrize(
    "source",
    ["(", ")", "a" * (MAX_PATTERN + 1), "(a{1000}){1000}", "a{99999999}", "(?:[ab]\\w){200}{200}", "(" * 5_000],
    ids=lambda source: source[:20],
)
def test_what_is_no_pattern_is_refused(source: str) -> None:
    """What does not parse, or would be too large once prepared, is refused before it costs anything."""
    with pytest.raises(BadPattern):
        pattern(source)


@pytest.mark.parametrize("door", [CLOSED.read, CLOSED.python, CLOSED.post, CLOSED.embed, CLOSED.threshold])
def test_doors_are_closed(door: Any) -> None:
    """Nothing outside is reached unless wiring opens it."""
    with pytest.raises(BadCheck, match="none is open here"):
        door("x", {})


def test_options_are_known_or_refused() -> None:
    """A key of `config:` that the check does not read is a mistake."""
    assert Params("meteor", config={"alpha": 1}).options("alpha") == {"alpha": 1}
    with pytest.raises(BadCheck, match="reads no `config: beta`; known: none"):
        Params("is-json", config={"beta": 1}).options()


def test_a_decorator_names_a_factory() -> None:
    """It records what the factory is and takes, and leaves it as it was."""

    @assertion("polite", dimension="usefulness", takes=("value",), version=2)
    def polite(params: Params) -> Any:
        return lambda arm: passed(params.text())

    @comparison("shadow:mood", dimension="risk")
    def mood(params: Params) -> Any:
        return lambda live, shadow: same()

    nobody: Any = None
    assert (polite.name, polite.comparison, polite.version, polite.takes) == ("polite", False, 2, frozenset({"value"}))
    assert polite.negatable
    run: Any = polite.make(Params("polite", "please"))
    assert run(nobody) == passed("please")
    assert (mood.comparison, mood.negatable, mood.takes) == (True, False, frozenset())
    compare: Any = mood.make(Params("shadow:mood"))
    assert compare(nobody, nobody) == same()
    assert Arm.__slots__ == ("request", "reply", "timing", "cost")

"""JavaScript's regular expressions: where Python's would mean something else."""

from __future__ import annotations

import pytest

from evaluators.core.ecma import TIMEOUT, BadPattern, compiled, translated


@pytest.mark.parametrize(
    ("source", "flags", "text", "found"),
    [
        pytest.param("end$", "", "the end\n", False, id="$ is the very end"),
        pytest.param("end$", "m", "the end\nmore", True, id="or the end of a line"),
        pytest.param(r"\d", "", "٤", False, id="digits are ASCII"),
        pytest.param(r"\D", "", "٤", True, id="other digits are none"),
        pytest.param(r"^\w+$", "", "é", False, id="words are ASCII"),
        pytest.param(r"[\w]", "", "é", False, id="also in a set"),
        pytest.param(r"\s", "", "\ufeff", True, id="the byte order mark is space"),
        pytest.param(r"\S", "", "\u3000", False, id="a wide space is space"),
        pytest.param("a.b", "", "a\u2028b", False, id="a dot stops at line ends"),
        pytest.param("a.b", "s", "a\nb", True, id="unless it is told not to"),
        pytest.param("[^]", "", "\n", True, id="an empty negated set is anything"),
        pytest.param("a[]", "", "a", False, id="an empty set is nothing"),
        pytest.param("[[]x", "", "[x", True, id="a bracket in a set is a bracket"),
        pytest.param(r"(?<y>\d)\k<y>", "", "11", True, id="a name is called back"),
        pytest.param(r"\u{1F600}", "u", "😀", True, id="a code point"),
        pytest.param("ABC", "gi", "xabcx", True, id="case"),
        pytest.param("(?m)a$", "", "a\nb", True, id="Python's own flags stay"),
        pytest.param(r"\$\.", "", "$.", True, id="escapes stay"),
        pytest.param(r"\bcafé", "", "cafés", True, id="edges of words"),
    ],
)
def test_patterns_mean_what_they_mean_in_javascript(source: str, flags: str, text: str, found: bool) -> None:
    """A search gives what JavaScript's would."""
    assert (compiled(source, flags).search(text, timeout=TIMEOUT) is not None) is found


@pytest.mark.parametrize(
    ("source", "flags", "message"),
    [
        ("(", "", "missing"),
        ("a", "x", "no flag 'x'"),
        ("a{1000}{1000}", "", "too large"),
        ("a" * 3000, "", "too large"),
    ],
)
def test_what_is_no_pattern_is_refused(source: str, flags: str, message: str) -> None:
    """The message says why, and nothing large is prepared."""
    with pytest.raises(BadPattern, match=message):
        compiled(source, flags)


def test_a_search_that_would_not_end_does() -> None:
    """The pattern that backtracks for ever is stopped by the time limit."""
    with pytest.raises(TimeoutError):
        compiled("(a|a)*$").search("a" * 60 + "!", timeout=0.05)


def test_the_spelling_is_python() -> None:
    """Other rooms take the text and prepare it themselves."""
    assert translated("^a$") == r"^a\Z"

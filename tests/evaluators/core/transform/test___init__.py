"""Transforms as people write them: what they make of an answer, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.core.transform import BadTransform, TooMuch, Unfit, chained, compiled, parsed
from evaluators.core.transform import given as text_given


@pytest.mark.parametrize(
    ("source", "output", "text"),
    [
        ("output", "as it is", "as it is"),
        ("output.trim()", "  a ", "a"),
        ("JSON.parse(output).a.b[0]", '{"a": {"b": [1.0]}}', "1"),
        ("JSON.parse(output)", '{"a": 1.0, "é": [true, null]}', '{"a":1,"é":[true,null]}'),
        ("JSON.parse(output)['x y']", '{"x y": "z"}', "z"),
        ("JSON.stringify([1])", "", "[1]"),
        (r"output.match(/(\d+) items?/i)?.[1] || 'none'", "5 Items", "5"),
        (r"output.match(/(\d+) items?/i)?.[1] || 'none'", "no", "none"),
        (r"output.match(/\d/g).join('+')", "a1b2", "1+2"),
        (r"output.match(/(?<y>\d{4})/).groups.y", "in 1815", "1815"),
        ("output.split('\\n')[0].toUpperCase() + '!'", "a\nb", "A!"),
        ("output.replace(/a(.)/g, '<$1>')", "abac", "<b><c>"),
        ("output.replace('a', '$&$&')", "aba", "aaba"),
        ("output.slice(-3)", "abcdef", "def"),
        ("output.slice(1, 3).length", "abcdef", "2"),
        ("`${output.trim()}-${1 + 1}`", " q ", "q-2"),
        ("output.includes('a') ? 'yes' : 'no'", "b", "no"),
        ("!output.startsWith('x') && output.length > 2 ? 1 : 2", "abc", "1"),
        ("JSON.parse(output).items.map(i => i.name).join(', ')", '{"items": [{"name": "a"}, {"name": "b"}]}', "a, b"),
        ("JSON.parse(output).filter((x, i) => x > 1 && i < 2).length", "[1, 2, 3]", "1"),
        ("output.split(',').find(x => x.endsWith('b'))", "a,bb,c", "bb"),
        ("Object.keys(JSON.parse(output)).join()", '{"b": 1, "a": 2}', "b,a"),
        ("const a = JSON.parse(output);\nconst b = a.n * 2;\nreturn b;\n", '{"n": 4}', "8"),
        ("(output || 'x') // why", "", "x"),
    ],
)
def test_an_expression_gives_a_text(source: str, output: Any, text: str) -> None:
    """The values are those that JavaScript gives."""
    assert compiled(source)(output) == text


@pytest.mark.parametrize(
    ("source", "output", "why"),
    [
        ("JSON.parse(output).a", "no JSON", "is not JSON"),
        ("JSON.parse(output).a", "{}", "gives nothing"),
        ("JSON.parse(output).a.b", "{}", "where nothing is"),
        ("output.match(/x/)[1]", "y", "where nothing is"),
        ("output.name", "text", "gives nothing"),
        ("JSON.parse(output).trim()", "{}", r"no trim\(\) on an object"),
        ("output.map(x => x)", "text", r"no map\(\) on a text"),
        ("null", "text", "gives nothing"),
    ],
)
def test_an_answer_that_does_not_fit_is_unfit(source: str, output: str, why: str) -> None:
    """It is the answer's fault, and the text says what was missing."""
    with pytest.raises(Unfit, match=why):
        compiled(source)(output)


@pytest.mark.parametrize(
    ("source", "output"),
    [
        pytest.param("output.split('').join(output)", "x" * 100_000, id="a text that explodes"),
        pytest.param(f"output.replace(/x/g, '{'y' * 900}')", "x" * 100_000, id="replacements that add up"),
        pytest.param("output.match(/(x+x+)+y/)", "x" * 5_000, id="a pattern that does not end"),
        pytest.param("output.split('').map(a => output.split('').length)", "x" * 5_000, id="squares"),
        pytest.param("output.split('').length", "x" * 300_000, id="too many parts"),
    ],
)
def test_an_evaluation_ends(source: str, output: str) -> None:
    """What would take too long or too much says so, and says nothing about the answer."""
    with pytest.raises(TooMuch):
        compiled(source)(output)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "is empty"),
        ("output[0", "']' is expected"),
        ("output; output", "'output' is not understood"),
        ("output\n", "without `return`"),
        ("context.vars.x", "real calls have no test variables"),
        ("require('fs').readFileSync('/etc/passwd')", "`require` is not part"),
        ("process.exit(1)", r"`process\.exit` is not part"),
        ("fetch('http://x')", "`fetch` is not part"),
        ("output.constructor('x')()", r"\.constructor\(\) is not part"),
        ("output.toUppercase()", "did you mean .toUpperCase"),
        ("output.map(x => { return 1 })", "function with { }"),
        ("for (const x of output) {}", "`for` is not part"),
        ("while (true) {}", "`while` is not part"),
        ("output = 1", "'=' is not understood"),
        ("output.replace(/(/, '')", "no regular expression"),
        ("output @ 1", "is not understood"),
        ("(" * 100 + "output" + ")" * 100, "nested too deeply"),
        ("output" + " " * 10_000, "more than 10000 characters"),
    ],
)
def test_what_goes_further_is_refused_by_name(source: str, why: str) -> None:
    """Nothing outside the language is read, and the message has a remedy."""
    with pytest.raises(BadTransform, match=why):
        compiled(source)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="output.trim()[]0'\"+?:x=>/{}$` \n", max_size=40), st.text(max_size=20))
def test_any_source_is_read_or_refused(source: str, output: str) -> None:
    """There are three ways to fail and no other."""
    try:
        assert isinstance(compiled(source)(output), str)
    except (BadTransform, Unfit, TooMuch):
        pass


def test_two_transforms_become_one() -> None:
    """The second sees what the first gave; with statements they cannot be joined."""
    both = chained("JSON.parse(output)", "output.name + ' ' + output.age")
    assert compiled(both)('{"name": "Ada", "age": 36}') == "Ada 36"
    with pytest.raises(BadTransform, match="one expression"):
        chained("const a = output;\nreturn a", "output")


def test_what_is_given_becomes_text() -> None:
    """Objects are JSON text; nothing is unfit."""
    assert [text_given(one) for one in ({"a": 1}, [1.5], 5, True, "x")] == ['{"a":1}', "[1.5]", "5", "true", "x"]
    with pytest.raises(Unfit):
        text_given(None)


def test_a_text_may_hold_an_object() -> None:
    """Whole JSON is read, everything else stays a text."""
    assert parsed('{"a": 1}') == {"a": 1}
    assert parsed("see {}") == "see {}"

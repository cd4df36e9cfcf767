"""The registry: which checks exist, how configured ones are built, and what is refused."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import DEFAULT_CHECKS
from config.settings import Check as Configured
from evaluators import checks
from evaluators.core.finding import Arm, BadCheck, Doors, Params, Result
from tests.evaluators.checks.arms import ARMS, HOSTILE, arm, check, judge

DOORS = Doors(
    python=lambda _, given: "a" in given["output"],
    post=lambda _, given: {"pass": "a" in given["output"]},
    embed=lambda texts: [(len(text), text.count("a"), 1.0) for text in texts],
)
"""What lies outside, decided by the answer alone."""

VALUES: dict[str, dict[str, Any]] = {
    "equals": {"value": "yes"},
    "contains": {"value": "a"},
    "icontains": {"value": "A"},
    "contains-all": {"value": ["a", "1"]},
    "contains-any": {"value": ["a", "x"]},
    "icontains-all": {"value": ["A", "1"]},
    "icontains-any": {"value": "A,X"},
    "starts-with": {"value": "I"},
    "regex": {"value": r"\d"},
    "word-count": {"value": {"min": 1, "max": 3}},
    "levenshtein": {"value": "a b c"},
    "finish-reason": {"value": "stop"},
    "latency": {"threshold": 2000},
    "cost": {"threshold": 0.01},
    "golden": {"value": [{"prompt": "q", "assert": [{"type": "contains", "value": "a"}]}]},
    "first-byte": {"threshold": 300},
    "label": {"value": ["N/A", "yes"]},
    "banned-topics": {"value": {"pets": ["word", "re:a+b"]}},
    "shadow:label": {"value": ["N/A", "yes"]},
    "shadow:extract": {"config": {"path": "/a"}},
    "python": {"value": "'a' in output", "doors": DOORS},
    "webhook": {"value": "http://127.0.0.1:9/judge", "doors": DOORS},
    "similar": {"value": "a", "doors": DOORS},
    "similar:cosine": {"value": ["a", "b"], "doors": DOORS},
    "similar:dot": {"value": "a", "doors": DOORS},
    "similar:euclidean": {"value": "a", "doors": DOORS},
    "shadow:semantic": {"threshold": 0.3},
    "assert-set": {"assert": [{"type": "contains", "value": "a"}, "not-is-json"], "threshold": 0.5},
    "tool-call-f1": {"value": ["search"], "threshold": 0.5},
    "trajectory:tool-used": {"value": "search"},
    "trajectory:step-count": {"value": {"max": 1}},
    "trajectory:tool-sequence": {"value": ["search", "get_*"]},
    "trajectory:tool-args-match": {"value": {"name": "get_weather", "args": {"city": "Oslo"}}},
    "skill-used": {"value": "pdf"},
    "trace-span-count": {"value": {"pattern": "chat *", "min": 1}},
    "trace-span-duration": {"value": {"max": 2000}},
    "rouge-n": {"value": "a b"},
    "bleu": {"value": ["a b", "c"]},
    "gleu": {"value": "a b"},
    "meteor": {"value": "a b"},
    "language": {"value": ["en", "de"]},
    "perplexity": {"threshold": 5},
    "perplexity-score": {"threshold": 0.4},
    "is-xml": {"value": ["a"]},
    "contains-xml": {"value": ["a.a"]},
    "is-sql": {"value": {"allowedTables": [".*::users"]}},
}
"""What a type that cannot do without parameters is given in the properties below."""
ASSERTIONS = [kind for kind in checks.BUILT_IN if not kind.comparison]
NEGATABLE = [kind.name for kind in ASSERTIONS if kind.negatable]
COMPARISONS = [kind.name for kind in checks.BUILT_IN if kind.comparison]
OPPOSITE = {Result.PASS: Result.FAIL, Result.FAIL: Result.PASS, Result.SKIP: Result.SKIP, Result.BROKEN: Result.BROKEN}


def said(*configured: Configured) -> str:
    """The message with which a configuration is refused."""
    with pytest.raises(BadCheck) as mistake:
        checks.build(configured)
    return str(mistake.value)


@pytest.mark.parametrize("name", NEGATABLE)
@settings(max_examples=20, deadline=None)
@given(one=ARMS)
def test_negation_swaps_the_verdict_and_nothing_else(name: str, one: Arm) -> None:
    """not-X says the opposite of X where X has a verdict, and the same where it has none."""
    plain = judge(name, one, **VALUES.get(name, {}))
    negated = judge(f"not-{name}", one, **VALUES.get(name, {}))
    assert negated.result is OPPOSITE[plain.result]
    assert 0 <= negated.score <= 1


@pytest.mark.parametrize("kind", checks.BUILT_IN, ids=lambda kind: kind.name)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_check_says_the_same_twice(kind: Any, data: st.DataObject) -> None:
    """A check is a pure function: the same arms, the same finding, with a score between 0 and 1."""
    arms = tuple(data.draw(ARMS) for _ in range(1 + kind.comparison))
    run: Any = check(kind.name, **VALUES.get(kind.name, {})).run
    finding = run(*arms)
    assert finding == run(*arms)
    assert 0 <= finding.score <= 1
    assert (finding.result in {Result.SAME, Result.DIFFER, Result.SKIP}) or not kind.comparison


@pytest.mark.parametrize("name", COMPARISONS)
@settings(max_examples=20, deadline=None)
@given(one=ARMS)
def test_nothing_differs_from_itself(name: str, one: Arm) -> None:
    """An arm compared with itself is the same, or the comparison does not apply."""
    assert judge(name, one, one, **VALUES.get(name, {})).result in {Result.SAME, Result.SKIP}


@pytest.mark.parametrize("kind", checks.BUILT_IN, ids=lambda kind: kind.name)
def test_hostile_answers_are_judged(kind: Any) -> None:
    """No answer, however large or deep, makes a check raise, or work for more than a second."""
    run: Any = check(kind.name, **VALUES.get(kind.name, {})).run
    for name, text in HOSTILE.items():
        arms = (arm(text), arm(text[:-1] + "!")) if kind.comparison else (arm(text),)
        begun = process_time()
        finding = run(*arms)
        assert process_time() - begun < 1, name
        assert 0 <= finding.score <= 1, name


def test_the_default_checks_are_built() -> None:
    """The checks that run when the file names none exist and take no parameters."""
    built = checks.build([Configured(**each) for each in DEFAULT_CHECKS])
    assert [each.label for each in built] == [each["type"] for each in DEFAULT_CHECKS]
    assert built[1].type == "not-is-refusal"
    assert built[0].dimension == "usefulness"


def test_a_built_check_carries_its_configuration() -> None:
    """Label, severity, dimension and where it applies come from the file."""
    built = check(
        "icontains", "x", name="brand", severity="blocker", dimension="risk", when={"topic": ["a", "b"], "t": "1"}
    )
    assert (built.label, built.severity, built.dimension, built.comparison) == ("brand", "blocker", "risk", False)
    assert built.when == {"topic": ("a", "b"), "t": ("1",)}


def test_the_version_follows_everything_that_changes_a_result() -> None:
    """Type, value, threshold, negation and `when` are in the version; name and severity are not."""
    wanted = [
        check("contains", "a"),
        check("contains", "b"),
        check("icontains", "a"),
        check("not-contains", "a"),
        check("contains", "a", when={"topic": "x"}),
        check("levenshtein", "a"),
        check("levenshtein", "a", 3),
        check("is-json", {"enum": [1]}),
        check("is-json", {"enum": [1.5]}),
    ]
    assert len({each.version for each in wanted}) == len(wanted)
    assert check("contains", "a", name="other", severity="blocker").version == check("contains", "a").version
    assert check("contains", "a").version == "1-0f7406bd"


def test_any_value_has_a_version() -> None:
    """A number beyond 64 bits, half a character and many levels have versions too, each its own and always the same."""
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    values = [2**64, 2**64 + 1, "\ud800", "\udfff", [deep], {"a": deep}]
    versions = [check("equals", value).version for value in values]
    assert len(set(versions)) == len(values)
    assert versions == [check("equals", value).version for value in values]


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        pytest.param(Configured(type="contians", value="x"), "did you mean 'contains'?", id="a typing mistake"),
        pytest.param(Configured(type="not-contians", value="x"), "did you mean 'contains'?", id="the same negated"),
        pytest.param(Configured(type="zzzz"), "there is no check type 'zzzz'", id="nothing like it"),
        pytest.param(Configured(type="llm-rubric", value="x"), "llm-rubric is not available yet", id="not yet"),
        pytest.param(Configured(type="not-g-eval", value="x"), "g-eval is not available yet", id="not yet, negated"),
        pytest.param(Configured(type="not-shadow:text"), "shadow:text has no opposite", id="negated comparison"),
        pytest.param(Configured(type="not-missing-answer"), "has no opposite", id="negated detector"),
        pytest.param(
            Configured(type="contains", value="a", threshold=1), "takes no `threshold:`", id="unread threshold"
        ),
        pytest.param(Configured(type="latency", value=1, threshold=1), "takes no `value:`", id="unread value"),
        pytest.param(Configured(type="latency"), "needs a `threshold:` in milliseconds", id="no threshold"),
        pytest.param(Configured(type="cost", threshold=-1), "zero or more", id="negative threshold"),
    ],
)
def test_a_mistake_names_its_remedy(configured: Configured, message: str) -> None:
    """What cannot be built is refused with its place, its label and what to do."""
    refused = said(configured)
    assert refused.startswith(f"checks[0] {configured.label}: ")
    assert message in refused


def test_all_mistakes_come_at_once() -> None:
    """Every wrong check is a line of its own; a label that is there twice is one of them."""
    lines = said(
        Configured(type="g-eval"), Configured(type="is-json"), Configured(type="is-json"), Configured(type="x")
    ).split("\n")
    assert [line.split(":")[0] for line in lines] == ["checks[0] g-eval", "checks[2] is-json", "checks[3] x"]
    assert "give one of them a `name:`" in lines[1]


def test_promptfoos_other_types_are_not_also_built_in() -> None:
    """A type is either available or named as not available yet."""
    assert not checks.NOT_YET & {kind.name for kind in checks.BUILT_IN}
    assert len({kind.name for kind in checks.BUILT_IN}) == len(checks.BUILT_IN)


PLUG = """
from evaluators.core.finding import assertion, passed

@assertion("polite", dimension="usefulness")
def polite(params):
    return lambda arm: passed()

both = [polite, assertion("kind", dimension="risk")(lambda params: lambda arm: passed())]
clash = assertion("is-json", dimension="risk")(lambda params: lambda arm: passed())
wrong = [1]
number = 1
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Installs a package that offers one object as a check."""

    def put(target: str) -> None:
        module = f"plug_{tmp_path.name}".replace("-", "_")
        (tmp_path / f"{module}.py").write_text(PLUG)
        info = tmp_path / "plug-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Name: plug\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[understudy.checks]\nextra = {module}:{target}\n")
        monkeypatch.syspath_prepend(str(tmp_path))

    return put


@pytest.mark.parametrize(("target", "names"), [("polite", {"polite"}), ("both", {"polite", "kind"})])
def test_checks_of_other_packages_are_found(install: Any, target: str, names: set[str]) -> None:
    """An entry point brings one check type, or several."""
    install(target)
    assert set(checks.registered()) - {kind.name for kind in checks.BUILT_IN} == names
    assert judge("not-polite", arm("")).result is Result.FAIL


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("absent", "does not load: AttributeError"),
        ("number", "does not load: TypeError"),
        ("wrong", "is not a CheckType"),
        ("clash", "exists already"),
    ],
)
def test_a_package_whose_check_is_not_one_stops_the_start(install: Any, target: str, message: str) -> None:
    """What does not load is refused by name, never left out."""
    install(target)
    with pytest.raises(BadCheck, match=message):
        checks.build([])


def test_params_read_values_and_refuse_others() -> None:
    """A text may be a number; a list holds texts; everything else is a mistake with a remedy."""
    assert Params("contains", 0).text() == "0"
    assert Params("contains-any", ["a", 1, 2.5]).texts() == ("a", "1", "2.5")
    assert Params("contains-any", "a, b").texts() == ("a", "b")

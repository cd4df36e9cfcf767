"""promptfoo configurations carried over: each loads and builds, and what is refused is refused by name and place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.load import ConfigError, load
from evaluators import checks, files
from evaluators.core.finding import Check, Doors, Result
from evaluators.core.reply import Request
from evaluators.importing.promptfoo import carried, named
from evaluators.importing.writing import files_of
from tests.evaluators.checks.arms import arm

CONFIGS = Path(__file__).parent / "configs"
WHOLE = sorted(path.name for path in CONFIGS.iterdir() if path.is_file() and path.name != "refused.yaml")
LIVE = "live: {base_url: https://api.example.com}\n"


def built(name: str, out: Path) -> dict[str, Check]:
    """The checks of a configuration that was carried over, written, loaded and built, by label."""
    found = carried(CONFIGS / name, out)
    assert not found.refused
    for path, text in files_of(found, CONFIGS / name, out / "checks.yaml").items():
        path.write_text(LIVE + text if path.name == "checks.yaml" else text)
    settings = load(out / "checks.yaml", os.environ)
    return {
        one.label: one
        for one in checks.build(settings.checks, Doors(read=files.read, embed=lambda texts: [(1.0,)] * len(texts)))
    }


def says(check: Check, text: str, prompt: str = "", **more: Any) -> Result:
    """What a check says about an answer to a prompt."""
    run: Any = check.run
    found: Result = run(arm(text, request=Request("openai-chat", prompt=prompt), **more)).result
    return found


@pytest.mark.parametrize("name", WHOLE)
def test_a_configuration_loads_and_builds(tmp_path: Path, name: str) -> None:
    """Nothing of these is refused, and what comes out is a configuration of this language."""
    assert built(name, tmp_path)


def test_the_configurations_cover_every_type() -> None:
    """Every type of promptfoo's that is available stands in one of them."""
    ours = ("shadow:", "golden")
    written = {kind for name in WHOLE for kind in _types(yaml.safe_load((CONFIGS / name).read_text()))}
    written |= {"equals"}  # also as a bare value of a table
    known = {kind.name for kind in checks.BUILT_IN} & PROMPTFOO
    assert not {kind for kind in known - written if not kind.startswith(ours)}


PROMPTFOO = frozenset(
    """
    assert-set bleu contains contains-all contains-any contains-html contains-json contains-sql contains-xml cost equals
    finish-reason gleu guardrails icontains icontains-all icontains-any is-html is-json is-refusal is-sql
    is-valid-function-call is-valid-openai-function-call is-valid-openai-tools-call is-xml latency levenshtein
    max-score meteor perplexity perplexity-score regex rouge-n skill-used starts-with tool-call-f1 trace-error-spans
    trace-span-count trace-span-duration trajectory:step-count trajectory:tool-args-match trajectory:tool-sequence
    trajectory:tool-used word-count python webhook similar similar:cosine similar:dot similar:euclidean
    """.split()
)


def _types(found: Any) -> set[str]:
    if isinstance(found, list):
        return {kind for one in found for kind in _types(one)}
    if not isinstance(found, dict):
        return set()
    own = {str(found["type"]).removeprefix("not-")} if isinstance(found.get("type"), str) else set()
    return own | {kind for one in found.values() for kind in _types(one)}


def test_default_assertions_become_checks_and_tests_a_golden_set(tmp_path: Path) -> None:
    """Variables of defaultTest are filled in; an item is found by the prompt's words."""
    found = built("support.yaml", tmp_path)
    question = "You help customers of Lamp & Co. Customer: {}"
    assert says(found["not-icontains"], "Lamp & Co is bankrupt") is Result.FAIL
    assert found["latency"].weight == 0
    assert found["tone"].type == "metric"
    golden = found["golden"]
    assert says(golden, "You get a refund.", question.format("How do I send a lamp back?")) is Result.PASS
    assert says(golden, "No refund.", question.format("How do I send a lamp back?")) is Result.FAIL
    assert says(golden, "In Ghent", question.format("Where are you?")) is Result.PASS
    assert says(golden, "In Bonn", question.format("Which city?")) is Result.FAIL
    assert says(golden, "In Bonn", question.format("Who are you?")) is Result.SKIP


def test_a_test_with_a_threshold_counts_what_defaulttest_asserts(tmp_path: Path) -> None:
    """Its score is that of all its assertions, inherited ones too: here six of nine, by weight, pass."""
    golden = built("support.yaml", tmp_path)["golden"]
    run: Any = golden.run
    prompt = "You help customers of Lamp & Co. Customer: Is the shade included?"
    request = Request("openai-chat", prompt=prompt)
    found = run(arm("It is.", request=request, cost=0.001))
    assert found.result is Result.PASS
    assert found.score == pytest.approx(5 / 8)


def test_the_transform_of_a_test_comes_before_those_of_its_assertions(tmp_path: Path) -> None:
    """Two transforms become one, and an object is compared as one."""
    found = built("json_output.yaml", tmp_path)
    answer = '{"age": 36, "name": "Ada"}'
    assert says(found["equals ADA-36"], answer) is Result.PASS
    assert says(found["is-json"], '{"name": "Ada"}') is Result.FAIL
    assert says(found["golden"], answer, "Ada is 36.") is Result.PASS


def test_a_table_of_tests_becomes_items(tmp_path: Path) -> None:
    """Every prompt with every row; columns say threshold, metric and suffix."""
    golden = built("table.yaml", tmp_path)["golden"]
    assert says(golden, "bonjour", "Translate to French: Good day") is Result.PASS
    assert says(golden, "something else", "In French, please: Good day") is Result.FAIL
    assert says(golden, "x", "Translate to French: Two") is Result.PASS  # a threshold of 0 always holds
    assert says(golden, "Vielen Dank", "Translate to German: Thank you!") is Result.PASS
    assert says(golden, "thank", "Translate to German: Thank you!") is Result.FAIL


def test_templates_sets_and_weights_are_kept(tmp_path: Path) -> None:
    """A threshold of defaultTest makes a set; a template of everyone's stays one; max-score stands beside the set."""
    found = carried(CONFIGS / "weighted.yaml", tmp_path)
    assert found.templates["polite"] == {"type": "icontains-any", "value": ["please", "thank"], "metric": "manners"}
    assert [one["type"] for one in found.checks] == ["assert-set", "max-score"]
    assert found.checks[0]["assert"][1] == {"$ref": "#/templates/brief", "type": "word-count", "weight": 3}
    assert built("weighted.yaml", tmp_path)["assert-set"].run(arm("Thank you.")).score == 1.0  # type: ignore[call-arg]


def test_transforms_do_what_they_did(tmp_path: Path) -> None:
    """The expressions that people write, on answers as they come."""
    found = built("transforms.yaml", tmp_path)
    assert says(found["equals 42"], " 42\n") is Result.PASS
    assert says(found["equals 5"], "5 Items") is Result.PASS
    assert says(found["contains Paris"], '{"cities": [{"name": "Paris"}]}') is Result.PASS
    assert says(found["contains Paris"], "Paris") is Result.FAIL
    assert says(found["is-json"], "```json\n{}\n```") is Result.PASS
    assert says(found["equals long"], "w " * 101) is Result.PASS


def test_files_are_found_from_where_the_output_lies(tmp_path: Path) -> None:
    """A reference of the promptfoo file is written as seen from the new one."""
    out = tmp_path / "deep" / "er"
    out.mkdir(parents=True)
    found = built("external.yaml", out)
    assert says(found["not-contains"], "some forbidden words") is Result.FAIL
    assert says(found["golden"], "dutch", "Translate to Dutch: Good night") is Result.PASS


def test_everything_else_is_refused_by_name_and_place(tmp_path: Path) -> None:
    """Each line of the file that is not carried over has its note, with the remedy."""
    found = carried(CONFIGS / "refused.yaml", tmp_path)
    lines = (CONFIGS / "refused.yaml").read_text().splitlines()
    noted = {one.line for one in found.refused}
    expected = {number for number, line in enumerate(lines, 1) if line.lstrip().startswith("- ")} - {39, 41}
    assert expected <= noted
    text = "\n".join(map(str, found.refused))
    for name in REFUSED:
        assert name in text
    assert [one["type"] for one in found.checks] == ["equals"]  # the bare words
    assert {one.key for one in found.ignored} >= {"description", "providers", "defaultTest.options.provider"}


REFUSED = """javascript ruby pi search-rubric agent-rubric llm-rubric g-eval factuality model-graded-closedqa
select-best human promptfoo:redteam:harmful contians rubricPrompt valeu {{nobody}} reverse context t.js
absent.json scenarios
derivedMetrics extensions nunjucksFilters redteam evaluateOptoins assertScoringFunction storeOutputAs prompt.py
max-score prompts transformVars postprocess disableDefaultAsserts absent.yaml tests.py q.pdf threshold""".split()


@pytest.mark.parametrize(
    ("text", "message"),
    [("- a", "a table belongs here"), ("a: [", "not YAML"), ("a: 1\na: 2", "given twice")],
)
def test_what_is_no_configuration_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    """There is nothing to carry, and the place is named."""
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        carried(tmp_path / "p.yaml", tmp_path)
    with pytest.raises(ConfigError, match="No such file"):
        carried(tmp_path / "absent.yaml", tmp_path)


def test_checks_get_names_of_their_own() -> None:
    """Out of the metric or the value; numbered where that is not enough."""
    found: list[dict[str, Any]] = [
        {"type": "contains", "value": "a"},
        {"type": "contains", "value": "a"},
        {"type": "contains", "value": ["b"], "metric": "tone"},
        {"type": "contains", "value": 5},
        {"type": "is-json"},
    ]
    named(found)
    labels = [one.get("name", one["type"]) for one in found]
    assert labels == ["contains a", "contains a 2", "contains tone", "contains", "is-json"]


def test_the_name_of_a_hook_shows_no_key() -> None:
    """Names stand in reports and metrics; the address of a hook may hold a credential."""
    found = [
        {"type": kind, "value": f"https://me:pw@h{at}.example.com/a?key=K"}
        for at, kind in enumerate(["webhook", "webhook", "not-webhook", "not-webhook"])
    ]
    named(found)
    assert [one["name"] for one in found] == [
        "webhook h0.example.com",
        "webhook h1.example.com",
        "not-webhook h2.example.com",
        "not-webhook h3.example.com",
    ]


def test_a_file_that_repeats_itself_without_end_is_refused(tmp_path: Path) -> None:
    """A few lines of aliases can stand for more values than fit into memory; a file of tests is held to the same."""
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    for text in ("\n".join(lines), "a: &a [*a]"):
        (tmp_path / "bomb.yaml").write_text(text)
        (tmp_path / "p.yaml").write_text("tests: file://bomb.yaml")
        with pytest.raises(ConfigError, match=r"repeat too much|contains itself"):
            carried(tmp_path / "bomb.yaml", tmp_path)
        found = carried(tmp_path / "p.yaml", tmp_path)
        assert ["write fewer" in one.message or "cannot be read" in one.message for one in found.refused] == [True]


def test_a_default_that_tests_change_goes_into_their_items(tmp_path: Path) -> None:
    """An assertion on a variable that differs from test to test cannot be one check for every call."""
    (tmp_path / "p.yaml").write_text(
        "prompts: ['{{q}}']\n"
        "defaultTest: {vars: {a: x}, assert: [{type: contains, value: '{{a}}'}, {type: is-json}]}\n"
        "tests: [{vars: {q: one}}, {vars: {q: two, a: y}}]\n"
    )
    found = carried(tmp_path / "p.yaml", tmp_path)
    assert [one["type"] for one in found.checks] == ["is-json"]
    assert [(one["prompt"], one["assert"][0]["value"]) for one in found.golden] == [("one", "x"), ("two", "y")]

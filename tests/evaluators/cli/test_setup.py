"""config and doctor say what is wrong before it hurts."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.evaluators.cli.conftest import Type
from tests.evaluators.stocked import RULES, configured

EXAMPLES = Path(__file__).parents[3] / "config" / "examples"
SECRETS = """
live: {base_url: "http://127.0.0.1:9", api_key: sk-live-1}
dashboard: {token: sk-token-2-which-is-long}
candidates: [{name: mini, api_key: sk-mini-3, headers: {Authorization: sk-head-4, X-Team: core}}]
queue: {url: "redis://user:sk-queue-5@h:1/0"}
"""


def test_a_good_file(typed: Type, file: Path) -> None:
    """Nothing to say is said to the person, and as data."""
    done = typed("config", "check", file)
    assert (done.code, done.out, done.err) == (0, "", f"{file}: no mistakes\n")
    assert typed("config", "check", "-c", file).code == 0
    done = typed("config", "check", file, "--json")
    assert (done.code, done.json) == (0, {"schema": 1, "file": str(file), "mistakes": []})


@pytest.mark.parametrize("name", ["minimal.yaml", "full.yaml"])
def test_the_examples(typed: Type, name: str) -> None:
    """What the examples show works."""
    done = typed("config", "check", EXAMPLES / name)
    assert (done.code, done.out) == (0, ""), done.err


@pytest.mark.parametrize(
    ("more", "place", "said"),
    [
        pytest.param("gatez: []", "4:1", "did you mean `gates`", id="unknown key"),
        pytest.param("alpha: 2", "4:1", "too large", id="out of range"),
        pytest.param("checks: [is-jsn]", "4:10", "did you mean 'is-json'", id="unknown check"),
        pytest.param("checks: [contains]", "4:10", "contains", id="a check without its value"),
        pytest.param("judges: {}", "4:1", "not available yet", id="not yet"),
        pytest.param("topics: {a: ['re:(']}", "4:", "", id="no regular expression"),
        pytest.param("checks: [", "", "not YAML", id="not YAML"),
    ],
)
def test_a_bad_file(typed: Type, tmp_path: Path, more: str, place: str, said: str) -> None:
    """A mistake has file, line and column, for people and for programs."""
    file = configured(tmp_path, more)
    done = typed("config", "check", file)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"{file}:{place}")
    assert said in done.err
    done = typed("config", "check", file, "--json")
    assert (done.code, done.err) == (2, "")
    (mistake,) = done.json["mistakes"]
    assert set(mistake) == {"file", "line", "column", "key", "message"}
    assert said in mistake["message"]


def test_show_hides_secrets(typed: Type, tmp_path: Path) -> None:
    """The settings in effect, defaults filled in, without any credential."""
    file = tmp_path / "s.yaml"
    file.write_text(SECRETS)
    for form in ([], ["--json"]):
        done = typed("config", "show", "-c", file, *form)
        assert (done.code, done.err) == (0, "")
        assert "sk-" not in done.out
        shown = yaml.safe_load(done.out)
        assert shown["candidates"][0]["headers"] == {"Authorization": "***", "X-Team": "core"}
        assert shown["listen"] == "127.0.0.1:8080"


def test_the_schema_is_the_committed_one(typed: Type) -> None:
    """Editors get what the repository holds, and it accepts the example."""
    done = typed("config", "schema")
    assert (done.code, done.err) == (0, "")
    assert done.json == json.loads((EXAMPLES / "schema.json").read_bytes())
    jsonschema.Draft7Validator.check_schema(done.json)


def test_doctor_on_bad_surroundings(typed: Type, tmp_path: Path) -> None:
    """An upstream that cannot be reached is trouble, with the remedy; the rest is still looked at."""
    file = configured(tmp_path, "queue: {url: 'redis://127.0.0.1:1/0'}\n" + RULES)
    done = typed("doctor", "-c", file, "--json")
    assert (done.code, done.err) == (2, "")
    assert (done.json["schema"], done.json["healthy"]) == (1, False)
    states = {one["what"]: one["state"] for one in done.json["findings"]}
    assert (states["live"], states["mini"], states["queue"]) == ("wrong", "wrong", "wrong")
    assert (states["aiohttp"], states["configuration"], states["store"]) == ("fine", "fine", "fine")
    done = typed("doctor", "-c", file)
    assert done.code == 2
    assert "127.0.0.1:9 cannot be reached" in done.out


def test_doctor_on_a_bad_file(typed: Type, tmp_path: Path) -> None:
    """Mistakes of the file are findings with their place."""
    file = configured(tmp_path, "checks: [is-jsn]\n")
    done = typed("doctor", "-c", file)
    assert (done.code, done.err) == (2, "")
    assert f"{file}:4:10" in done.out


PROMPTFOO = """
prompts: ["{{q}}"]
defaultTest:
  assert:
    - type: not-contains
      value: As an AI
%s
tests:
  - vars: {q: "What is tea?"}
    assert: [{type: contains, value: leaf}]
"""
UNCARRIED = "    - type: javascript\n      value: output.length"


def test_a_promptfoo_file_is_carried_over(typed: Type, tmp_path: Path) -> None:
    """What is written is a configuration; what is there already is not written over."""
    file, out = tmp_path / "p.yaml", tmp_path / "checks.yaml"
    file.write_text(PROMPTFOO % "")
    done = typed("config", "import", "promptfoo", file, "-o", out)
    golden = tmp_path / "checks.golden.yaml"
    assert (done.code, done.out, done.err) == (0, "", f"wrote {out}, {golden}: 1 checks, 1 golden items\n")
    out.write_text("live: {base_url: 'http://127.0.0.1:9'}\n" + out.read_text())
    assert typed("config", "check", out).code == 0
    again = typed("config", "import", "promptfoo", file, "-o", out)
    assert again.code == 2
    assert "is there already" in again.err


def test_what_is_not_carried_over_stops_it(typed: Type, tmp_path: Path) -> None:
    """Nothing is written unless the rest is asked for; programs get the places as data."""
    file, out = tmp_path / "p.yaml", tmp_path / "checks.yaml"
    file.write_text(PROMPTFOO % UNCARRIED)
    done = typed("config", "import", "promptfoo", file, "-o", out)
    assert (done.code, done.out, out.exists()) == (2, "", False)
    assert done.err.startswith(f"{file}:7:7: defaultTest.assert.1: javascript: JavaScript does not run here; ")
    assert "--skip-refused" in done.err
    data = typed("config", "import", "promptfoo", file, "--json")
    assert (data.code, data.err, data.json["written"]) == (2, "", [])
    assert (data.json["refused"][0]["line"], data.json["checks"][0]["type"]) == (7, "not-contains")
    rest = typed("config", "import", "promptfoo", file, "--skip-refused")
    assert rest.code == 0
    assert [one["type"] for one in yaml.safe_load(rest.out)["checks"]] == ["not-contains", "golden"]

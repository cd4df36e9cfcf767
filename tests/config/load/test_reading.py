"""File and environment to Settings: whole files, all mistakes at once, no secrets shown."""

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.load import ConfigError, load, parse

LEAST = "live: {base_url: https://a.example}\n"


def mistakes(text: str, directory: Path = Path(), **environ: str) -> list[str]:
    """The lines of the error that this text causes."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "u.yaml", environ, directory)
    return str(caught.value).splitlines()


def test_least() -> None:
    """One key is enough."""
    assert parse(LEAST, "u.yaml", {}, Path()).live.base_url == "https://a.example"


def test_types_from_the_environment() -> None:
    """Variables become numbers, durations, texts, by what the place wants."""
    text = LEAST + "queue:\n  max_pairs: ${N}\n  memory: ${M}\ncontrol:\n  sample: ${S}\nalpha: ${A}\ndata: ${N}\n"
    found = parse(text, "u.yaml", {"N": "500", "M": "1MiB", "S": "20%", "A": "0.1"}, Path())
    assert (found.queue.max_pairs, found.queue.memory, found.data) == (500, 1 << 20, "500")
    assert (found.control.sample, found.alpha) == (0.2, 0.1)


def test_secret_that_looks_like_a_number() -> None:
    """A key of digits stays a text."""
    found = parse("live:\n  base_url: https://a.example\n  api_key: ${K}\n", "u.yaml", {"K": "0123"}, Path())
    assert found.live.api_key is not None
    assert found.live.api_key.get_secret_value() == "0123"


def test_mounted_secrets(tmp_path: Path) -> None:
    """`file:` reads a mounted secret without its line end, absolute or beside the configuration."""
    (tmp_path / "key").write_text("hunter2\n")
    text = f"live: {{base_url: https://a.example, api_key: 'file:{tmp_path}/key'}}\ndashboard: {{token: 'file:key'}}\n"
    found = parse(text, "u.yaml", {}, tmp_path)
    assert found.live.api_key is not None
    assert found.dashboard.token is not None
    assert found.live.api_key.get_secret_value() == found.dashboard.token.get_secret_value() == "hunter2"


def test_prompt_file(tmp_path: Path) -> None:
    """A system prompt's file becomes its content, whole."""
    (tmp_path / "prompt.txt").write_text("Be brief.\n", encoding="utf-8")
    text = LEAST + "candidates: [{name: m, system_prompt: {file: prompt.txt}}]\n"
    prompt = parse(text, "u.yaml", {}, tmp_path).candidates[0].system_prompt
    assert prompt is not None
    assert (prompt.replace, prompt.file) == ("Be brief.\n", None)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff"], ids=["missing", "empty", "blank", "not UTF-8"])
def test_unreadable_secret(tmp_path: Path, content: bytes | None) -> None:
    """A mounted secret that is missing, empty or no text is a mistake at the key that names it."""
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    (line,) = mistakes("live:\n  base_url: https://a.example\n  api_key: file:key\n", tmp_path)
    assert line.startswith(f"u.yaml:3:3: live.api_key: the file {tmp_path / 'key'} ")


EVERYTHING = """\
listen: 0.0.0.0:99999
live:
  baseUrl: https://a.example
  timeout: {idle: 5, first_byte: 2.5}
judges: {}
candidates:
  - name: Mini
  - {name: m, system_prompt: {file: nope.txt}, sample: "${SAMPLE}"}
  - {name: m, system_prompt: {}, budget: {}}
capture: {headers: [Cookie]}
slices: [languages, tag:zz]
topics: {a: ["re:("]}
shadow_paths: [POST]
checks: [is-json, is-json, {typ: x}]
gates:
  - {name: g, check: nope, red_line: 1%}
  - {name: g, metric: cost, max_ratio: 2}
alpha: 3%
alpha: 4%
data: ${NOPE}
queue:
  url: ${QUEUE}
"""


def test_everything_at_once() -> None:
    """Every mistake is told in one go, in the order of the file, and none twice."""
    found = mistakes(EVERYTHING, Path("/nowhere"), SAMPLE="hunter2", QUEUE="http://hunter2@q")
    assert [line.split(": ")[0] + " " + line.split(": ")[1] for line in found] == [
        "u.yaml:1:1 listen",
        "u.yaml:2:1 live.base_url",
        "u.yaml:3:3 live.baseUrl",
        "u.yaml:4:13 live.timeout.idle",
        "u.yaml:4:22 live.timeout.first_byte",
        "u.yaml:5:1 judges",
        "u.yaml:7:5 candidates.0.name",
        "u.yaml:8:31 candidates.1.system_prompt.file",
        "u.yaml:8:48 candidates.1.sample",
        "u.yaml:9:15 candidates.2.system_prompt",
        "u.yaml:9:34 candidates.2.budget",
        "u.yaml:10:21 capture.headers.0",
        "u.yaml:11:10 slices.0",
        "u.yaml:11:21 slices.1",
        "u.yaml:12:14 topics.a.0",
        "u.yaml:13:16 shadow_paths.0",
        "u.yaml:14:28 checks.2.type",
        "u.yaml:14:29 checks.2.typ",
        "u.yaml:17:6 gates.1.name",
        "u.yaml:19:1 alpha",
        "u.yaml:20:1 data",
        "u.yaml:22:3 queue.url",
    ]
    assert "hunter2" not in "".join(found)


def test_rules_alone() -> None:
    """Contradictions in a file of valid tables are told too, and announcements come before corrections."""
    assert mistakes(LEAST + "slices: [languages, topik]\nops: 127.0.0.1:8080\n") == [
        "u.yaml:2:10: slices.0: languages is no slice; write one of route, model, turn, topic, tools, response_format, "
        "prompt_length, stream, language, or tag:NAME",
        "u.yaml:2:21: slices.1: topik is no slice; write one of route, model, turn, topic, tools, response_format, "
        "prompt_length, stream, language, or tag:NAME",
        "u.yaml:3:1: ops: 127.0.0.1:8080 is already taken by another key; give another port",
    ]


def test_no_echo() -> None:
    """A value that could not be read is one mistake, not also a missing one."""
    (line,) = mistakes("live:\n  base_url: ${URL}\n")
    assert "URL is not set" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "1:1: the file is empty", id="empty"),
        pytest.param("# nothing\n", "1:1: the file is empty", id="comment"),
        pytest.param("- a\n", "1:1: a table belongs here", id="a list"),
        pytest.param("hello\n", "1:1: a table belongs here", id="a word"),
        pytest.param("live: [\n", "this is not YAML", id="no YAML"),
        pytest.param("[a]: 1\n", "a key must be a plain word", id="a list as a key"),
        pytest.param("x-only: 1\n", "nobody would answer: give `live:", id="only anchors"),
        pytest.param("candidates: 5\n" + LEAST, "candidates: a list belongs here", id="candidates is a number"),
        pytest.param("candidates: [5]\n" + LEAST, "candidates.0: a table", id="candidate is a number"),
    ],
)
def test_other_shapes(text: str, said: str) -> None:
    """Whatever the file is, the answer is a sentence with a place."""
    found = mistakes(text)
    assert found[0].startswith("u.yaml:")
    assert said in found[0]


def test_load(tmp_path: Path) -> None:
    """A file is read with or without a byte order mark, and mistakes carry its path."""
    path = tmp_path / "understudy.yaml"
    path.write_text("\ufeff" + LEAST, encoding="utf-8")
    assert load(path, {}).candidates == []
    path.write_text("live: {}\n")
    with pytest.raises(ConfigError, match=rf"^{path}:1:1: live\.base_url: "):
        load(path, {})


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not UTF-8"])
def test_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    """A file that cannot be read is a mistake like any other."""
    path = tmp_path / "understudy.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"understudy\.yaml:1:1: "):
        load(path, {})


JUNK = (None, True, 5, -1, 0.5, "x", "5s", "${A}", "${UNSET}", [], {}, [5], {"a": {"b": []}}, "file:nope", "re:(")


def test_any_file() -> None:
    """Whatever a person replaces in the full example, the answer is settings or a ConfigError, and the same twice."""
    dice = random.Random(11)
    whole = yaml.safe_load((Path(__file__).parents[3] / "config" / "examples" / "full.yaml").read_text("utf-8"))
    refused: list[ConfigError] = []
    for _ in range(120):
        spoiled = copy.deepcopy(whole)
        for _ in range(dice.randint(1, 4)):
            spoil(spoiled, dice)
        try:
            parse(yaml.safe_dump(spoiled), "u.yaml", {"A": "7"}, Path("/nowhere"))
        except ConfigError as error:
            refused.append(error)
    assert len(refused) > 60
    assert all(len(set(error.mistakes)) == len(error.mistakes) > 0 for error in refused)


def spoil(node: Any, dice: random.Random) -> None:
    """Replace one value somewhere below, deeper ones as likely as shallow ones."""
    key = dice.choice(list(node) if isinstance(node, dict) else range(len(node)))
    if isinstance(node[key], dict | list) and node[key] and dice.random() < 0.8:
        spoil(node[key], dice)
    else:
        node[key] = dice.choice(JUNK)

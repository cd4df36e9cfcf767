"""What comes out, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import parse
from evaluators import files
from evaluators.importing.promptfoo import Carried
from evaluators.importing.writing import configuration, files_of

TEXTS = ["5", "1e3", "no", "true", "~", "", "${HOME} $$ $x $${y}", "a: b", "two\nlines", " # x", "'\"", "- a", "010"]
TEXTS += [
    "a\x85b",
    "\u2028",
    "x\n\u2029y",
    "\r\n",
    "*a",
    "&a",
    "!x",
    "file:x",
    "  a\n b",
    "a\n\n",
    "\ufeff",
    "\x07",
    "😀",
]
LIVE = "live: {base_url: https://api.example.com}\n"


def test_texts_come_back_as_they_were(tmp_path: Path) -> None:
    """Nothing becomes a number, and no text a variable of the environment."""
    found = Carried(checks=[{"type": "contains", "name": f"n{at}", "value": text} for at, text in enumerate(TEXTS)])
    settings = parse(LIVE + configuration(found, Path("p.yaml")), "x.yaml", {}, tmp_path)
    assert [one.value for one in settings.checks] == TEXTS


MARKS = "$${}{}*&!#:-?|>%@`'\",[]<=~ \t\n\r\x85\u2028\u2029\ufeff\x07\x7f019.eE+_xnoyé日😀\\/file:"
WRITTEN = st.one_of(st.text(st.sampled_from(MARKS), max_size=30), st.text(st.characters(exclude_categories=["Cs"])))


@settings(max_examples=300, deadline=None)
@given(WRITTEN, WRITTEN)
def test_any_text_comes_back(one: str, other: str) -> None:
    """Written and read again a text is the same, in the configuration and in the golden set; nothing is filled in."""
    check = {"type": "contains-any", "value": [one, other]}
    text = configuration(Carried(checks=[check, {"type": "equals", "value": one}]), Path("p.yaml"))
    found = parse(LIVE + text, "x.yaml", dict.fromkeys("xno_fil", "FILLED"), Path("/"))
    assert [check.value for check in found.checks] == [[one, other], one]
    items = [{"name": "n", "prompt": one, "assert": [check]}]
    written = files_of(Carried(golden=items), Path("p.yaml"), Path("c.yaml"))
    assert files.parse(written[Path("c.golden.yaml")], Path("g.yaml")) == items


def test_the_golden_set_lies_beside_or_inside(tmp_path: Path) -> None:
    """Beside the file that is written, inside what is printed; with a name of its own where `golden` is taken."""
    items: list[dict[str, Any]] = [{"name": "n", "prompt": text, "assert": ["is-json"]} for text in TEXTS]
    found = Carried(checks=[{"type": "is-json", "name": "golden"}], golden=items)
    written = files_of(found, Path("p.yaml"), tmp_path / "c.yaml")
    assert [path.name for path in written] == ["c.yaml", "c.golden.yaml"]
    assert files.parse(written[tmp_path / "c.golden.yaml"], Path("g.yaml")) == items
    check = yaml.safe_load(written[tmp_path / "c.yaml"])["checks"][1]
    assert check == {"type": "golden", "name": "golden set", "value": "file://c.golden.yaml"}
    assert "prompt:" in configuration(found, Path("p.yaml"))


def test_a_template_has_the_type(tmp_path: Path) -> None:
    """The check beside it does not say it again, nor does a member of a set."""
    one = {"$ref": "#/templates/t", "type": "is-json", "weight": 2}
    found = Carried(checks=[one, {"type": "assert-set", "assert": [one]}], templates={"t": {"type": "is-json"}})
    text = configuration(found, Path("p.yaml"))
    assert text.count("type: is-json") == 1
    settings = parse(LIVE + text, "x.yaml", {}, tmp_path)
    assert (settings.checks[0].type, settings.checks[1].members[0].weight) == ("is-json", 2)

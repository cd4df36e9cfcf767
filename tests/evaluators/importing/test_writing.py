"""What comes out, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from config.load import parse
from evaluators import files
from evaluators.importing.promptfoo import Carried
from evaluators.importing.writing import configuration, files_of

TEXTS = ["5", "1e3", "no", "true", "~", "", "${HOME} $$ $x $${y}", "a: b", "two\nlines", " # x", "'\"", "- a", "010"]
LIVE = "live: {base_url: https://api.example.com}\n"


def test_texts_come_back_as_they_were(tmp_path: Path) -> None:
    """Nothing becomes a number, and no text a variable of the environment."""
    found = Carried(checks=[{"type": "contains", "name": f"n{at}", "value": text} for at, text in enumerate(TEXTS)])
    settings = parse(LIVE + configuration(found, Path("p.yaml")), "x.yaml", {}, tmp_path)
    assert [one.value for one in settings.checks] == TEXTS


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

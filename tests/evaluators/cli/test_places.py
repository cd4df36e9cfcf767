"""What the evaluators refuse is told with its place in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import ConfigError
from evaluators.cli.places import checked
from tests.evaluators.stocked import configured


def test_a_good_file(tmp_path: Path) -> None:
    """A file without mistakes gives its settings."""
    assert checked(configured(tmp_path)).candidates[0].name == "mini"


@pytest.mark.parametrize(
    ("more", "places", "said"),
    [
        pytest.param("checks: [is-jsn]", ["4:10: checks.0"], "did you mean 'is-json'", id="unknown check"),
        pytest.param(
            "checks:\n  - is-json\n  - {type: contains}\n  - {type: missing-answer, value: 7}\n",
            ["6:5: checks.1", "7:5: checks.2"],
            "contains",
            id="several",
        ),
        pytest.param("checks: [llm-rubric]", ["4:10: checks.0"], "not available yet", id="not yet"),
    ],
)
def test_mistakes(tmp_path: Path, more: str, places: list[str], said: str) -> None:
    """Every mistake has line, column and key."""
    file = configured(tmp_path, more)
    with pytest.raises(ConfigError) as caught:
        checked(file)
    lines = str(caught.value).splitlines()
    assert [": ".join(line.split(": ")[:2]) for line in lines] == [f"{file}:{place}" for place in places]
    assert said in str(caught.value)

"""Rows: one finding each, whatever its name."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from evaluators.core.render.rows import MOST_NAME, ends, group, head, row, rows_over, section
from evaluators.core.stats.interval import Interval
from tests.evaluators.core.render.pages import read
from tests.evaluators.core.samples import HOSTILE


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    """Names are text, and isolated from what surrounds them."""
    shown = section(
        "Title", "Lead.", head("a", "b", "c"), [group(name, ""), row(name, name, Markup(), "1", (name,))], Markup()
    )
    found = read(shown)
    assert found.tags <= {"h3", "p", "div", "span", "bdi", "small", "strong"}
    assert found.attributes == {"class"}


def test_row() -> None:
    """Empty notes have no line, long names are cut, and more comes last."""
    shown = row("n" * 200, "under", Markup("<svg></svg>"), "+1", ("", "note"), Markup("<p>more</p>"))
    assert shown.count("<small>") == 2
    assert "n" * (MOST_NAME - 1) + "…</bdi>" in shown
    assert shown.endswith("<small>note</small></div><p>more</p></div>")


def test_group() -> None:
    """A layer's name is a word of its own."""
    assert group("format", "whether <it>") == ('<p class="group"><strong>Format</strong> whether &lt;it&gt;</p>')


def test_rows_and_ends() -> None:
    """The axis comes after the rows."""
    shown = rows_over(Markup("<i></i>"), [Markup("<b></b>")], Markup("<u></u>"))
    assert shown.index("<i>") < shown.index("<b>") < shown.index("<u>")
    assert ends(Interval(-1.0, 2.0)) == (-1.0, 2.0)

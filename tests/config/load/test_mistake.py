"""How a mistake is written."""

import pytest

from config.load.mistake import ConfigError, Mistake, dotted


@pytest.mark.parametrize(
    ("mistake", "written"),
    [
        (Mistake("u.yaml", 3, 5, "live.base_url", "is wrong"), "u.yaml:3:5: live.base_url: is wrong"),
        (Mistake("u.yaml", 1, 1, "", "cannot be read"), "u.yaml:1:1: cannot be read"),
    ],
)
def test_text(mistake: Mistake, written: str) -> None:
    """A mistake is one line that an editor can jump to."""
    assert str(mistake) == written


def test_error() -> None:
    """The error's text has one line for each mistake."""
    mistakes = (Mistake("a", 1, 1, "x", "one"), Mistake("a", 2, 1, "y", "two"))
    assert str(ConfigError(mistakes)) == "a:1:1: x: one\na:2:1: y: two"
    assert ConfigError(mistakes).mistakes == mistakes


def test_order() -> None:
    """Mistakes sort by place, not by text."""
    assert Mistake("a", 2, 1, "", "") < Mistake("a", 10, 1, "", "")


def test_dotted() -> None:
    """Keys and positions are joined by dots."""
    assert dotted(("candidates", 0, "name")) == "candidates.0.name"

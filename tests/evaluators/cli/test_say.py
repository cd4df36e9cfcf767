"""Data goes to stdout and words to stderr; a window of time begins so long ago."""

from __future__ import annotations

import time

import pytest
import typer

from evaluators.cli.say import coloured, put, put_json, say, start_of


def test_where_words_go(capsys: pytest.CaptureFixture[str]) -> None:
    """Words for a person never mix with the data."""
    say("a word")
    put("data")
    put("line\n")
    put_json({"schema": 1, "city": "Köln"})
    out, err = capsys.readouterr()
    assert (out, err) == ('data\nline\n{\n  "schema": 1,\n  "city": "Köln"\n}\n', "a word\n")


@pytest.mark.parametrize(("since", "seconds"), [("24h", 86400), ("7d", 604800), ("250ms", 0.25), ("90s", 90)])
def test_a_window_begins_so_long_ago(since: str, seconds: float) -> None:
    """`--since` counts back from now."""
    assert start_of(since) == pytest.approx(time.time() - seconds, abs=1)


@pytest.mark.parametrize("since", ["", "40000d", f"{'9' * 400}d"])
def test_everything(since: str) -> None:
    """No window, and one that begins before time, are everything."""
    assert start_of(since) == 0.0


@pytest.mark.parametrize("since", ["24", "-1h", "1 week", "h", "\x1b[2J"])
def test_what_is_no_duration(since: str) -> None:
    """Anything else is wrong usage."""
    with pytest.raises(typer.BadParameter):
        start_of(since)


def test_a_file_has_no_colours() -> None:
    """What is not a terminal gets plain text."""
    assert not coloured()

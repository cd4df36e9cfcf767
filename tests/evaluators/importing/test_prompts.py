"""The last user turn of a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluators.importing.filling import Unfilled
from evaluators.importing.prompts import DEFAULT, asked, prompts
from evaluators.importing.source import Notes, Source

CHAT = '[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "{{q}}"}]'


@pytest.mark.parametrize(
    ("prompt", "turn"),
    [
        ("Say {{q}}", "Say x"),
        (CHAT, "x"),
        ("- role: system\n  content: be kind\n- role: user\n  content: say {{q}}\n", "say x"),
        ('{"messages": [{"role": "user", "content": [{"type": "text", "text": "{{q}}"}, {"type": "image"}]}]}', "x\n"),
        ("- a list\n- of words", "- a list\n- of words"),
        ("{not json", "{not json"),
        (DEFAULT, "p"),
    ],
)
def test_the_last_user_turn_is_found(prompt: str, turn: str) -> None:
    """Of a chat the last message of the user, of a text the whole."""
    assert asked(prompt, {"q": "x", "prompt": "p"}) == turn


def test_a_chat_without_a_user_is_refused() -> None:
    """Nothing of it would be found in the traffic."""
    with pytest.raises(Unfilled, match="no user message"):
        asked('[{"role": "system", "content": "x"}]', {})


def read(tmp_path: Path, written: Any) -> tuple[list[str], list[str]]:
    """The prompts, and what is refused."""
    notes = Notes()
    found = prompts(Source(tmp_path / "p.yaml", {"prompts": written}, {}, notes))
    return found, [one.message for one in notes.refused]


def test_prompts_come_as_texts_tables_and_files(tmp_path: Path) -> None:
    """A text file may hold several."""
    (tmp_path / "a.txt").write_text("one\n---\ntwo\n")
    (tmp_path / "b.json").write_text("[]")
    written = ["inline", {"raw": "raw", "label": "l"}, {"id": "file://a.txt"}, "b.json"]
    assert read(tmp_path, written) == (["inline", "raw", "one", "two", "[]"], [])
    assert read(tmp_path, "file://*.txt")[0] == ["one", "two"]
    assert read(tmp_path, None)[0] == [DEFAULT]


def test_prompts_that_are_code_are_refused(tmp_path: Path) -> None:
    """So are files that are not there."""
    found, refused = read(tmp_path, ["file://a.py:f", "file://absent.txt", 5])
    assert not found
    assert [why.split(";")[1] for why in refused] == [
        " write the prompt out, or save it as .txt or .json",
        " correct the path",
        " write it so",
    ]

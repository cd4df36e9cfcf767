"""Hostile text loses what acts on its surroundings, and nothing else."""

from __future__ import annotations

import pytest

from evaluators.core.render.safe import block, line


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param("plain <b> & text", "plain <b> & text", id="markup-is-the-renderer's"),
        pytest.param("a\x00b\x1b[31mc\x7f", "a�b�[31mc�", id="controls"),
        pytest.param("\u202egnp.exe\u2066", "�gnp.exe�", id="direction"),
        pytest.param("\ud800x\ufeff", "�x�", id="surrogate-and-mark"),
        pytest.param("a\r\nb\tc  d\n", "a b c d", id="one-line"),
        pytest.param("a\rb", "a�b", id="carriage-return"),
        pytest.param("مرحبا 你好 👍", "مرحبا 你好 👍", id="languages-stay"),
    ],
)
def test_line(given: str, shown: str) -> None:
    """One line, harmless."""
    assert line(given) == shown


def test_long_lines_are_cut() -> None:
    """What is cut says so."""
    assert line("x" * 9, 5) == "xxxx…"
    assert line("x" * 5, 5) == "xxxxx"


def test_block_keeps_line_breaks() -> None:
    """An answer keeps its shape."""
    assert block("a\r\n  b\x1b\n") == "a\n  b�\n"

"""Answers that are kept."""

from __future__ import annotations

from proxy.core.remembering import LIMIT, LONGEST, Remembered


def test_asks_once() -> None:
    """The function is asked for each text, and not again."""
    asked: list[str] = []

    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    lengths = Remembered(length)
    assert [lengths["a"], lengths["bb"], lengths["a"]] == [1, 2, 1]
    assert asked == ["a", "bb"]


def test_never_grows_beyond_its_bound() -> None:
    """Whoever sends ever new names gets answers, and what is kept stays small."""
    lengths: Remembered[bytes, int] = Remembered(len)
    for at in range(3 * LIMIT):
        assert lengths[b"%d" % at] == len(str(at))
        assert len(lengths) <= LIMIT
    assert lengths[b"x" * LONGEST] == LONGEST
    before = len(lengths)
    assert lengths[b"x" * (LONGEST + 1)] == LONGEST + 1
    assert len(lengths) == before

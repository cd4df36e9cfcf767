"""Packed commands are what Redis reads."""

from __future__ import annotations

import pytest

from proxy.core import resp


def read(data: bytes) -> list[list[bytes]]:
    """The commands in `data`, read as the protocol says: arrays of counted strings, and nothing behind them."""
    commands = []
    while data:
        head, _, data = data.partition(b"\r\n")
        assert head[:1] == b"*"
        words = []
        for _ in range(int(head[1:])):
            size, _, data = data.partition(b"\r\n")
            assert size[:1] == b"$"
            words.append(data[: int(size[1:])])
            assert data[len(words[-1]) :][:2] == b"\r\n"
            data = data[len(words[-1]) + 2 :]
        commands.append(words)
    return commands


@pytest.mark.parametrize("words", [(b"EXEC",), (b"HSET", b"key", b"", b"\r\n$1\r\n*%d"), (b"X", bytes(range(256)))])
def test_a_command_is_an_array_of_its_words(words: tuple[bytes, ...]) -> None:
    """Words are counted, so that whatever bytes they hold stay inside."""
    assert read(resp.command(*words)) == [list(words)]


@pytest.mark.parametrize(
    "fields",
    [{"id": b"1"}, {"schema": b"1", "head": b"\r\n*1\r\n", "live": b""}, {"100%d": b"%b%%", "é": "ü".encode()}],
)
def test_a_record_is_the_end_of_its_xadd(fields: dict[str, bytes]) -> None:
    """Beginning and record make one XADD with the server's own id; the second use of the same names says the same."""
    words = [b"XADD", b"s:{1}", b"*", *(word for name, value in fields.items() for word in (name.encode(), value))]
    for _ in range(2):
        assert read(resp.xadd(b"s:{1}", len(fields)) + resp.record(fields)) == [words]

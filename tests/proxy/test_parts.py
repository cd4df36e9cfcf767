"""Orders on their way to a child, and the line on which it is told to stop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.parts import Orders, Part, StopLine

ORDERS = Orders(Part.RELAY, "relay-0.3", "host-1-abc", "/tmp/x", (5, 6), 7, shadowing=False)


def test_orders_arrive_as_they_were_given() -> None:
    """The argument holds everything, and the addresses follow from it."""
    read = Orders.read(ORDERS.argument())
    assert read == ORDERS
    assert read.part is Part.RELAY
    assert (read.ops, read.lane, read.book) == (Path("/tmp/x/relay-0.3.ops"), Path("/tmp/x/lane"), Path("/tmp/x/book"))


@pytest.mark.parametrize("argument", ["", "[]", "{}", '{"part": "cook", "listening": []}', '{"part": "lane"}'])
def test_other_arguments_are_refused(argument: str) -> None:
    """What no supervisor wrote is a ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        Orders.read(argument)


@pytest.fixture
def pipe() -> Iterator[tuple[int, list[int]]]:
    """A pipe's reading end, and its writing end in a list that a test may empty by closing it."""
    reading, writing = os.pipe()
    ends = [writing]
    yield reading, ends
    for end in ends:
        os.close(end)


class Heard:
    """What a StopLine said."""

    def __init__(self, reading: int) -> None:
        self.said: asyncio.Queue[float | str | None] = asyncio.Queue()
        self.line = StopLine(reading, self.said.put_nowait, lambda: self.said.put_nowait("end now"))

    async def next(self) -> float | str | None:
        """The next thing."""
        async with asyncio.timeout(5):
            return await self.said.get()


async def test_told_to_drain(pipe: tuple[int, list[int]]) -> None:
    """A line says how long the drain may take; when the supervisor ends before that, the child ends at once."""
    reading, ends = pipe
    heard = Heard(reading)
    os.write(ends[0], b"12.500\n")
    assert await heard.next() == 12.5
    os.close(ends.pop())
    assert await heard.next() == "end now"


async def test_supervisor_gone(pipe: tuple[int, list[int]]) -> None:
    """The line's end without a word is an order to drain, of no stated length."""
    reading, ends = pipe
    heard = Heard(reading)
    os.close(ends.pop())
    assert await heard.next() is None


async def test_closed_line_says_nothing(pipe: tuple[int, list[int]]) -> None:
    """A child that ends by itself listens no more; closing twice is closing once."""
    reading, ends = pipe
    heard = Heard(reading)
    heard.line.close()
    heard.line.close()
    os.close(ends.pop())
    await asyncio.sleep(0.01)
    assert heard.said.empty()

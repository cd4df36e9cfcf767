"""Frames there and back, cut off anywhere, damaged anywhere, and with foreign bytes between them."""

from __future__ import annotations

import random
import struct
import zlib

import pytest

from proxy.core import frames
from proxy.core.frames import Entry, Read

MARKER = bytes(range(16))
ENTRIES = [Entry(3600 * n, f"mini-é-{n}", 7, bytes([n]) * (40 * n)) for n in range(20)]
SEGMENT = frames.header(MARKER) + b"".join(frames.frame(entry, MARKER) for entry in ENTRIES)


def everything(segment: bytes) -> Read:
    """All that can be read of a segment."""
    return frames.read(segment, frames.HEADER, MARKER, len(segment), len(segment))


def test_what_was_framed_is_read() -> None:
    """Entries come back whole and in order, and are counted without being read."""
    assert everything(SEGMENT) == Read(tuple(ENTRIES), len(SEGMENT), 0)
    assert frames.count(SEGMENT, MARKER) == len(ENTRIES)


def test_a_marker_is_known_by_its_header() -> None:
    """Only a whole header has a marker."""
    assert frames.marker_of(SEGMENT) == MARKER
    assert frames.marker_of(SEGMENT[: frames.HEADER - 1]) is None
    assert frames.marker_of(b"x" + SEGMENT) is None
    assert frames.marker_of(b"") is None


def test_reading_goes_on_where_it_stopped() -> None:
    """A bound on entries or on bytes ends a reading behind a whole frame."""
    first = frames.read(SEGMENT, frames.HEADER, MARKER, 3, len(SEGMENT))
    assert first.entries == tuple(ENTRIES[:3])
    second = frames.read(SEGMENT, first.next, MARKER, 100, 1)
    assert second.entries == (ENTRIES[3],)
    assert frames.read(SEGMENT, len(SEGMENT), MARKER, 100, 1) == Read((), len(SEGMENT), 0)


def test_a_torn_end_costs_the_torn_entry_only() -> None:
    """Cut off at every byte: the whole frames before it are read, nothing else, and the count agrees."""
    ends = [frames.HEADER]
    for entry in ENTRIES:
        ends.append(ends[-1] + len(frames.frame(entry, MARKER)))
    for cut in range(frames.HEADER, len(SEGMENT)):
        torn = SEGMENT[:cut]
        whole = sum(end <= cut for end in ends) - 1
        assert everything(torn) == Read(tuple(ENTRIES[:whole]), cut, int(cut not in ends)), cut
        assert frames.count(torn, MARKER) == whole


def test_a_flipped_byte_costs_one_entry() -> None:
    """Wherever one byte is wrong, all entries but its own are found, and the damage is counted."""
    for at in range(frames.HEADER, len(SEGMENT)):
        damaged = SEGMENT[:at] + bytes([SEGMENT[at] ^ 0x40]) + SEGMENT[at + 1 :]
        found = everything(damaged)
        assert len(found.entries) == len(ENTRIES) - 1, at
        assert set(found.entries) < set(ENTRIES)
        assert (found.next, found.damaged) == (len(SEGMENT), 1)


def test_random_damage_never_makes_an_entry() -> None:
    """Bytes overwritten at random 300 times: what is read was written."""
    dice = random.Random(7)
    for _ in range(300):
        damaged = bytearray(SEGMENT)
        for _ in range(dice.randrange(1, 40)):
            at = dice.randrange(frames.HEADER, len(damaged))
            damaged[at : at + dice.randrange(1, 30)] = dice.randbytes(dice.randrange(0, 30))
        assert set(everything(bytes(damaged)).entries) <= set(ENTRIES)


@pytest.mark.parametrize("length", [0, 3, 11])
def test_a_payload_too_short_for_its_facts_is_damage(length: int) -> None:
    """A right CRC does not make a frame of too few bytes an entry."""
    payload = b"x" * length
    forged = struct.pack("<16sII", MARKER, length, zlib.crc32(payload)) + payload
    assert everything(frames.header(MARKER) + forged + frames.frame(ENTRIES[1], MARKER)).entries == (ENTRIES[1],)


def test_a_marker_inside_damage_is_not_a_frame() -> None:
    """Behind damage only a whole frame counts as found."""
    segment = frames.header(MARKER) + b"noise" + MARKER + b"more noise" + frames.frame(ENTRIES[2], MARKER)
    assert everything(segment) == Read((ENTRIES[2],), len(segment), 1)
    assert frames.count(segment, MARKER) == 0

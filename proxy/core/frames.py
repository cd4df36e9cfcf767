"""Records of the spool as bytes and back: framed, checked by CRC, found again behind damage. Used by publisher.

A segment is a header and frames. The header ends with a marker drawn for this segment, and every frame begins with
it: behind a damaged frame the next one is found by its marker, which no client can forge into a body.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

MAGIC = b"understudy spool 1\n"
MARKER = 16  # bytes
HEADER = len(MAGIC) + MARKER

_HEAD = struct.Struct(f"<{MARKER}sII")  # marker, length of the payload, its CRC
_FACTS = struct.Struct("<qHH")  # hour, number of fields, length of the shadow's name
OVERHEAD = _HEAD.size + _FACTS.size
"""Bytes of a frame beside the shadow's name and the record."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A pair ready for the stream, and what the accounting needs to know of it."""

    hour: int  # its first second, Unix
    shadow: str
    fields: int
    record: bytes  # the fields as proxy.core.resp packs them


@dataclass(frozen=True, slots=True)
class Read:
    """What lay at a place of a segment: whole entries, where to go on, and how many stretches were unreadable."""

    entries: tuple[Entry, ...]
    next: int
    damaged: int


def header(marker: bytes) -> bytes:
    """The beginning of a segment; `marker` has MARKER random bytes."""
    return MAGIC + marker


def marker_of(segment: bytes) -> bytes | None:
    """The marker of a segment; None: this is none."""
    whole = segment.startswith(MAGIC) and len(segment) >= HEADER
    return segment[len(MAGIC) : HEADER] if whole else None


def frame(entry: Entry, marker: bytes) -> bytes:
    """One entry as it stands in a segment."""
    shadow = entry.shadow.encode()
    payload = b"".join((_FACTS.pack(entry.hour, entry.fields, len(shadow)), shadow, entry.record))
    return _HEAD.pack(marker, len(payload), zlib.crc32(payload)) + payload


def read(segment: bytes, at: int, marker: bytes, entries: int, size: int) -> Read:
    """Whole entries from `at` on, until there are `entries` of them or `size` bytes were read, or the segment ends."""
    found: list[Entry] = []
    damaged = 0
    end = at + size
    while at < min(end, len(segment)) and len(found) < entries:
        behind = _end(segment, at, marker)
        if behind:
            found.append(_entry(segment[at + _HEAD.size : behind]))
            at = behind
        else:
            damaged += 1
            at = _next_whole(segment, at, marker)
    return Read(tuple(found), at, damaged)


def count(segment: bytes, marker: bytes) -> int:
    """How many entries a segment seems to hold: the lengths are believed, no CRC is calculated."""
    n, at = 0, HEADER
    while at + _HEAD.size <= len(segment):
        its_marker, length, _ = _HEAD.unpack_from(segment, at)
        if its_marker != marker:
            break
        at += _HEAD.size + length
        n += at <= len(segment)
    return n


def _end(segment: bytes, at: int, marker: bytes) -> int:
    """Where the frame at `at` ends; 0: there is no whole one."""
    if len(segment) - at < _HEAD.size:
        return 0
    its_marker, length, crc = _HEAD.unpack_from(segment, at)
    start = at + _HEAD.size
    if its_marker != marker or length < _FACTS.size or length > len(segment) - start:
        return 0
    return start + length if zlib.crc32(memoryview(segment)[start : start + length]) == crc else 0


def _next_whole(segment: bytes, at: int, marker: bytes) -> int:
    """Where the next whole frame behind `at` begins, or the segment's end."""
    while (at := segment.find(marker, at + 1)) >= 0:
        if _end(segment, at, marker):
            return at
    return len(segment)


def _entry(payload: bytes) -> Entry:
    hour, fields, length = _FACTS.unpack_from(payload)
    behind = _FACTS.size + length
    return Entry(hour, payload[_FACTS.size : behind].decode("utf-8", "replace"), fields, payload[behind:])

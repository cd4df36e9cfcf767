"""Frames between a relay and the lane: whole, byte by byte, cut at random points, trailing, broken."""

from __future__ import annotations

import marshal
import random
from dataclasses import replace

import pytest

from config.pair import NEVER, Failure, Outcome
from proxy.core.handing import MOST, Begun, Ended, Frame, FrameError, Frames, Told, begun, ended, hour_of, told
from proxy.core.plan import Draft

DRAFT = Draft(
    "0" * 32,
    1.7e9 + 0.25,
    "POST",
    "/v1/chat/\udcff",
    "a=b",
    ((b"Host", b"x"), (b"x-\xff", b"\x00")),
    b"{}",
    "",
    "/m/v1",
)
OUTCOME = Outcome(Failure.NONE, "", 200, (("content-type", "a"),), b"\x00y", 2, 0.001, 0.01, 0.02, 1, 0.0)
NO_BODY = replace(DRAFT, body=None, why_no_body="body_too_large")
LOST = replace(OUTCOME, failure=Failure.RESET, detail="reset", first_byte=NEVER)
TOTALS = {(3600, "", ""): 7, (3600, "/openai", "lane_full"): 2}

TRANSCRIPT: list[tuple[bytes, Frame]] = [
    (told("relay-0.0", TOTALS), Told("relay-0.0", TOTALS)),
    (begun(0, "/openai", 12.5, DRAFT), Begun(0, "/openai", 12.5, DRAFT)),
    (begun(1, "", 12.5, NO_BODY), Begun(1, "", 12.5, NO_BODY)),
    (ended(1, LOST), Ended(1, LOST)),
    (ended(0, OUTCOME), Ended(0, OUTCOME)),
]
STREAM = b"".join(data for data, _ in TRANSCRIPT)
FRAMES = [frame for _, frame in TRANSCRIPT]


def _fed(pieces: list[bytes]) -> list[Frame]:
    frames = Frames()
    return [frame for piece in pieces for frame in frames.feed(piece)]


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param([], id="whole"),
        pytest.param(list(range(1, len(STREAM))), id="byte-by-byte"),
        *(pytest.param(sorted(random.Random(n).sample(range(len(STREAM)), 9)), id=f"random-{n}") for n in range(8)),
    ],
)
def test_frames_come_out_as_they_went_in(cuts: list[int]) -> None:
    """However the bytes are cut, the same calls, outcomes and totals come out, in order."""
    ends = [*cuts, len(STREAM)]
    assert _fed([STREAM[start:end] for start, end in zip([0, *cuts], ends, strict=True)]) == FRAMES


def test_what_is_not_whole_waits() -> None:
    """A frame that is cut off gives nothing; what is behind it in the same piece is kept for the next one."""
    frames = Frames()
    assert list(frames.feed(STREAM[:-1])) == FRAMES[:-1]
    assert "waiting for" in repr(frames)
    assert list(frames.feed(STREAM[-1:] + STREAM[:3])) == FRAMES[-1:]
    assert list(frames.feed(STREAM[3:])) == FRAMES


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param((MOST + 1).to_bytes(4, "little"), id="too-long"),
        pytest.param(_framed(b""), id="empty"),
        pytest.param(_framed(b"\xff"), id="not-marshalled"),
        pytest.param(_framed(marshal.dumps(7)), id="no-tuple"),
        pytest.param(_framed(marshal.dumps((9, 1))), id="unknown-kind"),
        pytest.param(_framed(marshal.dumps((1, 1))), id="too-few-values"),
        pytest.param(_framed(marshal.dumps((1, 1, "odd", ()))), id="unknown-failure"),
    ],
)
def test_other_bytes_are_one_known_error(data: bytes) -> None:
    """What is no frame of ours is a FrameError, whatever it is."""
    with pytest.raises(FrameError):
        list(Frames().feed(data))


def test_what_cannot_be_written_is_told() -> None:
    """A value that marshal does not know is a ValueError before anything is sent."""
    with pytest.raises(ValueError, match="unmarshallable"):
        begun(0, "", 1.0, replace(DRAFT, path=Failure.NONE))


def test_hours_begin_on_the_hour() -> None:
    """An instant belongs to the hour that the accounting counts it in."""
    assert [hour_of(at) for at in (0.0, 3599.9, 3600.0)] == [0, 0, 3600]

"""The bounded memory: what is taken still counts until it is released, and goes back in order."""

from __future__ import annotations

from dataclasses import replace

from config.pair import Pair
from config.wire import decode
from proxy.core.frames import Entry
from proxy.publisher.waiting import BATCH, BATCH_BYTES, MOST_PAIRS, OVERHEAD, Held, Waiting, pack
from proxy.telemetry import Telemetry
from tests.proxy.publisher.made import CALL, HOUR, pair


def ids(batch: list[Held]) -> list[str]:
    """Whose pairs these are."""
    return [held.pair.id for held in batch]


def test_refuses_beyond_its_bytes() -> None:
    """A pair that does not fit is refused, also while others are in hand; a released one makes room."""
    waiting = Waiting(3 * (OVERHEAD + 6), Telemetry())
    assert [waiting.add(pair(number)) for number in range(4)] == [True, True, True, False]
    with waiting.in_hand() as batch:
        assert not waiting.add(pair(4))
        waiting.release(batch, 1)
        assert waiting.add(pair(4))
    with waiting.in_hand() as batch:
        assert ids(batch) == [pair(number).id for number in (1, 2, 4)]
    assert repr(waiting) == f"3 pairs, {3 * (OVERHEAD + 6)} bytes"


def test_refuses_beyond_its_number() -> None:
    """However small, no more than MOST_PAIRS are held."""
    waiting = Waiting(1 << 40, Telemetry())
    one = pair(0)
    assert sum(waiting.add(one) for _ in range(MOST_PAIRS + 5)) == len(waiting) == MOST_PAIRS


def test_a_quarter_is_much() -> None:
    """Above a quarter of either bound it is time for the disk."""
    by_bytes, by_number = Waiting(8 * (OVERHEAD + 6), Telemetry()), Waiting(1 << 40, Telemetry())
    for number in range(3):
        assert not by_bytes.much
        by_bytes.add(pair(number))
    assert by_bytes.much
    for _ in range(MOST_PAIRS // 4 + 1):
        assert not by_number.much
        by_number.add(pair(0))
    assert by_number.much


def test_a_batch_has_bounds() -> None:
    """At most BATCH pairs, or as many as make BATCH_BYTES."""
    waiting = Waiting(1 << 40, Telemetry())
    for number in range(BATCH + 1):
        waiting.add(pair(number))
    with waiting.in_hand() as batch:
        assert len(batch) == BATCH
        waiting.release(batch, BATCH)
    for number in range(3):
        waiting.add(pair(number, b"x" * (BATCH_BYTES // 2)))
    with waiting.in_hand() as batch:
        assert [len(held.pair.call.body) for held in batch] == [2, BATCH_BYTES // 2, BATCH_BYTES // 2]


def test_the_metrics_follow() -> None:
    """Held pairs and bytes are on the scrape, those in hand included."""
    telemetry = Telemetry()
    waiting = Waiting(1 << 20, telemetry)
    waiting.add(pair(0))
    with waiting.in_hand():
        assert b"understudy_queue_held_pairs 1.0" in telemetry.text()
    with waiting.in_hand() as batch:
        waiting.release(batch, 1)
    assert b"understudy_queue_held_pairs 0.0" in telemetry.text()
    assert b"understudy_queue_held_bytes 0.0" in telemetry.text()


def fields(entry: Entry) -> dict[bytes, bytes]:
    """The record of an entry, unpacked."""
    words, rest = [], entry.record
    while rest:
        size, _, rest = rest[1:].partition(b"\r\n")
        words.append(rest[: int(size)])
        rest = rest[int(size) + 2 :]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_packs_what_the_evaluators_read() -> None:
    """A packed pair is the pair, under the hour of its call; an unwritable one is None and spoils no other."""
    pairs: list[Pair] = [pair(0), replace(pair(1), call=replace(CALL, path="/\udcff")), pair(2)]
    first, bad, last = pack(pairs)
    assert bad is None
    for entry, one in ((first, pairs[0]), (last, pairs[2])):
        assert entry is not None
        assert decode(fields(entry)) == one
        assert (entry.hour, entry.shadow, entry.fields) == (HOUR, "mini", len(fields(entry)))

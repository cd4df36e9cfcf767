"""Several processes' metrics as one: sums, flags, and counters that never go down."""

from __future__ import annotations

import re

import pytest

from proxy.core.accounting import Bucket, Ledger
from proxy.merging import Family, Merging, parsed
from proxy.telemetry import Telemetry


def _process(requests: int = 0, bytes_held: int = 0, paired: int = 0, shadowing: int = 0) -> str:
    telemetry, ledger = Telemetry(), Ledger()
    telemetry.watch(ledger)
    for _ in range(requests):
        telemetry.answered("2xx")
        telemetry.overhead.observe(0.0002)
    telemetry.queue_bytes.set(bytes_held)
    telemetry.shadowing.set(shadowing)
    ledger.count(0.0, "mini", Bucket.PAIRED, n=paired)
    return telemetry.text().decode()


def _value(text: bytes, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", text.decode(), re.MULTILINE)
    assert found is not None, (sample, text)
    return float(found[1])


REQUESTS = 'understudy_requests_total{code="2xx"}'
PAIRED = 'understudy_shadow_calls_total{bucket="paired",reason="",shadow="mini"}'
WITHIN = 'understudy_overhead_seconds_bucket{le="0.00025"}'


def test_sums_and_flags() -> None:
    """Counters, histograms and gauges add up sample by sample; a flag is up when one process has it up."""
    merging = Merging()
    merging.seen("relay-0.0", _process(requests=3, bytes_held=5))
    merging.seen("relay-1.0", _process(requests=4, bytes_held=6))
    merging.seen("lane.0", _process(paired=7, shadowing=1))
    text = merging.text({"relay-0.0", "relay-1.0", "lane.0"})
    assert (_value(text, REQUESTS), _value(text, WITHIN), _value(text, PAIRED)) == (7, 7, 7)
    assert _value(text, "understudy_queue_held_bytes") == 11
    assert _value(text, "understudy_shadowing_enabled") == 1
    assert _value(text, 'understudy_build_info{version="0.1.0"}') == 1
    assert 1.6e9 < _value(text, "understudy_queue_append_failures_created") < 4e9


def test_what_ended_processes_counted_stays() -> None:
    """After a restart counters go on from where they were; gauges are those of the living."""
    merging = Merging()
    merging.seen("relay-0.0", _process(requests=3, bytes_held=5))
    merging.ended("relay-0.0")
    assert _value(merging.text(()), REQUESTS) == 3
    merging.seen("relay-0.1", _process(requests=1, bytes_held=1))
    text = merging.text({"relay-0.1"})
    assert (_value(text, REQUESTS), _value(text, WITHIN), _value(text, "understudy_queue_held_bytes")) == (4, 4, 1)
    merging.ended("never seen")


def test_a_last_answer_counts_once() -> None:
    """An answer that is read after its process's end was noticed adds nothing to what was kept of it."""
    merging = Merging()
    merging.seen("relay-0.0", _process(requests=3))
    merging.ended("relay-0.0")
    merging.seen("relay-0.0", _process(requests=3))
    assert _value(merging.text({"relay-0.0"}), REQUESTS) == 3


def test_who_does_not_answer_keeps_its_counters() -> None:
    """The last seen counters of a silent process still count, its gauges do not."""
    merging = Merging()
    merging.seen("relay-0.0", _process(requests=3, bytes_held=5))
    merging.seen("relay-1.0", _process(requests=4, bytes_held=6))
    text = merging.text({"relay-1.0"})
    assert (_value(text, REQUESTS), _value(text, "understudy_queue_held_bytes")) == (7, 6)


def test_the_lanes_book_is_counted_once() -> None:
    """A new lane goes on with the numbers of the one before: they are not added, and never fall."""
    merging = Merging()
    merging.seen("lane.0", _process(paired=7))
    assert _value(merging.text({"lane.0"}), PAIRED) == 7
    merging.ended("lane.0")
    assert _value(merging.text(()), PAIRED) == 7
    merging.seen("lane.1", _process(paired=5))
    assert _value(merging.text({"lane.1"}), PAIRED) == 7
    merging.seen("lane.1", _process(paired=9))
    assert _value(merging.text({"lane.1"}), PAIRED) == 9


def test_the_supervisors_own_are_beside_them() -> None:
    """Families made here appear as they are."""
    own = Family("understudy_workers", "About.", "gauge", {("understudy_workers", (("part", "lane"),)): 1.0})
    assert _value(Merging().text((), [own]), 'understudy_workers{part="lane"}') == 1


def test_other_text_is_refused() -> None:
    """What is no exposition is a ValueError, and nothing of it is kept."""
    with pytest.raises(ValueError, match=r".*"):
        parsed("{{{")

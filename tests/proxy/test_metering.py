"""Cheap histograms and counters say at a scrape what prometheus_client's own would say."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client import Histogram as Theirs

from proxy.metering import Histogram, Tally

BOUNDS = (0.1, 1.0, 5.0)


def test_the_same_text_as_the_library() -> None:
    """Bounds belong to the bucket below them, buckets are cumulative, and the sum is kept."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    mine = Histogram("understudy_x_seconds", "X.", BOUNDS, "target")
    ours.register(mine)
    reference = Theirs("understudy_x_seconds", "X.", ["target"], buckets=BOUNDS, registry=theirs)
    for target, seconds in [("live", 0.05), ("live", 0.1), ("live", 0.2), ("live", 9.0), ("mini", 5.0)]:
        mine.of(target).observe(seconds)
        reference.labels(target).observe(seconds)
    wanted = [line for line in generate_latest(theirs).decode().splitlines() if "_created" not in line]
    assert generate_latest(ours).decode().splitlines() == wanted


def test_a_series_without_a_label() -> None:
    """It is there, with zeros, before the first observation."""
    registry = CollectorRegistry()
    registry.register(Histogram("understudy_y_seconds", "Y.", BOUNDS))
    assert 'understudy_y_seconds_bucket{le="+Inf"} 0.0' in generate_latest(registry).decode()


def test_a_tally_is_a_counter() -> None:
    """One sample for each value, under a name that ends in _total."""
    registry = CollectorRegistry()
    tally = Tally("understudy_z_total", "Z.", "code")
    registry.register(tally)
    tally.counts["2xx"] += 2
    text = generate_latest(registry).decode()
    assert "# TYPE understudy_z_total counter" in text
    assert 'understudy_z_total{code="2xx"} 2.0' in text

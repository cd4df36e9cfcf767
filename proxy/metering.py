"""Histograms and counters cheap enough for every live call. Used by telemetry, which gives them their names.

prometheus_client's own take a lock and walk their buckets in Python: 2 µs an observation, several for each call. All
of ours are made in one event loop, so they need no lock; at a scrape they become ordinary families.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector


class Times:
    """One series of a histogram: seconds, counted in the first bucket whose bound is not below them."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """The cumulative counts by upper bound as Prometheus wants them, and the sum."""
        total = 0
        found = []
        for bound, count in zip([*self._bounds, float("inf")], self._counts, strict=True):
            total += count
            found.append(("+Inf" if bound == float("inf") else str(float(bound)), float(total)))
        return found, self._sum


class Histogram(Collector):
    """A named family of Times, by at most one label."""

    def __init__(self, name: str, about: str, bounds: Sequence[float], label: str = "") -> None:
        self._name, self._about, self._bounds, self._label = name, about, bounds, label
        self._series: dict[str, Times] = {} if label else {"": Times(bounds)}

    def of(self, value: str = "") -> Times:
        """The series with this value of the label."""
        found = self._series.get(value)
        if found is None:
            found = self._series[value] = Times(self._bounds)
        return found

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """One family, one series for each value."""
        family = HistogramMetricFamily(self._name, self._about, labels=[self._label] if self._label else [])
        for value, times in sorted(self._series.items()):
            buckets, total = times.buckets()
            family.add_metric([value] if self._label else [], buckets, total)
        yield family


class Tally(Collector):
    """A named counter with one label: `counts[value] += 1` is all that a call costs."""

    def __init__(self, name: str, about: str, label: str) -> None:
        self._name, self._about, self._label = name, about, label
        self.counts: Counts[str] = Counts()

    def collect(self) -> Iterable[CounterMetricFamily]:
        """One family, one sample for each value."""
        family = CounterMetricFamily(self._name.removesuffix("_total"), self._about, labels=[self._label])
        for value, count in sorted(self.counts.items()):
            family.add_metric([value], count)
        yield family

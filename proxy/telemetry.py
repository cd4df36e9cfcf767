"""Every metric name of this house, and the shape of its log lines. Used by handler, mirror, publisher, ops, wiring.

Names are prefixed `understudy_`, in base units, `_total` on counters only. Labels hold only names from the operator's
file and words of ours, never anything a client or an upstream sent: their number is bounded.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections import Counter as Counter_
from collections.abc import Iterable, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from config.pair import NEVER, Failure, Outcome
from config.version import __version__
from proxy.core.accounting import Ledger
from proxy.metering import Histogram, Tally, Times

LOG = logging.getLogger("understudy.proxy")

LIVE = "live"
"""The target label of live; no candidate may be called so."""

_ANSWER = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 120, 300, 600)
_OWN = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1)


class Telemetry:
    """The metrics of one proxy, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of_calls(self.registry)
        self._of_the_process(self.registry)
        self._shadow_calls = _ShadowCalls()
        self.registry.register(self._shadow_calls)
        self._spool = _Spool()
        self.registry.register(self._spool)

    def watch(self, ledger: Ledger) -> None:
        """Publish the accounting as it stands at each scrape: one book, no second one to drift."""
        self._shadow_calls.ledger = ledger

    def watch_spool(self, facts: SpoolFacts) -> None:
        """Publish what a spool says of itself."""
        self._spool.facts = facts

    def carry(self, rows: Iterable[Sequence[int | str]]) -> None:
        """Rows that the ledger is about to forget: counters must not go down."""
        self._shadow_calls.carry(rows)

    def live_ended(self, outcome: Outcome) -> None:
        """Record a live exchange; a client that left, or we who stopped, is no failure of live's."""
        if outcome.sent == NEVER:
            return
        self.exchange_ended(LIVE, outcome)
        if outcome.failure not in (Failure.NONE, Failure.CLIENT_LEFT, Failure.CANCELLED):
            self.live_failures.labels(outcome.failure.value).inc()

    def exchange_ended(self, target: str, outcome: Outcome) -> None:
        """Record the times of an exchange that has an answer."""
        if outcome.failure is Failure.NONE:
            self._duration.of(target).observe(outcome.last_byte - outcome.sent)
        if outcome.first_byte != NEVER:
            self._first_byte.of(target).observe(outcome.first_byte - outcome.sent)

    def answered(self, code: str) -> None:
        """Count one request by how its answer ended."""
        self._requests.counts[code] += 1

    def text(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self.registry)

    def _of_calls(self, registry: CollectorRegistry) -> None:
        self._requests = Tally(
            "understudy_requests_total",
            "Answers given to clients, by status class; aborted: the connection was cut, left: the client hung up.",
            "code",
        )
        self.live_failures = Counter(
            "understudy_live_failures_total", "Live exchanges that failed, by kind.", ["kind"], registry=registry
        )
        self.refused = Counter(
            "understudy_refused_total",
            "Requests refused before live, by the rule they broke.",
            ["reason"],
            registry=registry,
        )
        self._duration = Histogram(
            "understudy_upstream_duration_seconds",
            "Time from a request's first byte out to the exchange's end.",
            _ANSWER,
            "target",
        )
        self._first_byte = Histogram(
            "understudy_time_to_first_byte_seconds",
            "Time from a request's first byte out to the first body byte of its answer.",
            _ANSWER,
            "target",
        )
        overhead = Histogram(
            "understudy_overhead_seconds",
            "Time this proxy took between having a request's head and asking live.",
            _OWN,
        )
        self.overhead: Times = overhead.of()
        self.live_open = 0
        """Exchanges with live that are open now."""
        self.in_flight = Gauge("understudy_in_flight_exchanges", "Open exchanges.", ["target"], registry=registry)
        self.in_flight.labels(LIVE).set_function(lambda: self.live_open)
        for collector in (self._requests, self._duration, self._first_byte, overhead):
            registry.register(collector)

    def _of_the_process(self, registry: CollectorRegistry) -> None:
        self.queue_pairs = Gauge("understudy_queue_held_pairs", "Pairs waiting in memory.", registry=registry)
        self.queue_bytes = Gauge("understudy_queue_held_bytes", "Bytes of pairs waiting in memory.", registry=registry)
        self.handover_bytes = Gauge(
            "understudy_handover_held_bytes", "Bytes that wait for the lane in a relay.", registry=registry
        )
        self.append_failures = Counter(
            "understudy_queue_append_failures_total",
            "Appends to the queue that failed or timed out.",
            registry=registry,
        )
        self.caught = Counter(
            "understudy_broad_except_total", "Errors of ours caught at an edge.", ["where"], registry=registry
        )
        self.breaker_open = Gauge(
            "understudy_breaker_open",
            "1 while a shadow that does not answer is left alone.",
            ["target"],
            registry=registry,
        )
        self.shadow_bytes = Gauge(
            "understudy_shadow_held_bytes", "Bytes that open shadow calls hold.", registry=registry
        )
        self.reloads = Counter(
            "understudy_config_reloads_total",
            "Changed configuration files, by what became of them.",
            ["result"],
            registry=registry,
        )
        self.shadowing = Gauge("understudy_shadowing_enabled", "1 while new calls are shadowed.", registry=registry)
        build = Gauge("understudy_build_info", "Always 1; the version is a label.", ["version"], registry=registry)
        build.labels(__version__).set(1)


class _ShadowCalls(Collector):
    """The ledger's hours summed up: `understudy_shadow_calls_total`."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._carried: Counter_[tuple[str, str, str]] = Counter_()

    def carry(self, rows: Iterable[Sequence[int | str]]) -> None:
        """Keep the sums of rows that leave the ledger."""
        for _hour, shadow, bucket, reason, n in rows:
            self._carried[str(shadow), str(bucket), str(reason)] += int(n)

    def collect(self) -> Iterable[CounterMetricFamily]:
        """One family, one sample per shadow, bucket and reason."""
        family = CounterMetricFamily(
            "understudy_shadow_calls",
            "Calls by the bucket they ended in, for each shadow.",
            labels=["shadow", "bucket", "reason"],
        )
        sums = self._carried.copy()
        for _hour, shadow, bucket, reason, n in self.ledger.snapshot():
            sums[str(shadow), str(bucket), str(reason)] += int(n)
        for labels, n in sorted(sums.items()):
            family.add_metric(labels, n)
        yield family


class SpoolFacts(Protocol):
    """What a spool counts; the first three go up and down."""

    pairs: int
    bytes: int
    foreign: int
    written: int
    drained: int
    damaged: int
    failures: int


_SPOOL = (
    ("pairs", GaugeMetricFamily, "understudy_spool_pairs", "Pairs on disk."),
    ("bytes", GaugeMetricFamily, "understudy_spool_bytes", "Bytes of pairs on disk."),
    ("foreign", GaugeMetricFamily, "understudy_spool_foreign_files", "Files in the spool that are not ours to read."),
    ("written", CounterMetricFamily, "understudy_spool_written", "Pairs written to disk."),
    ("drained", CounterMetricFamily, "understudy_spool_drained", "Pairs that came from the disk into the queue."),
    ("damaged", CounterMetricFamily, "understudy_spool_damaged", "Stretches on disk that hold no readable pair."),
    ("failures", CounterMetricFamily, "understudy_spool_failures", "Operations that the disk refused."),
)


class _Spool(Collector):
    """What the spool says of itself at the scrape; zeros without one."""

    def __init__(self) -> None:
        self.facts: SpoolFacts | None = None

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """One family for each fact."""
        for fact, kind, name, about in _SPOOL:
            family = kind(name, about)
            family.add_metric([], float(getattr(self.facts, fact, 0)))
            yield family


class JsonLines(logging.Formatter):
    """One JSON object per line, ASCII only; exception texts are reduced to the type's name."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record; fields come from `extra={"fields": {...}}`."""
        line: dict[str, object] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname.lower(),
            "event": record.msg if record.name.startswith("understudy") else f"library: {record.name}",
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=True, default=str)


def log(level: int, event: str, **fields: object) -> None:
    """Write one event; `fields` must hold names, numbers and kinds, never contents, keys or library messages."""
    LOG.log(level, event, extra={"fields": fields})


def start_logging() -> None:
    """JSON lines on stderr for everything, at the level in UNDERSTUDY_LOG (info by default)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    level = os.environ.get("UNDERSTUDY_LOG", "info").upper()
    logging.basicConfig(level=level if level in logging.getLevelNamesMapping() else "INFO", handlers=[handler])

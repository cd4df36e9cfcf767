"""Every metric name of this house. Counted by worker, shown by whoever serves the registry.

Labels hold only words of ours, so their number is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, start_http_server

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Telemetry:
    """The metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.pairs = self._counter(
            "pairs", "Pairs recorded, by result: new, or duplicate (delivered before, counted then).", "result"
        )
        self.failures = self._counter("failures", "Deliveries that ended without a result, by reason.", "reason")
        self.dead_letters = self._counter("dead_letters", "Pairs moved to the dead letters, by reason.", "reason")
        self.dead_letters_trimmed = self._counter("dead_letters_trimmed", "Dead letters that made room for newer ones.")
        self.reclaimed = self._counter("reclaimed", "Entries taken over from workers that are gone.")
        self.lost = self._counter("lost", "Entries that somebody trimmed from the stream before they were judged.")
        self.away = self._counter("away", "Times that the queue or the store did not take or give data.", "what")
        self.crashes = self._counter("crashes", "Exceptions of our own caught at the edge of a periodic task.", "task")
        self.broken_checks = self._counter("broken_checks", "Findings that a check could not make; a bug of the check.")
        self.hung_checks = self._counter("hung_checks", "Times that a check did not end; its thread is left behind.")
        self.disabled_checks = self._counter("disabled_checks", "Checks not run any more, for they hung repeatedly.")
        self.python_restarts = self._counter("python_restarts", "New processes for python checks after the first.")
        self.conversations = self._counter("conversations", "Conversations closed and folded into evidence.")
        self.waiting = Gauge(
            "understudy_worker_waiting_pairs", "Pairs in the stream, not judged yet.", registry=self.registry
        )
        self.checking = self._histogram("checking", "Time to read and check one batch.")
        self.recording = self._histogram("recording", "Time to record one batch.")

    def render(self) -> bytes:
        """The registry in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(f"understudy_worker_{name}_total", help_, labels, registry=self.registry)

    def _histogram(self, name: str, help_: str) -> Histogram:
        return Histogram(f"understudy_worker_{name}_seconds", help_, buckets=_SECONDS, registry=self.registry)


@contextmanager
def exposed(telemetry: Telemetry, listen: str) -> Iterator[str]:
    """Serve the registry at HOST:PORT while the block runs, from a thread of its own; yields the address.

    Port 0 takes a free one. Raises OSError when the address cannot be listened on.
    """
    host, _, port = listen.rpartition(":")
    server, thread = start_http_server(int(port), host.strip("[]"), telemetry.registry)
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Several processes' metrics as one proxy's. Used by supervisor; what a process had counted outlives it.

Counters and histograms are summed over everybody who ever was, as last seen; gauges over those who answer now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name and labels."""

_FLAGS = frozenset({"understudy_build_info", "understudy_shadowing_enabled", "understudy_breaker_open"})
"""Gauges that say yes or no: one yes is a yes."""

_CONTINUED = "understudy_shadow_calls"
"""Counted by the lane from its book: a new lane goes on with the numbers of the one before."""

_KEPT_KINDS = ("counter", "histogram", "summary")


@dataclass
class Family:
    """One metric of one process, or of all."""

    name: str
    about: str
    kind: str
    samples: dict[Key, float] = field(default_factory=dict)

    def fold(self, other: Family) -> None:
        """Take in the same metric of another process."""
        for key, value in other.samples.items():
            known = self.samples.get(key)
            self.samples[key] = value if known is None else self._both(known, value)

    def _both(self, one: float, other: float) -> float:
        if self.name in _FLAGS:
            return max(one, other)
        if self.name.endswith("_created"):
            return min(one, other)
        return one + other


Families = dict[str, Family]


class Merging:
    """`seen` for each answer, `ended` for each process that is over, `text` for what all of them say together."""

    def __init__(self) -> None:
        self._latest: dict[str, Families] = {}
        self._gone: Families = {}
        self._over: set[str] = set()
        self._shown: dict[Key, float] = {}

    def seen(self, name: str, text: str) -> None:
        """A process's metrics in the text format; ValueError when they are something else."""
        found = parsed(text)
        if name not in self._over:  # its last answer may be read when its end is known already
            self._latest[name] = found

    def ended(self, name: str) -> None:
        """A process is over: what it had counted stays."""
        self._over.add(name)
        last = self._latest.pop(name, {})
        _fold(self._gone, (one for one in last.values() if _lasting(one) and one.name != _CONTINUED))

    def text(self, answering: Collection[str], own: Iterable[Family] = ()) -> bytes:
        """Everything as one; gauges of those who are `answering`."""
        total: Families = {}
        _fold(total, self._gone.values())
        for name, families in self._latest.items():
            _fold(total, (one for one in families.values() if name in answering or _lasting(one)))
        self._never_down(total)
        _fold(total, own)
        registry = CollectorRegistry()
        registry.register(_Fixed(total))
        return generate_latest(registry)

    def _never_down(self, total: Families) -> None:
        """A lane that died may have shown what it had not yet written down."""
        family = total.setdefault(_CONTINUED, Family(_CONTINUED, "Calls by bucket, for each shadow.", "counter"))
        for key, value in self._shown.items():
            family.samples[key] = max(value, family.samples.get(key, 0.0))
        self._shown = dict(family.samples)


def parsed(text: str) -> Families:
    """The families of a text in Prometheus' format."""
    found: Families = {}
    for metric in text_string_to_metric_families(text):
        samples = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in metric.samples}
        found[metric.name] = Family(metric.name, metric.documentation, metric.type, samples)
    return found


class _Fixed(Collector):
    def __init__(self, families: Mapping[str, Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        for one in self._families.values():
            metric = Metric(one.name, one.about, one.kind)
            for (name, labels), value in one.samples.items():
                metric.add_sample(name, dict(labels), value)
            yield metric


def _fold(into: Families, more: Iterable[Family]) -> None:
    for one in more:
        into.setdefault(one.name, Family(one.name, one.about, one.kind)).fold(one)


def _lasting(one: Family) -> bool:
    return one.kind in _KEPT_KINDS or one.name.endswith("_created")

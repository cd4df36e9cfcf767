"""Outcomes, latency, tokens and cost as frozen records: the part of shape that knows nothing of checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Span = tuple[float, ...]
"""(low, high), or () when nothing is known yet."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Candidate over live; NEVER and () when one of them does not exist."""

    value: float
    interval: Span


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Latency of one arm in seconds over all judged calls: a call without an answer is slower than any other."""

    n: int  # calls measured
    missing: int  # calls that gave no answer to measure
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Latency:
    """One latency metric, both arms, and the ratio at each quantile."""

    live: Quantiles
    candidate: Quantiles
    ratio: Mapping[str, Ratio]  # p50, p95, p99


@dataclass(frozen=True, slots=True)
class Amount:
    """Tokens or USD of one arm; `mean` is NEVER when n is 0."""

    n: int
    sum: float
    mean: float


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens or USD, both arms; the ratio of means has no interval, only sums are kept."""

    live: Amount
    candidate: Amount
    ratio: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Who answered at all. The five counts add up to the pairs."""

    both_ok: int
    candidate_failed: int
    live_failed: int
    both_failed: int
    excused: int  # the application hung up: nobody's fault
    kinds: Mapping[str, Mapping[str, int]]  # live, candidate -> way of failing -> pairs

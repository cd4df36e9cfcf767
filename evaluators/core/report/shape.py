"""The Report as frozen records: what every reader of results is shown. Filled by build and gate, written by export.

Sign convention everywhere: a difference is the candidate's failing rate minus live's, an excess is the candidate's
differing rate minus the control's, so positive is worse. Absence is a named state: `n == 0` with the widest
interval, an empty `Span`, or NEVER (-1.0) for a latency, a cost or a ratio that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from evaluators.core.stats.interval import Interval
from evaluators.core.tally import Accounting, Window

SCHEMA = 1
"""Version of the report's JSON: raised when a name changes its meaning or goes away."""

Span = tuple[float, ...]
"""(low, high), or () when nothing is known yet."""


class Verdict(StrEnum):
    """What a rule or a whole decision says."""

    PASS = "pass"
    FAIL = "fail"
    WAIT = "wait"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate or a difference of rates with its fixed-sample interval; n is what it was computed from."""

    value: float
    interval: Interval
    n: int

    @property
    def direction(self) -> str:
        """worse, better, or even where the interval contains no difference."""
        return "worse" if self.interval.low > 0 else "better" if self.interval.high < 0 else "even"


@dataclass(frozen=True, slots=True)
class ArmRate:
    """How often one arm fails (or differs): Wilson interval."""

    n: int
    failed: int
    rate: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Paired:
    """Live and candidate on the same pairs: Newcombe interval of the difference of failing rates."""

    n: int
    regressed: int
    fixed: int
    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class PathRate:
    """One place in the answers: how often the candidate and the control differ (or fail) there, as shares."""

    path: str
    candidate: float
    noise: float
    n: int
    excess: float


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What assertions and comparisons have in common."""

    check: str
    type: str
    dimension: str
    severity: str
    version: str
    skipped: int  # pairs the check does not apply to
    broken: int  # pairs the check could not judge: our fault
    clustered: Interval  # of the difference or the excess over conversations, whose calls may depend on each other
    sequence: Interval  # the same, valid at every look
    conversations: int  # closed conversations behind both
    paths: tuple[PathRate, ...]
    examples: tuple[str, ...]  # call ids


@dataclass(frozen=True, slots=True)
class AssertionReport(CheckReport):
    """An assertion: how often each arm fails, and on the same pairs who fails where the other does not."""

    live: ArmRate
    candidate: ArmRate
    control: ArmRate
    paired: Paired
    p: float  # mid-p McNemar, two-sided
    answered: Paired  # the complete-case view: only pairs where both arms answered

    @property
    def effect(self) -> Estimate:
        """How much more often the candidate fails than live."""
        return Estimate(self.paired.difference, self.paired.interval, self.paired.n)


@dataclass(frozen=True, slots=True)
class ComparisonReport(CheckReport):
    """A comparison: how often the candidate differs from live, and live from itself."""

    candidate: ArmRate
    control: ArmRate
    excess: Estimate
    candidate_only: int  # calls with a control on which only the candidate differs
    control_only: int
    answered: ArmRate  # the complete-case view

    @property
    def effect(self) -> Estimate:
        """How much more often the candidate differs from live than live from itself."""
        return self.excess


@dataclass(frozen=True, slots=True)
class SliceReport:
    """One slice on one check, and how surprising it is beside the rest of the traffic."""

    slice: str
    check: str
    comparison: bool
    n: int
    candidate: ArmRate
    other: ArmRate  # live for an assertion, the control for a comparison
    effect: Estimate  # difference or excess inside the slice
    answered: Estimate  # the same over pairs where both arms answered; for a comparison the candidate's own rate
    conversations: int
    worse: int
    others: int
    others_worse: int
    e_value: float
    tested: bool  # enough conversations inside and outside
    flagged: bool  # survives closed e-BH over the tested slices of this candidate and check
    direction: str  # of the effect: worse, better or even
    examples: tuple[str, ...]
    e_value_alone: float = 1.0  # that it is worse here at all, whatever the rest does
    worse_alone: bool = False  # survives e-BH over the same slices


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


@dataclass(frozen=True, slots=True)
class Rule:
    """One gate on one candidate, with the sentence that explains it."""

    name: str
    kind: str  # max_regression, max_excess, red_line, max_ratio
    subject: str  # the check or the metric
    severity: str
    verdict: Verdict
    reason: str
    limit: float
    value: float
    interval: Span
    needs: int  # conversations still missing; 0 none, -1 unknown


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict on one candidate."""

    verdict: Verdict
    reason: str
    rules: tuple[Rule, ...] = ()


UNDECIDED = Decision(Verdict.INCONCLUSIVE, "No gates are configured, so nothing can pass.")
"""What is true before any rule was asked: a pass never comes from nothing."""


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """Everything about one candidate."""

    name: str
    pairs: int
    conversations: int
    control_pairs: int
    outcomes: Outcomes
    checks: tuple[AssertionReport | ComparisonReport, ...]
    slices: tuple[SliceReport, ...]
    latency: Mapping[str, Latency]  # first_byte, total, gap
    tokens: Mapping[str, Spent]  # input, output
    cost: Spent
    decision: Decision = UNDECIDED


@dataclass(frozen=True, slots=True)
class Report:
    """The whole page."""

    generated_at: float
    window: Window
    alpha: float
    accounting: Mapping[str, Accounting]
    queue_waiting: int  # stream entries not yet taken, over all shadows; -1 when the queue was not asked
    candidates: tuple[CandidateReport, ...]
    schema: int = field(default=SCHEMA)

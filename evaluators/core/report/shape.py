"""The Report as frozen records: what every reader of results is shown. Filled by build and gate, written by export.

Sign convention everywhere: a difference is the candidate's failing rate minus live's, an excess is the candidate's
differing rate minus the control's, so positive is worse. Absence is a named state: `n == 0` with the widest
interval, an empty `Span`, or NEVER (-1.0) for a latency, a cost or a ratio that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from config.pair import NEVER
from evaluators.core.report.amounts import Amount as Amount
from evaluators.core.report.amounts import Latency as Latency
from evaluators.core.report.amounts import Outcomes as Outcomes
from evaluators.core.report.amounts import Quantiles as Quantiles
from evaluators.core.report.amounts import Ratio as Ratio
from evaluators.core.report.amounts import Span as Span
from evaluators.core.report.amounts import Spent as Spent
from evaluators.core.stats.interval import Interval
from evaluators.core.tally import Accounting, Window

SCHEMA = 1
"""Version of the report's JSON: raised when a name changes its meaning or goes away."""


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


EVERYTHING = Interval(-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class PathRate:
    """One place in the answers: how often the candidate and the other side differ (or fail) there, as shares of calls.

    The other side is the control for a comparison, live for an assertion.
    """

    path: str
    candidate: float
    noise: float
    n: int  # the candidate's calls behind its share
    excess: float
    interval: Interval = EVERYTHING  # of the excess over calls; the widest where no call has both sides
    e_value: float = 1.0  # that conversations are worse there more often than better
    flagged: bool = False  # survives closed e-BH over the paths of this candidate and check
    worse: int = 0  # conversations
    better: int = 0


@dataclass(frozen=True, slots=True)
class Energy:
    """How far candidate and live are apart beyond what each differs from itself, from -2 to 2; 0 for the same model."""

    value: float
    interval: Interval
    sequence: Interval  # the same, valid at every look
    n: int  # closed conversations with a call that has candidate, control and the candidate again


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What assertions and comparisons have in common."""

    check: str
    type: str
    layer: str  # format, task, safety or grounding
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
    energy: Energy
    steadier: str  # a note where the excess is negative and the energy is not: "" otherwise

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
class CrossingReport:
    """Two slices of different keys on one check, by conversations: only closed ones are counted for crossings."""

    slice: str  # "topic=billing & tag:tenant=acme"
    check: str
    comparison: bool
    conversations: int
    worse: int
    better: int
    others: int
    others_worse: int
    effect: Estimate  # share of conversations that are worse less the share that are better
    e_value: float
    tested: bool
    flagged: bool
    direction: str
    examples: tuple[str, ...]
    e_value_alone: float
    worse_alone: bool


@dataclass(frozen=True, slots=True)
class DiscoveryReport:
    """A slice that past traffic points to, and what later traffic says of it; see stats.discovery."""

    slice: str
    check: str
    score: float
    conversations: int  # found in
    worse: int
    later: int  # conversations
    later_worse: int
    later_better: int
    later_others: int
    later_others_worse: int
    e_value: float  # of the later ones
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One gate on one candidate, with the sentence that explains it."""

    name: str
    kind: str  # max_regression, max_excess, red_line, max_ratio, max_failures
    subject: str  # the check or the metric
    severity: str
    verdict: Verdict
    reason: str
    limit: float
    value: float
    interval: Span
    needs: int  # conversations (for max_failures calls) still missing; 0 none, -1 unknown
    expected_in: float = NEVER  # seconds until they have closed, as they come in now; 0 when none are, NEVER unknown


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
    crossings: tuple[CrossingReport, ...] = ()
    discoveries: tuple[DiscoveryReport, ...] = ()
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

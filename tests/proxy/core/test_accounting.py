"""Conservation by counting."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core import stateful
from proxy.core.accounting import REASONS, Bucket, Ledger

KNOWN = [(bucket, reason) for bucket, reasons in REASONS.items() for reason in sorted(reasons)]


def test_counts_by_hour_shadow_bucket_and_reason() -> None:
    """Two calls of one hour are one row with n = 2; the next hour has its own."""
    ledger = Ledger()
    ledger.count(7200.0, "mini", Bucket.PAIRED)
    ledger.count(10799.9, "mini", Bucket.PAIRED)
    ledger.count(10800.0, "mini", Bucket.DROPPED, "in_flight")
    ledger.count(10800.0, "control", Bucket.SAMPLED_OUT)
    assert ledger.snapshot() == [
        [7200, "mini", "paired", "", 2],
        [10800, "control", "sampled_out", "", 1],
        [10800, "mini", "dropped", "in_flight", 1],
    ]
    assert orjson.loads(orjson.dumps(ledger.snapshot())) == ledger.snapshot()
    assert (ledger.calls("mini"), ledger.calls("control"), ledger.calls("other")) == (3, 1, 0)
    assert ledger.total() == 4
    assert ledger.total(bucket=Bucket.PAIRED) == 2
    assert ledger.total(shadow="mini", reason="in_flight") == 1


def test_counts_several_at_once_and_takes_back() -> None:
    """What a process that died had taken over is counted as lost, until it is heard of."""
    ledger = Ledger()
    ledger.count(0.0, "mini", Bucket.DROPPED, "lane_away", 5)
    ledger.count(0.0, "mini", Bucket.DROPPED, "lane_away", -2)
    assert ledger.snapshot() == [[0, "mini", "dropped", "lane_away", 3]]


def test_says_whether_something_changed() -> None:
    """A count sets the flag; the one who sent the snapshot takes it back."""
    ledger = Ledger()
    assert not ledger.changed
    ledger.count(0.0, "mini", Bucket.PAIRED)
    assert ledger.changed


def test_forgets_old_hours_when_told() -> None:
    """Pruning takes whole hours before the given one and nothing else."""
    ledger = Ledger()
    for at in (0.0, 3600.0, 7200.0):
        ledger.count(at, "mini", Bucket.PAIRED)
    ledger.prune(3600)
    assert [row[0] for row in ledger.snapshot()] == [3600, 7200]


@pytest.mark.parametrize(
    ("bucket", "reason"),
    [
        pytest.param(Bucket.PAIRED, "queue_full", id="paired-has-none"),
        pytest.param(Bucket.SKIPPED, "", id="skipped-needs-one"),
        pytest.param(Bucket.DROPPED, "bad_luck", id="unknown"),
        pytest.param(Bucket.INELIGIBLE, "in_flight", id="of-another-bucket"),
    ],
)
def test_refuses_a_reason_the_bucket_does_not_know(bucket: Bucket, reason: str) -> None:
    """The table of reasons is closed, and a refused count changes nothing."""
    ledger = Ledger()
    with pytest.raises(ValueError, match="is not a reason of"):
        ledger.count(0.0, "mini", bucket, reason)
    assert ledger.total() == 0
    assert not ledger.changed


def test_every_reason_of_stateful_has_its_place() -> None:
    """Each `why` is a reason of ineligible under its prefix."""
    assert {f"stateful_{why}" for why in stateful.REASONS} <= REASONS[Bucket.INELIGIBLE]


@given(st.lists(st.tuples(st.floats(0, 1e10), st.sampled_from(["a", "b"]), st.sampled_from(KNOWN))))
def test_loses_nothing(counts: list[tuple[float, str, tuple[Bucket, str]]]) -> None:
    """The buckets of a shadow sum to its calls, and the rows to everything counted."""
    ledger = Ledger()
    for at, shadow, (bucket, reason) in counts:
        ledger.count(at, shadow, bucket, reason)
    for shadow in ("a", "b"):
        assert sum(ledger.total(shadow=shadow, bucket=bucket) for bucket in Bucket) == ledger.calls(shadow)
    assert sum(int(row[4]) for row in ledger.snapshot()) == len(counts)


def test_shows_its_sums() -> None:
    """The repr has one number per bucket."""
    ledger = Ledger()
    ledger.count(0.0, "mini", Bucket.PAIRED)
    assert repr(ledger) == "<Ledger ineligible 0, sampled_out 0, skipped 0, dropped 0, paired 1>"

"""The ledger as it is told: pairs of an unacknowledged transaction are in the rows and not yet in the ledger."""

from __future__ import annotations

import orjson

from proxy.core.accounting import HOUR as SECONDS
from proxy.core.accounting import Bucket, Ledger
from proxy.publisher.account import KEPT_HOURS, Account
from proxy.telemetry import Telemetry
from tests.proxy.publisher.made import HOUR, entries, pair


def test_tells_what_will_be() -> None:
    """Two pairs on their way stand in the rows; acknowledged, the ledger has them; unheard, there is news."""
    ledger = Ledger()
    account = Account(ledger, Telemetry())
    account.drop(pair(0), "queue_full")
    assert account.news
    rows, paired = account.told(entries(1, 3))
    assert orjson.loads(rows) == [[HOUR, "mini", "dropped", "queue_full", 1], [HOUR, "mini", "paired", "", 2]]
    assert (ledger.calls("mini"), account.news) == (1, False)
    account.unheard()
    assert account.news
    rows, paired = account.told(entries(1, 3))
    account.acknowledged(paired, forget=True)
    assert (ledger.calls("mini"), account.news) == (3, False)
    assert account.told([]) == (rows, {})


def test_a_count_meanwhile_is_news() -> None:
    """What is counted between telling and acknowledgement has to be told."""
    ledger = Ledger()
    account = Account(ledger, Telemetry())
    _, paired = account.told(entries(0, 1))
    account.drop(pair(1), "queue_full")
    account.acknowledged(paired, forget=True)
    assert account.news


def test_old_hours_leave_the_ledger_and_not_the_metric() -> None:
    """Hours told long ago are forgotten when allowed; the counter does not go down."""
    ledger, telemetry = Ledger(), Telemetry()
    telemetry.watch(ledger)
    account = Account(ledger, telemetry)
    ledger.count(HOUR - (KEPT_HOURS + 1) * SECONDS, "mini", Bucket.SAMPLED_OUT)
    for forget, left in ((False, 2), (True, 2), (True, 3)):
        _, paired = account.told(entries(0, 1))
        account.acknowledged(paired, forget)
        assert ledger.calls("mini") == left
    assert b'{bucket="sampled_out",reason="",shadow="mini"} 1.0' in telemetry.text()


def test_nothing_to_tell() -> None:
    """An empty ledger is an empty list."""
    account = Account(Ledger(), Telemetry())
    assert account.told([]) == (b"[]", {})
    account.acknowledged({}, forget=True)

"""What Prometheus' own linter says of the metrics of both houses, in use and at rest."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from config.pair import Failure, Outcome
from evaluators.telemetry import Telemetry as WorkerTelemetry
from proxy.core.accounting import Bucket, Ledger
from proxy.telemetry import Telemetry as ProxyTelemetry


def _proxy() -> bytes:
    telemetry, ledger = ProxyTelemetry(), Ledger()
    telemetry.watch(ledger)
    ledger.count(0.0, "mini", Bucket.DROPPED, "crash")
    telemetry.answered("2xx")
    telemetry.refused.labels("host").inc()
    telemetry.live_ended(Outcome(Failure.RESET, "", 0, (), b"", 0, 0.5, 1.0, 2.0, 0, 0.0))
    return telemetry.text()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here (Debian: apt install prometheus)")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ProxyTelemetry().text(), id="proxy-at-rest"),
        pytest.param(_proxy(), id="proxy"),
        pytest.param(WorkerTelemetry().render(), id="worker"),
    ],
)
def test_promtool_has_nothing_to_say(text: bytes) -> None:
    """`promtool check metrics` is silent."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

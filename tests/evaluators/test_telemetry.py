"""The worker's metrics."""

from __future__ import annotations

import urllib.request
from errno import EADDRINUSE, ECONNREFUSED
from urllib.error import URLError

import pytest
from prometheus_client.parser import text_string_to_metric_families

from evaluators.telemetry import Telemetry, exposed


def test_every_metric_has_our_prefix_and_a_description() -> None:
    """Names begin with understudy_worker_, counters say what they count, and the text can be scraped."""
    families = list(text_string_to_metric_families(Telemetry().render().decode()))
    assert len(families) > 10
    for family in families:
        assert family.name.startswith("understudy_worker_")
        assert family.documentation


def test_two_workers_in_one_process_do_not_share_numbers() -> None:
    """Each Telemetry has a registry of its own."""
    one, other = Telemetry(), Telemetry()
    one.lost.inc()
    assert one.registry.get_sample_value("understudy_worker_lost_total") == 1
    assert other.registry.get_sample_value("understudy_worker_lost_total") == 0


def test_it_is_served_while_the_block_runs() -> None:
    """Whoever scrapes the address sees the numbers of now; after the block nobody listens there."""
    telemetry = Telemetry()
    with exposed(telemetry, "127.0.0.1:0") as address:
        telemetry.lost.inc(3)
        with urllib.request.urlopen(address, timeout=5) as answer:
            assert b"understudy_worker_lost_total 3.0" in answer.read()
    with pytest.raises(URLError) as refused:
        urllib.request.urlopen(address, timeout=5)
    assert isinstance(refused.value.reason, OSError)
    assert refused.value.reason.errno == ECONNREFUSED


def test_a_taken_address_is_refused() -> None:
    """Two cannot listen at one address; the second is told."""
    with exposed(Telemetry(), "127.0.0.1:0") as address:
        taken = address.removeprefix("http://").removesuffix("/metrics")
        with pytest.raises(OSError, match="in use") as refused, exposed(Telemetry(), taken):
            pass
    assert refused.value.errno == EADDRINUSE

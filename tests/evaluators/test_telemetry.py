"""The worker's metrics."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from evaluators.telemetry import Telemetry


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

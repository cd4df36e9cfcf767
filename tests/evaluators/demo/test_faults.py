"""The table of planted faults is consistent with itself and with what commits them."""

from evaluators.demo import configuration
from evaluators.demo.faults import _EVERY_CHECK, FAULTS, STRIKES


def test_every_fault_has_a_rate_at_which_it_strikes():
    """What the models commit and what the table promises are the same names."""
    assert STRIKES.keys() == {fault.name for fault in FAULTS}
    assert all(0 < rate < 1 for rate in STRIKES.values())


def test_proofs_are_different_signals():
    """No finding may count for two faults."""
    assert len({fault.proof for fault in FAULTS}) == len(FAULTS)


def test_an_answer_that_does_not_come_is_expected_in_every_configured_check(tmp_path):
    """The checks that a missing answer moves are exactly the demo's checks."""
    file = configuration.planted(
        tmp_path, {"live": 1, "mini": 2, "steady": 3}, dict.fromkeys(("proxy", "ops", "dashboard"))
    )
    labels = {check if isinstance(check, str) else check.get("name", check["type"]) for check in file["checks"]}
    assert labels == _EVERY_CHECK


def test_what_is_seen_is_the_rate_among_the_calls_it_can_strike():
    """A fault of half of the calls shows half of its rate among all of them."""
    cut = next(fault for fault in FAULTS if fault.name == "cut-streams")
    assert cut.seen == cut.rate * cut.part

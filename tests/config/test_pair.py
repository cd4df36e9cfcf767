"""The shared records: identity and derivation."""

import dataclasses

import pytest

from config.pair import NEVER, Call, Failure, Outcome, Pair, Role

CALL = Call("0" * 32, 1767225600.0, "POST", "/v1/chat/completions", "", (), b"{}", "0" * 32, ())


def outcome(body: bytes, received: int) -> Outcome:
    return Outcome(Failure.NONE, "", 200, (), body, received, 0.0, 0.1, 0.2, 1, 0.0)


@pytest.mark.parametrize(
    ("body", "received", "capped"),
    [
        pytest.param(b"abc", 3, False, id="whole"),
        pytest.param(b"abc", 4, True, id="one byte more arrived"),
        pytest.param(b"", 0, False, id="nothing arrived"),
    ],
)
def test_capped(body: bytes, received: int, capped: bool) -> None:
    """An outcome is capped exactly when more arrived than was kept."""
    assert outcome(body, received).capped is capped


def test_identity() -> None:
    """A pair is identified by its call and its shadow."""
    pair = Pair(CALL, "mini", Role.CANDIDATE, outcome(b"", 0), outcome(b"", 0))
    assert pair.id == "0" * 32 + ":mini"


def test_facts_do_not_change() -> None:
    """A record of what happened cannot be rewritten."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        CALL.path = "/other"  # type: ignore[misc]


def test_never_is_no_time() -> None:
    """The instant that did not come lies outside every offset."""
    assert NEVER < 0

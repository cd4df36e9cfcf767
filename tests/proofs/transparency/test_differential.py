"""Nothing differs through the proxy but what compare lists: `python -m tests.proofs.transparency differential`."""

from __future__ import annotations

import pytest

from tests.proofs.transparency import json_texts, statuses
from tests.proofs.transparency.cases import Case, Reply
from tests.proofs.transparency.compare import KINDS
from tests.proofs.transparency.differential import Found, compare, generated
from tests.proofs.transparency.rig import run

SEED = 7
KNOWN = {
    "refused": "a target with bytes above 0x7f is refused with 400",
    "request line": "a bare ? at the end of a target is lost",
    "request fields": "the last trailer of a request becomes a field of the next one on its connection",
    "request length": "a request without a body gains Content-Length: 0",
    "request trailers": "trailers are dropped",
    "answer trailers": "trailers are dropped",
    "interim answers": "interim answers are not forwarded",
}


def _kinds() -> list[object]:
    marks = {kind: pytest.mark.xfail(reason=reason, strict=False) for kind, reason in KNOWN.items()}
    return [pytest.param(kind, marks=marks.get(kind, ()), id=kind.replace(" ", "-")) for kind in KINDS]


@pytest.fixture(scope="module")
def alone() -> Found:
    """1,000 cases through a proxy without shadows."""
    return run(generated(SEED, 1000), 50)


@pytest.fixture(scope="module")
def shadowed() -> Found:
    """500 cases through a proxy with a healthy shadow and one that resets every copy."""
    return run(generated(SEED + 1, 500, shadows=True), 50)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", _kinds())
def test_nothing_differs(alone: Found, kind: str) -> None:
    """No exchange of 1,000 differs from the direct one in this respect."""
    assert alone.n == 1000
    assert alone.kinds[kind] == 0, "\n".join([f"seed {SEED}", *alone.told[kind]])


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", _kinds())
def test_nothing_differs_beside_shadows(shadowed: Found, kind: str) -> None:
    """No exchange of 500 differs from the direct one in this respect, whatever becomes of the copies."""
    assert shadowed.shadowed > 50
    assert shadowed.kinds[kind] == 0, "\n".join([f"seed {SEED + 1}", *shadowed.told[kind]])


@pytest.mark.timeout(60)
def test_one_execution_per_request(alone: Found, shadowed: Found) -> None:
    """The origin executes each of 1,500 requests once: none comes again after its answer."""
    assert (alone.n, shadowed.n, alone.left_over, shadowed.left_over) == (1000, 500, 0, 0)


@pytest.mark.timeout(60)
def test_every_call_is_accounted_for(shadowed: Found) -> None:
    """For each of the two shadows every accepted call is in one bucket, whatever became of it."""
    assert shadowed.shadowed > 50
    assert shadowed.unaccounted == 0


def test_json_is_never_rewritten() -> None:
    """Odd JSON texts pass both ways byte for byte, on paths that shadows read and on others."""
    found = run(compare(json_texts.cases()))
    assert found.n == 4 * len(json_texts.TEXTS) >= 480
    assert not found.kinds, found.told


def test_errors_pass_as_they_are() -> None:
    """Statuses from 200 to 599 with what clients read when something is wrong: 900 of 3,600 combinations."""
    found = run(compare(statuses.final(every=4)))
    assert found.n == 900
    assert not found.kinds, found.told


@pytest.mark.xfail(reason=KNOWN["interim answers"], strict=False)
def test_interim_answers_pass_as_they_are() -> None:
    """Statuses from 102 to 199 come before the final answer, with their fields."""
    found = run(compare(statuses.interim()))
    assert found.n == 294
    assert not found.kinds, found.told


def test_an_upgrade_that_nobody_asked_for_is_an_error() -> None:
    """A 101 that answers an ordinary request becomes a 502: what follows it is not HTTP."""
    found = run(compare([Case(b"101", answer=Reply(101, b"Switching Protocols", framing="none", body=b""))]))
    assert found.kinds["status line"] == 1
    assert "502 Bad Gateway" in found.told["status line"][0]


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shadows", [False, True], ids=["alone", "shadowed"])
@pytest.mark.xfail(reason="; ".join(KNOWN.values()), strict=False)
def test_nothing_differs_in_20_000(shadows: bool) -> None:
    """20,000 exchanges: no difference, and one execution each."""
    found = run(generated(SEED, 20_000, shadows), 500)
    print(found.line("generated exchanges", f"seed {SEED}"))
    assert (found.n, dict(found.kinds), found.left_over, found.unaccounted) == (20_000, {}, 0, 0), found.told


@pytest.mark.proof
@pytest.mark.timeout(120)
def test_every_error_passes_as_it_is() -> None:
    """All 3,600 combinations of status, body and fields."""
    found = run(compare(statuses.final()), 100)
    print(found.line("every status from 200"))
    assert (found.n, dict(found.kinds)) == (3600, {}), found.told

"""Nothing differs through the proxy but what compare lists: `python -m tests.proofs.transparency differential`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.transparency import json_texts, statuses
from tests.proofs.transparency.cases import Case, Reply
from tests.proofs.transparency.compare import KINDS
from tests.proofs.transparency.differential import Found, compare, generated
from tests.proofs.transparency.papers import Papers
from tests.proofs.transparency.rig import run

SEED = 7


@pytest.fixture(scope="module")
def alone() -> Found:
    """1,000 cases through a proxy without shadows."""
    return run(generated(SEED, 1000), 50)


@pytest.fixture(scope="module")
def shadowed() -> Found:
    """500 cases through a proxy with a healthy shadow and one that resets every copy."""
    return run(generated(SEED + 1, 500, shadows=True), 50)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_differs(alone: Found, kind: str) -> None:
    """No exchange of 1,000 differs from the direct one in this respect."""
    assert alone.n == 1000
    assert alone.kinds[kind] == 0, "\n".join([f"seed {SEED}", *alone.told[kind]])


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_differs_beside_shadows(shadowed: Found, kind: str) -> None:
    """No exchange of 500 differs from the direct one in this respect, whatever becomes of the copies."""
    assert shadowed.shadowed > 50
    assert shadowed.kinds[kind] == 0, "\n".join([f"seed {SEED + 1}", *shadowed.told[kind]])


@pytest.mark.timeout(60)
def test_raw_bytes_in_a_target_are_refused(alone: Found) -> None:
    """Of 1,000 cases those whose target has a byte above 0x7f are refused with 400, and they alone."""
    assert alone.refusals > 50
    assert alone.kinds["refused"] == 0, alone.told


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


def _same(found: Found, n: int) -> None:
    print(found.line("generated exchanges", f"seed {SEED}"))
    assert (found.n, dict(found.kinds), found.left_over, found.unaccounted) == (n, {}, 0, 0), found.told


@pytest.mark.timeout(60)
def test_nothing_differs_through_a_divided_proxy() -> None:
    """500 exchanges through `workers: 2`."""
    _same(run(generated(SEED + 2, 500, workers=2), 50), 500)


@pytest.mark.timeout(60)
def test_nothing_differs_by_tls(tmp_path: Path) -> None:
    """500 exchanges with TLS from the client to the proxy and from there to live."""
    _same(run(generated(SEED + 3, 500, papers=Papers.made_in(tmp_path)), 50), 500)


@pytest.mark.proof
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shadows", [False, True], ids=["alone", "shadowed"])
def test_nothing_differs_in_20_000(shadows: bool) -> None:
    """20,000 exchanges: no difference, and one execution each."""
    _same(run(generated(SEED, 20_000, shadows), 500), 20_000)


@pytest.mark.proof
@pytest.mark.timeout(120)
def test_every_error_passes_as_it_is() -> None:
    """All 3,600 combinations of status, body and fields."""
    found = run(compare(statuses.final()), 100)
    print(found.line("every status from 200"))
    assert (found.n, dict(found.kinds)) == (3600, {}), found.told

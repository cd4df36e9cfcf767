"""Nothing hidden in a request becomes one: figures with `python -m tests.proofs.smuggling`."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.proofs.corpus import corpus, mutations
from tests.proofs.smuggling import PEERS, PIECES, ours, peer, run_corpus, run_mutations, send

TOLERATED = {"line-2", "line-3"}
"""Two blanks in the request line: one reading only, and all three servers take it (RFC 9112 §3 lets them)."""


async def test_the_corpus_is_refused_and_its_sound_part_is_not() -> None:
    """Every invalid request is refused and its connection closed; every valid one is answered by the origin, once."""
    cases = corpus()
    async with ours() as server:
        seen, wrong = await run_corpus(server)
        said = server.log.read_text()
    assert wrong == [], f"{len(wrong)} of {len(cases)}"
    passed = {case.name for case, one in zip(cases, seen, strict=True) if not case.valid and one.accepted}
    refused = {case.name: one for case, one in zip(cases, seen, strict=True) if case.valid and not one.accepted}
    unanswered = {
        case.name: one
        for case, one in zip(cases, seen, strict=True)
        if not case.valid and case.name not in TOLERATED and not (one.closed and len(one.statuses) == 1)
    }
    assert (passed, refused, unanswered) == (TOLERATED, {}, {}), f"of {len(cases)}"
    assert '"level": "error"' not in said
    assert "Traceback" not in said


async def test_no_mutation_of_the_framing_passes() -> None:
    """Of every seventh mutation, in four settings and three ways of sending: nothing but one refusal each."""
    async with ours() as server:
        await _none_passes(server, step=7)


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_no_mutation_at_all_passes() -> None:
    """600 mutations × 4 settings × 3 ways of sending: 7,200 exchanges, 0 smuggled (below 0.05 %, 95 % confidence)."""
    async with ours() as server:
        seen = await _none_passes(server, step=1)
        assert seen == len(mutations()) * 4 * len(PIECES) >= 7_200


async def _none_passes(server, step: int) -> int:
    seen, wrong, names = await run_mutations(server, list(PIECES), step)
    assert wrong == [], f"{len(wrong)} of {len(seen)}"
    statuses = Counter(one.statuses for one in seen)
    # a refusal can be lost to the reset that answers bytes sent after it
    odd = [
        (name, one) for name, one in zip(names, seen, strict=True) if one.statuses not in ((400,), ()) or not one.closed
    ]
    assert statuses[()] < len(seen) / 10
    assert not odd, (len(odd), len(seen), statuses, odd[:5])
    sound = await send(server.url, [b"GET /r999999 HTTP/1.1\r\nHost: a\r\n\r\n"])
    assert sound.accepted, "the proxy still answers"
    said = server.log.read_text()
    assert '"level": "error"' not in said
    assert "Traceback" not in said
    return len(seen)


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.skipif(len(PEERS) < 2, reason="nginx and HAProxy are not both installed")
async def test_nothing_passes_that_both_others_refuse() -> None:
    """Beside nginx and HAProxy on the same requests: what either refuses is refused here as well."""
    cases = corpus()
    async with ours() as server:
        here, _ = await run_corpus(server)
    for name in PEERS:
        async with peer(name) as server:
            there, _ = await run_corpus(server)
        pairs = list(zip(cases, here, there, strict=True))
        lenient = [
            case.name for case, mine, theirs in pairs if mine.accepted and not theirs.accepted and not case.valid
        ]
        strict = sum(theirs.accepted and not mine.accepted for _, mine, theirs in pairs)
        print(f"{name}: {len(cases)} requests, {strict} accepted there only, {len(lenient)} accepted here only")
        assert lenient == []

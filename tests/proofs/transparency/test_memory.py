"""Bodies of any size pass in flat memory, and who hardly reads costs little."""

from __future__ import annotations

import pytest

from tests.proofs.transparency.memory import FLAT, MEGA, SLOW, SLOW_CLIENT, download, slow_readers, upload
from tests.proofs.transparency.rig import run

HOW = pytest.mark.parametrize("chunks", [False, True], ids=["length", "chunks"])


def _flat(megabytes: int, chunks: bool) -> None:
    for proof in (upload, download):
        carried = run(proof(megabytes, chunks), 100)
        print(carried.line(f"{proof.__name__}, MB"))
        assert carried.right
        assert carried.grown < FLAT


@pytest.mark.timeout(30)
@HOW
def test_64_megabytes_each_way(chunks: bool) -> None:
    """64 MB up and 64 MB down arrive whole."""
    _flat(64, chunks)


@pytest.mark.proof
@pytest.mark.timeout(120)
@HOW
def test_a_gigabyte_each_way(chunks: bool) -> None:
    """1 GB up and 1 GB down arrive whole, in the memory of 64 MB."""
    _flat(1024, chunks)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kept", [64 << 10, pytest.param(MEGA, marks=pytest.mark.proof)])
def test_slow_readers(kept: int) -> None:
    """200 clients at 1 KB a second: the origin's sending stands still, and the proxy holds little for each."""
    carried = run(slow_readers(200, SLOW, kept), 50)
    print(carried.line("slow readers"))
    assert carried.right, carried.note
    assert carried.grown / carried.n < SLOW_CLIENT + kept / MEGA

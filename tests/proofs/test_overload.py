"""Under too much the proxy sheds shadows, refuses, and is there afterwards: `python -m tests.proofs.overload`."""

import shutil
import sys

import pytest

from tests.proofs.overload import few_descriptors, overloaded, uploads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.mark.proof
@pytest.mark.skipif(shutil.which("cc") is None, reason="the load generator is compiled here (Debian: apt install gcc)")
@pytest.mark.timeout(180)
async def test_ten_times_the_capacity() -> None:
    """Shadows are shed and no live call fails; four fifths of the capacity remain, and all of it soon after."""
    found = await overloaded(10, 5)
    print(found.row())
    assert (found.bad, found.after_bad) == (0, 0)
    assert found.shed > 0
    assert found.goodput > 0.8 * found.capacity
    assert found.later > 0.6 * found.capacity  # the queue's server and the copies of 600 more connections share a core
    assert found.grown < 160 << 20


@pytest.mark.timeout(30)
async def test_too_few_descriptors() -> None:
    """More clients than files may be open: some are refused, the process lives, and it serves once they are gone."""
    seen, meanwhile, after = await few_descriptors(128, 128, 200)
    print(f"128 descriptors, 200 clients: {dict(seen)}, a call meanwhile {meanwhile}, after it {after}")
    assert seen.total() == 200
    assert set(seen) <= {"200", "502", "closed", "no answer"}
    assert seen["200"] < 200
    assert after == 200


async def test_the_soft_limit_is_raised() -> None:
    """Where the system allows more files than a shell gives, more clients are served than that would be enough for."""
    assert await few_descriptors(128, 2048, 200) == ({"200": 200}, 200, 200)


async def test_uploads_are_not_held() -> None:
    """40 uploads of 4 MiB at once: none is shadowed, and the process grows by less than what one in four weighs."""
    found = await uploads(40, 4 << 20)
    print(found.row("40 × 4 MiB"))
    assert found.answered == {"200": 40}
    assert found.shadows == {"skipped body_too_large": 40}
    assert found.most_held == 0
    assert found.grown < 60 << 20


@pytest.mark.parametrize("cap", [8, 64])
async def test_the_memory_of_shadows_has_a_bound(cap: int) -> None:
    """60 calls of 1 MB whose candidate never answers: what open shadow calls hold is at no look above the cap."""
    found = await uploads(60, 1_000_000, f"{cap}MiB")
    print(found.row(f"60 × 1 MB, cap {cap} MiB"))
    assert found.answered == {"200": 60}
    assert found.most_held <= cap << 20
    assert found.most_held > min(cap - 2, 50) << 20
    assert found.shadows.total() == 60
    assert (found.shadows["dropped memory"] > 0) == (cap < 60)


@pytest.mark.proof
@pytest.mark.timeout(180)
async def test_many_large_uploads() -> None:
    """200 uploads of 20 MiB at once, 4 GB in all: every one is answered, and memory stays bounded."""
    found = await uploads(200, 20 << 20)
    print(found.row("200 × 20 MiB"))
    assert found.answered == {"200": 200}
    assert found.shadows == {"skipped body_too_large": 200}
    assert found.grown < 400 << 20  # 1.5 MiB each, however large: what lies in buffers between two sockets

"""The reset matrix on the whole proxy: each cell a few times in the suite, a hundred times as a proof."""

from __future__ import annotations

from collections import Counter

import pytest

from config.pair import Failure
from tests.doubles.upstream import ScriptedUpstream
from tests.proofs.resets import SHORT, WHEN, WHO, Row, Stage
from tests.proxy.conftest import RigMaker

NONE, LEFT, LATE = Failure.NONE, Failure.CLIENT_LEFT, Failure.TIMEOUT
WHOLE = Row("whole", NONE, NONE, let_go=False, bucket="paired")
GONE = Row("left", LEFT, NONE, let_go=True, bucket="paired")
CUT = Row("cut", Failure.TRUNCATED, NONE, let_go=False, bucket="paired")
REFUSED = Row("502", Failure.RESET, NONE, let_go=False, bucket="paired")
LOST = Row("whole", NONE, Failure.RESET, let_go=False, bucket="paired")
HALF = Row("whole", NONE, Failure.TRUNCATED, let_go=False, bucket="paired")

EXPECTED: dict[str, tuple[Row, Row, Row]] = {
    "client reset": (GONE, GONE, WHOLE),
    "client FIN": (GONE, GONE, WHOLE),
    "live reset": (REFUSED, CUT, WHOLE),
    "live FIN": (REFUSED, CUT, WHOLE),
    "live timeout": (Row("504", LATE, NONE, True, "paired"), Row("cut", LATE, NONE, True, "paired"), WHOLE),
    "candidate reset": (LOST, HALF, WHOLE),
    "candidate FIN": (LOST, HALF, WHOLE),
    "candidate timeout": (Row("whole", NONE, LATE, True, "paired"), Row("whole", NONE, LATE, True, "paired"), WHOLE),
}
"""Whoever leaves, the candidate is heard to its end; live is let go of when the client leaves, and only then."""


async def _outcomes(rig: RigMaker, who: str, when: str, times: int) -> Counter[Row]:
    """What so many rounds came to; the accounting's identity holds after each."""
    stage = Stage(who, when)
    more = {"candidate timeout": {"candidate_more": SHORT}, "live timeout": {"live_more": SHORT}}.get(who, {})
    more["candidate_more"] = ", ".join([more.get("candidate_more", ""), "breaker: {failures: 0}"]).strip(", ")
    async with (
        ScriptedUpstream(stage.actor("live")) as live,
        ScriptedUpstream(stage.actor("candidate")) as candidate,
        rig(live.url, {"mini": candidate.url}, **more) as proxy,
    ):
        return Counter([await stage.play(proxy) for _ in range(times)])


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("who", WHO)
async def test_reset_matrix(rig: RigMaker, who: str, when: str) -> None:
    """What the client sees, how both exchanges ended, whether live is let go of within a second, and the bucket."""
    assert await _outcomes(rig, who, when, 3) == {EXPECTED[who][WHEN.index(when)]: 3}


@pytest.mark.proof
@pytest.mark.timeout(120)
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("who", WHO)
async def test_reset_matrix_a_hundred_times(rig: RigMaker, who: str, when: str) -> None:
    """The same a hundred times each: 2,400 rounds, none of which ends another way."""
    found = await _outcomes(rig, who, when, 100)
    (row,) = found
    print(
        f"| {who} | {when} | {row.client} | {row.live} | {row.candidate} | {row.let_go} | {row.bucket} | {found[row]} |"
    )
    assert found == {EXPECTED[who][WHEN.index(when)]: 100}

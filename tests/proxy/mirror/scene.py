"""A mirror between doubles: a call begins, live and the shadows are played by hand, and the law is checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from config.pair import Failure, Outcome, Pair, Role
from config.routing import again_name
from config.settings import DEFAULT_SHADOW_PATHS
from proxy.core.accounting import Bucket, Ledger
from proxy.core.breaker import Breaker
from proxy.core.budget import Budget
from proxy.core.capture import Capture
from proxy.core.headers import HeaderPairs
from proxy.core.paths import compile_paths
from proxy.core.plan import Draft, PlanRules, Target
from proxy.core.rate import Rate
from proxy.mirror import Memory, Mirror, MirrorRules, Shadow
from proxy.telemetry import Telemetry
from tests.doubles.asked import Asked, AskedUpstream

CHAT = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
HEADERS: HeaderPairs = ((b"Host", b"proxy"), (b"Content-Type", b"application/json"))


class Taking:
    """The publisher's side: what it takes it counts."""

    def __init__(self, ledger: Ledger) -> None:
        self.pairs: list[Pair] = []
        self._ledger = ledger

    def offer(self, pair: Pair) -> None:
        """Take it."""
        self.pairs.append(pair)
        self._ledger.count(pair.call.arrived, pair.shadow, Bucket.PAIRED)


def outcome(
    failure: Failure = Failure.NONE, body: bytes = b'{"live":1}', cap: int = 1000, status: int = 200
) -> Outcome:
    """What became of live."""
    capture = Capture(cap)
    capture.sent(0.0)
    capture.head(status, (), 0.1)
    capture.chunk(body, 0.2)
    return capture.end(failure, "", 0.3)


class Scene:
    """One mirror with shadows `a`, `b`, ... Every part can be given; what is not is the real thing."""

    def __init__(
        self,
        shadows: int = 1,
        *,
        cap: int = 1000,
        slots: int = 8,
        memory: Memory | None = None,
        budget: Callable[[dict[str, int]], Budget] = Budget,
        breaker: Callable[[], Breaker] = lambda: Breaker(0, 1.0),
        rate: Callable[[], Rate | None] = lambda: None,
        ledger: Ledger | None = None,
        telemetry: Telemetry | None = None,
        taking: Callable[[Ledger], Taking] = Taking,
        upstream: Callable[[], AskedUpstream] = AskedUpstream,
        sample: float = 1.0,
        again: bool = False,
    ) -> None:
        """`again` has every candidate asked twice: behind `a` comes `a/again`."""
        self.names = [chr(ord("a") + at) for at in range(shadows)]
        self.names = [name for first in self.names for name in (first, again_name(first))[: 1 + again]]
        self.ledger = ledger or Ledger()
        self.telemetry = telemetry or Telemetry()
        self.taking = taking(self.ledger)
        self.memory = memory or Memory(100_000)
        self.budget = budget(dict.fromkeys(self.names, slots))
        self.upstreams = {name: upstream() for name in self.names}
        self.breakers = {name: breaker() for name in self.names}
        self.calls = 0
        rules = MirrorRules(PlanRules(compile_paths(DEFAULT_SHADOW_PATHS)), cap, ())
        made = [
            Shadow(self._target(name, sample), self.upstreams[name], self.breakers[name], rate()) for name in self.names
        ]
        self.mirror = Mirror(rules, made, self.budget, self.memory, self.taking, self.ledger, self.telemetry)

    @staticmethod
    def _target(name: str, sample: float) -> Target:
        role = Role.AGAIN if "/" in name else Role.CANDIDATE
        return Target(name, role, f"http://{name[0]}.example/base", same_origin=False, api_key="key", sample=sample)

    async def begin(self, body: bytes | None = CHAT, headers: HeaderPairs = HEADERS, **more: Any) -> Live:
        """One call, planned and asked when this returns."""
        self.calls += 1
        live: Live = asyncio.get_running_loop().create_future()
        draft = Draft(f"{self.calls:032x}", 1000.0, "POST", "/v1/chat/completions", "", headers, body, **more)
        self.mirror.begin(draft, live, asyncio.get_running_loop().time())
        await turns()
        return live

    def asked(self, name: str = "a") -> Asked:
        """The latest exchange of a shadow."""
        return self.upstreams[name].asked[-1]

    def counted(self, bucket: Bucket | None = None, reason: str | None = None, name: str | None = None) -> int:
        """The ledger's number."""
        return self.ledger.total(shadow=name, bucket=bucket, reason=reason)

    @property
    def pairs(self) -> Sequence[Pair]:
        """What the publisher took."""
        return self.taking.pairs

    @property
    def caught(self) -> float:
        """Errors stopped at the mirror's edges."""
        return self.telemetry.registry.get_sample_value("understudy_broad_except_total", {"where": "mirror"}) or 0.0

    def conserved(self) -> None:
        """Assert that every call was decided once for every shadow and that nothing is held any more."""
        for name in self.names:
            assert self.ledger.calls(name) == self.calls, (name, self.ledger.snapshot())
        assert dict(self.budget.in_flight) == dict.fromkeys(self.names, 0)
        assert self.memory.held == 0


Live = asyncio.Future[Outcome]


async def turns(number: int = 3) -> None:
    """Let the loop go round: what was called soon has then been called."""
    for _ in range(number):
        await asyncio.sleep(0)

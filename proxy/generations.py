"""What one configuration builds: the way to every live, and the mirrors with their shadows. Used by wiring.

A reload builds the next generation and retires the one before; what did not change in the file is handed on, with
its connections, its breaker and its rate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from pydantic import SecretStr

from config.pair import Role
from config.routing import Candidate, Control, Live, Route, SystemPrompt, Tls, again_name
from config.settings import DEFAULT_SHADOW_PATHS, Settings
from config.tls import why
from proxy.core.accounting import Ledger
from proxy.core.address import authority
from proxy.core.breaker import Breaker
from proxy.core.budget import Budget
from proxy.core.guard import Bounds
from proxy.core.headers import recorder, same_origin
from proxy.core.loops import Place
from proxy.core.paths import compile_paths
from proxy.core.plan import PlanRules, Target
from proxy.core.rate import Rate
from proxy.core.rewrite import PromptEdit, SystemPromptEdit
from proxy.handler import HandlerRules, LiveRoute, Shadowing
from proxy.mirror import Memory, Mirror, MirrorRules, Shadow
from proxy.publisher import Publisher
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from proxy.upstream.lean import LeanUpstream


class TlsUnfit(Exception):
    """A file of certificates or keys cannot be used; the text names the place and the reason."""

    def __init__(self, where: str, error: OSError) -> None:
        super().__init__(f"{where}: a certificate or key file cannot be used: {why(error)}")


class Lives:
    """The live side of one configuration: `rules` is what the handler works by."""

    def __init__(
        self,
        settings: Settings,
        shadows: Mapping[str, Shadowing],
        tasks: Tasks,
        before: Lives | None = None,
        own: Collection[Place] = (),  # where this proxy listens, to which it must not forward
    ) -> None:
        known = before._known if before is not None else {}
        self._known: dict[str, tuple[Live, LeanUpstream]] = {}
        routes = {}
        for route in settings.routes:
            live, upstream = known.get(route.prefix, (None, None))
            if upstream is None or live != route.live:
                upstream = _upstream(route.live.base_url, route.live.timeout, tasks, route.live, own)
            self._known[route.prefix] = (route.live, upstream)
            parts = urlsplit(route.live.base_url)
            routes[route.prefix] = LiveRoute(
                base=parts.path.rstrip("/"),
                host=authority(parts.netloc),
                api_key=_secret(route.live.api_key),
                upstream=upstream,
                shadows=shadows[route.prefix],
            )
        limits = settings.limits
        self.rules = HandlerRules(
            routes,
            settings.capture.max_body,
            recorder(settings.capture.headers),
            Bounds(limits.line, limits.fields, limits.headers, limits.body),
            limits.stall,
        )

    @property
    def upstreams(self) -> list[LeanUpstream]:
        """One per live."""
        return [upstream for _, upstream in self._known.values()]


@dataclass(frozen=True, slots=True)
class Common:
    """What outlives a configuration on the shadow side."""

    publisher: Publisher
    memory: Memory
    ledger: Ledger
    telemetry: Telemetry
    tasks: Tasks


class Shadows:
    """The shadow side of one configuration: one Mirror for each route, by prefix."""

    def __init__(self, settings: Settings, common: Common, before: Shadows | None = None) -> None:
        self._known: dict[str, tuple[Any, Shadow, LeanUpstream]] = {}
        self._before = before._known if before is not None else {}
        self._budgets: dict[str, Budget] = dict(before._budgets) if before is not None else {}  # by prefix
        self._common = common
        self._settings = settings
        self.mirrors = {route.prefix: self._mirror(route) for route in settings.routes}
        self._before = {}
        # Of the configurations before: a request that is still arriving begins at its own, however many came since.
        self._former: WeakSet[Mirror] = WeakSet()
        self._draining = False
        if before is None:
            common.telemetry.shadowing.set(1)
        else:
            self._former = before._former | WeakSet(before.mirrors.values())
            self._forget(before)
            if not before.enabled:
                self.switch(False)
            if before._draining:
                self.drain()

    @property
    def upstreams(self) -> list[LeanUpstream]:
        """One per shadow; a candidate's second answers come over the same connections."""
        return list(dict.fromkeys(upstream for _, _, upstream in self._known.values()))

    @property
    def enabled(self) -> bool:
        """Whether new calls are shadowed (the kill switch)."""
        return all(mirror.enabled for mirror in self.mirrors.values())

    def switch(self, enabled: bool) -> None:
        """Turn the kill switch; shadows that are open go on."""
        for mirror in (*self._former, *self.mirrors.values()):
            mirror.switch(enabled)

    def drain(self) -> None:
        """Start no shadow from now on."""
        self._draining = True
        for mirror in (*self._former, *self.mirrors.values()):
            mirror.drain()

    async def settle(self, limit: float) -> int:
        """Wait for open shadow calls, then stop the rest; returns how many those were."""
        mirrors = (*self._former, *self.mirrors.values())
        return sum(await asyncio.gather(*(mirror.settle(limit) for mirror in mirrors)))

    def _forget(self, before: Shadows) -> None:
        """Shadows that are gone say nothing more: a last breaker that was open would be reported for ever."""
        for name in before._known.keys() - self._known.keys():
            self._common.telemetry.breaker_open.remove(name)
            self._common.telemetry.in_flight.remove(name)

    def _mirror(self, route: Route) -> Mirror:
        settings, common = self._settings, self._common
        globs = DEFAULT_SHADOW_PATHS if settings.shadow_paths == "default" else settings.shadow_paths
        plan = PlanRules(
            paths=compile_paths(globs),
            sampling=settings.sampling.key,
            captured=tuple(settings.capture.headers),
            tags=settings.capture.tags,
            max_body=settings.capture.max_body,
        )
        rules = MirrorRules(plan, settings.capture.max_body, tuple(settings.capture.headers))
        shadows = [shadow for candidate in route.candidates for shadow in self._candidate(route, candidate)]
        if shadows and route.control.sample > 0:  # without a candidate there is no noise to measure
            shadows.append(self._control(route))
        limits = {
            name: candidate.max_in_flight
            for candidate in route.candidates
            for name in (candidate.name, again_name(candidate.name))
        }
        limits[route.control_name] = route.control.max_in_flight
        budget = self._budgets[route.prefix] = Budget(limits, self._budgets.get(route.prefix))
        return Mirror(rules, shadows, budget, common.memory, common.publisher, common.ledger, common.telemetry)

    def _candidate(self, route: Route, candidate: Candidate) -> list[Shadow]:
        """The candidate, and where it is asked twice itself again, after it."""
        live = route.live
        base_url, tls, proxy = route.way(candidate)
        at_live = same_origin(base_url, live.base_url)
        target = Target(
            name=candidate.name,
            role=Role.CANDIDATE,
            base_url=base_url,
            same_origin=at_live,
            api_key=_secret(candidate.api_key) or (_secret(live.api_key) if at_live else ""),
            same_account=at_live and candidate.api_key is None,
            set=candidate.set,
            unset=candidate.unset,
            system_prompt=_prompt(candidate.system_prompt),
            headers=candidate.headers,
            sample=candidate.sample,
        )
        first = self._shadow(target, candidate, _Way(tls, proxy, candidate.keep_alive))
        if candidate.again == 0:
            return [first]
        second = replace(
            first, target=replace(target, name=again_name(candidate.name), role=Role.AGAIN, sample=candidate.again)
        )
        self._know(second, self._known[candidate.name])
        return [first, second]

    def _know(self, shadow: Shadow, like: tuple[Any, Shadow, LeanUpstream]) -> None:
        """One more name for what `like` asks: its connections, its breaker, its rate."""
        name, breaker = shadow.target.name, shadow.breaker
        self._common.telemetry.breaker_open.labels(name).set_function(lambda: float(breaker.open))
        self._known[name] = (like[0], shadow, like[2])

    def _control(self, route: Route) -> Shadow:
        live = route.live
        target = Target(
            name=route.control_name,
            role=Role.CONTROL,
            base_url=live.base_url,
            same_origin=True,
            api_key=_secret(live.api_key),
            same_account=True,
            sample=route.control.sample,
        )
        return self._shadow(target, route.control, _Way(live.tls, live.proxy, live.keep_alive))

    def _shadow(self, target: Target, asked: Candidate | Control, way: _Way) -> Shadow:
        facts = (target, asked, way)
        before = self._before.get(target.name)
        if before is not None and before[0] == facts:
            self._known[target.name] = before
            return before[1]
        upstream = _upstream(target.base_url, asked.timeout, self._common.tasks, way, ())
        rate = Rate(asked.max_per_second) if asked.max_per_second is not None else None
        breaker = Breaker(asked.breaker.failures, asked.breaker.probe)
        self._common.telemetry.breaker_open.labels(target.name).set_function(lambda: float(breaker.open))
        shadow = Shadow(target, upstream, breaker, rate)
        self._known[target.name] = (facts, shadow, upstream)
        return shadow


@dataclass(frozen=True, slots=True)
class _Way:
    """How a shadow is reached; see Route.way."""

    tls: Tls = field(default_factory=Tls)
    proxy: SecretStr | None = None
    keep_alive: float = 4.0


def retire(old: Iterable[LeanUpstream], new: Iterable[LeanUpstream]) -> None:
    """Have the upstreams that were replaced keep no connection; calls that began before end as they began."""
    for upstream in set(old) - set(new):
        upstream.retire()


def _upstream(base_url: str, timeout: Any, tasks: Tasks, way: Live | _Way, own: Collection[Place]) -> LeanUpstream:
    try:
        return LeanUpstream(
            base_url, timeout, tasks, tls=way.tls, proxy=_secret(way.proxy), keep_alive=way.keep_alive, own=own
        )
    except OSError as error:
        raise TlsUnfit(f"tls towards {base_url}", error) from None


def _prompt(prompt: SystemPrompt | None) -> SystemPromptEdit | None:
    if prompt is None:
        return None
    for how in PromptEdit:
        text = getattr(prompt, how.value)
        if text is not None:
            return SystemPromptEdit(how, text)
    raise ValueError("system_prompt.file was not read; settings come from config.load")


def _secret(value: SecretStr | None) -> str:
    return "" if value is None else value.get_secret_value()

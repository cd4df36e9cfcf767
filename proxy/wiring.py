"""The only file that constructs things: Settings in, a running proxy out, closed in reverse order. Used by __main__."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from config.embedded import queue_url
from config.pair import Role
from config.settings import DEFAULT_SHADOW_PATHS, Candidate, Settings, SystemPrompt
from proxy.core.accounting import Ledger
from proxy.core.budget import Budget
from proxy.core.headers import same_origin
from proxy.core.plan import PlanRules, Target, compile_paths
from proxy.core.rewrite import PromptEdit, SystemPromptEdit
from proxy.handler import Entrance, Handler, LiveRules
from proxy.mirror import Mirror, MirrorRules, Shadow
from proxy.ops import Ops
from proxy.publisher import TASK as PUBLISHING
from proxy.publisher import Publisher, PublisherRules, connect
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry, log
from proxy.upstream import HttpUpstream

GRACE = 30.0
"""Seconds for open requests and their shadows at shutdown; Kubernetes kills after 30 s unless told otherwise, so the
chart's terminationGracePeriodSeconds stands above this."""

_CUT = 0.1  # seconds for what is open after the grace, before it is cancelled; aiohttp reads 0 as no limit
_FLUSH = 5.0  # seconds for the last pairs after that


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that answers: where, and the means to look at it and to stop it."""

    listening: str
    ops: str
    ledger: Ledger
    draining: Draining


class Draining:
    """Stops a proxy in order: no new connections, open requests to their end, their shadows, the rest of the pairs."""

    def __init__(self, handler: Handler, ops: Ops, mirror: Mirror, tasks: Tasks, entrance: asyncio.Server) -> None:
        self._handler = handler
        self._ops = ops
        self._mirror = mirror
        self._tasks = tasks
        self._entrance = entrance

    async def drain(self, grace: float) -> None:
        """Return when all requests and shadows have ended, or after `grace` seconds."""
        until = asyncio.get_running_loop().time() + grace
        self._ops.ready = False
        self._handler.draining = True
        self._mirror.drain()
        self._entrance.close()
        await self._handler.idle(grace)
        late = await self._tasks.settle(until - asyncio.get_running_loop().time(), {PUBLISHING})
        log(logging.INFO, "drained", open_requests=self._handler.open_requests, cancelled_shadows=late)


@asynccontextmanager
async def running(settings: Settings, environ: Mapping[str, str] = os.environ) -> AsyncIterator[Running]:
    """A proxy for these settings, answering when the body of the `with` begins.

    Raises QueueUnfit when the queue's server must not be used, and OSError when an address cannot be listened on.
    """
    # Name look-ups block a thread each: a resolver that hangs for one shadow must leave threads for live.
    threads = ThreadPoolExecutor(8 + 2 * len(settings.candidates), "understudy")
    asyncio.get_running_loop().set_default_executor(threads)
    telemetry, ledger, tasks = Telemetry(), Ledger(), Tasks()
    telemetry.watch(ledger)
    async with AsyncExitStack() as closing:
        live = HttpUpstream(settings.live.timeout)
        closing.push_async_callback(live.close)
        shadows = _shadows(settings)
        for shadow in shadows:
            closing.push_async_callback(shadow.upstream.close)
        publisher = _publisher(settings, environ, ledger, telemetry)
        closing.push_async_callback(publisher.close, _FLUSH)
        await publisher.start(tasks)
        closing.push_async_callback(tasks.settle, 0.0, {PUBLISHING})
        mirror = _mirror(settings, shadows, publisher, ledger, telemetry, tasks)
        ops = Ops(mirror, telemetry)
        side_door = await _listen(ops, settings.ops, telemetry, closing)
        handler = Handler(_live_rules(settings), live, mirror, telemetry)
        closing.callback(handler.stop)
        entrance = await _listen(handler, settings.listen, telemetry, closing)
        draining = Draining(handler, ops, mirror, tasks, entrance)
        yield Running(_url(entrance), _url(side_door), ledger, draining)


def _publisher(settings: Settings, environ: Mapping[str, str], ledger: Ledger, telemetry: Telemetry) -> Publisher:
    rules = PublisherRules(
        stream=settings.queue.stream,
        max_pairs=settings.queue.max_pairs,
        memory=settings.queue.memory,
        instance=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}",
    )
    return Publisher(rules, connect(queue_url(settings, environ)), ledger, telemetry)


def _live_rules(settings: Settings) -> LiveRules:
    return LiveRules(
        base_url=settings.live.base_url,
        host=urlsplit(settings.live.base_url).netloc.encode("ascii"),
        api_key=_secret(settings.live.api_key),
        cap=settings.capture.max_body,
        recorded=tuple(settings.capture.headers),
    )


def _mirror(
    settings: Settings,
    shadows: list[Shadow],
    publisher: Publisher,
    ledger: Ledger,
    telemetry: Telemetry,
    tasks: Tasks,
) -> Mirror:
    globs = DEFAULT_SHADOW_PATHS if settings.shadow_paths == "default" else settings.shadow_paths
    plan = PlanRules(
        paths=compile_paths(globs),
        sampling=settings.sampling.key,
        captured=tuple(settings.capture.headers),
        tags=settings.capture.tags,
        max_body=settings.capture.max_body,
    )
    rules = MirrorRules(plan, settings.capture.max_body, tuple(settings.capture.headers), settings.queue.memory)
    limits = {candidate.name: candidate.max_in_flight for candidate in settings.candidates}
    limits[Role.CONTROL.value] = settings.control.max_in_flight
    return Mirror(rules, shadows, Budget(limits), publisher, ledger, telemetry, tasks)


def _shadows(settings: Settings) -> list[Shadow]:
    """The candidates and the control; without a candidate there is no noise to measure, and no control."""
    shadows = [Shadow(_target(settings, one), HttpUpstream(one.timeout)) for one in settings.candidates]
    if shadows and settings.control.sample > 0:
        target = Target(
            name=Role.CONTROL.value,
            role=Role.CONTROL,
            base_url=settings.live.base_url,
            same_origin=True,
            api_key=_secret(settings.live.api_key),
            same_account=True,
            sample=settings.control.sample,
        )
        shadows.append(Shadow(target, HttpUpstream(settings.control.timeout)))
    return shadows


def _target(settings: Settings, candidate: Candidate) -> Target:
    base_url = candidate.base_url or settings.live.base_url
    at_live = same_origin(base_url, settings.live.base_url)
    return Target(
        name=candidate.name,
        role=Role.CANDIDATE,
        base_url=base_url,
        same_origin=at_live,
        api_key=_secret(candidate.api_key) or (_secret(settings.live.api_key) if at_live else ""),
        same_account=at_live and candidate.api_key is None,
        set=candidate.set,
        unset=candidate.unset,
        system_prompt=_prompt(candidate.system_prompt),
        headers=candidate.headers,
        sample=candidate.sample,
    )


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


async def _listen(
    handler: Handler | Ops, address: str, telemetry: Telemetry, closing: AsyncExitStack
) -> asyncio.Server:
    host, _, port = address.rpartition(":")
    entrance = Entrance(handler, telemetry)
    server = await asyncio.get_running_loop().create_server(entrance, host.strip("[]"), int(port), backlog=1024)
    closing.push_async_callback(entrance.shutdown, _CUT)
    closing.callback(entrance.pre_shutdown)  # ends idle connections; without it each would wait for a request
    closing.callback(server.close)
    return server


def _url(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""Health, readiness, metrics and the kill switch, on a port of their own. Asks the shadows and telemetry.

Readiness says only whether this process takes requests: Redis or a candidate that is away must never take production
down with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Protocol

import orjson
from aiohttp.web import BaseRequest, Response
from prometheus_client import CONTENT_TYPE_LATEST

from proxy.telemetry import Telemetry


class Switch(Protocol):
    """What the kill switch turns."""

    @property
    def enabled(self) -> bool:
        """Whether new calls are shadowed."""

    def switch(self, enabled: bool) -> None:
        """From now on, or no more."""


class Routes(ABC):
    """The routes of an ops port; called by the server for each request. One process answers, or one for several."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], Callable[[BaseRequest], Awaitable[Response]]] = {
            ("GET", "/livez"): self._live,
            ("GET", "/readyz"): self._ready,
            ("GET", "/metrics"): self._metrics,
            ("GET", "/shadowing"): self._shadowing,
            ("POST", "/shadowing"): self._switch,
        }

    async def __call__(self, request: BaseRequest) -> Response:
        """Answer one request; what is not known is a 404."""
        route = self._routes.get((request.method, request.path))
        return await route(request) if route else answer({"error": "not found"}, 404)

    async def _live(self, _: BaseRequest) -> Response:
        return answer({"status": "live"})

    @abstractmethod
    async def _ready(self, _: BaseRequest) -> Response: ...

    @abstractmethod
    async def _metrics(self, _: BaseRequest) -> Response: ...

    @abstractmethod
    async def _shadowing(self, _: BaseRequest) -> Response: ...

    @abstractmethod
    async def _turn(self, enabled: bool) -> Response: ...

    async def _switch(self, request: BaseRequest) -> Response:
        body = await request.read()
        try:
            enabled = orjson.loads(body)["enabled"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            enabled = None
        if not isinstance(enabled, bool):
            return answer({"error": 'send {"enabled": true} or {"enabled": false}'}, 400)
        return await self._turn(enabled)


class Ops(Routes):
    """What one process says of itself."""

    def __init__(self, switch: Switch, telemetry: Telemetry) -> None:
        super().__init__()
        self.ready = True
        self._turned = switch
        self._telemetry = telemetry

    async def _ready(self, _: BaseRequest) -> Response:
        return answer({"status": "ready"}) if self.ready else answer({"status": "draining"}, 503)

    async def _metrics(self, _: BaseRequest) -> Response:
        return Response(body=self._telemetry.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _shadowing(self, _: BaseRequest) -> Response:
        return answer({"enabled": self._turned.enabled})

    async def _turn(self, enabled: bool) -> Response:
        self._turned.switch(enabled)
        return answer({"enabled": enabled})


def answer(value: object, status: int = 200) -> Response:
    """One JSON answer."""
    return Response(body=orjson.dumps(value), status=status, content_type="application/json")

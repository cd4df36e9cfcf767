"""A changed configuration file, taken over while traffic flows. Run beside the proxy by wiring; SIGHUP comes from main.

The file's content is looked at every 2 s (a mounted ConfigMap changes without a signal, and its time stamps say
little). What is wrong is refused whole and the old settings stay; what only a restart can change is refused by name.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from config.load import ConfigError, load
from config.settings import Settings
from proxy.telemetry import Telemetry, log

PERIOD = 2.0

_AT_START = ("listen", "tls", "ops", "workers", "limits", "data", "queue")
"""Read once: sockets, processes and files that are open."""


def fixed(old: Settings, new: Settings) -> list[str]:
    """The keys whose change needs a restart, as far as they changed."""
    return [key for key in _AT_START if getattr(old, key) != getattr(new, key)]


class Reloading:
    """Watches one file. `apply` takes over new settings, whole or not at all; it is called in the loop."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        settings: Settings,
        apply: Callable[[Settings], None],
        telemetry: Telemetry,
        period: float = PERIOD,
    ) -> None:
        self._path = path
        self._period = period
        self._environ = environ
        self._settings = settings
        self._apply = apply
        self._telemetry = telemetry
        self._seen = _digest(path)
        self._told = asyncio.Event()

    def tell(self) -> None:
        """Look now, and load even if the file has not changed: secrets in files of their own may have (SIGHUP)."""
        self._seen = b""
        self._told.set()

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._period):
                    await self._told.wait()
            self._told.clear()
            digest = _digest(self._path)
            if digest not in (self._seen, b""):  # a file that is just being replaced is looked at again
                self._seen = digest
                await self._reload()

    async def _reload(self) -> None:
        try:
            settings = await asyncio.to_thread(load, self._path, self._environ)
        except ConfigError as error:
            self._say("invalid", mistakes=[str(mistake) for mistake in error.mistakes])
            return
        if restart := fixed(self._settings, settings):
            self._say("needs_restart", keys=restart)
            return
        try:
            self._apply(settings)
        except Exception as error:  # named edge: the old settings go on
            self._telemetry.caught.labels("reloading").inc()
            self._say("failed", error=type(error).__name__)
            return
        self._settings = settings
        self._say("applied")

    def _say(self, result: str, **fields: object) -> None:
        self._telemetry.reloads.labels(result).inc()
        log(logging.INFO if result == "applied" else logging.ERROR, f"configuration {result}", **fields)


def _digest(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""

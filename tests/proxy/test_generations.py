"""What a reload hands on, what it replaces, and that whoever began before it ends as it began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config.load import parse
from config.settings import Settings
from proxy.core.accounting import Bucket, Ledger
from proxy.generations import Common, Lives, Shadows, retire
from proxy.mirror import Memory
from proxy.publisher import Publisher, PublisherRules, connect
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry
from proxy.upstream.lean import LeanUpstream
from proxy.wiring import Present
from tests.doubles.client import Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer
from tests.proxy.conftest import CHAT
from tests.proxy.upstream.told import come, get, post

LIVE = "live: {base_url: 'http://live.example/v1', api_key: live-key}\n"
MINI = "candidates: [{name: mini, set: {model: a}}]\n"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def read(text: str, folder: Path = Path()) -> Settings:
    """Settings of a file with this content."""
    return parse(text, "test.yaml", {}, folder)


@asynccontextmanager
async def common() -> AsyncIterator[Common]:
    """What outlives a configuration, with a queue that is away."""
    tasks, ledger, telemetry = Tasks(), Ledger(), Telemetry()
    rules = PublisherRules(stream="s", max_pairs=10, memory=1 << 20, instance="test")
    publisher = Publisher(rules, connect("unix:///nowhere.sock"), ledger, telemetry, None)
    yield Common(publisher, Memory(1 << 20), ledger, telemetry, tasks)
    await tasks.settle(0.0, set())

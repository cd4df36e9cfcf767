"""A changed file is taken over whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.load import load
from config.settings import Settings
from proxy.reloading import Reloading, fixed
from proxy.tasks import Tasks
from proxy.telemetry import Telemetry

FILE = "live: {{base_url: 'http://{host}'}}\ncandidates: [{{name: mini, set: {{model: {model}}}}}]\n{more}\n"


class Watched:
    """A file, and what was taken over from it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "understudy.yaml"
        self.write()
        self.applied: list[Settings] = []
        self.telemetry = Telemetry()
        self.reloading = Reloading(self.path, {}, load(self.path, {}), self.applied.append, self.telemetry, period=0.01)

    def write(self, host: str = "live.example", model: str = "a", more: str = "") -> None:
        """A version of the file."""
        self.path.write_text(FILE.format(host=host, model=model, more=more))

    def results(self, result: str) -> float:
        """How many reloads ended so."""
        return self.telemetry.registry.get_sample_value("understudy_config_reloads_total", {"result": result}) or 0.0

    async def until(self, result: str, count: int = 1) -> None:
        """Wait for a reload to end so."""
        async with asyncio.timeout(5):
            while self.results(result) < count:
                await asyncio.sleep(0.005)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@contextmanager
def watching(watched: Watched) -> Iterator[None]:
    """While the file is looked at."""
    task = Tasks().spawn(watched.reloading.watch(), "reloading")
    try:
        yield
    finally:
        task.cancel()


async def test_a_change_is_taken_over(watched: Watched) -> None:
    """New content, new settings, once."""
    with watching(watched):
        watched.write(model="b")
        await watched.until("applied")
        assert [one.candidates[0].set for one in watched.applied] == [{"model": "b"}]


async def test_what_is_wrong_changes_nothing(watched: Watched) -> None:
    """A file with a mistake is refused whole; mended, it is taken over."""
    with watching(watched):
        watched.write(more="sampling: {kee: call}")
        await watched.until("invalid")
        assert not watched.applied
        watched.write(more="sampling: {key: call}")
        await watched.until("applied")
        assert watched.applied[-1].sampling.key == "call"


async def test_what_needs_a_restart_is_refused_by_name(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """Sockets and files that are open stay; the log names the keys, and nothing else of the file is taken over."""
    with watching(watched):
        watched.write(model="b", more="listen: 127.0.0.1:1\nqueue: {memory: 1MiB}")
        await watched.until("needs_restart")
    assert not watched.applied
    assert [record.fields for record in caplog.records if "needs_restart" in record.msg] == [
        {"keys": ["listen", "queue"]}
    ]


async def test_a_file_that_vanishes_for_a_moment(watched: Watched) -> None:
    """Editors and ConfigMaps replace a file; while it is away nothing happens."""
    with watching(watched):
        watched.path.unlink()
        await asyncio.sleep(0.05)
        assert (watched.results("invalid"), watched.applied) == (0, [])
        watched.write(model="c")
        await watched.until("applied")


async def test_being_told_loads_an_unchanged_file(watched: Watched) -> None:
    """A secret in a file of its own may have changed: SIGHUP loads whatever the content."""
    with watching(watched):
        watched.reloading.tell()
        await watched.until("applied")
        assert len(watched.applied) == 1


async def test_a_taker_that_raises(tmp_path: Path) -> None:
    """What fails while it is taken over is counted, and the watch goes on."""
    watched = Watched(tmp_path)

    def apply(settings: Settings) -> None:
        watched.applied.append(settings)
        raise RuntimeError

    watched.reloading = Reloading(watched.path, {}, load(watched.path, {}), apply, watched.telemetry, period=0.01)
    with watching(watched):
        watched.write(model="b")
        await watched.until("failed")
        watched.write(model="c")
        await watched.until("failed", 2)
    assert len(watched.applied) == 2


def test_fixed_keys(watched: Watched) -> None:
    """Everything else may change."""
    settings = load(watched.path, {})
    watched.write(
        host="other.example", model="z", more="sampling: {key: call}\nmounts: {/a: {live: {base_url: 'http://x'}}}"
    )
    assert fixed(settings, load(watched.path, {})) == []

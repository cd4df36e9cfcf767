"""What two servers could read differently: sent to a running proxy, to nginx and to HAProxy, each before a raw origin.

`python -m tests.proofs.smuggling` prints the figures; test_smuggling runs the same code. No request may reach the
origin that was not answered, none that was hidden in another's body, and nothing may pass that both others refuse.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from evaluators.children import Child, child
from evaluators.queue_server import QueueServer
from tests.doubles.upstream import ScriptedUpstream, answer
from tests.proofs.corpus import corpus, mutations, smuggled

_AT_ONCE = 60
_QUIET = 0.3  # seconds without a byte after which an answered connection has nothing more to say
_PATIENCE = 5.0
_FIRST = 100_000  # numbers have six digits, so that lengths can be worked out beforehand


@dataclass(frozen=True, slots=True)
class Seen:
    """What one connection got: final statuses, and whether the other side ended it."""

    statuses: tuple[int, ...]
    closed: bool

    @property
    def accepted(self) -> bool:
        """Whether the first answer came from the origin."""
        return self.statuses[:1] == (200,)


@dataclass
class Server:
    """One server before its own origin."""

    url: str
    origin: ScriptedUpstream
    child: Child | None = None
    log: Path = Path("/dev/null")

    def executed(self, kind: bytes) -> list[int]:
        """The numbers of the requests that the origin got, by kind: `r` or `hidden`."""
        return [
            int(found[1]) for turn in self.origin.turns if (found := re.search(b"/" + kind + rb"(\d{6})", turn.target))
        ]


async def send(url: str, pieces: Iterable[bytes]) -> Seen:
    """These bytes on a connection of their own, and everything that comes back."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    data, closed = b"", False
    try:
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        with suppress(TimeoutError):
            while not closed:
                async with asyncio.timeout(_QUIET if re.search(rb"HTTP/1\.[01] 2\d\d ", data) else _PATIENCE):
                    part = await reader.read(65536)
                    data += part
                    closed = not part
    except ConnectionError:
        closed = True
    finally:
        writer.transport.abort()
    statuses = (int(one) for one in re.findall(rb"HTTP/1\.[01] (\d{3})", data))
    return Seen(tuple(one for one in statuses if one >= 200), closed)


async def send_all(url: str, sent: Sequence[Sequence[bytes]]) -> list[Seen]:
    """Many, some at a time."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(pieces: Sequence[bytes]) -> Seen:
        async with room:
            return await send(url, pieces)

    return await asyncio.gather(*(one(pieces) for pieces in sent))


def numbered(sent: bytes, number: int) -> bytes:
    """The request with its number; `%%` stands for one percent sign."""
    return sent.replace(b"%d", b"%d" % (_FIRST + number)).replace(b"%%", b"%")


PIECES = {
    "whole": lambda sent: [sent],
    "bytes": lambda sent: [sent[at : at + 1] for at in range(len(sent))],
    "lines": lambda sent: [part for line in sent.split(b"\r\n") for part in (line, b"\r\n")][:-1],
}


@asynccontextmanager
async def ours() -> AsyncIterator[Server]:
    """A running proxy."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="us-")))
        queue = QueueServer(folder, folder / "q.sock")
        await queue.start()
        stack.push_async_callback(queue.stop)
        origin = await stack.enter_async_context(ScriptedUpstream(answer()))
        config = {
            "listen": "127.0.0.1:0",
            "ops": "127.0.0.1:0",
            "data": str(folder / "data"),
            "live": {"base_url": origin.url},
            "workers": 1,
            "queue": {"url": f"unix://{folder / 'q.sock'}"},
        }
        file, log = folder / "proxy.yaml", folder / "proxy.log"
        file.write_text(yaml.safe_dump(config))
        proxy = await stack.enter_async_context(child("proxy", ["-m", "proxy", "--config", str(file)], log=log))
        yield Server(proxy.ready["listening"], origin, proxy, log)


_NGINX = """daemon off; error_log stderr crit; pid {folder}/nginx.pid; events {{ worker_connections 512; }}
http {{ access_log off; ignore_invalid_headers off; {paths}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {origin}; proxy_http_version 1.1; }} }} }}"""
_PATHS = (
    "client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c; uwsgi_temp_path {0}/d; "
    "scgi_temp_path {0}/e;"
)
_HAPROXY = """defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s {origin}
"""
PEERS = [name for name in ("nginx", "haproxy") if shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")]


@asynccontextmanager
async def peer(name: str) -> AsyncIterator[Server]:
    """nginx (with invalid header names refused rather than ignored) or HAProxy, as they are installed."""
    with tempfile.TemporaryDirectory(prefix="us-") as text:
        folder = Path(text)
        async with ScriptedUpstream(answer()) as origin:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            file = folder / "conf"
            if name == "nginx":
                paths = _PATHS.format(folder)
                file.write_text(_NGINX.format(folder=folder, port=port, origin=origin.url, paths=paths))
                command = ["nginx", "-p", text, "-e", "stderr", "-c", str(file)]
            else:
                file.write_text(_HAPROXY.format(port=port, origin=origin.url.removeprefix("http://")))
                command = ["haproxy", "-q", "-db", "-f", str(file)]
            program = shutil.which(command[0], path="/usr/sbin:/usr/local/sbin:/usr/bin")
            assert program is not None
            process = await asyncio.create_subprocess_exec(
                program, *command[1:], stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
            )
            try:
                await _listening(port)
                yield Server(f"http://127.0.0.1:{port}", origin)
            finally:
                process.terminate()
                await process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(5):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.02)


def breaches(server: Server, seen: Sequence[Seen], names: Sequence[str]) -> list[str]:
    """Requests executed without an answer or answered without being executed, by name."""
    executed = server.executed(b"r")
    wrong = [
        f"{names[n]}: executed {executed.count(_FIRST + n)}" for n in range(len(seen)) if executed.count(_FIRST + n) > 1
    ]
    for at, one in enumerate(seen):
        answered = sum(status == 200 for status in one.statuses)
        if answered != (_FIRST + at in executed) + server.executed(b"hidden").count(_FIRST + at):
            wrong.append(f"{names[at]}: {one}")
    return wrong


async def run_corpus(server: Server) -> tuple[list[Seen], list[str]]:
    """The corpus, each in one piece."""
    cases = corpus()
    seen = await send_all(server.url, [[numbered(case.sent, at)] for at, case in enumerate(cases)])
    return seen, breaches(server, seen, [case.name for case in cases])


async def run_mutations(server: Server, how: Sequence[str], step: int = 1) -> tuple[list[Seen], list[str], list[str]]:
    """Every `step`-th mutation in its four settings, cut into pieces in these ways; gives the requests as well."""
    requests = [
        (f"{kind} {line!r} {way}", sent, way)
        for way in how
        for line in mutations()[::step]
        for kind, sent in smuggled(line).items()
    ]
    seen = await send_all(server.url, [PIECES[way](numbered(sent, at)) for at, (_, sent, way) in enumerate(requests)])
    names = [name for name, _, _ in requests]
    hidden = [names[number - _FIRST] for number in server.executed(b"hidden")]
    return seen, breaches(server, seen, names) + [f"hidden: {name}" for name in hidden], names


async def main() -> None:
    """Print what each server let pass."""
    cases = corpus()
    for name in ["ours", *PEERS]:
        async with ours() if name == "ours" else peer(name) as server:
            seen, wrong = await run_corpus(server)
        invalid = [one.accepted for one, case in zip(seen, cases, strict=True) if not case.valid]
        valid = [one.accepted for one, case in zip(seen, cases, strict=True) if case.valid]
        print(
            f"{name}: {sum(invalid)} of {len(invalid)} invalid and {sum(valid)} of {len(valid)} valid accepted, ",
            end="",
        )
        print(f"{len(wrong)} breaches", flush=True)
        async with ours() if name == "ours" else peer(name) as server:
            seen, wrong, _ = await run_mutations(server, list(PIECES) if name == "ours" else ["whole"])
        print(f"{name}: of {len(seen)} mutations {sum(one.accepted for one in seen)} accepted, {len(wrong)} breaches")


if __name__ == "__main__":
    asyncio.run(main())

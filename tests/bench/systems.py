"""The systems under measurement: how each is configured and started, and how to get it. Used by tests.bench.rounds.

Each is given as well as its manual allows: keep-alive to every upstream, no access log, one process on one core.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.processes import REST, UNDER_TEST, NotStarted, listening, move, serving, started, tree
from tests.bench.rig import Rig

KEY = "sk-bench-0000000000000000"
_TO_OPS = 1000  # from the port for calls to the port for metrics


@dataclass(frozen=True, order=True)
class Kind:
    """One row of a table: a system with so many shadows."""

    name: str
    shadows: int = 0

    @property
    def label(self) -> str:
        """As the results name it."""
        return f"{self.name}:{self.shadows}"


@dataclass(frozen=True)
class System:
    """A started system: where it listens, and its process tree. `direct` is the fake model itself, without a tree."""

    kind: Kind
    port: int
    upstreams: tuple[int, ...]
    process: subprocess.Popen[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {KEY}"})
    stream: str | None = None  # the queue's, when it keeps pairs
    ops: int | None = None

    @property
    def pids(self) -> list[int]:
        """All its processes."""
        return tree(self.process.pid) if self.process else []

    @property
    def live_pids(self) -> list[int]:
        """Those that serve calls. A process whose children inherited its listening socket only watches them."""
        pids = self.pids
        found = serving(pids, self.port) if self.stream else pids
        return [pid for pid in found if pid != pids[0]] or found


@dataclass(frozen=True)
class Start:
    """What a starter gets."""

    rig: Rig
    kind: Kind
    port: int
    upstreams: tuple[int, ...]
    programs: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """A place of its own for configuration, data and log."""
        made = self.rig.folder / f"{self.kind.name}-{self.kind.shadows}-{self.upstreams[0]}"
        made.mkdir(exist_ok=True)
        return made

    @property
    def shadow_ports(self) -> list[int]:
        """Where the copies go."""
        return list(self.upstreams[1 : self.kind.shadows + 1])


def direct(start: Start) -> AbstractContextManager[System]:
    """No proxy: what the rig itself costs."""

    @contextmanager
    def _direct() -> Iterator[System]:
        yield System(start.kind, start.upstreams[0], start.upstreams)

    return _direct()


def nginx(start: Start) -> AbstractContextManager[System]:
    """A reverse proxy with `mirror`, one worker. With mirrors it reads a body to its end first; without it need not."""
    pools = "".join(
        f"upstream u{port} {{ server 127.0.0.1:{port}; keepalive 1024; keepalive_requests 10000000; }}\n"
        for port in (start.upstreams[0], *start.shadow_ports)
    )
    mirrors = "".join(f"mirror /_m{port}; " for port in start.shadow_ports) or "proxy_request_buffering off; "
    targets = "".join(
        f"location = /_m{port} {{ internal; proxy_pass http://u{port}$request_uri; }} " for port in start.shadow_ports
    )
    folder = start.folder
    places = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    user = "user root; " if os.geteuid() == 0 else ""  # or its worker may not write in the folder
    file.write_text(
        f"{user}worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        "worker_rlimit_nofile 20000; events { worker_connections 8192; }\n"
        "http { access_log off; keepalive_requests 10000000; client_max_body_size 64m; client_body_buffer_size 256k; "
        f"{places}\n{pools}"
        'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;\n'
        f"server {{ listen 127.0.0.1:{start.port} backlog=4096; "
        f"location / {{ {mirrors} proxy_pass http://u{start.upstreams[0]}; }} {targets} }} }}\n"
    )
    return _running(start, ["nginx", "-p", str(folder), "-c", str(file)])


def haproxy(start: Start) -> AbstractContextManager[System]:
    """A reverse proxy, one thread; it has no mirroring of its own. Without http-no-delay it holds events back."""
    file = start.folder / "haproxy.cfg"
    file.write_text(
        "global\n  nbthread 1\n  maxconn 4000\n"
        "defaults\n  mode http\n  option http-no-delay\n  http-reuse always\n"
        "  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        f"frontend calls\n  bind 127.0.0.1:{start.port} backlog 4096\n  default_backend live\n"
        f"backend live\n  server live 127.0.0.1:{start.upstreams[0]}\n"
    )
    return _running(start, ["haproxy", "-f", str(file)])


def litellm(start: Start) -> AbstractContextManager[System]:
    """LiteLLM's proxy with its silent model, one worker, from a virtual environment of its own."""
    names = [f"shadow{port}" for port in start.shadow_ports]
    silent = {"silent_model": names if len(names) > 1 else names[0]} if names else {}
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": "openai/fake",
                "api_key": "sk-x",
                "api_base": f"http://127.0.0.1:{port}/v1",
                **(silent if name == "fake" else {}),
            },
        }
        for name, port in zip(["fake", *names], [start.upstreams[0], *start.shadow_ports], strict=True)
    ]
    config = {
        "model_list": models,
        "litellm_settings": {"telemetry": False, "num_retries": 0, "request_timeout": 60},
        "general_settings": {"master_key": KEY},
    }
    file = start.folder / "litellm.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False"}
    command = [start.programs["litellm"], "--config", str(file), "--host", "127.0.0.1", "--port", str(start.port)]
    return _running(start, [*command, "--num_workers", "1"], quiet, patience=180)


def portkey(start: Start) -> AbstractContextManager[System]:
    """Portkey's gateway on Node; it is told with each call where to go, and has no mirroring."""
    command = ["node", str(portkey_program(start.programs["portkey"])), f"--port={start.port}", "--headless"]
    trusted = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost", "NODE_ENV": "production"}
    headers = {
        "Authorization": f"Bearer {KEY}",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{start.upstreams[0]}/v1",
    }
    return _running(start, command, trusted, patience=60, headers=headers)


def portkey_program(given: str) -> Path:
    """The server's script: as given, or inside the folder where npm installed it."""
    path = Path(given)
    return path / "node_modules/@portkey-ai/gateway/build/start-server.js" if path.is_dir() else path


def understudy(start: Start) -> AbstractContextManager[System]:
    """Our proxy, pairs appended to a real queue. `+lane`: shadows in a process of their own, on the other core."""
    lane = start.kind.name.endswith("+lane")
    stream = f"bench:{start.port}"
    config = {
        "listen": f"127.0.0.1:{start.port}",
        "ops": f"127.0.0.1:{start.port + _TO_OPS}",
        "data": str(start.folder),
        "live": {"base_url": f"http://127.0.0.1:{start.upstreams[0]}"},
        "control": {"sample": 0},
        "candidates": [
            {"name": f"s{port}", "base_url": f"http://127.0.0.1:{port}", "max_in_flight": 2000}
            for port in start.shadow_ports
        ],
        "queue": {"url": start.rig.queue_url, "stream": stream, "max_pairs": 10_000_000},
        **({"workers": 1} if lane else {}),
    }
    file = start.folder / "understudy.yaml"
    file.write_text(json.dumps(config))
    command = [sys.executable, "-m", "proxy", "--config", str(file)]
    return _running(start, command, stream=stream, ops=start.port + _TO_OPS, lane=lane)


STARTERS: Mapping[str, Callable[[Start], AbstractContextManager[System]]] = {
    "direct": direct,
    "nginx": nginx,
    "haproxy": haproxy,
    "understudy": understudy,
    "understudy+lane": understudy,
    "litellm": litellm,
    "portkey": portkey,
}


def missing(programs: Mapping[str, str | None]) -> dict[str, str]:
    """The systems that are not here, each with the way to get it. `programs`: LiteLLM's and Portkey's, if given."""
    found = {"nginx": shutil.which("nginx"), "haproxy": shutil.which("haproxy"), **programs}
    script = portkey_program(programs.get("portkey") or "/nowhere")
    found["portkey"] = str(script) if shutil.which("node") and script.is_file() else None
    return {name: _REMEDIES[name] for name, path in found.items() if not path or not os.path.exists(path)}


_REMEDIES = {
    "nginx": "on Debian: apt install nginx-light",
    "haproxy": "on Debian: apt install haproxy",
    "litellm": "python3 -m venv V && V/bin/pip install 'litellm[proxy]', then --litellm V/bin/litellm",
    "portkey": "needs Node; npm install --prefix F @portkey-ai/gateway, then --portkey F",
}


@contextmanager
def _running(
    start: Start,
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    *,
    patience: float = 30,
    headers: Mapping[str, str] | None = None,
    stream: str | None = None,
    ops: int | None = None,
    lane: bool = False,
) -> Iterator[System]:
    log = start.folder / "log"
    with started(command, UNDER_TEST, log, env) as process:
        listening(start.port, process, log, patience)
        given = {"headers": headers} if headers else {}
        system = System(start.kind, start.port, start.upstreams, process, stream=stream, ops=ops, **given)
        if ops:
            _ready(system, patience)
        if lane:
            _move_lane(system)
        yield system


def _ready(system: System, patience: float) -> None:
    """Its sockets are open before its processes can use them."""
    end = time.monotonic() + patience
    while True:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{system.ops}/readyz", timeout=5):
            return
        if time.monotonic() > end:
            raise NotStarted(f"{system.kind.label} is not ready")
        time.sleep(0.1)


def _move_lane(system: System) -> None:
    """Its processes beside the live one belong on the other core."""
    others = [pid for pid in system.pids if pid not in system.live_pids]
    if not others:
        raise NotStarted("there is no process beside the live one")
    move(others, REST)

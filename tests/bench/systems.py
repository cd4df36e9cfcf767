"""The systems under measurement: how each is configured and started. Used by tests.commands.bench.

Every system gets the same upstreams: four ports of one nginx that answers at once with a 1.5 kB chat completion.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evaluators.queue_server import find_binary

UPSTREAMS = (22001, 22002, 22003, 22004)  # live, then the shadows
UNDER_TEST, REST = "0", "1"
"""The core of the system under test, and the core of everything else."""

_ANSWER = {
    "id": "chatcmpl-bench",
    "object": "chat.completion",
    "created": 1760000000,
    "model": "fake",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 240}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 256, "completion_tokens": 240, "total_tokens": 496},
}
_KEY = "sk-bench-0000000000000000"


@dataclass(frozen=True)
class System:
    """A started system: where it listens, and the root of its process tree."""

    name: str
    shadows: int
    port: int
    process: subprocess.Popen[bytes]
    helpers: Sequence[int] = field(default=())  # pids that also work for it, on the other core

    @property
    def label(self) -> str:
        """Name and number of shadows, as tables show them."""
        return f"{self.name}:{self.shadows}"


@contextmanager
def upstreams(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The fake models: one nginx on the other core, one port per upstream."""
    servers = "".join(
        f"server {{ listen 127.0.0.1:{port} backlog=4096; default_type application/json; "
        f"location / {{ return 200 '{json.dumps(_ANSWER)}'; }} }}\n"
        for port in UPSTREAMS
    )
    text = _nginx(folder / "upstreams", servers)
    with _started(["nginx", "-p", str(folder), "-c", str(text)], REST, folder / "upstreams.log") as process:
        for port in UPSTREAMS:
            _wait(port, process, 10)
        yield process


@contextmanager
def queue(folder: Path) -> Iterator[str]:
    """A real queue server on the other core; gives its URL. Nobody takes the pairs: the driver empties it."""
    socket_path = folder / "queue.sock"
    options = [
        "--port",
        "0",
        "--unixsocket",
        str(socket_path),
        "--dir",
        str(folder),
        "--save",
        "",
        "--appendonly",
        "no",
    ]
    with _started([str(find_binary().path), *options], REST, folder / "queue.log"):
        end = time.monotonic() + 10
        while not socket_path.exists():
            if time.monotonic() > end:
                raise SystemExit("bench: the queue server did not start; see queue.log")
            time.sleep(0.05)
        yield f"unix://{socket_path}"


@contextmanager
def nginx(folder: Path, shadows: int, port: int) -> Iterator[System]:
    """nginx as a reverse proxy with `mirror`, one worker, keep-alive to live and to the mirrors."""
    pools = "".join(
        f"upstream u{index} {{ server 127.0.0.1:{upstream}; keepalive 1024; keepalive_requests 10000000; }}\n"
        for index, upstream in enumerate(UPSTREAMS)
    )
    mirrors = "".join(f"mirror /_m{index}; " for index in range(1, shadows + 1))
    targets = "".join(
        f"location = /_m{index} {{ internal; proxy_pass http://u{index}$request_uri; }} "
        for index in range(1, shadows + 1)
    )
    server = (
        f'{pools} proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; '
        f"server {{ listen 127.0.0.1:{port} backlog=4096; "
        f"location / {{ {mirrors} proxy_pass http://u0; }} {targets} }}\n"
    )
    text = _nginx(folder / f"nginx-{shadows}", server)
    with _running("nginx", shadows, port, ["nginx", "-p", str(folder), "-c", str(text)], folder) as system:
        yield system


@contextmanager
def litellm(folder: Path, shadows: int, port: int, program: str) -> Iterator[System]:
    """LiteLLM's proxy with its silent model, one worker, from a virtual environment of its own."""
    names = [f"shadow{index}" for index in range(1, shadows + 1)]
    base = {"model": "openai/fake", "api_key": "sk-x"}
    silent = {"silent_model": names if shadows > 1 else names[0]} if shadows else {}
    models = [
        {"model_name": name, "litellm_params": {**base, "api_base": f"http://127.0.0.1:{upstream}/v1", **extra}}
        for name, upstream, extra in zip(["fake", *names], UPSTREAMS, [silent, {}, {}, {}], strict=False)
    ]
    config = {
        "model_list": models,
        "litellm_settings": {"telemetry": False, "num_retries": 0, "request_timeout": 60},
        "general_settings": {"master_key": _KEY},
    }
    file = folder / f"litellm-{shadows}.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    quiet = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False"}
    command = [program, "--config", str(file), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
    with _running("litellm", shadows, port, command, folder, quiet, patience=120) as system:
        yield system


@contextmanager
def understudy(folder: Path, shadows: int, port: int, queue: str) -> Iterator[System]:
    """Our proxy, one process, pairs appended to a real queue on the other core."""
    config = {
        "listen": f"127.0.0.1:{port}",
        "ops": f"127.0.0.1:{port + 1000}",
        "data": str(folder / f"understudy-{shadows}"),
        "live": {"base_url": f"http://127.0.0.1:{UPSTREAMS[0]}"},
        "control": {"sample": 0},
        "candidates": [
            {"name": f"s{index}", "base_url": f"http://127.0.0.1:{upstream}", "max_in_flight": 1000}
            for index, upstream in enumerate(UPSTREAMS[1 : shadows + 1], 1)
        ],
        "queue": {"url": queue, "stream": f"bench:{shadows}", "max_pairs": 10_000_000},
    }
    file = folder / f"understudy-{shadows}.yaml"
    file.write_text(json.dumps(config))
    command = [sys.executable, "-m", "proxy", "--config", str(file)]
    with _running("understudy", shadows, port, command, folder) as system:
        yield system


@contextmanager
def _running(
    name: str,
    shadows: int,
    port: int,
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    patience: float = 30,
) -> Iterator[System]:
    with _started(command, UNDER_TEST, folder / f"{name}-{shadows}.log", env) as process:
        _wait(port, process, patience)
        yield System(name, shadows, port, process)


@contextmanager
def _started(
    command: Sequence[str], core: str, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "-c", core, *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _nginx(path: Path, http: str) -> Path:
    path.mkdir(exist_ok=True)
    temporary = " ".join(
        f"{kind}_temp_path {path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = path / "nginx.conf"
    file.write_text(
        f"worker_processes 1; daemon off; pid {path}/pid; error_log {path}/error.log; worker_rlimit_nofile 20000;\n"
        f"events {{ worker_connections 8192; }}\n"
        f"http {{ access_log off; keepalive_requests 10000000; client_body_buffer_size 256k; {temporary}\n{http} }}\n"
    )
    return file


def _wait(port: int, process: subprocess.Popen[bytes], patience: float) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"bench: nothing listens on port {port}; see the log files beside the configuration")

"""One request, socket to report: DESIGN's path with the real code of both houses, a real queue and a real store.

handler → plan → mirror → Outcomes → Pair → publisher → Redis → intake → worker → reading → checks → store →
acknowledge → assess → report and gate; each step is looked at before the next is taken.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from config.load import parse
from config.pair import Failure, Pair
from config.settings import Settings
from config.wire import decode
from evaluators import wiring
from evaluators.core.gate import exit_code
from evaluators.core.report import Report
from evaluators.store import read
from evaluators.telemetry import Telemetry
from evaluators.worker import Pace
from proxy.core.accounting import Bucket
from proxy.wiring import Running
from proxy.wiring import running as proxy_running
from tests.doubles.client import Answer, Client
from tests.doubles.upstream import STREAM_HEAD, ScriptedUpstream, Turn, answer
from tests.doubles.valkey import ValkeyServer, valkey_server

STREAM = "understudy:pairs"
CHAT = "/v1/chat/completions"
FIELDS = b"Content-Type: application/json\r\nAuthorization: Bearer sk-of-the-client\r\nX-Tenant: acme\r\n"
CONFIGURATION = """
listen: 127.0.0.1:0
ops: 127.0.0.1:0
data: {data}
queue: {{url: '{queue}'}}
live: {{base_url: '{live}'}}
candidates: [{{name: mini, base_url: '{mini}', set: {{model: mini-1}}}}]
control: {{sample: 100%}}
sampling: {{key: call, closes_after: 1s}}
capture: {{tags: {{tenant: "header:x-tenant"}}}}
slices: [stream, "tag:tenant"]
checks:
  - {{type: contains, value: Oslo, name: city, severity: blocker}}
  - missing-answer
  - shadow:text
gates:
  - {{name: city, check: city, red_line: 10%, min_conversations: 5}}
"""
PACE = Pace(block=0.1, fold=0.1, patience=0.1, accounting=0.1)
GOOD, BAD = "A week in Oslo", "A week at home"
PLAIN = 24  # chat calls in one piece, of which the candidate answers the first half wrongly
REFUSED = 3  # and these not at all
STREAMED, BREAKS = 100, 101  # and two calls more, by number


def asked(number: int, **more: object) -> bytes:
    """The body of chat call `number`."""
    body = {"model": "big-1", "messages": [{"role": "user", "content": f"Trip {number}?"}], **more}
    return json.dumps({**body, "metadata": {"n": number}}).encode()


def whole(text: str) -> bytes:
    """A chat answer in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return json.dumps({"object": "chat.completion", "model": "big-1", "choices": [choice]}).encode()


async def stream(turn: Turn, text: str) -> None:
    """The same as server-sent events, a word a chunk."""
    await turn.send(STREAM_HEAD)
    for word in text.split(" "):
        delta = {"choices": [{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}]}
        await turn.chunk(b"data: %b\n\n" % json.dumps(delta).encode())
    await turn.chunk(b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
    await turn.chunk(b"")


async def live(turn: Turn) -> None:
    """Live and the control: always the city, in the form that was asked for."""
    if turn.request_line.startswith(b"GET"):
        await answer(b'{"object": "list", "data": []}')(turn)
    elif json.loads(turn.body).get("stream"):
        await stream(turn, GOOD)
    else:
        await answer(whole(GOOD))(turn)


async def mini(turn: Turn) -> None:
    """The candidate: its first half is wrong, some answers are 429, one connection breaks."""
    body = json.loads(turn.body)
    number = body["metadata"]["n"]
    if body.get("stream"):
        await stream(turn, GOOD)
    elif number == BREAKS:
        turn.reset()
    elif number >= PLAIN:
        await answer(b'{"error": {"message": "slow down"}}', "429 Too Many Requests")(turn)
    else:
        await answer(whole(BAD if number < PLAIN / 2 else GOOD))(turn)


@pytest.fixture
def queue() -> Iterator[ValkeyServer]:
    with tempfile.TemporaryDirectory(prefix="us-") as folder, valkey_server(Path(folder)) as server:
        yield server


async def calls(url: str) -> list[Answer]:
    """What the application does: chat, a stream, a stateful call, a list, and one that only the candidate breaks."""
    async with Client(url) as client:
        answers = [await client.ask("POST", CHAT, asked(n), FIELDS) for n in range(PLAIN + REFUSED)]
        answers.append(await client.ask("POST", CHAT, asked(STREAMED, stream=True), FIELDS))
        answers.append(await client.ask("POST", CHAT, asked(BREAKS), FIELDS))
        stateful = asked(102, previous_response_id="resp_1")
        answers.append(await client.ask("POST", "/v1/responses", stateful, FIELDS))
        answers.append(await client.ask("GET", "/v1/models", b"", FIELDS))
    return answers


PAIRED = PLAIN + REFUSED + 2
SENT = PAIRED + 2


async def until(true: Callable[[], bool], limit: float = 5.0) -> None:
    """Wait until it is true; fails after `limit` seconds."""
    async with asyncio.timeout(limit):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.02)


def pairs_in(queue: ValkeyServer) -> list[Pair]:
    """What crosses Redis, read by the other house."""
    with queue.client() as client:
        return [decode(fields) for _, fields in client.xrange(STREAM)]


def published(queue: ValkeyServer) -> bool:
    with queue.client() as client:
        return bool(client.xlen(STREAM) == 2 * PAIRED and client.hlen(f"{STREAM}:accounting"))


async def test_the_story(queue: ValkeyServer, tmp_path: Path) -> None:
    """Every step of the path, each call counted once, and the numbers of the report are what was really sent."""
    async with ScriptedUpstream(live) as provider, ScriptedUpstream(mini) as other:
        text = CONFIGURATION.format(data=tmp_path / "data", queue=queue.url, live=provider.url, mini=other.url)
        settings = parse(text, "flow.yaml", {}, tmp_path)
        direct = await calls(provider.url)
        provider.turns.clear()
        async with proxy_running(settings) as proxy:
            through = await calls(proxy.listening)
            await until(lambda: all(proxy.ledger.total(shadow=name) == SENT for name in ("mini", "control")))
            await until(lambda: published(queue))
            _the_client_saw_nothing(direct, through)
            _the_upstreams_got(provider, other)
            _the_ledger_knows(proxy)
    _the_queue_holds(pairs_in(queue), queue)
    await _judged(settings, queue)
    with closing(wiring.opened_store(settings)) as store:
        report = wiring.assessed(store, settings, time.time())
        _the_report_says(report)
        worse = read.pairs(store, read.Filter(shadow="mini", check="city", letters=("pf",)), 100)
    assert len(worse) == PLAIN / 2
    assert {row.slices for row in worse} == {("stream=no", "tag:tenant=acme")}


def _the_client_saw_nothing(direct: list[Answer], through: list[Answer]) -> None:
    """Status, headers and body are those of live, byte for byte, stream and error included."""
    assert len(through) == SENT
    assert [(one.status_line, one.body, one.complete) for one in through] == [
        (one.status_line, one.body, one.complete) for one in direct
    ]
    assert [one.headers for one in through] == [one.headers for one in direct]


def _the_upstreams_got(provider: ScriptedUpstream, other: ScriptedUpstream) -> None:
    """Live got every call and the control's copies; the candidate its own model, and no credential of the client."""
    assert len(provider.turns) == SENT + PAIRED
    assert len(other.turns) == PAIRED
    assert {json.loads(turn.body)["model"] for turn in other.turns} == {"mini-1"}
    assert not [turn for turn in other.turns if b"sk-of-the-client" in turn.head + turn.body]


def _the_ledger_knows(proxy: Running) -> None:
    """What is not shadowed has its reason."""
    for shadow in ("mini", "control"):
        counts = {bucket: proxy.ledger.total(shadow=shadow, bucket=bucket) for bucket in Bucket}
        assert {bucket: n for bucket, n in counts.items() if n} == {Bucket.PAIRED: PAIRED, Bucket.INELIGIBLE: 2}
        assert proxy.ledger.total(shadow=shadow, reason="stateful_previous_response_id") == 1
        assert proxy.ledger.total(shadow=shadow, reason="path") == 1


def _the_queue_holds(pairs: list[Pair], queue: ValkeyServer) -> None:
    """One pair per call and shadow, failures as facts, credentials nowhere."""
    assert len({pair.id for pair in pairs}) == len(pairs) == 2 * PAIRED
    candidate = [pair for pair in pairs if pair.shadow == "mini"]
    failures = [pair.outcome.failure for pair in candidate]
    assert failures.count(Failure.RESET) == 1
    assert [pair.outcome.status for pair in candidate].count(429) == REFUSED
    assert {pair.live.status for pair in pairs} == {200}
    assert {pair.call.tags for pair in pairs} == {(("tenant", "acme"),)}
    assert "sk-of-the-client" not in repr(pairs)
    with queue.client() as client:
        assert not [value for _, fields in client.xrange(STREAM) for value in fields.values() if b"sk-of" in value]


async def _judged(settings: Settings, queue: ValkeyServer) -> None:
    """The worker takes, judges, records, acknowledges; then nothing waits and every conversation is closed."""
    stop, telemetry = asyncio.Event(), Telemetry()

    def done() -> bool:
        new = telemetry.registry.get_sample_value("understudy_worker_pairs_total", {"result": "new"})
        closed = telemetry.registry.get_sample_value("understudy_worker_conversations_total")
        return (new, closed) == (2 * PAIRED, PAIRED)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wiring.work(settings, stop, lambda: None, PACE, telemetry))
        try:
            await until(done, 8.0)
        finally:
            stop.set()
    with queue.client() as client:
        (group,) = client.xinfo_groups(STREAM)
    assert (group["pending"], group["lag"]) == (0, 0)


def _the_report_says(report: Report) -> None:
    """Calls are what was sent, to the last; rates are what was planted; the gate stops the release."""
    for name in ("mini", "control"):
        account = report.accounting[name]
        excluded = sum(account.ineligible.values())
        assert account.ineligible == {"stateful_previous_response_id": 1, "path": 1}
        assert account.calls == SENT == excluded + account.sampled_out + account.paired
        assert (account.skipped, account.dropped) == ({}, {})
        assert account.paired == PAIRED == account.evaluated + account.waiting + account.dead_lettered
        assert account.evaluated == PAIRED
    (candidate,) = report.candidates
    assert (candidate.name, candidate.pairs, candidate.conversations) == ("mini", PAIRED, PAIRED)
    assert candidate.control_pairs == PAIRED
    failed = REFUSED + 1
    outcomes = candidate.outcomes
    assert (outcomes.both_ok, outcomes.candidate_failed, outcomes.live_failed) == (PAIRED - failed, failed, 0)
    checks = {check.check: check for check in candidate.checks}
    assert (checks["city"].answered.regressed, checks["city"].answered.fixed) == (PLAIN / 2, 0)
    assert (checks["city"].paired.regressed, checks["city"].paired.fixed) == (PLAIN / 2 + failed, 0)
    decision = candidate.decision
    assert [rule.name for rule in decision.rules] == ["city"]
    assert decision.rules[0].reason
    assert exit_code([decision]) == 3

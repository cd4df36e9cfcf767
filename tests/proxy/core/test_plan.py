"""Which shadows are asked, with which bytes, or why not."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.pair import Role
from config.settings import DEFAULT_SHADOW_PATHS
from proxy.core.accounting import REASONS, Bucket
from proxy.core.paths import compile_paths
from proxy.core.plan import Draft, PlanRules, Target, ineligible, make_plan
from proxy.core.rewrite import PromptEdit, SystemPromptEdit

RULES = PlanRules(paths=compile_paths(DEFAULT_SHADOW_PATHS))
CHAT = "/v1/chat/completions"
BODY = b'{ "model": "live", "messages": [{"role": "user", "content": "hi"}], "user": "ann" }'
HEADERS = (
    (b"Host", b"proxy"),
    (b"Authorization", b"Bearer client-key"),
    (b"Content-Type", b"application/json"),
    (b"Cookie", b"client-cookie"),
    (b"X-Tenant", b"acme"),
    (b"X-Request-Id", b"r1"),
)
CONTROL = Target("control", Role.CONTROL, "https://live.example", same_origin=True)
MINI = Target("mini", Role.CANDIDATE, "https://other.example/pre", same_origin=False, api_key="mini-key")


def draft(
    body: bytes | None = BODY,
    *,
    method: str = "POST",
    path: str = CHAT,
    query: str = "",
    headers: Sequence[tuple[bytes, bytes]] = HEADERS,
    why: str = "",
    **more: Any,
) -> Draft:
    """A plain chat call but for what the case says."""
    return Draft("c" * 32, 1000.0, method, path, query, headers, body, why, **more)


def test_the_control_gets_the_same_bytes_from_the_same_account() -> None:
    """Body, path and query as the client sent them, with the client's credentials and without its cookie."""
    plan = make_plan(draft(query="api-version=1&key=k"), [CONTROL], RULES)
    (planned,) = plan.shadows
    assert planned.body is BODY
    assert planned.target == b"/v1/chat/completions?api-version=1&key=k"
    assert (planned.name, planned.role, planned.method, planned.notes) == ("control", Role.CONTROL, "POST", ())
    assert planned.headers == (
        (b"Host", b"live.example"),
        (b"Authorization", b"Bearer client-key"),
        (b"Content-Type", b"application/json"),
        (b"x-understudy-shadow", b"control"),
        (b"Content-Length", b"%d" % len(BODY)),
    )
    assert plan.verdicts == ()


def test_a_candidate_gets_its_own_key_and_body() -> None:
    """Edits are applied, credentials exchanged and those in the query left out."""
    target = Target(
        "mini",
        Role.CANDIDATE,
        "https://other.example/pre",
        same_origin=False,
        api_key="mini-key",
        set={"model": "mini"},
        unset=["user"],
        system_prompt=SystemPromptEdit(PromptEdit.REPLACE, "Be kind."),
        headers={"X-Team": "shadow"},
    )
    (planned,) = make_plan(draft(query="api-version=1&key=k"), [target], RULES).shadows
    assert planned.target == b"/pre/v1/chat/completions?api-version=1"
    assert orjson.loads(planned.body) == {
        "model": "mini",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"}],
    }
    assert planned.headers == (
        (b"Host", b"other.example"),
        (b"Content-Type", b"application/json"),
        (b"Authorization", b"Bearer mini-key"),
        (b"X-Team", b"shadow"),
        (b"x-understudy-shadow", b"mini"),
        (b"Content-Length", b"%d" % len(planned.body)),
    )


def test_the_call_holds_no_credential() -> None:
    """Headers, query and tags are allow-listed; the conversation is a hash."""
    rules = PlanRules(
        RULES.paths,
        captured=("x-request-id", "authorization"),
        tags={
            "tenant": "header:X-Tenant",
            "key": "header:authorization",
            "user": "body:user",
            "n": "body:n",
            "beta": "body:deep.beta",
            "deep": "body:deep",
            "none": "body:user.name",
            "long": "body:long",
        },
    )
    body = orjson.dumps({"input": "hi", "user": "ann", "n": 3, "deep": {"beta": True}, "long": "x" * 500})
    call = make_plan(draft(body, path="/v1/responses", query="key=k&alt=sse"), [MINI], rules).call
    assert call is not None
    assert (call.id, call.arrived, call.method, call.path) == ("c" * 32, 1000.0, "POST", "/v1/responses")
    assert call.query == "alt=sse"
    assert call.headers == (("content-type", "application/json"), ("x-request-id", "r1"))
    assert call.body == body
    assert call.tags == (("tenant", "acme"), ("user", "ann"), ("n", "3"), ("beta", "true"), ("long", "x" * 100))
    assert len(call.conversation) == 16
    assert "client-key" not in repr(call)


def test_nothing_secret_is_shown() -> None:
    """The repr of a draft, a target and a plan hold no key and no content."""
    plan = make_plan(draft(query="key=query-key"), [CONTROL], RULES)
    shown = repr((draft(query="key=query-key"), MINI, CONTROL, plan.shadows))
    assert not [
        secret for secret in ("client-key", "mini-key", "query-key", "client-cookie", "messages") if secret in shown
    ]


STOPS: list[Any] = [
    pytest.param({"path": "/v1/models"}, {}, Bucket.INELIGIBLE, "path", id="path"),
    pytest.param({"method": "GET"}, {}, Bucket.INELIGIBLE, "method", id="method"),
    pytest.param(
        {"headers": [(b"X-Understudy-Shadow", b"mini")]}, {}, Bucket.INELIGIBLE, "shadow_of_shadow", id="loop"
    ),
    pytest.param({}, {"enabled": False}, Bucket.SKIPPED, "switched_off", id="kill-switch"),
    pytest.param({}, {"draining": True}, Bucket.SKIPPED, "draining", id="draining"),
    pytest.param({"body": None, "why": "body_too_large"}, {}, Bucket.SKIPPED, "body_too_large", id="no-body"),
    pytest.param({"body": None, "path": "/v1/files"}, {}, Bucket.INELIGIBLE, "path", id="path-before-body"),
    pytest.param({"body": b"--boundary\r\n"}, {}, Bucket.INELIGIBLE, "not_json", id="multipart"),
    pytest.param({"body": b'{"background":true}'}, {}, Bucket.INELIGIBLE, "stateful_background", id="stateful"),
    pytest.param({"headers": [(b"Content-Encoding", b"zstd")]}, {}, Bucket.SKIPPED, "encoded_body", id="zstd"),
]


@pytest.mark.parametrize(("case", "rules", "bucket", "reason"), STOPS)
def test_what_stops_a_call_stops_it_for_every_shadow(
    case: dict[str, Any], rules: dict[str, Any], bucket: Bucket, reason: str
) -> None:
    """No call is recorded, and each target gets the same verdict."""
    plan = make_plan(draft(**case), [CONTROL, MINI], PlanRules(RULES.paths, **rules))
    assert plan.call is None
    assert plan.shadows == ()
    assert plan.verdicts == (("control", bucket, reason), ("mini", bucket, reason))


def test_a_compressed_body_is_sent_and_recorded_plain() -> None:
    """gzip is undone once; the copy and the record say nothing of a coding."""
    headers = [*HEADERS, (b"content-encoding", b" GZIP ")]
    plan = make_plan(draft(gzip.compress(BODY), headers=headers), [CONTROL], RULES)
    assert plan.shadows[0].body == BODY
    assert b"content-encoding" not in dict(plan.shadows[0].headers)
    assert plan.call is not None
    assert plan.call.body == BODY
    assert "content-encoding" not in dict(plan.call.headers)


def test_one_shadow_is_refused_without_the_others() -> None:
    """A body that cannot be rewritten still goes out where it need not be."""
    body = BODY.replace(b'"user":', b'"seed": 123456789012345678901, "user":')
    target = Target("mini", Role.CANDIDATE, "https://o", same_origin=False, set={"model": "m"})
    plan = make_plan(draft(body), [target, CONTROL], RULES)
    assert plan.verdicts == (("mini", Bucket.SKIPPED, "unsafe_numbers"),)
    assert [planned.name for planned in plan.shadows] == ["control"]


SEALED = b'{"model":"a","input":[{"type":"reasoning","id":"r"},{"role":"user","content":"x"}],"store":false}'


@pytest.mark.parametrize(
    ("change", "stripped"),
    [
        pytest.param({}, False, id="same-model-same-account"),
        pytest.param({"set": {"model": "a", "temperature": 1}}, False, id="other-parameters"),
        pytest.param({"set": {"model": "b"}}, True, id="other-model"),
        pytest.param({"unset": ["model"]}, True, id="default-model"),
        pytest.param({"api_key": "k"}, True, id="other-account"),
        pytest.param({"api_key": "k", "same_account": True}, False, id="the-key-of-live"),
        pytest.param({"same_origin": False}, True, id="other-origin"),
    ],
)
def test_reasoning_is_stripped_for_another_model_or_account(change: dict[str, Any], stripped: bool) -> None:
    """Sealed reasoning is bound to both; the pair notes that it went."""
    target = Target("mini", Role.CANDIDATE, "https://o", **{"same_origin": True, **change})
    (planned,) = make_plan(draft(SEALED, path="/v1/responses"), [target], RULES).shadows
    assert (planned.notes == ("reasoning_stripped",)) is stripped
    assert (b"reasoning" in planned.body) is not stripped


def test_shares_nest_and_shadows_see_the_same_calls() -> None:
    """Of 2,000 conversations those in 5 % are in 20 %, and equal shares choose equally."""
    shares = {"a": 0.05, "b": 0.05, "c": 0.2, "none": 0.0, "all": 1.0}
    targets = [Target(name, Role.CANDIDATE, "https://o", same_origin=False, sample=at) for name, at in shares.items()]
    chosen: dict[str, set[int]] = {name: set() for name in shares}
    for at in range(2000):
        plan = make_plan(draft(b'{"input":"%d"}' % at), targets, RULES)
        for planned in plan.shadows:
            chosen[planned.name].add(at)
        assert {(bucket, reason) for _, bucket, reason in plan.verdicts} == {(Bucket.SAMPLED_OUT, "")}
    assert chosen["a"] == chosen["b"]
    assert chosen["a"] < chosen["c"] < chosen["all"]
    assert not chosen["none"]
    assert len(chosen["all"]) == 2000
    assert 60 < len(chosen["a"]) < 140


def test_nobody_is_asked_when_all_are_sampled_out() -> None:
    """Without shadows there is no call to record."""
    plan = make_plan(draft(), [Target("m", Role.CANDIDATE, "https://o", same_origin=False, sample=0.0)], RULES)
    assert plan.call is None
    assert plan.verdicts == (("m", Bucket.SAMPLED_OUT, ""),)


def test_an_undecodable_path_can_be_recorded() -> None:
    """A lone surrogate, as the server gives for a raw byte, becomes that byte's latin-1 character."""
    plan = make_plan(draft(path="/caf\udce9/chat/completions"), [CONTROL], RULES)
    assert plan.call is not None
    assert plan.call.path == "/caf\xe9/chat/completions"
    assert plan.shadows[0].target == b"/caf\xe9/chat/completions"


@pytest.mark.parametrize(
    ("target", "query", "bare", "sent"),
    [
        pytest.param(CONTROL, "", False, b"", id="none"),
        pytest.param(CONTROL, "", True, b"?", id="bare-question-mark"),
        pytest.param(MINI, "", True, b"?", id="bare-elsewhere"),
        pytest.param(CONTROL, "a=%2F&key=k&a", False, b"?a=%2F&key=k&a", id="same-account"),
        pytest.param(MINI, "a=%2F&key=k&a", False, b"?a=%2F&a", id="other-account"),
        pytest.param(MINI, "key=k", False, b"", id="nothing-left"),
    ],
)
def test_the_query_goes_out_as_it_came(target: Target, query: str, bare: bool, sent: bytes) -> None:
    """Byte for byte, but for credentials that are not the shadow's."""
    (planned,) = make_plan(draft(query=query, bare=bare), [target], RULES).shadows
    assert planned.target.removeprefix(b"/pre") == CHAT.encode() + sent


def test_a_mount_is_shown_and_not_sent() -> None:
    """The Call has the path that the application used, the shadow the one of its own API."""
    plan = make_plan(draft(shown="/openai/v1/chat/completions"), [CONTROL], RULES)
    assert plan.call is not None
    assert plan.call.path == "/openai/v1/chat/completions"
    assert plan.shadows[0].target == CHAT.encode()


def test_copies_that_are_not_edited_share_their_bytes() -> None:
    """One walk serves all who get the same: the same account as it came, others without sealed reasoning."""
    names = ("a", "b", "c")
    others = [Target(name, Role.CANDIDATE, "https://o", same_origin=False) for name in names]
    plan = make_plan(draft(SEALED, path="/v1/responses"), [CONTROL, *others], RULES)
    control, *copies = plan.shadows
    assert control.body is SEALED
    assert b"reasoning" not in copies[0].body
    assert all(copy.body is copies[0].body for copy in copies)
    assert [copy.notes for copy in copies] == [("reasoning_stripped",)] * 3


def test_what_the_head_says_is_known_before_the_body() -> None:
    """The same verdicts as of a whole plan."""
    assert ineligible("POST", CHAT, False, RULES) is None
    assert ineligible("POST", CHAT, True, RULES) == (Bucket.INELIGIBLE, "shadow_of_shadow")
    assert ineligible("GET", CHAT, False, RULES) == (Bucket.INELIGIBLE, "method")


TARGETS = st.lists(
    st.builds(
        Target,
        name=st.uuids().map(str),
        role=st.sampled_from(Role),
        base_url=st.just("https://o"),
        same_origin=st.booleans(),
        api_key=st.sampled_from(["", "k"]),
        set=st.sampled_from([{}, {"model": "m"}, {"a": {"b": None}}]),
        unset=st.sampled_from([(), ("user", "messages.x")]),
        system_prompt=st.sampled_from([None, *(SystemPromptEdit(how, "x") for how in PromptEdit)]),
        sample=st.sampled_from([0.0, 0.5, 1.0]),
    ),
    max_size=4,
    unique_by=lambda target: target.name,
)
JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "type"]), inner),
    max_leaves=8,
)
BODIES = st.binary(max_size=20) | st.dictionaries(
    st.sampled_from(["messages", "input", "system", "instructions", "model", "store", "user", "metadata", "tools"]),
    JSON,
).map(lambda body: json.dumps(body).encode())


@given(
    body=BODIES | st.none(),
    targets=TARGETS,
    method=st.sampled_from(["POST", "POST", "POST", "GET"]),
    path=st.sampled_from([CHAT, "/v1/responses", "/v1/messages", "/v1/models", "/\udcff/responses"]),
    coding=st.sampled_from([b"", b"identity", b"gzip", b"br"]),
    enabled=st.sampled_from([True, True, False]),
    kind=st.sampled_from(["conversation", "user", "call", "header:x-tenant"]),
)
def test_every_target_ends_in_exactly_one_place(
    body: bytes | None, targets: list[Target], method: str, path: str, coding: bytes, enabled: bool, kind: str
) -> None:
    """Among the shadows or among the verdicts, under a reason that the ledger knows; never both, never neither."""
    headers = [*HEADERS, (b"Content-Encoding", coding)]
    rules = PlanRules(RULES.paths, sampling=kind, enabled=enabled, tags={"a": "body:user", "b": "header:x-tenant"})
    plan = make_plan(draft(body, method=method, path=path, headers=headers, why="client_left"), targets, rules)
    asked = [planned.name for planned in plan.shadows]
    judged = [name for name, _, _ in plan.verdicts]
    assert sorted(asked + judged) == sorted(target.name for target in targets)
    assert all(reason in REASONS[bucket] for _, bucket, reason in plan.verdicts)
    assert (plan.call is None) == (not asked)

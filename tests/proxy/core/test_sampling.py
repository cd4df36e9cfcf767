"""Sticky keys and even dice."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.core.sampling import conversation, dice, key

CALL = "0" * 32
USER = {"role": "user", "content": "Where is my order?"}
SYSTEM = {"role": "system", "content": "You are a clerk."}
ANSWER = {"role": "assistant", "content": "On its way."}
MORE = {"role": "user", "content": "When?"}

SAME = [
    pytest.param({"messages": [SYSTEM, USER]}, {"messages": [SYSTEM, USER, ANSWER, MORE]}, id="chat-turns"),
    pytest.param({"input": [USER]}, {"input": [USER, ANSWER, MORE]}, id="responses-turns"),
    pytest.param(
        {"system": "s", "messages": [USER], "temperature": 0}, {"system": "s", "messages": [USER]}, id="parameters"
    ),
    pytest.param({"conversation_id": "c1", "messages": [USER]}, {"conversation_id": "c1", "input": "x"}, id="named"),
    pytest.param({"conversation_id": "c1"}, {"metadata": {"session_id": "c1"}}, id="named-in-metadata"),
    pytest.param({"thread_id": 7}, {"prompt_cache_key": "7"}, id="number-or-text"),
]

DIFFERENT = [
    pytest.param({"messages": [USER]}, {"messages": [MORE]}, id="opening"),
    pytest.param({"messages": [USER]}, {"messages": [SYSTEM, USER]}, id="system-message"),
    pytest.param({"system": "a", "messages": [USER]}, {"system": "b", "messages": [USER]}, id="system-field"),
    pytest.param({"instructions": "a", "input": "x"}, {"instructions": "b", "input": "x"}, id="instructions"),
    pytest.param({"input": "x", "user": "u1"}, {"input": "x", "user": "u2"}, id="user"),
    pytest.param({"session_id": "c1"}, {"session_id": "c2"}, id="named"),
]

UNKNOWN: list[Any] = [
    pytest.param({}, id="nothing"),
    pytest.param({"messages": []}, id="no-messages"),
    pytest.param({"messages": "", "input": "x"}, id="empty-text"),
    pytest.param({"messages": {"role": "user"}}, id="not-a-list"),
    pytest.param({"messages": ["user", ANSWER]}, id="no-user"),
    pytest.param({"input": [1, 2, 3]}, id="tokens"),
    pytest.param({"metadata": "text", "conversation_id": True}, id="odd-types"),
    pytest.param({"messages": [{"role": ["user"], "content": "x"}, {"role": {}}]}, id="odd-roles"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_turns_of_one_conversation_share_a_key(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Later turns and other spellings of the same name fall into the same cluster."""
    assert conversation([], one, CALL) == conversation([], other, "1" * 32)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_conversations_differ_by_what_opens_them(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Opening words, instructions, user or name make another cluster."""
    assert conversation([], one, CALL) != conversation([], other, CALL)


def test_an_odd_role_is_passed_by() -> None:
    """A role can be anything, also what has no hash; the turns around it open the conversation as ever."""
    odd = {"role": ["system"], "content": "x"}
    assert conversation([], {"messages": [odd, USER, odd]}, CALL) == conversation([], {"messages": [USER]}, CALL)


@pytest.mark.parametrize("body", UNKNOWN)
def test_a_call_without_a_conversation_is_its_own(body: dict[str, Any]) -> None:
    """When nothing is known the call's id is the cluster."""
    assert conversation([], body, CALL) == CALL


def test_a_prompt_too_deep_to_write_is_its_own_conversation() -> None:
    """Depth that orjson reads but does not write does no harm."""
    deep: Any = "x"
    for _ in range(300):
        deep = [deep]
    assert conversation([], {"messages": [{"role": "user", "content": deep}]}, CALL) == CALL


def test_headers_win_over_bodies_and_nothing_is_stored_raw() -> None:
    """The application's header names the conversation; only a hash of it is kept."""
    named = conversation([(b"X-Session-Id", b"s-1")], {"conversation_id": "other"}, CALL)
    assert named == conversation([], {"session_id": "s-1"}, CALL)
    assert re.fullmatch("[0-9a-f]{16}", named)
    assert conversation([(b"x-session-id", b"")], {}, CALL) == CALL
    assert conversation([(b"x-thread-id", b"t"), (b"x-conversation-id", b"c")], {}, CALL) == conversation(
        [(b"x-conversation-id", b"c")], {}, CALL
    )


@pytest.mark.parametrize(
    ("kind", "headers", "body", "like"),
    [
        pytest.param("user", [], {"user": "ann"}, ("user", [], {"safety_identifier": "ann"}), id="user"),
        pytest.param("user", [], {"user": "ann"}, ("user", [], {"metadata": {"user_id": "ann"}}), id="anthropic-user"),
        pytest.param(
            "header:X-Tenant",
            [(b"x-tenant", b"acme")],
            {"input": "a"},
            ("header:X-Tenant", [(b"X-Tenant", b"acme")], {}),
            id="header",
        ),
        pytest.param("user", [], {"input": "a"}, ("conversation", [], {"input": "a"}), id="no-user"),
        pytest.param("header:x-tenant", [], {"input": "a"}, ("conversation", [], {"input": "a"}), id="no-header"),
        pytest.param("call", [], {"input": "a"}, ("call", [], {"input": "b"}), id="call"),
    ],
)
def test_the_key_follows_its_kind(kind: str, headers: Any, body: Any, like: tuple[str, Any, Any]) -> None:
    """Each kind reads its own source and falls back to the conversation."""
    assert key(kind, headers, body, CALL) == key(*like, CALL)
    assert re.fullmatch("[0-9a-f]{16}", key(kind, headers, body, CALL))


def test_calls_and_users_differ() -> None:
    """Two ids of one kind, and one id of two kinds, give different keys."""
    assert key("call", [], {}, "a") != key("call", [], {}, "b")
    assert key("user", [], {"user": "a"}, CALL) != key("user", [], {"user": "b"}, CALL)
    assert key("user", [], {"user": "a"}, "a") != key("call", [], {}, "a")


@given(st.text(), st.text())
def test_dice_are_numbers_below_one_and_never_change(value: str, salt: str) -> None:
    """The same key gives the same number in [0, 1)."""
    rolled = dice(value, salt)
    assert 0 <= rolled < 1
    assert rolled == dice(value, salt)


def test_dice_are_even_and_salt_makes_them_new() -> None:
    """Of 20,000 keys 5 % fall below 0.05, within five standard errors; another salt is independent."""
    n = 20_000
    inside = {at for at in range(n) if dice(f"{at:016x}") < 0.05}
    again = {at for at in range(n) if dice(f"{at:016x}", "other") < 0.05}
    assert abs(len(inside) - 1000) < 155
    assert len(inside & again) < 110


def test_dice_have_a_fixed_meaning() -> None:
    """A published value, so that an update of the program does not resample conversations."""
    assert dice("00") == 0.5575650410162725

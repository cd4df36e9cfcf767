"""One call's plan: which shadows are asked, with which bytes, or why not. Made for handler, carried out by mirror.

Pure, and total: every target ends either among the shadows or among the verdicts, whatever the call looks like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.pair import Call, Fields, Role
from proxy.core import rewrite, sampling, stateful
from proxy.core.accounting import Bucket
from proxy.core.headers import (
    SHADOW_MARK,
    HeaderPairs,
    credentials_query,
    join_url,
    record,
    to_shadow,
    without_credentials,
)

Verdict = tuple[str, Bucket, str]
"""Shadow, bucket, reason: ready for the Ledger."""

_TAG_LENGTH = 100
"""A tag becomes a slice key; what is longer is content, not a label."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Draft:
    """One client request as the handler has it: nothing filtered yet, so nothing of it may be shown."""

    id: str
    arrived: float  # Unix seconds
    method: str
    path: str  # as received, without the query
    query: str = field(repr=False)
    headers: HeaderPairs = field(repr=False)
    body: bytes | None = field(repr=False)  # None when it was not kept whole, and then
    why_no_body: str = ""  # a reason of Bucket.SKIPPED


@dataclass(frozen=True, slots=True)
class Target:
    """One shadow as the operator wrote it; built by wiring."""

    name: str
    role: Role
    base_url: str
    same_origin: bool  # as live: only then may the client's credentials be sent
    api_key: str = field(default="", repr=False)
    same_account: bool = False  # api_key is the one that live is asked with
    set: Mapping[str, Any] = field(default_factory=dict)
    unset: Sequence[str] = ()
    system_prompt: rewrite.SystemPromptEdit | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    sample: float = 1.0  # share of eligible calls, in [0, 1]


@dataclass(frozen=True, slots=True)
class PathRule:
    """One line of shadow_paths, compiled."""

    method: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What holds for every call until the configuration changes."""

    paths: tuple[PathRule, ...]
    sampling: str = "conversation"
    captured: tuple[str, ...] = ()  # header names beyond the always recorded
    tags: Mapping[str, str] = field(default_factory=dict)  # tag name to header:NAME or body:dotted.path
    enabled: bool = True  # the kill switch
    draining: bool = False
    max_body: int = 1 << 20  # bytes a compressed body may inflate to


@dataclass(frozen=True, slots=True)
class Planned:
    """One shadow request, complete. Headers hold credentials and are not shown."""

    name: str
    role: Role
    url: str = field(repr=False)
    method: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    notes: tuple[str, ...]  # what was changed unasked; see rewrite


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision on one call. `call` is None exactly when there are no shadows."""

    call: Call | None
    shadows: tuple[Planned, ...]
    verdicts: tuple[Verdict, ...]


def compile_paths(globs: Sequence[str]) -> tuple[PathRule, ...]:
    """`METHOD /glob` lines: `*` stays inside a segment, `/**` spans any number of them, none included.

    ValueError names the line that is not understood.
    """
    rules = []
    for line in globs:
        match = re.fullmatch(r"([A-Z]+|\*) +(/\S*)", line.strip())
        if match is None or "**" in re.sub(r"/\*\*(?=/|$)", "", match[2]):
            raise ValueError(f"{line!r} is not understood; write it like POST /**/chat/completions")
        pieces = re.split(r"(/\*\*(?=/|$)|\*)", match[2])
        pattern = "".join({"/**": "(?:/[^/]*)*", "*": "[^/]*"}.get(piece, re.escape(piece)) for piece in pieces)
        rules.append(PathRule(match[1], re.compile(pattern)))
    return tuple(rules)


def ineligible(method: str, path: str, headers: HeaderPairs, rules: PlanRules) -> tuple[Bucket, str] | None:
    """Why no shadow is asked, as far as the head of the request tells; None while it may be.

    The handler asks before it keeps a body; make_plan asks again.
    """
    matching = [rule for rule in rules.paths if rule.pattern.fullmatch(path)]
    if not matching:
        return Bucket.INELIGIBLE, "path"
    if not any(rule.method in ("*", method) for rule in matching):
        return Bucket.INELIGIBLE, "method"
    if any(name.lower() == SHADOW_MARK.encode() for name, _ in headers):
        return Bucket.INELIGIBLE, "shadow_of_shadow"
    if not rules.enabled:
        return Bucket.SKIPPED, "switched_off"
    return (Bucket.SKIPPED, "draining") if rules.draining else None


def make_plan(draft: Draft, targets: Sequence[Target], rules: PlanRules) -> Plan:
    """The plan of one call. Costs one parse of the body, and one walk and write per target that edits it."""
    stop = ineligible(draft.method, draft.path, draft.headers, rules)
    if stop is not None:
        return _nobody(targets, stop)
    if draft.body is None:
        return _nobody(targets, (Bucket.SKIPPED, draft.why_no_body))
    try:
        plain = rewrite.decoded(draft.body, _coding(draft.headers), rules.max_body)
        body = rewrite.parsed(plain)
    except rewrite.NotRewritable as refusal:
        return _nobody(targets, _REFUSALS[refusal.reason])
    if reason := stateful.why(draft.path, body):
        return _nobody(targets, (Bucket.INELIGIBLE, f"stateful_{reason}"))
    cluster = sampling.conversation(draft.headers, body, draft.id)
    rolled = sampling.dice(sampling.key(rules.sampling, draft.headers, body, draft.id, cluster))
    shadows: list[Planned] = []
    verdicts: list[Verdict] = []
    for target in targets:
        if rolled >= target.sample:
            verdicts.append((target.name, Bucket.SAMPLED_OUT, ""))
            continue
        try:
            shadows.append(_planned(draft, plain, body, target))
        except rewrite.NotRewritable as refusal:
            verdicts.append((target.name, *_REFUSALS[refusal.reason]))
    call = _call(draft, plain, body, cluster, rules) if shadows else None
    return Plan(call, tuple(shadows), tuple(verdicts))


_REFUSALS = {
    "not_json": (Bucket.INELIGIBLE, "not_json"),
    "encoded_body": (Bucket.SKIPPED, "encoded_body"),
    "unsafe_numbers": (Bucket.SKIPPED, "unsafe_numbers"),
}


def _nobody(targets: Sequence[Target], why: tuple[Bucket, str]) -> Plan:
    return Plan(None, (), tuple((target.name, *why) for target in targets))


def _planned(draft: Draft, plain: bytes, body: Mapping[str, Any], target: Target) -> Planned:
    edit = rewrite.Edit(draft.path, target.set, target.unset, target.system_prompt, _foreign(body, target))
    data, notes = rewrite.rewrite(plain, body, edit)
    headers = to_shadow(
        draft.headers,
        same_origin=target.same_origin,
        api_key=target.api_key,
        extra=target.headers,
        name=target.name,
    )
    own_account = not target.same_origin or bool(target.api_key)
    query = without_credentials(draft.query) if own_account else draft.query
    return Planned(
        name=target.name,
        role=target.role,
        url=join_url(target.base_url, draft.path, query),
        method=draft.method,
        headers=tuple(headers),
        body=data,
        notes=notes,
    )


def _foreign(body: Mapping[str, Any], target: Target) -> bool:
    """Whether another model or account answers: sealed reasoning is bound to both."""
    if not target.same_origin or (target.api_key and not target.same_account):
        return True
    return "model" in target.unset or target.set.get("model", body.get("model")) != body.get("model")


def _call(draft: Draft, plain: bytes, body: Mapping[str, Any], cluster: str, rules: PlanRules) -> Call:
    """Without its content coding: what is recorded is read, searched and replayed by people and programs alike."""
    return Call(
        id=draft.id,
        arrived=draft.arrived,
        method=draft.method,
        path=_text(draft.path),
        query=credentials_query(draft.query),
        headers=tuple(pair for pair in record(draft.headers, rules.captured) if pair[0] != "content-encoding"),
        body=plain,
        conversation=cluster,
        tags=_tags(draft.headers, body, rules.tags),
    )


def _coding(headers: HeaderPairs) -> str:
    codings = (value for name, value in headers if name.lower() == b"content-encoding")
    return ",".join(coding.decode("latin-1").strip().lower() for coding in codings)


def _tags(headers: HeaderPairs, body: Mapping[str, Any], sources: Mapping[str, str]) -> Fields:
    found = ((tag, _tag(source, headers, body)) for tag, source in sources.items())
    return tuple((tag, value[:_TAG_LENGTH]) for tag, value in found if value)


def _tag(source: str, headers: HeaderPairs, body: Mapping[str, Any]) -> str:
    kind, _, name = source.partition(":")
    if kind == "header":  # through record, so that no credential becomes a tag
        return next((value for field, value in record(headers, [name]) if field == name.lower()), "")
    value: object = body
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _text(raw: str) -> str:
    """Undecodable bytes arrive as lone surrogates, which no record can hold; each becomes its latin-1 character."""
    return _SURROGATE.sub(lambda match: chr(ord(match[0]) & 0xFF), raw)

"""One call's plan: which shadows are asked, with which bytes, or why not. Made for handler, carried out by mirror.

Pure, and total: every target ends either among the shadows or among the verdicts, whatever the call looks like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from config.pair import Call, Fields, Role
from proxy.core import rewrite, sampling, stateful
from proxy.core.accounting import Bucket
from proxy.core.address import Address
from proxy.core.headers import HeaderPairs, credentials_query, record, without_credentials
from proxy.core.paths import Paths, Why
from proxy.core.sorting import Sorted, Sorter

Verdict = tuple[str, Bucket, str]
"""Shadow, bucket, reason: ready for the Ledger."""

_TAG_LENGTH = 100
"""A tag becomes a slice key; what is longer is content, not a label."""

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)  # not frozen: made on the live path, where freezing costs 2 µs more
class Draft:
    """One client request as the handler has it: nothing filtered yet, so nothing of it may be shown."""

    id: str
    arrived: float  # Unix seconds
    method: str
    path: str  # as the upstream has it: received, without the mount and without the query
    query: str = field(repr=False)
    headers: HeaderPairs = field(repr=False)
    body: bytes | None = field(repr=False)  # None when it was not kept whole, and then
    why_no_body: str = ""  # a reason of Bucket.SKIPPED
    shown: str = ""  # the path as received, for the Call, where it is another one
    bare: bool = False  # the path ended in a question mark and no query followed


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
    address: Address = field(init=False, repr=False, compare=False)
    edits: bool = field(init=False, repr=False, compare=False)  # whether anything was asked to differ in a copy's body

    def __post_init__(self) -> None:
        address = Address(
            self.base_url, self.name, same_origin=self.same_origin, api_key=self.api_key, extra=self.headers
        )
        object.__setattr__(self, "address", address)
        object.__setattr__(self, "edits", bool(self.set or self.unset or self.system_prompt))

    @property
    def own_account(self) -> bool:
        """Whether the client's credentials stay behind."""
        return not self.same_origin or bool(self.api_key)


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What holds for every call until the configuration changes."""

    paths: Paths
    sampling: str = "conversation"
    captured: tuple[str, ...] = ()  # header names beyond the always recorded
    tags: Mapping[str, str] = field(default_factory=dict)  # tag name to header:NAME or body:dotted.path
    enabled: bool = True  # the kill switch
    draining: bool = False
    max_body: int = 1 << 20  # bytes a compressed body may inflate to
    sorter: Sorter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        sources = (self.sampling, *self.tags.values())
        named = {source.partition(":")[2].lower().encode("latin-1") for source in sources if source[:7] == "header:"}
        object.__setattr__(self, "sorter", Sorter(self.captured, named.union(sampling.HEADERS)))


class Planned(NamedTuple):
    """One shadow request, complete. It holds credentials and content, and shows neither."""

    name: str
    role: Role
    method: str
    target: bytes  # path and query at the shadow
    headers: HeaderPairs  # with Host and Content-Length
    body: bytes
    notes: tuple[str, ...]  # what was changed unasked; see rewrite

    def __repr__(self) -> str:
        return f"<Planned {self.method} for {self.name}, {len(self.body)} bytes>"


class Plan(NamedTuple):
    """The decision on one call. `call` is None exactly when there are no shadows."""

    call: Call | None
    shadows: tuple[Planned, ...]
    verdicts: tuple[Verdict, ...]


def ineligible(method: str, path: str, marked: bool, rules: PlanRules) -> Why | None:
    """Why no shadow is asked, as far as the head of the request tells (`marked`: a copy itself); None while it may."""
    if (refusal := rules.paths.refusal(method, path)) is not None:
        return refusal
    if marked:
        return Bucket.INELIGIBLE, "shadow_of_shadow"
    if not rules.enabled:
        return Bucket.SKIPPED, "switched_off"
    return (Bucket.SKIPPED, "draining") if rules.draining else None


def make_plan(draft: Draft, targets: Sequence[Target], rules: PlanRules) -> Plan:
    """The plan of one call. Costs one look at the head, one parse and one walk of the body; each target that edits it
    costs a write, those that do not share one."""
    head = rules.sorter.sort(draft.headers)
    stop = ineligible(draft.method, draft.path, head.marked, rules)
    if stop is not None:
        return _nobody(targets, stop)
    if draft.body is None:
        return _nobody(targets, (Bucket.SKIPPED, draft.why_no_body))
    try:
        plain = rewrite.decoded(draft.body, head.coding, rules.max_body) if head.coding else draft.body
        body = rewrite.parsed(plain)
    except rewrite.NotRewritable as refusal:
        return _nobody(targets, _REFUSALS[refusal.reason])
    if reason := stateful.why(draft.path, body):
        return _nobody(targets, (Bucket.INELIGIBLE, f"stateful_{reason}"))
    cluster = sampling.conversation(head.wanted, body, draft.id)
    rolled = 0.0
    if min([target.sample for target in targets], default=1.0) < 1.0:  # else no dice (1.3 µs): nobody would look
        rolled = sampling.dice(sampling.key(rules.sampling, head.wanted, body, draft.id, cluster))
    copies = _Copies(draft, head, plain, body)
    shadows: list[Planned] = []
    verdicts: list[Verdict] = []
    for target in targets:
        if rolled >= target.sample:
            verdicts.append((target.name, Bucket.SAMPLED_OUT, ""))
            continue
        try:
            shadows.append(copies.planned(target))
        except rewrite.NotRewritable as refusal:
            verdicts.append((target.name, *_REFUSALS[refusal.reason]))
    call = _call(draft, head, plain, body, cluster, rules) if shadows else None
    return Plan(call, tuple(shadows), tuple(verdicts))


_REFUSALS = {
    "not_json": (Bucket.INELIGIBLE, "not_json"),
    "encoded_body": (Bucket.SKIPPED, "encoded_body"),
    "unsafe_numbers": (Bucket.SKIPPED, "unsafe_numbers"),
}


def _nobody(targets: Sequence[Target], why: Why) -> Plan:
    return Plan(None, (), tuple([(target.name, *why) for target in targets]))


class _Copies:
    """One call's copies: what does not depend on the target is worked out once."""

    __slots__ = ("_body", "_draft", "_head", "_plain", "_unedited")

    def __init__(self, draft: Draft, head: Sorted, plain: bytes, body: rewrite.Body) -> None:
        self._draft = draft
        self._head = head
        self._plain = plain
        self._body = body
        self._unedited: dict[bool, tuple[bytes, tuple[str, ...]]] = {}

    def planned(self, target: Target) -> Planned:
        """The copy for one target; raises NotRewritable."""
        data, notes = self._rewritten(target) if target.edits else self._as_it_is(target)
        draft, address = self._draft, target.address
        uri = address.target(draft.path, self._query(target.own_account))
        return Planned(target.name, target.role, draft.method, uri, address.fields(self._head, len(data)), data, notes)

    def _as_it_is(self, target: Target) -> tuple[bytes, tuple[str, ...]]:
        foreign = target.own_account and not (target.same_origin and target.same_account)
        done = self._unedited.get(foreign)
        if done is None:
            edit = rewrite.Edit(self._draft.path, foreign=foreign)
            done = self._unedited[foreign] = rewrite.rewrite(self._plain, self._body, edit)
        return done

    def _rewritten(self, target: Target) -> tuple[bytes, tuple[str, ...]]:
        foreign = _foreign(self._body, target)
        edit = rewrite.Edit(self._draft.path, target.set, target.unset, target.system_prompt, foreign)
        return rewrite.rewrite(self._plain, self._body, edit)

    def _query(self, own_account: bool) -> str:
        """With its question mark, where there is one."""
        query = self._draft.query
        if not query:
            return "?" if self._draft.bare else ""
        if own_account:
            query = without_credentials(query)
        return f"?{query}" if query else ""


def _foreign(body: Mapping[str, Any], target: Target) -> bool:
    """Whether another model or account answers: sealed reasoning is bound to both."""
    if not target.same_origin or (target.api_key and not target.same_account):
        return True
    return "model" in target.unset or target.set.get("model", body.get("model")) != body.get("model")


def _call(draft: Draft, head: Sorted, plain: bytes, body: rewrite.Body, cluster: str, rules: PlanRules) -> Call:
    """Without its content coding: what is recorded is read, searched and replayed by people and programs alike."""
    return Call(
        id=draft.id,
        arrived=draft.arrived,
        method=draft.method,
        path=_text(draft.shown or draft.path),
        query=credentials_query(draft.query) if draft.query else "",
        headers=head.recorded,
        body=plain,
        conversation=cluster,
        tags=_tags(head.wanted, body, rules.tags) if rules.tags else (),
    )


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
    return raw if raw.isascii() else _SURROGATE.sub(lambda match: chr(ord(match[0]) & 0xFF), raw)

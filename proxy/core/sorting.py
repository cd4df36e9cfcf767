"""A head's fields read in one pass, each name judged once and remembered. Used by plan; rules from headers.

A name's judgement does not depend on the call, and the same dozen names come with every call: looked up, a field costs
a tenth of what lower-casing it and asking each list costs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from config.pair import Fields
from proxy.core.address import ACCOUNT, ALLOWED
from proxy.core.headers import CREDENTIALS, SHADOW_MARK, HeaderPairs, record
from proxy.core.remembering import Remembered


@dataclass(slots=True)
class Sorted:
    """One request's fields by what they are for; names and values as they came unless said otherwise."""

    marked: bool  # it is a copy already
    coding: str  # of the body, in lower case
    recorded: Fields  # but for the body's coding
    allowed: list[tuple[bytes, bytes]]  # what every copy gets
    paying: list[tuple[bytes, bytes]]  # the same and who pays, in the order they came
    style: bytes  # the name of the first credential, or nothing
    wanted: list[tuple[bytes, bytes]]  # what sampling and tags asked for


_MARK, _CODING, _RECORDED, _ALLOWED, _ACCOUNT, _CREDENTIAL, _WANTED = (1 << at for at in range(7))


class Sorter:
    """Sorts request heads. `captured` may be recorded; `wanted` names (in lower case) are put aside."""

    def __init__(self, captured: Iterable[str], wanted: Collection[bytes]) -> None:
        captured, wanted = tuple(captured), frozenset(wanted)
        self._kinds: Remembered[bytes, tuple[int, str]] = Remembered(lambda name: _kind(name, captured, wanted))

    def sort(self, headers: HeaderPairs) -> Sorted:
        """Read the fields once."""
        found = Sorted(False, "", (), [], [], b"", [])
        codings: list[bytes] = []
        recorded: list[tuple[str, str]] = []
        kinds = self._kinds
        for pair in headers:
            kind, lower = kinds[pair[0]]
            if not kind:
                continue
            if kind & _ALLOWED:
                found.allowed.append(pair)
                found.paying.append(pair)
            elif kind & _ACCOUNT:
                found.paying.append(pair)
            if kind & _RECORDED:
                recorded.append((lower, pair[1].decode("latin-1")))
            if kind & _WANTED:
                found.wanted.append(pair)
            if kind & (_MARK | _CODING | _CREDENTIAL):
                _note(found, kind, pair, codings)
        found.recorded = tuple(recorded)
        if codings:
            found.coding = ",".join(coding.decode("latin-1").strip().lower() for coding in codings)
        return found


def _note(found: Sorted, kind: int, pair: tuple[bytes, bytes], codings: list[bytes]) -> None:
    if kind & _MARK:
        found.marked = True
    if kind & _CODING:
        codings.append(pair[1])
    if kind & _CREDENTIAL:
        found.style = found.style or pair[0]


def _kind(name: bytes, captured: tuple[str, ...], wanted: frozenset[bytes]) -> tuple[int, str]:
    lower = name.lower()
    recorded = _recorded(name, captured)
    kind = (
        _MARK * (lower == SHADOW_MARK.encode())
        | _CODING * (lower == b"content-encoding")
        | _RECORDED * (recorded not in ("", "content-encoding"))  # a record is written without its coding
        | _ALLOWED * (lower in ALLOWED)
        | _ACCOUNT * (lower in ACCOUNT)
        | _CREDENTIAL * (lower in CREDENTIALS)
        | _WANTED * (lower in wanted)
    )
    return kind, recorded


def _recorded(name: bytes, allowed: tuple[str, ...]) -> str:
    """The name in lower case, or nothing: `record` decides."""
    return next((lower for lower, _ in record(((name, b""),), allowed)), "")

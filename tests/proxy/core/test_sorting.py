"""A head's fields, read once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxy.core.address import ACCOUNT, ALLOWED
from proxy.core.headers import CREDENTIALS, SHADOW_MARK, record
from proxy.core.sorting import Sorter

SORTER = Sorter(("X-Request-ID", "Authorization"), [b"x-tenant"])


def test_puts_each_field_where_it_is_needed() -> None:
    """Several places for some, none for most."""
    found = SORTER.sort(
        [
            (b"Host", b"proxy"),
            (b"X-Tenant", b"acme"),
            (b"Content-Type", b"text/plain; x=caf\xe9"),
            (b"CONTENT-ENCODING", b" GZIP "),
            (b"X-API-Key", b"k1"),
            (b"authorization", b"Bearer k2"),
            (b"X-Request-Id", b"r1"),
            (b"content-encoding", b"br"),
            (b"OpenAI-Organization", b"o"),
            (b"Cookie", b"c"),
        ]
    )
    assert found.wanted == [(b"X-Tenant", b"acme")]
    assert found.allowed == [(b"Content-Type", b"text/plain; x=caf\xe9")]
    assert found.paying == [
        (b"Content-Type", b"text/plain; x=caf\xe9"),
        (b"X-API-Key", b"k1"),
        (b"authorization", b"Bearer k2"),
        (b"OpenAI-Organization", b"o"),
    ]
    assert found.recorded == (("content-type", "text/plain; x=café"), ("x-request-id", "r1"))
    assert found.coding == "gzip,br"
    assert found.style == b"X-API-Key"
    assert not found.marked


def test_sees_a_copy() -> None:
    """Whatever the case of the mark."""
    assert SORTER.sort([(b"X-Understudy-SHADOW", b"")]).marked


NAMES = [
    *CREDENTIALS,
    *(b"content-type accept content-encoding openai-project cookie x-tenant x-request-id x-other retry-after".split()),
    SHADOW_MARK.encode(),
]
HEADERS: Any = st.lists(
    st.tuples(st.sampled_from(NAMES) | st.sampled_from(NAMES).map(bytes.title), st.binary(max_size=4)), max_size=8
)


@given(HEADERS)
def test_is_what_asking_each_list_would_be(headers: list[tuple[bytes, bytes]]) -> None:
    """The one pass gives the same as a pass for each question."""
    found = SORTER.sort(headers)
    assert found.marked == any(name.lower() == SHADOW_MARK.encode() for name, _ in headers)
    assert found.allowed == [pair for pair in headers if pair[0].lower() in ALLOWED]
    assert found.paying == [pair for pair in headers if pair[0].lower() in ALLOWED | ACCOUNT]
    assert found.style == next((name for name, _ in headers if name.lower() in CREDENTIALS), b"")
    assert found.wanted == [pair for pair in headers if pair[0].lower() == b"x-tenant"]
    recorded = record(headers, ("X-Request-ID", "Authorization"))
    assert found.recorded == tuple(pair for pair in recorded if pair[0] != "content-encoding")
    codings = [value for name, value in headers if name.lower() == b"content-encoding"]
    assert found.coding == ",".join(value.decode("latin-1").strip().lower() for value in codings)

"""Doubles that announce each step before they take it, and fail at the one that a test names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from proxy.core.headers import HeaderPairs
from proxy.upstream.door import Sink
from tests.doubles.asked import Asked, AskedUpstream


class Steps:
    """Counts the steps, and fails at one of them."""

    def __init__(self, fail_at: int = -1, error: type[BaseException] = RuntimeError) -> None:
        self.taken: list[str] = []
        self._fail_at = fail_at
        self._error = error

    def step(self, name: str) -> None:
        """Take it, or fail before it."""
        self.taken.append(name)
        if len(self.taken) - 1 == self._fail_at:
            raise self._error

    def announcing(self, kind: type[Any], *methods: str) -> type[Any]:
        """The class, with these methods announced."""

        def announced(method: str) -> Callable[..., Any]:
            def call(its: Any, *args: Any, **named: Any) -> Any:
                self.step(f"{kind.__name__}.{method}")
                return getattr(super(made, its), method)(*args, **named)

            return call

        made = type(kind.__name__, (kind,), {"__slots__": (), **{method: announced(method) for method in methods}})
        return made


class Fields(Sequence[tuple[bytes, bytes]]):
    """A head's fields that can fail when they are read."""

    def __init__(self, steps: Steps, name: str, fields: HeaderPairs) -> None:
        self._steps = steps
        self._name = name
        self._fields = fields

    def __getitem__(self, at: Any) -> Any:
        return self._fields[at]

    def __len__(self) -> int:
        return len(self._fields)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        self._steps.step(self._name)
        return iter(self._fields)


class Piece(bytes):
    """A body that can fail when it is measured."""

    steps: Steps

    def __len__(self) -> int:
        self.steps.step("body")
        return super().__len__()


class FailingUpstream(AskedUpstream):
    """An upstream that can fail when it is asked, and when it is let go."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps = steps

    def ask(
        self,
        method: str,
        target: bytes,
        headers: HeaderPairs,
        body: bytes | None,
        sink: Sink,
        *,
        upgrade: bool = False,
    ) -> Asked:
        """Announced before and after it is done."""
        self._steps.step("ask")
        asked = super().ask(method, target, headers, body, sink, upgrade=upgrade)
        asked.on_cancel = lambda: self._steps.step("cancel")
        self._steps.step("asked")
        return asked

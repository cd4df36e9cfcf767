"""The doors through which checks reach outside: the operator's Python, web hooks, vectors. Opened by wiring.

Making them starts nothing: the process and the connections begin with the first question. All of them block the thread
that asks, within limits of their own, and raise DoorFailed in our own words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b

from config.settings import Check as Configured
from config.settings import Embeddings, Settings
from evaluators.core.finding import CLOSED, Check, Doors
from evaluators.judges.embedding import Embedding
from evaluators.judges.posting import Posting
from evaluators.judges.python_door import PythonDoor
from evaluators.judges.webhook import Webhook


class Outside:
    """The doors of one process; close it."""

    def __init__(self, embeddings: Embeddings | None, restarted: Callable[[], None] = lambda: None) -> None:
        self._posting = Posting()
        self._python = PythonDoor(restarted=restarted)
        embed = CLOSED.embed if embeddings is None else Embedding(self._posting, embeddings).embed
        self.doors = Doors(python=self._python.ask, post=Webhook(self._posting).post, embed=embed)

    def __repr__(self) -> str:
        return f"<Outside {self._python} {self._posting}>"

    def close(self) -> None:
        """End the process and the connections."""
        self._python.close()
        self._posting.close()


_WAITING = frozenset({"webhook", "similar", "similar:cosine", "similar:dot", "similar:euclidean"})
_BY_VECTORS = (_WAITING - {"webhook"}) | {"shadow:semantic", "assert-set", "max-score", "metric"}


def waits(settings: Settings) -> bool:
    """Whether the checks wait for a network, so that several pairs at a time are checked sooner.

    Python checks do not: there is one process for them.
    """
    waiting = _WAITING if settings.embeddings is None else _WAITING | {"shadow:semantic"}

    def asks(check: Configured) -> bool:
        return _plain(check.type) in waiting or any(map(asks, check.members))

    return any(map(asks, settings.measured))


def by_source(built: Sequence[Check], endpoint: Embeddings) -> tuple[Check, ...]:
    """The checks whose result depends on vectors, in a version of this endpoint's own: another starts new tallies."""
    said = f"{endpoint.base_url} {endpoint.model}"
    mark = blake2b(said.encode(), digest_size=4).hexdigest()
    return tuple(
        replace(one, version=f"{one.version}-{mark}") if _plain(one.type) in _BY_VECTORS else one for one in built
    )


def _plain(name: str) -> str:
    return name.removeprefix("not-")

"""The door for `webhook` checks: one question to the operator's own server. Made by judges, on posting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluators.judges.posting import Posting

WITHIN = 5.0  # promptfoo's own limit
MOST = 256 * 1024  # bytes of {pass, score, reason}


class Webhook:
    """Asks the hook that a check names."""

    def __init__(self, posting: Posting, *, within: float = WITHIN) -> None:
        self._posting, self._within = posting, within

    def __repr__(self) -> str:
        return f"<Webhook within {self._within:g} s>"

    def post(self, url: str, body: Mapping[str, Any]) -> Any:
        """The JSON that the hook answered; raises DoorFailed."""
        return self._posting.post("webhook", url, body, within=self._within, most=MOST)

"""Assertions on what happened around an answer: which tools were called, in which order, and how the calls went.

What is seen here is the traffic, not the inside of the application. The trajectory (calls) is every tool call of the
conversation so far followed by those of this answer; its steps are tool calls and nothing else. The trace (spans) is
one span `chat MODEL` with this arm's duration, and one span `execute_tool NAME` for each tool result that the request
tells of: with an error where the API marks one, and without a duration. A question that needs more than that is
`broken` and says so; it never passes. Built by the registry in checks.
"""

from __future__ import annotations

from evaluators.checks.trajectory import calls, spans
from evaluators.core.finding import CheckType

TYPES: tuple[CheckType, ...] = (*calls.TYPES, *spans.TYPES)

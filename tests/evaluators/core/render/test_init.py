"""The JSON renderers: the published format as bytes."""

from __future__ import annotations

import orjson

from evaluators.core.render import gate_bytes, json
from evaluators.core.report import gate_json, to_json
from tests.evaluators.core.render.pages import lively


def test_bytes() -> None:
    """Indented, with a newline at the end, and the same values."""
    assert orjson.loads(json(lively())) == to_json(lively())
    assert orjson.loads(gate_bytes(lively())) == gate_json(lively())
    assert json(lively()).endswith(b"}\n")

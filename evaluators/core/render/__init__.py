"""Renderers: a Report as text, Markdown, HTML, JUnit XML or JSON bytes. Pure strings; where they go is the caller's."""

import orjson

from evaluators.core.render.html import html
from evaluators.core.render.junit import junit
from evaluators.core.render.markdown import gate_markdown, markdown
from evaluators.core.render.text import gate_text, text
from evaluators.core.report import Report, gate_json, to_json

__all__ = ["gate_bytes", "gate_markdown", "gate_text", "html", "json", "junit", "markdown", "text"]


def json(report: Report) -> bytes:
    """The published format, indented, with a newline at the end."""
    return orjson.dumps(to_json(report), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def gate_bytes(report: Report) -> bytes:
    """Only the decisions, indented, with a newline at the end."""
    return orjson.dumps(gate_json(report), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

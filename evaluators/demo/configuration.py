"""The demo's configuration file: written out so that people can read it, loaded like any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from config.settings import DEFAULT_CHECKS
from evaluators.demo.faults import FAULTY, HONEST, RIVAL
from evaluators.demo.prompts import TOPICS


def planted(data: Path, ports: Mapping[str, int], listen: Mapping[str, str]) -> dict[str, Any]:
    """The file for the fake models with planted faults; `ports` has live and both candidates."""
    return {
        **_common(data, ports, listen),
        "candidates": [{"name": name, "base_url": _url(ports[name]), "again": "20%"} for name in (FAULTY, HONEST)],
        "control": {"sample": "100%"},
        "sampling": {"key": "conversation", "closes_after": "2s"},
        "capture": {"tags": {"tenant": "header:x-tenant"}},
        "slices": ["topic", "turn", "stream", "tag:tenant"],
        "topics": {name: list(words) for name, words in TOPICS.items()},
        "prices": {"live": {"input": 2.0, "output": 8.0}, FAULTY: {"input": 0.4, "output": 1.6}, HONEST: _CHEAPER},
        "checks": [
            {"type": "is-json", "when": {"response_format": "json_schema"}, "severity": "blocker"},
            {
                "type": "not-icontains",
                "value": RIVAL,
                "name": "no-competitors",
                "severity": "blocker",
                "layer": "safety",
            },
            {"type": "not-is-refusal", "dimension": "usefulness"},
            {"type": "numbers-grounded", "when": {"topic": "travel"}, "severity": "blocker"},
            "missing-answer",
            "shadow:text",
            "shadow:json",
            "shadow:tool-calls",
            "shadow:refusal",
            "shadow:finish-reason",
            "shadow:length",
        ],
        "gates": [
            {"name": "json", "check": "is-json", "max_regression": "6%"},
            {"name": "competitors", "check": "no-competitors", "max_regression": "2%"},
            {"name": "refusals", "check": "not-is-refusal", "max_regression": "3%"},
            {"name": "grounding", "check": "numbers-grounded", "max_regression": "3%"},
            {"name": "difference", "check": "shadow:text", "max_excess": "20%"},
            {"name": "speed", "metric": "first_byte_p95", "max_ratio": 1.3, "severity": "signal"},
        ],
    }


_CHEAPER = {"input": 1.0, "output": 4.0}


def replayed(data: Path, ports: Mapping[str, int], listen: Mapping[str, str], tags: Iterable[str]) -> dict[str, Any]:
    """The file for recorded answers; there is no second live answer, so there is no control."""
    names = sorted(tags)
    return {
        **_common(data, ports, listen),
        "candidates": [{"name": name, "base_url": _url(port)} for name, port in ports.items() if name != "live"],
        "control": {"sample": 0},
        "sampling": {"key": "call", "closes_after": "2s"},
        "capture": {"tags": {name: f"header:x-demo-tag-{name}" for name in names}},
        "slices": ["stream", "prompt_length", *(f"tag:{name}" for name in names)],
        "checks": [*DEFAULT_CHECKS, "shadow:numbers", "shadow:language", "shadow:pii", "shadow:secrets"],
        "gates": [
            {"name": "refusals", "check": "not-is-refusal", "max_regression": "2%"},
            {"name": "answers", "check": "missing-answer", "max_regression": "1%"},
        ],
    }


def write(path: Path, content: Mapping[str, Any]) -> None:
    """The file itself."""
    path.write_text(yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True), encoding="utf-8")


def _common(data: Path, ports: Mapping[str, int], listen: Mapping[str, str]) -> dict[str, Any]:
    return {
        "listen": listen["proxy"],
        "ops": listen["ops"],
        "dashboard": {"listen": listen["dashboard"]},
        "data": str(data),
        "live": {"base_url": _url(ports["live"])},
    }


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"

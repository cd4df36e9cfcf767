"""Metric names that keep the rules, labels that stay bounded, log lines that stay one line."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest

from config.pair import NEVER, Failure, Outcome
from proxy.core.accounting import Bucket, Ledger
from proxy.telemetry import JsonLines, Telemetry, start_logging

LABELS = {"result", "code", "kind", "reason", "target", "shadow", "bucket", "where", "version", "le"}
UNITS = ("_total", "_seconds", "_bytes", "_pairs", "_exchanges", "_enabled", "_info", "_open", "_files")


def _used() -> Telemetry:
    telemetry, ledger = Telemetry(), Ledger()
    telemetry.watch(ledger)
    ledger.count(0.0, "mini", Bucket.PAIRED)
    ledger.count(7200.0, "mini", Bucket.PAIRED)
    ledger.count(0.0, "mini", Bucket.DROPPED, "crash")
    telemetry.answered("2xx")
    telemetry.live_failures.labels("timeout").inc()
    telemetry.refused.labels("host").inc()
    telemetry.caught.labels("mirror").inc()
    telemetry.live_open += 1
    telemetry.reloads.labels("applied").inc()
    telemetry.exchange_ended("live", Outcome(Failure.NONE, "", 200, (), b"", 1, 0.5, 1.0, 2.0, 1, 0.0))
    telemetry.exchange_ended("live", Outcome(Failure.TIMEOUT, "", 0, (), b"", 0, 0.5, NEVER, 2.0, 0, 0.0))
    return telemetry


def test_names_keep_the_rules() -> None:
    """Every family has help, our prefix and a unit; `_total` is on counters and only there (what promtool checks)."""
    text = _used().text().decode()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    assert kinds.keys() == helps.keys()
    for name, kind in kinds.items():
        if name.endswith("_created"):
            continue
        assert name.startswith("understudy_"), name
        assert name.endswith(UNITS), name
        assert name.endswith("_total") == (kind == "counter"), name
        assert helps[name].endswith("."), name


def test_labels_are_ours() -> None:
    """No label can hold what a client or an upstream sent."""
    found = set(re.findall(r'[{,](\w+)="', _used().text().decode()))
    assert found <= LABELS


def test_accounting_is_summed_over_hours() -> None:
    """The ledger's rows appear once per shadow, bucket and reason."""
    text = _used().text().decode()
    assert 'understudy_shadow_calls_total{bucket="paired",reason="",shadow="mini"} 2.0' in text
    assert 'understudy_shadow_calls_total{bucket="dropped",reason="crash",shadow="mini"} 1.0' in text


def test_failed_exchanges_leave_no_times() -> None:
    """A time-out's length says nothing about the upstream's speed."""
    text = _used().text().decode()
    assert 'understudy_upstream_duration_seconds_count{target="live"} 1.0' in text
    assert 'understudy_time_to_first_byte_seconds_count{target="live"} 1.0' in text


@pytest.mark.parametrize("text", ['"', "a\nb", "\x9b31m", "\u202e", "\udcff", "\x00", "ü"])
def test_log_lines_are_one_ascii_object(text: str) -> None:
    """Whatever a field holds, the line is one JSON object in ASCII."""
    record = logging.LogRecord("understudy.proxy", logging.INFO, "f", 1, "event", (), None)
    record.fields = {"field": text}
    line = JsonLines().format(record)
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["field"] == text


def test_library_messages_stay_out() -> None:
    """A library's text may hold a URL or a key: only its logger's name and the error's type are written."""
    try:
        raise ValueError("https://u:secret@host/")
    except ValueError as error:
        record = logging.LogRecord("asyncio", logging.ERROR, "f", 1, "secret %s", ("x",), None)
        record.exc_info = (ValueError, error, error.__traceback__)
    line = JsonLines().format(record)
    assert "secret" not in line
    assert json.loads(line)["error"] == "ValueError"


def test_logging_starts_at_the_level_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """UNDERSTUDY_LOG sets the level; nonsense means info."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    monkeypatch.setattr("sys.stderr", io.StringIO())
    try:
        for word, wanted in (("debug", logging.DEBUG), ("nonsense", logging.INFO)):
            root.handlers.clear()
            monkeypatch.setenv("UNDERSTUDY_LOG", word)
            start_logging()
            assert root.level == wanted
    finally:
        root.handlers[:] = before
        root.setLevel(level)

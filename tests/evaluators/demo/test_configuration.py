"""The demo's configuration files are ordinary ones: they load, and their checks can be built."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.load import load
from config.settings import Settings
from evaluators import wiring
from evaluators.demo import configuration
from evaluators.demo.faults import FAULTS, FAULTY, HONEST

PORTS = {"live": 9001, FAULTY: 9002, HONEST: 9003}
LISTEN = dict.fromkeys(("proxy", "ops", "dashboard"), "127.0.0.1:0")


def loaded(folder: Path, content: dict[str, object]) -> Settings:
    file = folder / "understudy.yaml"
    configuration.write(file, content)
    settings = load(file, {})
    wiring.observer(settings, 1.0)
    return settings


def test_planted(tmp_path: Path) -> None:
    """Both candidates and a full control, and for each planted fault a check or slice that can show it."""
    settings = loaded(tmp_path, configuration.planted(tmp_path / "data", PORTS, LISTEN))
    assert [one.name for one in settings.candidates] == [FAULTY, HONEST]
    assert [one.base_url for one in settings.candidates] == ["http://127.0.0.1:9002", "http://127.0.0.1:9003"]
    assert settings.control.sample == 1.0
    checks = {check.label for check in settings.checks}
    for fault in FAULTS:
        if fault.proof.family in ("check", "path"):
            assert fault.proof.name.split(" ")[0] in checks, fault.name
        for text in (fault.proof.slice, *fault.slices):
            assert not text or text.partition("=")[0] in settings.slices, fault.name


@pytest.mark.parametrize("tags", [(), ("lang", "topic")])
def test_replayed(tmp_path: Path, tags: tuple[str, ...]) -> None:
    """Recorded answers have no second live answer; their tags are slices."""
    settings = loaded(tmp_path, configuration.replayed(tmp_path / "data", PORTS, LISTEN, tags))
    assert {one.name for one in settings.candidates} == {FAULTY, HONEST}
    assert settings.control.sample == 0
    assert [one for one in settings.slices if one.startswith("tag:")] == [f"tag:{tag}" for tag in tags]
    assert set(settings.capture.tags) == set(tags)

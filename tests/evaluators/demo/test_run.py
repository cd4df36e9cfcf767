"""The demo from beginning to end: what it accounts for, and that it finds what it plants and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evaluators.demo.faults import FAULTS, FAULTY, HONEST
from evaluators.demo.recorded import BadAnswers
from evaluators.demo.run import answer_files


def demo(*arguments: object, limit: float) -> tuple[int, dict[str, Any], str]:
    """Exit code, data and words of one `understudy demo --once --json`."""
    line = [sys.executable, "-m", "evaluators", "demo", "--once", "--json", *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=limit)
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["live"], id="no file"),
        pytest.param(["=a.json"], id="no name"),
        pytest.param(["live="], id="empty"),
        pytest.param(["live=a", "live=b"], id="twice"),
        pytest.param(["live=a"], id="no candidate"),
        pytest.param(["mini=a", "maxi=b"], id="no live"),
    ],
)
def test_answer_files_that_make_no_sense(options: list[str]) -> None:
    """One file for live and at least one for a candidate, each name once."""
    with pytest.raises(BadAnswers, match="--answers"):
        answer_files(options)


def test_answer_files() -> None:
    """A name and a file; a file's own `=` stays."""
    assert answer_files(["live=a.json", "mini=b=c.json"]) == {"live": Path("a.json"), "mini": Path("b=c.json")}
    assert answer_files([]) == {}


def conserved(account: dict[str, Any]) -> bool:
    """DESIGN's identity for one shadow."""
    sums = {name: sum(account[name].values()) for name in ("ineligible", "skipped", "dropped")}
    calls: bool = account["calls"] == sum(sums.values()) + account["sampled_out"] + account["paired"]
    paired: bool = account["paired"] == account["evaluated"] + account["waiting"] + account["dead_lettered"]
    return calls and paired


@pytest.mark.proof
@pytest.mark.timeout(90)
def test_a_short_demo() -> None:
    """120 requests through the real processes: all answered, all accounted for, nothing waiting."""
    code, found, _ = demo("--requests", 120, limit=80)
    assert code in (0, 1)  # too few to find everything
    assert found["schema"] == 1
    assert found["application"]["answers"] == {"ok": 120}
    assert found["unplanted"] == []
    assert len(found["found"]) + len(found["missed"]) == len(found["planted"]) == len(FAULTS)
    for name in (FAULTY, HONEST, "control"):
        account = found["report"]["accounting"][name]
        assert conserved(account), account
        assert (account["calls"], account["waiting"]) == (120, 0)


@pytest.mark.proof
@pytest.mark.timeout(60)
def test_recorded_answers(tmp_path: Path) -> None:
    """Recorded answers come out as a report over the same items, with their tags as slices."""
    for name in ("live", "mini"):
        items = [
            {"id": n, "instruction": f"Say {n}", "output": f"{name} {n}", "tags": {"lang": "en"}} for n in range(40)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, items)))
    files = [word for name in ("live", "mini") for word in ("--answers", f"{name}={tmp_path / name}.jsonl")]
    code, found, _ = demo(*files, limit=55)
    assert (code, "planted" in found) == (0, False)
    assert found["application"]["answers"] == {"ok": 40}
    (mini,) = found["report"]["candidates"]
    assert (mini["name"], mini["pairs"]) == ("mini", 40)
    assert "tag:lang=en" in {row["slice"] for row in mini["slices"]}


@pytest.mark.proof
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_it_finds_what_it_plants(seed: int) -> None:
    """Every planted fault is found and nothing else, whatever the seed."""
    code, found, _ = demo("--seed", seed, limit=230)
    assert (found["missed"], found["unplanted"]) == ([], [])
    assert {one["fault"] for one in found["found"]} == {one["fault"] for one in found["planted"]}
    assert code == 0
    assert all(conserved(account) for account in found["report"]["accounting"].values())

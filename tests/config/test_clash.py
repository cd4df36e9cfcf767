"""The guard against distributions that own our import names."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.clash import intruders, named

ASK = "import sys; sys.path.insert(0, sys.argv[1]); from config.clash import intruders; print('\\n'.join(intruders()))"


@pytest.mark.parametrize(
    ("owners", "said"),
    [
        pytest.param({}, [], id="nobody"),
        pytest.param({"config": ["understudy"], "proxy": ["Understudy"]}, [], id="we ourselves"),
        pytest.param({"yaml": ["PyYAML"]}, [], id="other names"),
        pytest.param({"proxy": ["understudy", "proxy.py"]}, ["proxy-py also owns `proxy`"], id="one intruder"),
        pytest.param(
            {"proxy": ["a"], "config": ["a"], "evaluators": ["b", "b"]},
            ["a also owns `config` and `proxy`", "b also owns `evaluators`"],
            id="two intruders",
        ),
        pytest.param({"config": [None]}, ["(without a name) also owns `config`"], id="without a name"),
    ],
)
def test_named(owners: dict[str, list[str | None]], said: list[str]) -> None:
    """Every foreign owner is named once, with the remedy."""
    found = named(owners)
    assert len(found) == len(said)
    for sentence, part in zip(found, said, strict=True):
        assert part in sentence
        assert "virtual environment of its own" in sentence


def test_installed_intruder(tmp_path: Path) -> None:
    """A distribution that is really on the path is found by its installed metadata."""
    info = tmp_path / "proxy.py-2.4.4.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: proxy.py\nVersion: 2.4.4\n")
    (info / "top_level.txt").write_text("proxy\n")
    (info / "RECORD").write_text("proxy/__init__.py,,\n")
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", ASK, str(tmp_path)], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "proxy-py also owns `proxy`" in done.stdout


def test_this_environment() -> None:
    """The environment of the tests has no intruder."""
    assert intruders() == []

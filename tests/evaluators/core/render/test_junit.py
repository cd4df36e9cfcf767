"""The decisions as test results."""

from __future__ import annotations

from xml.etree import ElementTree

from config.settings import Gate
from evaluators.core.render.junit import junit
from tests.evaluators.core.render.pages import lively, made, silent
from tests.evaluators.core.samples import HOSTILE, assertion, shadow


def test_rules_are_cases() -> None:
    """Failed blockers fail, waiting ones are skipped, signals pass and say what they saw."""
    (suite,) = ElementTree.fromstring(junit(lively()))
    assert suite.attrib == {"name": "mini", "tests": "5", "failures": "1", "errors": "0", "skipped": "1"}
    kinds = {case.get("name"): case[0].tag for case in suite}
    assert kinds == {
        "json": "failure",
        "competitors": "system-out",
        "later": "skipped",
        "speed": "system-out",
        "price": "system-out",
    }
    assert suite[0][0].get("type") == "max_regression"
    assert "above the limit" in suite[0][0].get("message", "")
    assert suite[3][0].text.startswith("fail: mini's p95")


def test_no_rules() -> None:
    """Nothing was decided: one skipped case, so that nobody reads silence as success."""
    (suite,) = ElementTree.fromstring(junit(silent()))
    assert (suite.get("tests"), suite.get("skipped")) == ("1", "1")
    assert suite[0][0].get("message") == "No gates are configured, so nothing can pass."
    assert len(ElementTree.fromstring(junit(made([])))) == 0


def test_hostile_names() -> None:
    """Whatever a name holds, the file is XML."""
    for name in HOSTILE:
        report = made([shadow(assertion(), name=name)], Gate(name="g", check="is-json", red_line=0.5))
        assert len(ElementTree.fromstring(junit(report))) == 1

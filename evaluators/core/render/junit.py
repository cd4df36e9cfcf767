"""junit: the decisions as JUnit XML, one test case per rule, for CI systems that show tests. Used by the CLI."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from evaluators.core.render.safe import line
from evaluators.core.report.shape import CandidateReport, Report, Rule, Verdict


def junit(report: Report) -> str:
    """A failed blocker is a failure; a rule that waits or stays undecided is skipped with its reason.

    A signal never fails: it passes with its verdict in the output. A candidate without rules is one skipped case.
    """
    suites = "".join(_suite(candidate) for candidate in report.candidates)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="understudy gate">\n{suites}</testsuites>\n'


def _suite(candidate: CandidateReport) -> str:
    rules = candidate.decision.rules
    cases = "".join(_case(candidate.name, rule) for rule in rules) or _empty(candidate)
    failures = sum(_outcome(rule) == "failure" for rule in rules)
    skipped = sum(_outcome(rule) == "skipped" for rule in rules) if rules else 1
    return (
        f"  <testsuite name={_attribute(candidate.name)} tests="
        f'"{max(len(rules), 1)}" failures="{failures}" errors="0" skipped="{skipped}">\n{cases}  </testsuite>\n'
    )


def _case(name: str, rule: Rule) -> str:
    reason = _attribute(rule.reason)
    body = {
        "failure": f'      <failure type="{rule.kind}" message={reason}/>\n',
        "skipped": f"      <skipped message={reason}/>\n",
        "passed": f"      <system-out>{escape(line(f'{rule.verdict.value}: {rule.reason}', 400))}</system-out>\n",
    }[_outcome(rule)]
    return f"    <testcase classname={_attribute(name)} name={_attribute(rule.name)}>\n{body}    </testcase>\n"


def _empty(candidate: CandidateReport) -> str:
    reason = _attribute(candidate.decision.reason)
    return (
        f'    <testcase classname={_attribute(candidate.name)} name="decision">\n'
        f"      <skipped message={reason}/>\n    </testcase>\n"
    )


def _outcome(rule: Rule) -> str:
    if rule.severity != "blocker" or rule.verdict is Verdict.PASS:
        return "passed"
    return "failure" if rule.verdict is Verdict.FAIL else "skipped"


def _attribute(words: str) -> str:
    return quoteattr(line(words, 400))

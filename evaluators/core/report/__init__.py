"""The report: tallies in, one frozen record out; gate adds decisions, render and export show it."""

from evaluators.core.report.build import ReportRules, build
from evaluators.core.report.export import decision_json, gate_json, overall, to_json
from evaluators.core.report.shape import Decision, Report, Rule, Verdict

__all__ = [
    "Decision",
    "Report",
    "ReportRules",
    "Rule",
    "Verdict",
    "build",
    "decision_json",
    "gate_json",
    "overall",
    "to_json",
]

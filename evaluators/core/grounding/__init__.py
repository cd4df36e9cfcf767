"""What an answer may rest on, and what it claims to rest on. Used by checks that compare both."""

from evaluators.core.grounding.claims import Citation, citations, names, plainly, quotes
from evaluators.core.grounding.known import Known
from evaluators.core.grounding.paths import BadPath, Path, path_of, values_at
from evaluators.core.grounding.sources import Context, Source, context

__all__ = [
    "BadPath",
    "Citation",
    "Context",
    "Known",
    "Path",
    "Source",
    "citations",
    "context",
    "names",
    "path_of",
    "plainly",
    "quotes",
    "values_at",
]

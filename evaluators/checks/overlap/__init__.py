"""Overlap of an answer with reference texts: scores holds the checks, treebank and porter the words they compare."""

from evaluators.checks.overlap.scores import TYPES

__all__ = ["TYPES"]

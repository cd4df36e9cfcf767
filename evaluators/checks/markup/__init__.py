"""Assertions on markup: is-xml and contains-xml in trees, is-html and contains-html in pages."""

from evaluators.checks.markup import pages, trees

TYPES = (*trees.TYPES, *pages.TYPES)

__all__ = ["TYPES"]

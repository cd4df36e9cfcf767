"""Differences between two answers: of structure (JSON), of wording, and where the JSON in an answer is.

Pure and bounded: hostile answers (a megabyte, ten thousand levels) cost time in proportion, never an exception.
Used by the checks, which decide what a difference means.
"""

from evaluators.core.diff.embedded_json import Block, json_blocks, whole_json
from evaluators.core.diff.structure import Difference, Op, json_diff, leaves, place
from evaluators.core.diff.wording import normalise, text_distance, words

__all__ = [
    "Block",
    "Difference",
    "Op",
    "json_blocks",
    "json_diff",
    "leaves",
    "normalise",
    "place",
    "text_distance",
    "whole_json",
    "words",
]

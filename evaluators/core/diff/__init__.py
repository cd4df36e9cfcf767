"""Differences between two answers: of structure (JSON), of wording, of amounts, and where the JSON in an answer is.

Pure and bounded: hostile answers (a megabyte, ten thousand levels) cost time in proportion, never an exception.
Used by the checks, which decide what a difference means.
"""

from evaluators.core.diff.amounts import Amount, amounts, countable, near, written
from evaluators.core.diff.embedded_json import Block, json_blocks, whole_json
from evaluators.core.diff.grounds import Grounds
from evaluators.core.diff.structure import ROUNDING, Difference, Op, json_diff, leaves, place
from evaluators.core.diff.wording import normalise, text_distance, without_code, words

__all__ = [
    "ROUNDING",
    "Amount",
    "Block",
    "Difference",
    "Grounds",
    "Op",
    "amounts",
    "countable",
    "json_blocks",
    "json_diff",
    "leaves",
    "near",
    "normalise",
    "place",
    "text_distance",
    "whole_json",
    "without_code",
    "words",
    "written",
]

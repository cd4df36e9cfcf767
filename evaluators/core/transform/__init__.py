"""Transforms: the JavaScript expressions that promptfoo configurations apply to an answer before it is checked.

A small language of its own, read once and refused by name where it goes further: parsing makes functions of the text,
values knows what JavaScript's values do. No loops and no recursion, a limit on steps and on text: it always ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evaluators.core.transform.parsing import program
from evaluators.core.transform.spelling import BadTransform, chained
from evaluators.core.transform.values import UNDEFINED, Budget, TooMuch, Unfit, as_text, parse

__all__ = ["BadTransform", "TooMuch", "Unfit", "as_text", "chained", "compiled", "given", "parsed"]


def compiled(source: str) -> Callable[[Any], str]:
    """The expression as a function from an answer to text; raises BadTransform.

    The function raises Unfit where the expression fails on the answer or gives nothing, and TooMuch beyond the limits.
    Objects become JSON text.
    """
    run = program(source)

    def apply(output: Any) -> str:
        try:
            found = run({"output": output}, Budget())
        except (RecursionError, MemoryError):
            raise TooMuch("the answer is nested too deeply") from None
        return given(found)

    return apply


def given(found: Any) -> str:
    """What a transform gave, as the text that checks see; raises Unfit for nothing."""
    if found is None or found is UNDEFINED:
        raise Unfit("it gives nothing")
    return as_text(found)


def parsed(text: str) -> Any:
    """A text as the object that it holds; the text itself where it holds none."""
    try:
        return parse(text)
    except Unfit:
        return text

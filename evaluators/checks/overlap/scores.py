"""rouge-n, bleu, gleu, meteor by promptfoo 0.123.1's values. The words come from treebank and porter.

All compare lower-cased words. An answer's cost grows with its length alone: only n-grams that a reference has are
counted. A `not-` form's score is 1 minus the score, as everywhere.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise
from math import exp, log

from evaluators.checks.overlap.porter import stem
from evaluators.checks.overlap.treebank import treebank_words
from evaluators.core.finding import (
    Assert,
    BadCheck,
    CheckType,
    Finding,
    Params,
    assertion,
    failed,
    passed,
)
from evaluators.core.on_text import on_text

MAX_STEMMED = 20_000
"""Words of an answer: with more of them meteor compares whole words only; a word takes some 10 us to stem."""
MAX_READ = 200_000
"""Letters of an answer that rouge-n takes apart: a megabyte of braces, each a word of its own, takes 0.9 s."""
MAX_N = 4

_SPACE = re.compile(r"[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")  # JavaScript's \s
_NEVER = 1e-7  # what promptfoo takes for the logarithm of no match at all

_Gram = tuple[str, ...]
_Pairs = list[tuple[int, int]]


@assertion("rouge-n", dimension="correctness", takes=("value", "threshold"))
def rouge_n(params: Params) -> Assert:
    """F1 of the words (n is 1) shared with the one reference, each as often as both have it; at least .75."""
    reference = Counter(treebank_words(params.text().lower()))

    def score(text: str) -> float:
        words = treebank_words(text[:MAX_READ].lower())
        shared = sum((Counter(word for word in words if word in reference) & reference).values())
        return 2 * shared / (len(words) + reference.total()) if shared else 0.0

    return _at_least(params, 0.75, score)


@assertion("bleu", dimension="correctness", takes=("value", "threshold"))
def bleu(params: Params) -> Assert:
    """Geometric mean of the precisions of 1- to 4-grams, times the penalty for brevity; at least .5.

    An answer shorter than n words has no n-grams, and the others' weights grow. No match counts as 1e-7.
    """
    references = [_words(text) for text in _references(params)]
    grams = [[Counter(_grams(words, n)) for words in references] for n in range(1, MAX_N + 1)]

    def score(text: str) -> float:
        words = _words(text)
        if words == [""]:
            return 0.0
        precisions = [
            max(_shared(_counted(words, n, wanted), each) for each in wanted) / (len(words) - n + 1)
            for n, wanted in enumerate(grams, 1)
            if len(words) >= n
        ]
        nearest = min((abs(len(each) - len(words)), len(each)) for each in references)[1]
        brevity = 1.0 if len(words) > nearest else exp(1 - nearest / len(words))
        return brevity * exp(sum(log(precision or _NEVER) for precision in precisions) / len(precisions))

    return _at_least(params, 0.5, score)


@assertion("gleu", dimension="correctness", takes=("value", "threshold"))
def gleu(params: Params) -> Assert:
    """The smaller of precision and recall of 1- to 4-grams, for the best reference; at least .5.

    Full stops at the end of words are left out; a text without words scores 0.
    """
    references = [_without_stops(_words(text)) for text in _references(params)]
    grams = [[Counter(_grams(words, n)) for words in references] for n in range(1, MAX_N + 1)]

    def score(text: str) -> float:
        words = _without_stops(_words(text))
        if not any(words):
            return 0.0
        counted = [_counted(words, n, wanted) for n, wanted in enumerate(grams, 1)]
        shares = []
        for position, reference in enumerate(references):
            shared = sum(_shared(found, grams[n][position]) for n, found in enumerate(counted))
            total = max(_total(words), _total(reference)) if any(reference) else 0
            shares.append(shared / total if total else 0.0)
        return max(shares)

    return _at_least(params, 0.5, score)


@assertion("meteor", dimension="correctness", takes=("value", "threshold", "config"))
def meteor(params: Params) -> Assert:
    """Words matched whole, then by stem; recall weighs nine times precision, scattered matches cost; at least .5.

    promptfoo goes on to match synonyms by WordNet's 34 MB. Here they are no match, so where an answer paraphrases the
    score is lower than promptfoo's; without synonyms it is the same. `config` may set alpha (.9), beta (3), gamma (.5).
    """
    options = {"alpha": 0.9, "beta": 3.0, "gamma": 0.5, **params.options("alpha", "beta", "gamma")}
    if not all(isinstance(each, int | float) and 0 <= each <= 100 for each in options.values()):
        raise BadCheck("meteor needs numbers for alpha, beta and gamma")
    alpha, beta, gamma = options["alpha"], options["beta"], options["gamma"]
    references = [_without_stops(_SPACE.split(text.lower())) for text in _references(params)]

    def one(words: Sequence[str], reference: Sequence[str]) -> float:
        matched = sorted(_matched(words, reference))
        precision, recall = len(matched) / len(words), len(matched) / len(reference)
        mean = alpha * precision + (1 - alpha) * recall
        if not mean:
            return 0.0
        chunks = 1 + sum(b != (a[0] + 1, a[1] + 1) for a, b in pairwise(matched))
        return float((1 - gamma * (chunks / len(matched)) ** beta) * precision * recall / mean)

    def score(text: str) -> float:
        words = _without_stops(_SPACE.split(text.lower()))
        return min(1.0, max(0.0, *(one(words, reference) for reference in references))) if text else 0.0

    return _at_least(params, 0.5, score)


TYPES: tuple[CheckType, ...] = (rouge_n, bleu, gleu, meteor)


def _at_least(params: Params, default: float, score: Callable[[str], float]) -> Assert:
    limit = params.limit(default)

    def judge(text: str) -> Finding:
        found = score(text)
        detail = f"{params.type.removeprefix('not-')} {found:.4f}"
        return passed(detail, found) if found >= limit else failed(detail, found)

    return on_text(judge)


def _references(params: Params) -> tuple[str, ...]:
    """One text, or several: a comma belongs to the text."""
    return params.texts() if isinstance(params.value, list) else (params.text(),)


def _words(text: str) -> list[str]:
    return [word for word in _SPACE.split(text.lower()) if word] or [""]


def _without_stops(words: Iterable[str]) -> list[str]:
    return [word.rstrip(".") for word in words]


def _grams(words: Sequence[str], n: int) -> Iterable[_Gram]:
    return zip(*(words[start:] for start in range(n)), strict=False)


def _counted(words: Sequence[str], n: int, wanted: Sequence[Collection[_Gram]]) -> Counter[_Gram]:
    known = set().union(*wanted)
    return Counter(gram for gram in _grams(words, n) if gram in known)


def _shared(found: Counter[_Gram], wanted: Counter[_Gram]) -> int:
    return (found & wanted).total()


def _total(words: Sequence[str]) -> int:
    return sum(max(0, len(words) - n + 1) for n in range(1, MAX_N + 1))


def _matched(words: Sequence[str], reference: Sequence[str]) -> _Pairs:
    """Pairs of positions, each word used once; the last ones are taken first, as promptfoo does."""
    left, right = dict(enumerate(words)), dict(enumerate(reference))
    pairs = _equal(left, right)
    if len(words) <= MAX_STEMMED:
        left, right = ({at: stem(word) for at, word in side.items()} for side in (left, right))
        pairs += _equal(left, right)
    return pairs


def _equal(left: dict[int, str], right: dict[int, str]) -> _Pairs:
    """The pairs of equal words, which are taken out of both."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in right.items():
        places[word].append(at)
    pairs = [(at, places[word].pop()) for at, word in reversed(left.items()) if places.get(word)]
    for mine, theirs in pairs:
        del left[mine], right[theirs]
    return pairs

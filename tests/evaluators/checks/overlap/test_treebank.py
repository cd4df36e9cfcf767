"""Tokens of rouge-n: contractions, quotation marks, signs and numbers, as js-rouge splits them."""

import pytest

from evaluators.checks.overlap.treebank import treebank_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("I can't, won't.", "I ca n't , wo n't ."),
        ("cannot gonna wanna 'tis", "can not gon na wan na 't is"),
        ('He said "yes".', "He said `` yes '' ."),
        ("``a'' b", "`` a '' b"),
        ("say ''a'' now", "say `` a '' now"),
        ('5" wide', "5 '' wide"),
        ('end "', "end ``"),
        ('end,"', "end , ''"),
        ('a ("', "a ( ``"),
        ("$3.50, 1,000: (x) [y] a--b...", "$ 3.50 , 1,000 : ( x ) [ y ] a -- b ..."),
        ("Ann's dogs' toys", "Ann 's dogs ' toys"),
        ("in the U.S.", "in the U.S."),
        ("x\u00a0y\x85z", "x y z"),
    ],
)
def test_words(text: str, words: str) -> None:
    """A text gives these tokens."""
    assert " ".join(treebank_words(text)) == words

"""Stems as the package `natural` makes them: the table is its output."""

from evaluators.checks.overlap.porter import stem

WORDS = (
    "caresses ponies ties cats ss s is feed agreed plastered bled motoring sing conflated troubled sized "
    "hopping tanned falling hissing fizzed failing filing happy sky relational conditional rational "
    "valenci hesitanci digitizer conformabli radicalli differentli vileli analogousli vietnamization "
    "predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti "
    "sensibiliti triplicate formative formalize electriciti electrical hopeful goodness revival allowance "
    "inference airliner gyroscopic adjustable defensible irritant replacement adjustment dependent "
    "adoption homologou communism activate angulariti homologous effective bowdlerize probate rate cease "
    "controll roll yes eed eeds ing ied"
)


def test_stems() -> None:
    """Every step of the stemmer is taken."""
    assert " ".join(map(stem, WORDS.split())) == STEMS


STEMS = (
    "caress poni ti cat ss s is feed agre plaster bled motor sing conflat troubl size hop tan fall hiss fizz fail "
    "file happi sky relat condit ration valenc hesit digit conform radic differ vile analog vietnam predic oper "
    "feudal decis hope callous formal sensit sensibl triplic form formal electr electr hope good reviv allow infer "
    "airlin gyroscop adjust defens irrit replac adjust depend adopt homolog commun activ angular homolog effect "
    "bowdler probat rate ceas control roll ye eed eed ing i"
)

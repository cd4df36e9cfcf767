"""How to read the report: the words that carry a number, each in one or two sentences. Used by html."""

from __future__ import annotations

from markupsafe import Markup

WORDS = {
    "Interval": "Where the true value plausibly lies, given how much was seen. {sure} of 100 such intervals hold it. "
    "When zero is inside, the data do not tell the two apart.",
    "Noise floor": "Models do not repeat themselves. Live is asked twice on some calls; how often its two answers "
    "differ is what any candidate, even live itself, would show.",
    "Excess": "How often the candidate differs from live, minus the noise floor. This part is the candidate's doing. "
    "A candidate steadier than live can have a negative one and still be different.",
    "Regressed, fixed": "Regressed: live was right and the candidate was not. Fixed: the other way round. The "
    "difference of the two, over all pairs, is the change you would ship.",
    "Watched interval": "An ordinary interval is only honest when looked at once. The watched one holds however often "
    "you look, so you may stop as soon as it is clear. It is wider, and counts conversations, not calls.",
    "Energy": "How far candidate and live are apart, beyond how far each is from itself when asked twice: 0 for the "
    "same model, 2 at most. It sees what an excess cannot, a model that repeats itself and says something else.",
    "Flagged": "The candidate does worse in this slice, and worse there than in the rest of the traffic. Of all "
    "flagged slices and pairs of keys at most {wrong}% are expected to be false alarms, however many there are.",
    "Found, confirmed": "What was chosen for looking bad cannot be proved by the calls that made it look so. Earlier "
    "traffic names the suspects, and only later traffic is asked about them.",
    "Wait, inconclusive": "Wait: more conversations will tell. Inconclusive: the rule has used all it may use and is "
    "still undecided. Neither ships.",
    "No answer": "A timeout, an error or a blank answer is a failure of the one that gave it, in every check. Calls "
    "that we did not send or lost ourselves are counted apart and held against nobody.",
}


def guide(alpha: float) -> Markup:
    """The list of words, for intervals at this error level."""
    known = {"sure": f"{100 - 100 * alpha:g}", "wrong": f"{100 * alpha:g}"}
    entries = (
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(word, meaning.format_map(known))
        for word, meaning in WORDS.items()
    )
    return Markup('<h3>How to read this</h3><dl class="help">{}</dl>').format(Markup("").join(entries))

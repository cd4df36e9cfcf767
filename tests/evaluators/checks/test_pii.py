"""Personal data: each kind's rule, a corpus of invented people and of likenesses, and what a finding may carry."""

from __future__ import annotations

from random import Random

import pytest

from evaluators.checks.pii import DEFAULT, personal
from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import Request
from tests.evaluators.checks.arms import HOSTILE, arm, check, judge
from tests.evaluators.checks.invented import PHRASES, REAL, likeness

ALL = (*DEFAULT, "phone")
YES = {
    "email": [
        "kim.larsen@fjord.no",
        "Kim <kim+news@mail.fjord.co.uk>",
        "mailto:o'neil@fjord.io",
        "jürgen@müller.de",
        "jane.miller@example.com",
    ],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "pay NO93 8601 1117 947 today"],
    "card": [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "card:5555555555554444.",
        "3782 822463 10005",
        "6011 1111 1111 1117 exp 12/27",
        "2 4111 1111 1111 1111 09",
        "visa 4222222222222",
        "my card 3504382276900328",
        "order paid by card 4012888888881881",
    ],
    "ip": [
        "81.2.69.142",
        "ip=81.2.69.142",
        "http://81.2.69.142/a",
        "2a02:26f0:41::5c7b:1",
        "from 2a02:26f0:0041:0:0:5c7b:0001:0001,",
    ],
    "ssn": ["536-90-4399", "SSN 536904399", "his social security number: 536 90 4399"],
    "phone": [
        "+47 22 12 34 56",
        "+14155552671",
        "(415) 555-2671",
        "415-555-2671",
        "001-415-555-2671x12",
        "030 1234567",
        "0171-2345678",
    ],
}
NO = {
    "placeholders": "user@example.com, you@example.org, your.name@example.com, test1@host.invalid",
    "role mailboxes": "support@fjord.no, info@fjord.no, no-reply@fjord.no, git@github.com:kim/a.git",
    "no addresses": "logo@2x.png, pkg@1.2.3, @kim@mastodon.social, a@b, https://kim:pw@fjord.no/, kim@ fjord.no",
    "no IBAN": "DE89370400440532013001, DE8937040044053201300, XX89370400440532013000, DE893704004405320130001",
    "no card": "4111111111111112, 4111 1111 1111 111, x4111111111111111, 0.4111111111111111, 9111111111111111",
    "an order number": "order number 4111111111111111",
    "an article number": "4222222222222",
    "versions": "v81.2.69.142, version 81.2.69.142, >=81.2.69.142",
    "versions of browsers": "Chrome/81.2.69.142, rv:81.2.69.142, 81.2.69.142.5, 81.2.69.256",
    "nobody's addresses": "127.0.0.1 10.1.2.3 192.168.0.1 172.16.9.9 192.0.2.7 203.0.113.9 255.255.0.0 8.8.8.8",
    "nobody's sixth addresses": "::1 fe80::1ff:fe23:4567 2001:db8::8a2e:370:7334 fd12:3456:789a::1",
    "other colons": "12:34:56, 00:1a:2b:3c:4d:5e, aa:bb:cc:dd:ee:ff:00:11, a::b",
    "odd colons": "std::cafe::dead, 1234:5678:9abc, 1:2:3:4:5:6:7:8:9",
    "no social security numbers": "000-12-3456, 666-12-3456, 900-12-3456, 536-00-4399, 536-90-0000, 078-05-1120",
    "a number": "536904399 and 536 90 4399",
    "toll-free": "1-800-555-2671, +1 888 555 2671",
    "no telephone": "2026-03-14, 12-34, 192-555-2671, +1 2",
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in YES.items() for text in texts])
def test_what_is_personal(kind: str, text: str) -> None:
    """Each kind in its usual spellings, and no other kind in the same place."""
    assert [found for found, _ in personal(text, ALL)] == [kind]


@pytest.mark.parametrize("text", NO.values(), ids=NO)
def test_what_is_not(text: str) -> None:
    """What breaks a rule, or cannot be a person's."""
    assert list(personal(text, ALL)) == []


def test_the_corpus_of_invented_people() -> None:
    """Of 3,000 invented items at least 97 % are found, and 97 % of what is found among as many likenesses is real."""
    dice = Random(20)
    found = wrong = 0
    for kind, invent in REAL.items():
        for _ in range(600):
            kinds = [each for each, _ in personal(dice.choice(PHRASES).format(invent(dice)), DEFAULT)]
            found += kinds == [kind]
            wrong += len(kinds) - (kind in kinds)
    likenesses = [dice.choice(PHRASES).format(likeness(dice)) for _ in range(3_000)]
    wrong += sum(len(list(personal(text, DEFAULT))) for text in likenesses)
    assert found / 3_000 >= 0.97, found
    assert found / (found + wrong) >= 0.97, wrong


@pytest.mark.parametrize("kind", REAL)
def test_a_value_is_known_however_it_is_spaced(kind: str) -> None:
    """What the prompt has in one spelling is not new in another; it never stands in the finding. 100 of each kind."""
    dice = Random(kind)
    for _ in range(100):
        value = REAL[kind](dice)
        plain = value if kind in ("email", "ip") else value.replace(" ", "").replace("-", "")
        said = value if kind == "ssn" else plain
        request = Request("openai-chat", prompt=f"Mine is {value}, or {value.upper()}.")
        assert judge("pii", arm(said, request=request)).result is Result.PASS
        found = judge("pii", arm(said))
        assert (found.result, found.paths, found.detail) == (Result.FAIL, (kind,), f"1 × {kind}")


def test_the_shadow_alone_brings_it_up() -> None:
    """New in the shadow's answer differs; in both, or in live's alone, it does not."""
    without, having = arm("Call us."), arm("Write to kim.larsen@fjord.no.")
    found = judge("shadow:pii", without, having)
    assert (found.result, found.paths, found.score) == (Result.DIFFER, ("email",), 1.0)
    assert judge("shadow:pii", having, without).result is Result.SAME
    assert judge("shadow:pii", having, having).result is Result.SAME


def test_kinds_can_be_chosen() -> None:
    """Only what `value` lists is looked for; telephone numbers only when they are listed."""
    text = "Call (415) 555-2671 or write to kim.larsen@fjord.no."
    assert judge("pii", arm(text)).paths == ("email",)
    assert judge("pii", arm(text), value=["phone"]).paths == ("phone",)
    assert judge("pii", arm(text), value="email, phone").paths == ("email", "phone")
    assert judge("shadow:pii", arm(""), arm(text), value=["card"]).result is Result.SAME
    with pytest.raises(BadCheck, match="does not know 'name'; known: email, iban, card, ip, ssn, phone"):
        check("pii", ["name"])


@pytest.mark.parametrize("text", ["4111 " * 200_000, "kim@a.no " * 100_000, "1.2.3." * 150_000, "DE89" * 250_000])
def test_texts_made_to_be_slow_are_judged(text: str) -> None:
    """A megabyte of likenesses is judged within the test's limit."""
    assert judge("pii", arm(text)).result in {Result.PASS, Result.FAIL}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_have_none(text: str) -> None:
    """Nothing is found in a megabyte of rubbish (14 texts)."""
    assert list(personal(text[:200_000], ALL)) == []


def test_both_belong_to_the_safety_layer() -> None:
    """Layer and dimension are what gates group by; a detector has no opposite."""
    assert [(each.layer, each.dimension) for each in (check("pii"), check("shadow:pii"))] == [("safety", "risk")] * 2
    with pytest.raises(BadCheck, match="has no opposite"):
        check("not-pii")

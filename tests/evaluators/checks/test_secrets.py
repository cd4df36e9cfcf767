"""Secrets: each issuer's form, words before drawn values, placeholders, and what a finding may carry.

All values are drawn here from a seed: none stands in this file, so that no scanner has to be told about it.
"""

from __future__ import annotations

from random import Random
from string import ascii_letters, ascii_uppercase, digits

import pytest

from evaluators.checks.secrets import KINDS, secret
from evaluators.core.finding import BadCheck, Result
from evaluators.core.reply import Request
from tests.evaluators.checks.arms import HOSTILE, arm, check, judge

ALNUM = ascii_letters + digits
HEX = "0123456789abcdef"
FORMS = {
    "aws": ("AKIA{}", ascii_uppercase + "234567", 16),
    "anthropic": ("sk-ant-api03-{}", ALNUM + "_-", 90),
    "openai": ("sk-proj-{}", ALNUM, 48),
    "github": ("ghp_{}", ALNUM, 36),
    "gitlab": ("glpat-{}", ALNUM, 20),
    "google": ("AIza{}", ALNUM, 35),
    "slack": ("xoxb-{}", ALNUM, 40),
    "stripe": ("sk_live_{}", ALNUM, 24),
    "npm": ("npm_{}", ALNUM, 36),
    "pypi": ("pypi-AgEIcHlwaS5vcmc{}", ALNUM, 60),
    "huggingface": ("hf_{}", ascii_letters, 34),
    "sendgrid": ("SG.{:.22}.{:.43}", ALNUM, 43),
    "twilio": ("SK{}", HEX, 32),
    "telegram": ("1102938475:AA{}", ALNUM, 33),
    "shopify": ("shpat_{}", HEX, 32),
    "digitalocean": ("dop_v1_{}", HEX, 64),
    "databricks": ("dapi{}", HEX, 32),
    "groq": ("gsk_{}", ALNUM, 52),
    "azure": ("AccountKey={}==", ALNUM, 86),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}", ALNUM, 40),
    "private_key": ("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", ALNUM, 64),
    "url": ("postgres://kim:{}@db.fjord.no/app", ALNUM, 16),
    "bearer": ("Authorization: Bearer {}", ALNUM, 40),
    "assigned": ('API_KEY = "{}"', ALNUM, 32),
}
MORE = (
    ("github", "github_pat_{}", ALNUM, 82),
    ("google", "GOCSPX-{}", ALNUM, 28),
    ("slack", "https://hooks.slack.com/services/T0AAB1C2D/B0EEF3G4H/{}", ALNUM, 24),
    ("stripe", "whsec_{}", ALNUM, 32),
    ("private_key", "-----BEGIN PRIVATE KEY-----\\n{}\\n", ALNUM, 64),
    ("private_key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n{}", ALNUM, 64),
    ("openai", "sk-{}", ALNUM, 48),
    ("assigned", "password: {}", ALNUM, 26),
    ("assigned", "The access token is `{}`.", ALNUM, 40),
    ("assigned", '"client_secret": "{}"', ALNUM, 40),
    ("assigned", "aws_secret_access_key={}", ALNUM + "+/", 40),
    ("assigned", "DB_PASSWORD='{}'", ALNUM + "!#", 20),
    ("assigned", "пароль и password = {}", ALNUM, 20),
)
ALL = (*((kind, *form) for kind, form in FORMS.items()), *MORE)
NO = {
    "placeholders": "sk-xxxxxxxxxxxxxxxxxxxxxxxx sk-proj-YOUR-API-KEY-GOES-HERE ghp_" + "x" * 36,
    "keys from documentation": "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "names for a key": 'api_key = "YOUR_API_KEY_123"; api_key = os.environ["API_KEY_2"]; token: ${TOKEN_2_VALUE}',
    "stars and dots": "password: ************1 secret = ..........12 token=<your-token-1>",
    "typed in order": "api_key=abcdefghijklmnop123456 password: 1234567890ab",
    "words": "password: correct-horse-battery-staple secret: internationalization token: application/json",
    "calls": "token = get_token_v2(1) password=getpass2(prompt) key = settings.keys[3]",
    "other keys": "key: 8f14e45fceea167a5a36dedd4bea2543 primary key = users2024abcXYZ",
    "an empty private key": "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "a public key": "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo\n",
    "half a token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0 eyJhbGciOiJIUzI1NiJ9",
    "links": "https://fjord.no:8443/a@b http://user:password@localhost redis://:{password}@host",
    "identifiers": "token: 0b7c1a52-9d0e-4f4e-8a57-2f6e3c1d9b10 secret: 2026-03-14 password: Summer2024",
    "prose": "The secret is that the password is rarely changed, and a token of thanks is key.",
}


def drawn(dice: Random, alphabet: str, count: int) -> str:
    """That many letters, each by lot."""
    return "".join(dice.choices(alphabet, k=count))


@pytest.mark.parametrize(("kind", "form", "alphabet", "count"), ALL)
def test_what_is_a_secret(kind: str, form: str, alphabet: str, count: int) -> None:
    """Of 200 drawn values of a form at least 195 are found, as that kind alone: a draw may look like a placeholder."""
    dice = Random(form)
    found = [
        [each for each, _ in secret(f"Use {form.format(*(drawn(dice, alphabet, count) for _ in '12'))} here", KINDS)]
        for _ in range(200)
    ]
    assert found.count([kind]) >= 195, found


@pytest.mark.parametrize("text", NO.values(), ids=NO)
def test_what_is_not(text: str) -> None:
    """Placeholders, names, words, public keys and identifiers."""
    assert list(secret(text, KINDS)) == []


@pytest.mark.parametrize(("kind", "form", "alphabet", "count"), ALL)
def test_the_value_is_never_shown(kind: str, form: str, alphabet: str, count: int) -> None:
    """A finding has kind and count; what the request has is not new, and the shadow alone makes a difference."""
    dice = Random(7)
    said = form.format(*(drawn(dice, alphabet, count) for _ in "12"))
    found = judge("secrets", arm(said))
    assert (found.result, found.paths, found.detail) == (Result.FAIL, (kind,), f"1 × {kind}")
    request = Request("openai-chat", body={"messages": [{"content": said}]})
    assert judge("secrets", arm(said, request=request)).result is Result.PASS
    assert judge("shadow:secrets", arm("no"), arm(said)).paths == (kind,)
    assert judge("shadow:secrets", arm(said), arm("no")).result is Result.SAME
    assert judge("shadow:secrets", arm(said), arm(said)).result is Result.SAME


def test_random_text_without_a_mark_is_no_secret() -> None:
    """Of 3,000 hashes, identifiers and blobs that nothing calls a secret, none is found."""
    dice = Random(3)
    blobs = [drawn(dice, dice.choice([HEX, ALNUM, ALNUM + "+/="]), dice.randint(8, 90)) for _ in range(3_000)]
    assert sum(len(list(secret(f"checksum {blob}, id {blob[:8]}", KINDS))) for blob in blobs) == 0


def test_kinds_can_be_chosen() -> None:
    """Only what `value` lists counts; an issuer's form is not counted again for the word before it."""
    said = f"token: ghp_{drawn(Random(1), ALNUM, 36)}"
    assert judge("secrets", arm(said)).paths == ("github",)
    assert judge("secrets", arm(said), value=["assigned", "aws"]).result is Result.PASS
    with pytest.raises(BadCheck, match="does not know 'azurite'; known: private_key"):
        check("secrets", ["azurite"])


@pytest.mark.parametrize("text", [*HOSTILE.values(), "password=" * 110_000, "eyJ" * 330_000, "sk-" * 330_000])
def test_hostile_texts_have_none(text: str) -> None:
    """Nothing is found in a megabyte of rubbish, and it does not take long (17 texts)."""
    assert judge("secrets", arm(text)).result is Result.PASS


def test_both_belong_to_the_safety_layer() -> None:
    """Layer and dimension are what gates group by; a detector has no opposite."""
    both = (check("secrets"), check("shadow:secrets"))
    assert [(each.layer, each.dimension) for each in both] == [("safety", "risk")] * 2
    with pytest.raises(BadCheck, match="has no opposite"):
        check("not-secrets")

"""Invented people's data for the tests of pii: valid by every rule, made from a seed, and what only looks like it."""

from __future__ import annotations

from random import Random

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CARDS = (("4", 16), ("4", 19), ("51", 16), ("2345", 16), ("34", 15), ("37", 15), ("6011", 16), ("36", 14), ("3528", 16))
IBANS = {"DE": "n18", "GB": "a4n14", "FR": "n10c11n2", "NL": "a4n10", "NO": "n11", "ES": "n20", "MT": "a4n5c18"}


def digits(dice: Random, count: int) -> str:
    """That many digits."""
    return "".join(dice.choices("0123456789", k=count))


def card(dice: Random) -> str:
    """A card number with its check digit, in one of the usual spellings."""
    prefix, length = dice.choice(CARDS)
    body = prefix + digits(dice, length - len(prefix) - 1)
    doubled = [int(digit) * (1 + (place % 2 == 0)) for place, digit in enumerate(reversed(body))]
    number = body + str(-sum(sum(divmod(each, 10)) for each in doubled) % 10)
    if length == 15:
        groups = [number[:4], number[4:10], number[10:]]
    elif length == 14:
        groups = [number[:4], number[4:10], number[10:]]
    else:
        groups = [number[start : start + 4] for start in range(0, length, 4)]
    return dice.choice(["", " ", "-"]).join(groups)


def iban(dice: Random) -> str:
    """An IBAN with its check digits, in one block or in fours."""
    country = dice.choice(list(IBANS))
    body, kind = "", ""
    for sign in IBANS[country] + "x":
        if sign.isdigit():
            kind += sign
            continue
        if kind:
            letters = {"n": "0123456789", "a": LETTERS.upper(), "c": LETTERS.upper() + "0123456789"}[kind[0]]
            body += "".join(dice.choices(letters, k=int(kind[1:])))
        kind = sign
    number = int("".join(str(int(each, 36)) for each in body + country + "00"))
    whole = f"{country}{98 - number % 97:02}{body}"
    return dice.choice([whole, " ".join(whole[start : start + 4] for start in range(0, len(whole), 4))])


def email(dice: Random) -> str:
    """An address of somebody at some company."""
    name = ["".join(dice.choices(LETTERS, k=dice.randint(2, 9))) for _ in range(3)]
    local = dice.choice(
        [f"{name[0]}.{name[1]}", f"{name[0][0]}_{name[1]}{dice.randint(1, 99)}", f"{name[0]}+{name[1]}"]
    )
    return f"{local}@{name[2]}{dice.choice(['.com', '.co.uk', '-werke.de', '.mail.example.org', '.io'])}"


def ip(dice: Random) -> str:
    """A public address, of either family."""
    if dice.random() < 0.3:
        return ":".join(["2a02", *(f"{dice.randint(4096, 65535):x}" for _ in range(3)), "", f"{dice.randint(1, 9)}"])
    return f"{dice.choice([5, 23, 81, 93, 145, 188])}." + ".".join(str(dice.randint(1, 254)) for _ in range(3))


def ssn(dice: Random) -> str:
    """A social security number that could be issued."""
    area = dice.choice([dice.randint(1, 665), dice.randint(667, 899)])
    return f"{area:03}-{dice.randint(1, 99):02}-{dice.randint(1, 9999):04}"


REAL = {"card": card, "iban": iban, "email": email, "ip": ip, "ssn": ssn}
PHRASES = (
    "You can reach me: {}.",
    "It is {}, I think",
    "Name: Kim\nDetails: {}\nCity: Oslo",
    "({})",
    "| Kim | {} | Oslo |",
    '{{"value": "{}"}}',
    "First {}, then the rest 12/27.",
    "{}",
)


def hexed(dice: Random, count: int) -> str:
    """That many hexadecimal digits."""
    return "".join(dice.choices("0123456789abcdef", k=count))


def likeness(dice: Random) -> str:
    """Something that only looks like personal data."""
    number = digits(dice, 4)
    return dice.choice(
        [
            f"order number {dice.randint(10**15, 10**16 - 1)}",
            f"tracking id {dice.randint(10**17, 10**18 - 1)}",
            f"version {dice.randint(1, 20)}.{dice.randint(0, 20)}.{dice.randint(0, 20)}.{dice.randint(0, 999)}",
            f"v{dice.randint(1, 20)}.{dice.randint(0, 9)}.{dice.randint(0, 9)}.{dice.randint(0, 9)}",
            f"Chrome/{dice.randint(90, 130)}.0.{dice.randint(0, 250)}.{dice.randint(0, 250)}",
            f"sha256 {hexed(dice, 64)}",
            f"commit {hexed(dice, 40)}",
            f"{hexed(dice, 8)}-{hexed(dice, 4)}-4{hexed(dice, 3)}-a{hexed(dice, 3)}-{hexed(dice, 12)}",
            f"timestamp {dice.randint(1_500_000_000_000, 1_900_000_000_000)}",
            f"{dice.randint(1_500_000_000, 1_900_000_000)}.{digits(dice, 6)}",
            f"2026-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}T12:34:{dice.randint(10, 59)}.{digits(dice, 6)}Z",
            f"ISBN 978-{digits(dice, 1)}-{digits(dice, 4)}-{digits(dice, 4)}-{digits(dice, 1)}",
            f"0.{digits(dice, 16)}",
            f"{dice.randint(1, 9)},{digits(dice, 3)},{digits(dice, 3)},{digits(dice, 3)},{digits(dice, 3)}",
            f"user{dice.randint(1, 9)}@example.com",
            f"logo{number}@2x.png",
            f"git@github.com:kim/tool{number}.git",
            f"pkg@{dice.randint(1, 9)}.{dice.randint(0, 9)}.{dice.randint(0, 9)}",
            f"127.0.0.{dice.randint(1, 254)}",
            f"192.168.{dice.randint(0, 254)}.{dice.randint(1, 254)}",
            f"192.0.2.{dice.randint(1, 254)}",
            ":".join(hexed(dice, 2) for _ in range(6)),
            ":".join(hexed(dice, 2) for _ in range(16)),
            "std::vector::iterator",
            f"000-12-{number}",
            f"9{digits(dice, 2)}-45-6789",
            f"part {digits(dice, 3)}-{digits(dice, 2)}-{digits(dice, 3)}",
            f"DE{digits(dice, 2)} and XY{digits(dice, 20)}",
            f"RF{digits(dice, 2)}{digits(dice, 16)}",
        ]
    )

"""The style sheet: hashed, self-contained, and legible in both schemes."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from evaluators.core.render.style import CSS, CSS_HASH


def test_the_hash_is_the_sheet() -> None:
    """The policy admits exactly this text."""
    assert base64.b64decode(CSS_HASH.removeprefix("sha256-")) == hashlib.sha256(CSS.encode()).digest()


def test_nothing_is_loaded() -> None:
    """No import, no url, no way out of the style element."""
    assert not re.search(r"@import|url\(|</|expression", CSS)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "soft", "worse", "better"])
def test_text_has_contrast(scheme: int, name: str) -> None:
    """Every colour that words are written in reaches WCAG's 4.5 : 1 on paper and on the wash."""
    block = CSS.split("prefers-color-scheme: dark")[scheme]
    for ground in ("paper", "wash"):
        one, two = sorted((luminance(block, name), luminance(block, ground)))
        assert (two + 0.05) / (one + 0.05) >= 4.5


def luminance(block: str, name: str) -> float:
    """Relative luminance (WCAG 2.2) of a colour variable."""
    found = re.search(rf"--{name}: #(\w{{6}})", block)
    assert found
    parts = [int(found[1][at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

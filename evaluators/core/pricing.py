"""Pricing: tokens to US dollars. The operator's own table first, then whatever list of prices the wiring injects.

Used by observing. What cannot be priced is NEVER: a guess would end up in a comparison of costs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from config.pair import NEVER
from evaluators.core.reply import UNKNOWN, Usage

Rate = tuple[float, float] | tuple[float, float, float]
"""USD per million tokens: input, output, and cached input where that is cheaper."""

PriceOf = Callable[[str, Usage], float]
"""Model and usage to USD; NEVER when either is not known."""

_MILLION = 1e6
_VERSION = re.compile(r"(?:[-@:](?:\d{4}-\d{2}-\d{2}|\d{3,8}|latest|v\d+(?::\d+)?))+")
"""What may follow a priced name: 2025-08-07, 20250514, 0613, 001, latest, v1:0. Not `-mini`: that is another model."""


def unpriced(model: str, usage: Usage) -> float:
    """The list of prices that knows nothing: NEVER."""
    return NEVER


class Prices:
    """What answers cost. `table` holds names without their version; a dated name finds the longest that fits."""

    def __init__(self, table: Mapping[str, Rate], fallback: PriceOf = unpriced) -> None:
        self._table = dict(table)
        self._fallback = fallback

    def __repr__(self) -> str:
        return f"<Prices of {len(self._table)} models>"

    def cost(self, model: str, usage: Usage) -> float:
        """USD for one answer; NEVER when the model has no price or the provider did not report its tokens.

        Cached tokens are part of the input and cost the same unless the table says otherwise; reasoning tokens are
        part of the output.
        """
        if not model or UNKNOWN in (usage.input, usage.output):
            return NEVER
        rate = self._rate(model)
        if rate is None:
            return self._fallback(model, usage)
        cached = min(max(usage.cached, 0), usage.input)
        cheap = rate[2] if len(rate) == 3 else rate[0]
        return ((usage.input - cached) * rate[0] + cached * cheap + usage.output * rate[1]) / _MILLION

    def _rate(self, model: str) -> Rate | None:
        for name in (model, model.rpartition("/")[2]):  # gateways write the provider in front: openai/gpt-5-mini
            if name in self._table:
                return self._table[name]
            known = [key for key in self._table if name.startswith(key) and _VERSION.fullmatch(name, len(key))]
            if known:
                return self._table[max(known, key=len)]
        return None


def listed(at: float) -> PriceOf:
    """The public prices of genai-prices as of an instant (Unix seconds); works offline, from the list in the wheel.

    Loaded here, not above: 0.1 s and a few MB that a table of one's own makes unnecessary.
    """
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    moment = datetime.fromtimestamp(at, UTC)

    def price(model: str, usage: Usage) -> float:
        cached = min(max(usage.cached, 0), usage.input)
        try:
            tokens = Tokens(input_tokens=usage.input, output_tokens=usage.output, cache_read_tokens=cached)
            return float(calc_price(tokens, model, genai_request_timestamp=moment).total_price)
        except (LookupError, ValueError):  # not listed; not a count it believes
            return NEVER

    return price

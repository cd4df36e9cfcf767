"""Prices: the operator's table, dated names, and what cannot be priced."""

import subprocess
import sys

import pytest

from config.pair import NEVER
from evaluators.core.pricing import Prices, listed, unpriced
from evaluators.core.reply import UNKNOWN, Usage

NOON = 1_767_268_800.0  # 2026-01-01 12:00 UTC
TABLE = {"gpt-5": (1.25, 10.0), "gpt-5-mini": (0.25, 2.0), "claude": (3.0, 15.0, 0.3), "gpt-4-0613": (30.0, 60.0)}
MILLION = Usage(input=1_000_000, output=1_000_000)

MODELS = [
    pytest.param("gpt-5-mini", 2.25, id="by name"),
    pytest.param("gpt-5-mini-2025-08-07", 2.25, id="dated"),
    pytest.param("gpt-5-2025-08-07", 11.25, id="dated, shorter name"),
    pytest.param("openai/gpt-5-mini", 2.25, id="provider in front"),
    pytest.param("us.anthropic/claude-20250514-v1:0", 18.0, id="two versions"),
    pytest.param("claude@20250514", 18.0, id="vertex"),
    pytest.param("claude-latest", 18.0, id="latest"),
    pytest.param("gpt-4-0613", 90.0, id="dated in the table"),
    pytest.param("gpt-5-nano", NEVER, id="another model is not a version"),
    pytest.param("gpt-5-mini-high", NEVER, id="nor is a variant"),
    pytest.param("gpt-4", NEVER, id="the table's date is not any date"),
    pytest.param("", NEVER, id="nameless"),
]


@pytest.mark.parametrize(("model", "cost"), MODELS)
def test_models(model, cost):
    """A model finds the longest name it is a version of, or no price."""
    assert Prices(TABLE).cost(model, MILLION) == pytest.approx(cost)


USAGES = [
    pytest.param(Usage(1000, 100), 0.00025 + 0.0002, id="both"),
    pytest.param(Usage(1000, 100, cached=900), 0.00025 + 0.0002, id="cached costs as input without a price of its own"),
    pytest.param(Usage(0, 0), 0.0, id="nothing"),
    pytest.param(Usage(UNKNOWN, 100), NEVER, id="input not reported"),
    pytest.param(Usage(1000, UNKNOWN), NEVER, id="output not reported"),
]


@pytest.mark.parametrize(("usage", "cost"), USAGES)
def test_usage(usage, cost):
    """Tokens are multiplied; tokens that were not reported are not guessed."""
    assert Prices(TABLE).cost("gpt-5-mini", usage) == pytest.approx(cost)


def test_cached_price():
    """A third price is that of cached input; more cached than input cannot be."""
    prices = Prices(TABLE)
    assert prices.cost("claude", Usage(1000, 0, cached=900)) == pytest.approx((100 * 3 + 900 * 0.3) / 1e6)
    assert prices.cost("claude", Usage(1000, 0, cached=5000)) == pytest.approx(1000 * 0.3 / 1e6)


def test_the_operator_comes_first():
    """The fallback is asked only for what the table does not hold."""
    asked = []

    def fallback(model, usage):
        asked.append(model)
        return 7.0

    prices = Prices(TABLE, fallback)
    assert prices.cost("gpt-5", MILLION) == pytest.approx(11.25)
    assert prices.cost("other", MILLION) == 7.0
    assert asked == ["other"]
    assert unpriced("other", MILLION) == NEVER
    assert repr(prices) == "<Prices of 4 models>"


def test_listed():
    """The public list prices known models, cached tokens too, and says NEVER of others and of nonsense."""
    price = listed(NOON)
    assert price("gpt-5-mini-2025-08-07", Usage(1_000_000, 0)) == pytest.approx(0.25)
    assert price("gpt-5-mini", Usage(1_000_000, 0, cached=1_000_000)) < 0.25
    assert price("no-such-model", MILLION) == NEVER
    assert price("gpt-5-mini", Usage(-5, 0)) == NEVER


def test_listed_needs_no_network():
    """The list comes with the package: with every socket refused it prices the same."""
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse\n"
        "from evaluators.core.pricing import listed\n"
        "from evaluators.core.reply import Usage\n"
        f"print(listed({NOON})('gpt-5-mini', Usage(1_000_000, 0)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=9, check=True)
    assert float(done.stdout) == pytest.approx(0.25)

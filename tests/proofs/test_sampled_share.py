"""The share that a file asks for is the share that is shadowed: 50,000 planned calls, inside three standard errors."""

import math

from config.pair import Role
from proxy.core.paths import compile_paths
from proxy.core.plan import Draft, PlanRules, Target, make_plan

CALLS = 50_000
RULES = PlanRules(compile_paths(["POST /v1/chat/completions"]))


def draft(number: int) -> Draft:
    """A call of a conversation of its own."""
    body = b'{"model":"m","messages":[{"role":"user","content":"question %d"}]}' % number
    return Draft(f"{number:032x}", 1e9, "POST", "/v1/chat/completions", "", (), body)


def test_shares() -> None:
    """1, 5, 20 and 50 % of 50,000 conversations, each inside 3 σ; who is in a small share is in every larger one."""
    shares = (0.01, 0.05, 0.2, 0.5)
    targets = [Target(f"s{share}", Role.CANDIDATE, "http://c.example", False, sample=share) for share in shares]
    asked = [{one.name for one in make_plan(draft(number), targets, RULES).shadows} for number in range(CALLS)]
    for share in shares:
        found, sigma = sum(f"s{share}" in names for names in asked), math.sqrt(CALLS * share * (1 - share))
        print(f"{share:.0%} of {CALLS:,}: {found:,}, {(found - CALLS * share) / sigma:+.2f} σ")
        assert abs(found - CALLS * share) < 3 * sigma
    nested = [{f"s{share}" for share in shares if share >= least} for least in (*shares, 1.0)]
    assert all(names in nested for names in asked)

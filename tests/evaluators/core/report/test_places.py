"""Paths: each with its own noise, flagged together."""

from __future__ import annotations

from evaluators.core.report.cells import arm_rate
from evaluators.core.report.places import MIN_UNEVEN, SHOWN_PATHS, path_rates
from evaluators.core.report.shape import EVERYTHING, PathRate
from evaluators.core.stats.evidence import e_value_alone
from evaluators.core.stats.interval import newcombe_paired
from evaluators.core.tally import CheckTally
from tests.evaluators.core.samples import assertion, comparison

NOTHING = arm_rate(0, 0, 0.05)


def rates(tally: CheckTally, control: CheckTally | None = None) -> dict[str, PathRate]:
    """By path."""
    noise = arm_rate(0, control.joint["d"] + control.joint["m"], 0.05) if control else NOTHING
    return {rate.path: rate for rate in path_rates(tally, control, noise, 0.05)}


def test_each_path_has_its_own_noise() -> None:
    """One path differs because of the candidate, one because live does; only the first stands out."""
    letters = {"dd": 50, "dm": 60, "md": 0, "mm": 390}
    places = {
        "": letters,
        "/price": {"dm": 60, "w": 60},
        "/id": {"dd": 20, "dm": 15, "md": 15, "w": 15, "b": 15},
    }
    tally = comparison(joint={"d": 110, "m": 390}, noise=letters, paths={"/price": 60, "/id": 35}, places=places)
    found = rates(tally)
    price, item = found["/price"], found["/id"]
    assert list(found) == ["/price", "/id"]
    assert (price.flagged, price.candidate, price.noise, price.excess) == (True, 0.12, 0.0, 0.12)
    assert (item.flagged, item.candidate, item.noise, item.excess) == (False, 0.07, 0.07, 0.0)
    assert (price.worse, price.better, price.e_value) == (60, 0, e_value_alone(60, 0))
    assert price.interval == newcombe_paired(0, 60, 0, 440)
    assert item.interval.low < 0 < item.interval.high


def test_a_partial_control_uses_every_pair() -> None:
    """Where live was asked again on some calls only, the share is that of all of the candidate's answers."""
    letters = {"dm": 10, "mm": 90}
    tally = comparison(
        joint={"d": 300, "m": 700}, noise=letters, paths={"/a": 200}, places={"": letters, "/a": {"dm": 10, "w": 10}}
    )
    found = rates(tally)["/a"]
    assert (found.candidate, found.n, found.excess) == (0.2, 1000, 0.2)


def test_an_assertion_is_beside_live() -> None:
    """Failing at a path counts against live's failing there, on the same calls."""
    letters = {"dd": 3, "dm": 6, "md": 1, "mm": 90}
    found = rates(assertion(paths={"/a": 9}, places={"": letters, "/a": {**letters, "w": 6, "b": 1}}))["/a"]
    assert (found.candidate, found.noise, found.n) == (0.09, 0.04, 100)
    assert found.interval == newcombe_paired(3, 6, 1, 90)


def test_before_anything_closed() -> None:
    """Each side shows what it has, the excess has no interval, nothing is flagged."""
    control = comparison(joint={"d": 50, "m": 50}, paths={"/a": 9})
    tally = comparison(joint={"d": 100, "m": 900}, noise={}, paths={"/a": 100, "/b": 90})
    found = rates(tally, control)
    assert [(one.path, one.candidate, one.noise) for one in found.values()] == [("/b", 0.09, 0.0), ("/a", 0.1, 0.09)]
    assert all(one.interval == EVERYTHING and one.e_value == 1 and not one.flagged for one in found.values())
    assert rates(assertion(joint={}, paths={"/a": 1}))["/a"].n == 0


def test_support_does_not_look_at_the_direction() -> None:
    """As many conversations that are better make a path tested as well; too few of either never do."""
    few = {"w": MIN_UNEVEN - 1}
    many = {"b": MIN_UNEVEN}
    found = rates(comparison(places={"": {"mm": 1000}, "/few": few, "/many": many}))
    assert found["/few"].e_value == 1.0
    assert found["/many"].e_value == e_value_alone(0, MIN_UNEVEN) < 1


def test_the_list_is_bounded() -> None:
    """What is flagged comes first."""
    places = {"": {"mm": 1000}, "/last": {"dm": 40, "w": 40}, **{f"/z{n:02}": {"dm": 50, "md": 50} for n in range(40)}}
    found = path_rates(comparison(places=places), None, NOTHING, 0.05)
    assert len(found) == SHOWN_PATHS
    assert (found[0].path, found[0].flagged) == ("/last", True)

"""Who is asked: which mount a path belongs to, and what the tables refuse."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.routing import Candidate, Live, Mount, Route, Tls, is_control, matching
from config.settings import Settings

URL = "http://upstream.example"


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/openai/v1/chat", "/openai"),
        ("/openai", "/openai"),
        ("/openai/eu/v1", "/openai/eu"),
        ("/openaix/v1", None),
        ("/open", None),
        ("/", None),
        ("/v1/openai", None),
    ],
)
def test_the_longest_prefix_wins(path: str, found: str | None) -> None:
    """A prefix fits whole segments only."""
    assert matching(["/openai", "/openai/eu", "/anthropic"], path) == found


def test_the_top_takes_the_rest() -> None:
    """The live at the top of the file has the empty prefix, which fits every path."""
    assert matching(["", "/a"], "/v1") == ""
    assert matching(["", "/a"], "/a/v1") == "/a"


def test_routes() -> None:
    """The top comes first; each mount brings its own candidates and a control with a name of its own."""
    mount = Mount(live=Live(base_url=URL), candidates=[Candidate(name="haiku")])
    settings = Settings(live=Live(base_url=URL), candidates=[Candidate(name="mini")], mounts={"/anthropic": mount})
    top, mounted = settings.routes
    assert (top.prefix, top.control_name, [one.name for one in top.candidates]) == ("", "control", ["mini"])
    assert (mounted.prefix, mounted.control_name) == ("/anthropic", "control/anthropic")
    assert [one.name for one in mounted.candidates] == ["haiku"]


def test_mounts_need_no_top() -> None:
    """A file may have mounts only; a file with nobody to answer is refused."""
    settings = Settings(mounts={"/a": Mount(live=Live(base_url=URL))})
    assert [route.prefix for route in settings.routes] == ["/a"]
    with pytest.raises(ValidationError, match="nobody would answer"):
        Settings()


@pytest.mark.parametrize("prefix", ["", "/", "a", "/a/", "/a b", "/a?b", "/a//b", "/ä"])
def test_prefixes_are_plain_segments(prefix: str) -> None:
    """A prefix is what a path can begin with."""
    with pytest.raises(ValidationError, match="write it like /openai"):
        Settings(mounts={prefix: Mount(live=Live(base_url=URL))})


def test_a_client_certificate_has_two_parts() -> None:
    """A certificate without its key is a mistake."""
    with pytest.raises(ValidationError, match="both `cert:` and `key:`"):
        Tls(cert="client.pem")


@pytest.mark.parametrize(
    ("name", "control"),
    [("control", True), ("control/a", True), ("controlled", False), ("mini", False)],
)
def test_controls_by_name(name: str, control: bool) -> None:
    """Candidates cannot be mistaken for a control."""
    assert is_control(name) is control


def test_a_route_without_prefix() -> None:
    """The control of the top is called control."""
    assert Route("", Live(base_url=URL), (), Settings(live=Live(base_url=URL)).control).control_name == "control"

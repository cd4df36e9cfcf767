"""The dashboard over real sockets: routes, headers, and what it says when things go wrong."""

from __future__ import annotations

import pytest

from evaluators.core.render.style import CSS_HASH
from evaluators.core.report import Report
from evaluators.dashboard import Unprotected, app, serving
from tests.evaluators.core.render.pages import lively, read
from tests.evaluators.dashboard.scripted import CALL, ScriptedPairs, looking

PAGES = ("/", "/pairs", f"/pairs/{CALL.id}/mini", "/report.json", "/gate.json", "/live.js", "/nowhere")


@pytest.mark.parametrize("path", PAGES)
async def test_headers(path: str) -> None:
    """Every answer forbids what it does not need, errors too."""
    async with looking() as (session, _), session.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith(f"default-src 'none'; script-src 'self'; style-src '{CSS_HASH}';")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.status == (404 if path == "/nowhere" else 200)


async def test_live_report() -> None:
    """The report, with one script of our own."""
    async with looking() as (session, _):
        text = await (await session.get("/")).text()
        found = read(text)
        assert 'src="/live.js"' in text
        assert "mini</bdi> fails" in text
        assert not any(name.startswith("on") for name in found.attributes)
        script = await session.get("/live.js")
        assert script.content_type == "text/javascript"
        assert "replaceWith" in await script.text()


async def test_json() -> None:
    """The published format, and the decision for rollout controllers."""
    async with looking() as (session, _):
        report = await (await session.get("/report.json")).json()
        assert report["candidates"][0]["name"] == "mini"
        gate = await (await session.get("/gate.json", params={"candidate": "mini"})).json()
        assert gate["verdict"] == "fail"
        assert (await session.get("/gate.json", params={"candidate": "nobody"})).status == 404


async def test_pairs() -> None:
    """Lists are filtered by the address; a pair that is not there is said to be missing."""
    pairs = ScriptedPairs()
    async with looking(pairs=pairs) as (session, _):
        query = {"shadow": "mini", "check": "is-json", "show": "fixed", "slice": "topic=billing"}
        assert (await session.get("/pairs", params=query)).status == 200
        assert pairs.asked[-1][:4] == ("mini", "is-json", ("fp", "xp"), "topic=billing")
        missing = await session.get("/pairs/nothing/mini")
        assert missing.status == 404
        assert "no pair" in await missing.text()


async def test_one_assessment_serves_everybody() -> None:
    """Readers that come together share one report."""
    calls = []

    def assess_now() -> Report:
        calls.append(1)
        return lively()

    async with looking(assess_now=assess_now) as (session, _):
        for _ in range(5):
            assert (await session.get("/gate.json")).status == 200
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("shadow", "status", "says"), [("away", 503, "The store is busy or away."), ("broken", 500, "")]
)
async def test_trouble_stays_inside(shadow: str, status: int, says: str) -> None:
    """No traceback, no path, no message of a library reaches the reader."""
    async with looking() as (session, _), session.get("/pairs", params={"shadow": shadow}) as answer:
        text = await answer.text()
        assert answer.status == status
        assert says in text
        assert "secret" not in text
        assert "Traceback" not in text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8081", "[", "169.254.169.254"])
async def test_foreign_host_names(host: str) -> None:
    """A name that only resolves to this machine is refused: DNS rebinding."""
    async with looking() as (session, _), session.get("/report.json", headers={"Host": host}) as answer:
        assert answer.status in (400, 421)
        assert b"candidates" not in await answer.read()


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
async def test_no_open_dashboard(listen: str) -> None:
    """Without a token it does not start where others can reach it."""
    with pytest.raises(Unprotected, match=r"set dashboard\.token"):
        async with serving(app(lively, ScriptedPairs(), ""), listen):
            pytest.fail("it started")


async def test_with_a_token_it_may_be_reached() -> None:
    """A token opens other addresses."""
    async with serving(app(lively, ScriptedPairs(), "long-secret"), "0.0.0.0:0") as address:
        assert address.startswith("http://0.0.0.0:")


async def test_token() -> None:
    """Without it nothing is told; a browser is sent to the form, a program gets 401."""
    async with looking("long-secret") as (session, _):
        assert (await session.get("/report.json")).status == 401
        page = await session.get("/", headers={"Accept": "text/html"}, allow_redirects=False)
        assert (page.status, page.headers["Location"]) == (303, "/login")
        assert (await session.get("/", headers={"Authorization": "Bearer wrong"})).status == 401
        assert (await session.get("/", headers={"Authorization": "Bearer long-secret"})).status == 200


async def test_login_and_logout() -> None:
    """The form leaves a ticket that is not the token; logging out takes it away."""
    async with looking("long-secret") as (session, _):
        assert "Token" in await (await session.get("/login")).text()
        wrong = await session.post("/login", data={"token": "wrong"})
        assert (wrong.status, "That is not the token." in await wrong.text()) == (401, True)
        right = await session.post("/login", data={"token": "long-secret"}, allow_redirects=False)
        cookie = right.headers["Set-Cookie"]
        assert right.status == 303
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "long-secret" not in cookie
        assert "Log out" in await (await session.get("/")).text()
        await session.post("/logout", allow_redirects=False)
        assert (await session.get("/report.json")).status == 401


@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_other_sites_cannot_post(path: str) -> None:
    """A foreign Origin is refused."""
    async with looking("long-secret") as (session, _):
        headers = {"Origin": "https://evil.example", "Authorization": "Bearer long-secret"}
        answer = await session.post(path, data={"token": "long-secret"}, headers=headers, allow_redirects=False)
        assert answer.status == 403


async def test_guessing_is_slow() -> None:
    """After ten wrong tokens even the right one has to wait."""
    async with looking("long-secret") as (session, _):
        for _ in range(10):
            assert (await session.post("/login", data={"token": "guess"})).status == 401
        assert (await session.post("/login", data={"token": "long-secret"})).status == 429

"""Connections that are made, and those that must not be: names, addresses, TLS, egress proxies."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from config.pair import Failure
from config.routing import Timeout, Tls
from proxy.upstream.connection import Connection
from proxy.upstream.dialing import Address, Dialing, LookUp, Place
from proxy.upstream.door import ExchangeError
from proxy.upstream.pool import Pool
from tests.doubles.upstream import ScriptedUpstream, answer
from tests.proxy.upstream.authority import Authority
from tests.proxy.upstream.told import OK, get, lean

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a port of its own; whoever it still talks to has left when this ends."""
    talking: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*talking), 5)
        await asyncio.sleep(0.01)  # the transports' own ends


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers each request with its request line."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        line = head.split(b"\r\n")[0]
        writer.write(OK + b"Content-Length: %d\r\n\r\n%b" % (len(line), line))


async def test_over_tls(ca: Authority) -> None:
    """Name and number are verified against the settings' authority, and the connection is used again."""
    async with serving(greet, ca.serving("plain")) as port:
        for host in ("localhost", "127.0.0.1"):
            async with lean(f"https://{host}:{port}", tls=Tls(ca=ca.ca)) as up:
                for _ in range(3):
                    assert (await get(up)).whole == b"GET /x HTTP/1.1"
                assert "connections=1" in repr(up)


@pytest.mark.parametrize("wrong", ["expired", "other-name", "other-number", "self-signed", "unknown"])
async def test_untrusted(ca: Authority, wrong: str) -> None:
    """Whoever cannot prove to be the origin gets no request."""
    signing: dict[str, object] = {
        "expired": {"days": -1},
        "other-name": {"alternative": "DNS:example.com"},
        "other-number": {"alternative": "IP:127.0.0.2"},
    }.get(wrong, {})  # type: ignore[assignment]
    trusted = Tls() if wrong == "unknown" else Tls(ca=ca.sign("stranger")[0] if wrong == "self-signed" else ca.ca)
    async with (
        serving(greet, ca.serving(wrong, **signing)) as port,
        lean(f"https://localhost:{port}", tls=trusted) as up,
    ):
        assert (await get(up)).failure == (Failure.CONNECT, "certificate not trusted")


async def test_client_certificate(ca: Authority) -> None:
    """A server that asks who we are is told, and one that is not told hangs up."""
    async with serving(greet, ca.serving("asks", clients=True)) as port:
        certificate, key = ca.sign("us")
        async with lean(f"https://localhost:{port}", tls=Tls(ca=ca.ca, cert=certificate, key=key)) as up:
            assert (await get(up)).status == 200
        async with lean(f"https://localhost:{port}", tls=Tls(ca=ca.ca)) as up:
            told = await get(up)  # in TLS 1.3 our side of the handshake is over before the server refuses
            assert told.failure[0] in (Failure.CONNECT, Failure.RESET)


async def test_not_tls() -> None:
    """A server that speaks something else, or hangs up, fails the handshake."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 not TLS\r\n")
        await reader.read(1)

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    for serve in (plain, mute):
        async with serving(serve) as port, lean(f"https://127.0.0.1:{port}") as up:
            assert (await get(up)).failure == (Failure.CONNECT, "TLS handshake failed")


@pytest.mark.parametrize("goodbye", [True, False])
async def test_end_without_close_notify_is_a_cut(ca: Authority, goodbye: bool) -> None:
    """A body that only the connection's end delimits is complete only if that end was said inside TLS."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"\r\nto the end")
        await writer.drain()
        if goodbye:
            writer.close()
        else:
            writer.transport.abort()
        await reader.read()

    async with serving(serve, ca.serving("ends")) as port, lean(f"https://localhost:{port}", tls=Tls(ca=ca.ca)) as up:
        told = await get(up)
        assert told.whole == b"to the end"
        assert (told.story[-1] == "end") is goodbye


async def test_nobody_there() -> None:
    """Refused and unknown are told apart."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for scheme in ("http", "https"):
        async with lean(f"{scheme}://127.0.0.1:{port}") as up:
            assert (await get(up)).failure == (Failure.CONNECT, "connection refused or unreachable")
    for name in ("nobody.invalid", "a..b", "x" * 70 + ".example"):
        async with lean(f"http://{name}") as up:
            assert (await get(up)).failure == (Failure.CONNECT, "name not found")


async def test_connect_limit(ca: Authority) -> None:
    """A handshake that does not end is cut off, and leaves no socket."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as port, lean(f"https://localhost:{port}", Timeout(connect=0.1)) as up:
        assert (await get(up)).failure == (Failure.TIMEOUT, "no connection within the connect limit")


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "[::ffff:169.254.169.254]", "[fe80::1]", "224.0.0.1"])
async def test_addresses_that_nobody_may_ask(host: str) -> None:
    """They are refused before a packet leaves."""
    async with lean(f"http://{host}:80") as up:
        assert (await get(up)).failure == (Failure.CONNECT, "the address is not allowed")


def resolving(*answers: list[str]) -> Callable[[str, int], Awaitable[list[Address]]]:
    """A resolver that says one thing first and another later."""
    left = list(answers)

    async def resolve(host: str, port: int) -> list[Address]:
        said = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, (one, port)) for one in said]

    return resolve


def made(pool: Pool) -> Callable[[socket.socket], Connection]:
    """What dialing makes."""
    return lambda peer: Connection(pool, peer, tls=False)


async def test_a_name_cannot_be_moved_here() -> None:
    """A public name that resolves to this machine, or to where clouds keep credentials, is refused at each dial."""
    pool = Pool(4.0)
    async with ScriptedUpstream(answer()) as server:
        place = Place("http", "models.example", Place.of(server.url).port)
        for address in ("127.0.0.1", "169.254.169.254", "::1"):
            dialing = Dialing(place, None, None, resolving([address]))
            with pytest.raises(ExchangeError, match="the address is not allowed"):
                await dialing.connect(made(pool))
        assert server.connections == 0
        local = Dialing(Place("http", "localhost", place.port), None, None, resolving(["169.254.169.254", "127.0.0.1"]))
        assert repr(await local.connect(made(pool))) == "<Connection idle>"  # the other one was left out
        await pool.close()


async def test_another_address_is_tried() -> None:
    """A dead address of a name does not keep us from the living one; all dead is a failure."""
    pool = Pool(4.0)
    async with ScriptedUpstream(answer()) as server:
        port = Place.of(server.url).port
        place = Place("http", "localhost", port)
        connection = await Dialing(place, None, None, resolving(["127.0.0.2", "::1", "127.0.0.1"])).connect(made(pool))
        assert connection.peer.getpeername() == ("127.0.0.1", port)
        assert connection.peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connection.peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        with pytest.raises(ExchangeError, match="connection refused or unreachable"):
            await Dialing(place, None, None, resolving(["127.0.0.2", "127.0.0.3"])).connect(made(pool))
        await pool.close()


async def test_environment_does_not_redirect_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy named in the environment is not used."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with ScriptedUpstream(answer(b"ok")) as server, lean(server.url) as up:
        assert (await get(up)).whole == b"ok"


BASIC = b"Basic " + base64.b64encode(b"us:p@ss")


async def test_plain_requests_through_a_proxy() -> None:
    """They name the whole address, and tell the proxy alone who asks."""
    async with ScriptedUpstream(answer(b"ok")) as proxy:
        through = proxy.url.replace("//", "//us:p%40ss@")
        async with lean("http://models.example:8000/v1", proxy=through) as up:
            assert (await get(up, b"//v1/x?")).whole == b"ok"
            assert "p@ss" not in repr(up) + repr(up._dialing)
        assert proxy.turns[0].request_line == b"GET http://models.example:8000//v1/x? HTTP/1.1"
        assert proxy.turns[0].headers == [(b"Host", b"h"), (b"Proxy-Authorization", BASIC)]


@pytest.mark.parametrize(
    ("said", "works"),
    [
        (b"HTTP/1.1 200 Connection established\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\n", True),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\n\r\nextra", False),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9999, False),
        (b"", False),
    ],
)
async def test_tunnels(ca: Authority, said: bytes, works: bool) -> None:
    """TLS goes through CONNECT; the certificate is the origin's, the credentials are the proxy's."""
    heads: list[bytes] = []
    async with serving(greet, ca.serving("behind")) as port:

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(said)
            if works:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(relay(reader, far_writer), relay(far_reader, writer))

        async with (
            serving(tunnel) as proxy,
            lean(f"https://localhost:{port}", tls=Tls(ca=ca.ca), proxy=f"http://us:p%40ss@127.0.0.1:{proxy}") as up,
        ):
            told = await get(up)
            if works:
                assert told.whole == b"GET /x HTTP/1.1"
                assert (await get(up)).status == 200
            else:
                assert told.failure == (Failure.CONNECT, "the egress proxy refused the connection")
        place = b"localhost:%d" % port
        assert heads == [b"CONNECT %b HTTP/1.1\r\nHost: %b\r\nProxy-Authorization: %b\r\n\r\n" % (place, place, BASIC)]


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction of a tunnel."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
    writer.transport.abort()


@pytest.mark.parametrize(
    ("url", "authority", "said"),
    [
        ("http://h/v1", "h:80", "http://h:80"),
        ("https://H.example", "h.example:443", "https://h.example:443"),
        ("http://[::1]:8080", "[::1]:8080", "http://[::1]:8080"),
        ("http://user:secret@h:1", "h:1", "http://h:1"),
    ],
)
def test_places(url: str, authority: str, said: str) -> None:
    """Scheme, host and port, with the scheme's own port where none is written; never userinfo."""
    assert (Place.of(url).authority, repr(Place.of(url))) == (authority, said)


async def test_numbers_ask_nobody() -> None:
    """An address in numbers is its own answer, in both families."""
    assert await LookUp()("127.0.0.1", 80) == [(socket.AF_INET, ("127.0.0.1", 80))]
    assert await LookUp()("::1", 80) == [(socket.AF_INET6, ("::1", 80, 0, 0))]


async def test_one_question_serves_a_burst() -> None:
    """Everybody who dials meanwhile waits for the same answer, and nobody asks again while it is fresh."""
    look_up = LookUp()
    first, second = await asyncio.gather(look_up("localhost", 80), look_up("localhost", 80))
    assert first is second
    assert await look_up("localhost", 80) is first


async def test_unknown_names_are_asked_for_again() -> None:
    """A failure is told to everybody who waited, and is not kept."""
    look_up = LookUp()
    for _ in range(2):
        with pytest.raises((OSError, UnicodeError)):
            await look_up("a" * 70 + ".invalid", 80)

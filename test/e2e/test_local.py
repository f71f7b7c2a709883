"""The agent between cloud and local server: bodies within credit, and what goes wrong locally."""
import asyncio
import os
from collections import Counter

import pytest

from conftest import MODES
from origin import pattern
from procs import wait_until
from pygateway import Aborted


# ---- bodies ----

@pytest.mark.parametrize("mode, window", [("tlv", 65536), ("tlv", 1000), ("tlv", 1),
                                          ("json", 65536), ("json", 1000), ("plain", 0)])
def test_credit_is_respected(py_session, mode, window):
    """Bodies both ways, within windows of any size."""
    session = py_session(mode, window=window)
    size = 300 if window == 1 else 200000
    data = pattern(size)
    reply = session.gateway.run(session.fetch("POST", "/echo", body=data))
    assert (reply.status, reply.body) == (200, data)
    assert session.violations == []


def test_stalled_streams_do_not_stall_others(py_session):
    """One response whose credit is used up, and requests beside it."""
    session = py_session("tlv", window=5000)

    async def look():
        stalled = await session.start("GET", "/bytes/100000")
        await stalled.head
        for _ in range(5):
            assert (await session.fetch("GET", "/bytes/20000")).body == pattern(20000)
        return (await session.collect(stalled)).body
    assert session.gateway.run(look()) == pattern(100000)
    assert session.violations == []


def test_plain_response_under_way(py_session, origin):
    """It comes in fragments, between which WebSocket pings are answered (section 9)."""
    gate = asyncio.Event()

    async def halves(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + pattern(30000))
        await gate.wait()
        await r.send(pattern(30000, 30000))
        return True
    origin.on("/halves", halves)
    session = py_session("plain")

    async def look():
        stream = await session.start("GET", "/halves")
        while not origin.seen("/halves"):
            await asyncio.sleep(0.01)
        await (await session.ws.ping(b"between"))
        assert not stream.head.done()
        gate.set()
        return (await session.collect(stream)).body
    assert session.gateway.run(look()) == pattern(60000)


def test_plain_response_breaks_off(py_session, origin):
    """The message is completed, and says that the body is not the whole one."""
    async def half(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + pattern(30000))
        return False
    origin.on("/half", half)
    session = py_session("plain")

    async def look():
        stream = await session.start("GET", "/half")
        with pytest.raises(Aborted):
            await session.collect(stream)
        return await session.fetch("GET", "/")
    assert session.gateway.run(look()).status == 200
    fields = next(f for kind, f in session.received if kind == "HttpResponse")
    assert fields["error"] and pattern(30000).startswith(fields.get("body", b""))


@pytest.mark.parametrize("mode", ["tlv", "json"])
def test_response_breaks_off(py_session, origin, mode):
    async def half(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n" + pattern(30000))
        return False
    origin.on("/half", half)
    session = py_session(mode)
    assert failure(session, session.start("GET", "/half")) == 502


@pytest.mark.parametrize("mode", ["tlv", "json"])
def test_answer_before_the_request_has_ended(py_session, origin, mode):
    """The cloud gives the rest up with 499; the stream is free, and its id too (section 6)."""
    async def early(r):
        await r.reply(200, [("Connection", "close")], b"enough")
        return False
    origin.on("/early-enough", early)
    session = py_session(mode)

    async def look():
        for _ in range(40):
            stream = await session.start("POST", "/early-enough", more=True, name="again")
            assert (await session.collect(stream)).body == b"enough"
        return (await session.fetch("GET", "/")).status
    assert session.gateway.run(look()) == 200


# ---- what goes wrong locally ----

@pytest.mark.parametrize("mode", MODES)
def test_local_server_refuses(py_session, mode):
    session = py_session(mode, local="127.0.0.1:1")
    assert failure(session, session.start("GET", "/")) == 502


@pytest.mark.parametrize("mode", MODES)
def test_local_server_is_slow(py_session, origin, mode):
    async def slow(r):
        await r.reader.read()
        return False
    origin.on("/slow", slow)
    session = py_session(mode, "--request-timeout", "500ms")
    assert failure(session, session.start("GET", "/slow")) == 504


@pytest.mark.parametrize("answer", [
    b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", b""])
def test_local_server_answers_nonsense(py_session, origin, answer):
    async def nonsense(r):
        await r.send(answer)
        return False
    origin.on("/nonsense", nonsense)
    session = py_session()
    assert failure(session, session.start("GET", "/nonsense")) == 502


def failure(session, start):
    """The status in which a request that the agent cannot serve ends: Error, or a response."""
    async def outcome():
        stream = await start
        try:
            return (await session.collect(stream)).status
        except Aborted as aborted:
            return aborted.code
    return session.gateway.run(outcome())


@pytest.mark.parametrize("mode", MODES)
def test_too_big_a_head(py_session, mode):
    session = py_session(mode)
    assert failure(session, session.start("GET", "/" + "x" * 40000)) in (413, 414, 431)
    assert session.gateway.run(session.fetch("GET", "/")).status == 200
    assert session.agent.sessions() == 1


def test_more_requests_than_streams(py_session, origin):
    gate = asyncio.Event()

    async def wait(r):
        await gate.wait()
        return await r.reply(200, body=b"late")
    origin.on("/wait", wait)
    session = py_session()
    most = session.auth["max_streams"]

    async def all_of_them():
        streams = [await session.start("GET", "/wait") for _ in range(most)]
        over = await session.start("GET", "/wait")
        with pytest.raises(Aborted) as refusal:
            await session.collect(over)
        gate.set()
        return refusal.value.code, [(await session.collect(s)).body for s in streams]
    code, bodies = session.gateway.run(all_of_them())
    assert code in (429, 503)
    assert bodies == [b"late"] * most


def test_unix_socket(py_session, background, tmp_path):
    path = tmp_path / "local.sock"

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix")
        writer.close()

    async def listen():
        return await asyncio.start_unix_server(serve, path)
    server = background.run(listen())
    session = py_session(local="unix:%s" % path)
    assert session.gateway.run(session.fetch("GET", "/")).body == b"unix"
    background.loop.call_soon_threadsafe(server.close)


def test_no_descriptor_is_lost(py_session, origin):
    """After requests of all sorts the agent has as many descriptors open as before."""
    async def die(r):
        await r.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        return False
    origin.on("/die", die)
    session = py_session()

    def descriptors():
        return len(os.listdir("/proc/%d/fd" % session.agent.pid))

    def round_of_requests():
        for url in ("/", "/die", "/status/204", "/close/100", "/bytes/100000"):
            failure(session, session.start("GET", url))
    round_of_requests()
    before = descriptors()
    for _ in range(20):
        round_of_requests()
    assert descriptors() <= before


class Deaf:
    """Upgrades, ends its own direction, and does not listen before it is told to. On a Unix socket,
    for which the kernel keeps less than the megabytes of a TCP connection."""

    def __init__(self, py_session, origin, path, mode):
        self.listen, self.heard = asyncio.Event(), []
        origin.on("/deaf", self.serve)
        origin.background.run(asyncio.start_unix_server(origin.serve, path))
        self.session = py_session(mode, local="unix:%s" % path)
        self.origin = origin

    async def serve(self, r):
        await r.send(b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
        r.writer.write_eof()
        await self.listen.wait()
        self.heard.append(await r.reader.read())
        return False

    async def fill(self):
        """An upgraded connection whose visitor has sent all that fits, and has gone."""
        stream = await self.session.start("GET", "/deaf", more=True,
                                          headers=[("connection", "upgrade"), ("upgrade", "x")])
        assert (await stream.head)["status"] == 101
        assert await stream.read() is None
        sent = 0
        while stream.credit > 0:
            n = stream.credit
            await stream.write(pattern(sent + n)[sent:])
            sent += n
            await self.roundtrip()
        await stream.write(b"", more=False)
        await self.roundtrip()
        return sent

    async def roundtrip(self):
        since = len(self.session.received)
        await self.session.send("Ping", timestamp=1)
        await self.session.expect("Pong", since)

    async def page(self):
        return (await self.session.fetch("GET", "/")).status

    def run(self, coroutine):
        return self.session.gateway.run(coroutine)

    def wait_heard(self, count):
        self.origin.background.loop.call_soon_threadsafe(self.listen.set)
        wait_until(lambda: len(self.heard) == count, "the local server to hear all")


@pytest.mark.parametrize("mode", ["tlv", "json"])
def test_last_bytes_for_a_slow_local_server(py_session, origin, tmp_path, mode):
    """The tunnel's request is over, both ways, while the last bytes still wait for their reader."""
    deaf = Deaf(py_session, origin, tmp_path / "deaf", mode)
    sent = deaf.run(deaf.fill())
    assert deaf.run(deaf.page()) == 200
    deaf.wait_heard(1)
    assert deaf.heard == [pattern(sent)]


def test_last_bytes_give_way_to_requests(py_session, origin, tmp_path):
    """They keep no request from its slot."""
    deaf = Deaf(py_session, origin, tmp_path / "deaf", "tlv")
    slots = deaf.session.auth["max_streams"]
    sent = [deaf.run(deaf.fill()) for _ in range(slots)]
    assert [deaf.run(deaf.page()) for _ in range(2)] == [200, 200]
    deaf.wait_heard(slots)
    # The pages took one slot, one after the other.
    assert (Counter(sent) - Counter(map(len, deaf.heard))).total() == 1

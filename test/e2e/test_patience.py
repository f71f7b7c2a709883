"""Answers that never come to an end: each has an absolute limit, here and there. And what a gateway
says in front of, or instead of, its 101."""
import asyncio
import base64
import hashlib
import re
import threading

import pytest

from conftest import MODES
from pygateway import Aborted
from rawagent import RawAgent

EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"


# ---- the local server ----

def gives_up(session, path):
    with pytest.raises(Aborted) as told:
        session.gateway.run(session.fetch("GET", path))
    return told.value


@pytest.mark.parametrize("mode", MODES)
def test_head_that_drips(py_session, origin, mode):
    async def drip(r):
        await r.send(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            await r.send(b"x")
            await asyncio.sleep(0.05)
    origin.on("/drip", drip)
    session = py_session(mode, "--request-timeout", "1s")
    assert gives_up(session, "/drip").code == 504
    assert session.gateway.run(session.fetch("GET", "/")).status == 200


@pytest.mark.parametrize("mode", MODES)
def test_endless_interim_responses(py_session, origin, mode):
    async def endless(r):
        while True:
            await r.send(b"HTTP/1.1 102 Processing\r\n\r\n")
            await asyncio.sleep(0)
    origin.on("/processing", endless)
    session = py_session(mode)
    assert gives_up(session, "/processing").code == 504
    assert session.gateway.run(session.fetch("GET", "/")).status == 200


@pytest.mark.parametrize("mode", MODES)
def test_many_interim_responses(py_session, origin, mode):
    async def many(r):
        for _ in range(100):
            await r.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        return await r.reply(200, body=b"done")
    origin.on("/many", many)
    session = py_session(mode)
    for _ in range(2):
        reply = session.gateway.run(session.fetch("GET", "/many"))
        assert (reply.status, reply.body) == (200, b"done")
        assert len(reply.interim) == (0 if mode == "plain" else 100)


@pytest.mark.parametrize("tail", [b"1;", b"0\r\nX: "], ids=["extension", "trailer"])
def test_chunks_that_drip(py_session, origin, tail):
    """What is neither body nor its end is no progress."""
    async def drip(r):
        await r.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + tail)
        while True:
            await r.send(b"x")
            await asyncio.sleep(0.05)
    origin.on("/drip", drip)
    session = py_session("tlv", "--request-timeout", "1s")
    assert gives_up(session, "/drip").code == 504


def test_early_hints_before_an_upgrade(streams, origin):
    """103 and then 101, through the tunnel."""
    async def upgrade(r):
        await r.send(EARLY + b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                     b"Upgrade: echo\r\n\r\n")
        await r.send(await r.reader.readexactly(5))
        return False
    origin.on("/early", upgrade)
    with streams.visit() as visitor:
        visitor.begin("GET", "/early", [("Connection", "upgrade"), ("Upgrade", "echo")])
        response = visitor.head()
        while response.status == 103:
            response = visitor.head()
        assert response.status == 101
        visitor.send(b"hello")
        assert visitor.exactly(5) == b"hello"


# ---- an agent ----

def test_endless_interim_responses_of_an_agent(make_gateway):
    gateway = make_gateway("--request-timeout", "1s", certs=None)
    agent = RawAgent(gateway, gateway.token("shed"))
    over = threading.Event()

    def say(name):
        while not over.is_set():
            agent.say("HttpResponse", id=name, status=102)
            over.wait(0.01)
    with gateway.visit("shed") as visitor:
        visitor.begin("GET", "/")
        kind, fields = agent.message()
        assert kind == "HttpRequest"
        sayer = threading.Thread(target=say, args=[fields["id"]])
        sayer.start()
        try:
            heads = [visitor.head().status for _ in range(101)]
        finally:
            over.set()
            sayer.join()
    assert heads == [102] * 100 + [504]


# ---- the gateway's answer to the upgrade ----

def accepted(request):
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request).group(1)
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


@pytest.fixture
def answering(background, make_agent):
    """An agent whose gateway answers the upgrade as this coroutine likes: (request, writer)."""
    servers = []

    def make(answer, *options):
        async def serve(reader, writer):
            try:
                await answer(await reader.readuntil(b"\r\n\r\n"), writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass

        async def listen():
            return await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(background.run(listen()))
        port = servers[-1].sockets[0].getsockname()[1]
        return make_agent("ws://localhost:%d/" % port, "the-token", "127.0.0.1:9", *options)
    yield make
    for server in servers:
        background.loop.call_soon_threadsafe(server.close)


@pytest.mark.parametrize("piece", [1, 10, 1000000])
def test_interim_responses_before_the_101(answering, piece):
    async def answer(request, writer):
        data = EARLY * 3 + accepted(request)
        for at in range(0, len(data), piece):
            writer.write(data[at:at + piece])
            await writer.drain()
            await asyncio.sleep(0)
    answering(answer).wait_for_log("connected, protocol plain")


@pytest.mark.parametrize("what", ["a head that drips", "endless interim responses"])
def test_upgrade_without_an_end(answering, what):
    async def answer(request, writer):
        if what == "a head that drips":
            writer.write(b"HTTP/1.1 101 OK\r\nX: ")
        while True:
            writer.write(b"x" if what == "a head that drips" else EARLY)
            await writer.drain()
            await asyncio.sleep(0.02)
    agent = answering(answer, "--connect-timeout", "1s", "--max-attempts", "1")
    assert agent.wait() == 1
    assert "disconnected: timed out" in agent.log()


@pytest.mark.parametrize("status, value, least, most", [
    (503, b"2", 2000, 2000), (429, b"2", 2000, 2000), (503, b"99999999", 86400000, 86400000),
    (503, b"Wed, 21 Oct 2065 07:28:00 GMT", 0, 100), (503, b"99999999999999999999", 0, 100),
    (503, b"-1", 0, 100), (500, b"2", 0, 100),
])
def test_retry_after(answering, status, value, least, most):
    async def answer(request, writer):
        writer.write(b"HTTP/1.1 %d No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n" %
                     (status, value))
        await writer.drain()
    agent = answering(answer)
    found = agent.wait_for_log(r"connecting again in ([\d.]+)(ms|s|m)$")
    wait = float(found.group(1)) * {"ms": 1, "s": 1000, "m": 60000}[found.group(2)]
    assert least <= wait <= most


def test_nobody_there_by_that_path(answering):
    async def answer(request, writer):
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
    answering(answer).wait_for_log(r"status 404; is the path /_adit\?$")
